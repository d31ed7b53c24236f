/* From struct tls_conf to what Mbed TLS is told: trust, versions, suites,
 * keys. */
#include "tls/tls_mbedtls.h"

#include <stdio.h>

#include <mbedtls/psa_util.h>

#include "base/log.h"
#include "crypto/ct.h"
#include "tls/store.h"

static const char tag[] = "tls";

/* In our order, which most servers follow: AES-128 before AES-256 before
 * ChaCha20, because the processors that we run on have instructions or
 * hardware for AES; authenticated modes before CBC, which is there for old
 * servers. The library skips what it was built without. */
static const int our_suites[] = {
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
    MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_PSK_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_PSK_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_PSK_WITH_AES_128_CCM,
    MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8,
    MBEDTLS_TLS_PSK_WITH_AES_128_CBC_SHA256,
    0,
};

bool tls_is_pem(struct span s)
{
    static const char mark[] = "-----BEGIN ";
    const size_t mark_len = sizeof(mark) - 1;

    for (size_t i = 0; i + mark_len <= s.len; i++) {
        if (memcmp(s.ptr + i, mark, mark_len) == 0)
            return true;
    }
    return false;
}

esp_err_t tls_blob_open(struct tls_blob *b, struct span s)
{
    const struct port_heap *heap = tls_lib_env()->heap;

    *b = (struct tls_blob){ .ptr = s.ptr, .len = s.len };
    if (!tls_is_pem(s) || s.ptr[s.len - 1] == '\0')
        return ESP_OK;
    b->copy = heap->alloc(heap->ctx, s.len + 1);
    if (!b->copy)
        return ESP_ERR_NO_MEM;
    memcpy(b->copy, s.ptr, s.len);
    b->ptr = b->copy;
    b->len = s.len + 1;
    return ESP_OK;
}

void tls_blob_close(struct tls_blob *b)
{
    const struct port_heap *heap = tls_lib_env()->heap;

    if (b->copy)
        ct_wipe(b->copy, b->len);
    heap->free(heap->ctx, b->copy);
    b->copy = NULL;
}

/* Some certificates of a list may be of a kind that we do not read: the rest
 * is used, as the reference does, and the log tells. */
esp_err_t tls_load_certs(mbedtls_x509_crt *out, struct span text,
                         const char *what, struct diag *d)
{
    struct tls_blob blob;
    unsigned refused = tls_lib_refused_cnt();
    esp_err_t err = tls_blob_open(&blob, text);

    if (err)
        return diag_fail(d, DIAG_STAGE_TLS, err, "out of memory");
    int ret = mbedtls_x509_crt_parse(out, blob.ptr, blob.len);
    tls_blob_close(&blob);
    if (ret > 0)
        LOGW(tag, "%d of the certificates in the %s cannot be read", ret, what);
    if (ret >= 0)
        return ESP_OK;
    err = tls_lib_err(refused, ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED);
    return diag_fail(d, DIAG_STAGE_TLS, err,
                     err == ESP_ERR_NO_MEM
                         ? "out of memory"
                         : "the %s is not a certificate in PEM or DER (%zu "
                           "bytes, Mbed TLS -0x%04x)",
                     what, text.len, (unsigned)-ret);
}

static esp_err_t load_key(struct tls_session *s, const struct tls_own *own,
                          struct diag *d)
{
    struct tls_blob blob;
    unsigned refused = tls_lib_refused_cnt();
    esp_err_t err = tls_blob_open(&blob, own->key);

    if (err)
        return diag_fail(d, DIAG_STAGE_TLS, err, "out of memory");
    int ret = mbedtls_pk_parse_key(
        &s->own->key, blob.ptr, blob.len, own->password.ptr, own->password.len,
        mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    tls_blob_close(&blob);
    if (ret == 0)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_TLS,
                     tls_lib_err(refused, ESP_ERR_MBEDTLS_PK_PARSE_KEY_FAILED),
                     ret == MBEDTLS_ERR_PK_PASSWORD_REQUIRED
                         ? "the %s key needs a password (Mbed TLS -0x%04x)"
                         : "the %s key cannot be read: not PEM or DER, or its "
                           "password is wrong (Mbed TLS -0x%04x)",
                     own->whose, (unsigned)-ret);
}

/* The library finds out only when it signs, in the middle of a handshake. */
static esp_err_t check_pair(struct tls_session *s, const struct tls_own *own,
                            struct diag *d)
{
    unsigned refused = tls_lib_refused_cnt();

    if (mbedtls_pk_check_pair(&s->own->cert.pk, &s->own->key,
                              mbedtls_psa_get_random,
                              MBEDTLS_PSA_RANDOM_STATE) == 0)
        return ESP_OK;
    return diag_fail(
        d, DIAG_STAGE_TLS,
        tls_lib_err(refused, ESP_ERR_MBEDTLS_SSL_CONF_OWN_CERT_FAILED),
        "the %s certificate and the %s key do not belong together", own->whose,
        own->whose);
}

esp_err_t tls_load_own(struct tls_session *s, const struct tls_own *own,
                       struct diag *d)
{
    const struct port_heap *heap = tls_lib_env()->heap;
    char what[32];

    if (own->cert.len == 0 && own->key.len == 0)
        return ESP_OK;
    if (own->cert.len == 0 || own->key.len == 0)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "a %s certificate and its key must be given together",
                         own->whose);
    s->own = heap->alloc(heap->ctx, sizeof(*s->own));
    if (!s->own)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_NO_MEM, "out of memory");
    mbedtls_x509_crt_init(&s->own->cert);
    mbedtls_pk_init(&s->own->key);
    (void)snprintf(what, sizeof(what), "%s certificate", own->whose);
    esp_err_t err = tls_load_certs(&s->own->cert, own->cert, what, d);
    if (!err)
        err = load_key(s, own, d);
    if (!err)
        err = check_pair(s, own, d);
    if (err)
        return err;
    if (mbedtls_ssl_conf_own_cert(&s->conf, &s->own->cert, &s->own->key) != 0)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_NO_MEM, "out of memory");
    return ESP_OK;
}

static esp_err_t load_lists(struct tls_session *s, const struct tls_conf *conf,
                            struct diag *d)
{
    mbedtls_x509_crt *list = NULL;

    if (conf->ca.len > 0) {
        esp_err_t err = tls_load_certs(&s->ca, conf->ca, "CA certificate", d);
        if (err)
            return err;
        list = &s->ca;
    } else if (conf->store) {
        list = tls_writable(&conf->store->certs);
    }
    if (conf->bundle.len > 0) {
        if (tls_bundle_parse(conf->bundle, &s->bundle) != ESP_OK)
            return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_INVALID_ARG,
                             "the certificate bundle is damaged (%zu bytes)",
                             conf->bundle.len);
        s->verify.bundle = &s->bundle;
        list = list ? list : tls_no_certs();
    }
    if (list)
        mbedtls_ssl_conf_ca_chain(&s->conf, list, NULL);
    return ESP_OK;
}

/* An application's callback may ask for a bundle, or for something else. */
static esp_err_t load_attached(struct tls_session *s,
                               const struct tls_conf *conf, struct diag *d)
{
    esp_err_t err = conf->attach(&s->conf);

    if (err)
        return diag_fail(d, DIAG_STAGE_TLS, err,
                         "the certificate bundle cannot be used (%s)",
                         err_name(err));
    const struct tls_bundle *bundle = tls_bundle_attached(&s->conf);
    if (bundle) {
        s->verify.bundle = bundle;
        return ESP_OK;
    }
    s->verify.next = s->conf.MBEDTLS_PRIVATE(f_vrfy);
    s->verify.next_ctx = s->conf.MBEDTLS_PRIVATE(p_vrfy);
    return ESP_OK;
}

static void load_dates(struct tls_session *s, const struct tls_conf *conf)
{
    const struct port_clock *clock = tls_lib_env()->clock;
    struct tls_now *now = &s->verify.now;

    now->rule = conf->dates;
    now->clock_set = clock->now_s(clock->ctx, &now->clock_s) == ESP_OK;
    now->floor_s = conf->build_s ? conf->build_s : tls_date_build_s();
    if (conf->floor && conf->floor->s > now->floor_s)
        now->floor_s = conf->floor->s;
    s->floor = conf->floor;
    s->verify.until_s = INT64_MAX;
}

/* Certificates by their bytes; a store, a bundle and an application's callback
 * by their place: they outlive the sessions that are compared. */
static void mark_trust(struct tls_session *s, const struct tls_conf *conf)
{
    const struct tls_bundle *bundle = s->verify.bundle;
    const void *bytes = bundle ? bundle->bytes.ptr : NULL;
    bool by_psk = conf->psk.len > 0;
    struct sha256 h;

    sha256_init(&h);
    sha256_update(&h, &by_psk, sizeof(by_psk));
    sha256_update(&h, &conf->store, sizeof(conf->store));
    sha256_update(&h, &conf->attach, sizeof(conf->attach));
    sha256_update(&h, &bytes, sizeof(bytes));
    if (conf->ca.len > 0)
        sha256_update(&h, conf->ca.ptr, conf->ca.len);
    sha256_final(&h, s->trust);
}

/* Without a certificate authority the chain of a server that answers with a
 * certificate is still required, and cannot be verified: fails closed. */
static esp_err_t load_trust(struct tls_session *s, const struct tls_conf *conf,
                            struct diag *d)
{
    mbedtls_ssl_conf_authmode(&s->conf, conf->skip_verify
                                            ? MBEDTLS_SSL_VERIFY_NONE
                                            : MBEDTLS_SSL_VERIFY_REQUIRED);
    esp_err_t err = load_lists(s, conf, d);
    if (!err && conf->attach)
        err = load_attached(s, conf, d);
    mark_trust(s, conf);
    load_dates(s, conf);
    mbedtls_ssl_conf_verify(&s->conf, tls_verify_cert, &s->verify);
    return err;
}

static mbedtls_ssl_protocol_version version_of(enum tls_version v,
                                               mbedtls_ssl_protocol_version any)
{
    if (v == TLS_VERSION_ANY)
        return any;
    return v == TLS_VERSION_1_2 ? MBEDTLS_SSL_VERSION_TLS1_2
                                : MBEDTLS_SSL_VERSION_TLS1_3;
}

/* The client of a small build asks for records that fit. The library's own call
 * refuses a length that its output has no room for; what is sent is cut to both
 * by the library, so that is no reason. */
static void load_record_len(struct tls_session *s)
{
    static const struct {
        size_t len;
        unsigned char code;
    } codes[] = { { 4096, MBEDTLS_SSL_MAX_FRAG_LEN_4096 },
                  { 2048, MBEDTLS_SSL_MAX_FRAG_LEN_2048 },
                  { 1024, MBEDTLS_SSL_MAX_FRAG_LEN_1024 },
                  { 0, MBEDTLS_SSL_MAX_FRAG_LEN_512 } };
    size_t i = 0;

    while (codes[i].len > tls_room(s))
        i++;
    s->conf.MBEDTLS_PRIVATE(mfl_code) = codes[i].code;
}

/* TLS 1.3 has no word for short records that all servers know, and the library
 * refuses servers that answer the old one there: a small build speaks 1.3 only
 * when told to, and does not ask then. */
static mbedtls_ssl_protocol_version highest(const struct tls_session *s,
                                            enum tls_version min)
{
    bool short_records = tls_room(s) < TLS_RECORD_MAX_LEN && !s->is_server;

    return short_records && min != TLS_VERSION_1_3 ? MBEDTLS_SSL_VERSION_TLS1_2
                                                   : MBEDTLS_SSL_VERSION_TLS1_3;
}

void tls_load_versions(struct tls_session *s, enum tls_version min,
                       enum tls_version max)
{
    mbedtls_ssl_conf_min_tls_version(
        &s->conf, version_of(min, MBEDTLS_SSL_VERSION_TLS1_2));
    mbedtls_ssl_conf_max_tls_version(&s->conf,
                                     version_of(max, highest(s, min)));
    if (tls_room(s) < TLS_RECORD_MAX_LEN && !s->is_server &&
        s->conf.MBEDTLS_PRIVATE(max_tls_version) == MBEDTLS_SSL_VERSION_TLS1_2)
        load_record_len(s);
}

esp_err_t tls_load_alpn(struct tls_session *s, const char *const *names,
                        struct diag *d)
{
    const struct port_heap *heap = tls_lib_env()->heap;
    size_t cnt = 0;

    if (!names)
        return ESP_OK;
    while (names[cnt])
        cnt++;
    s->alpn = heap->alloc(heap->ctx, (cnt + 1) * sizeof(*s->alpn));
    if (!s->alpn)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_NO_MEM, "out of memory");
    memcpy(s->alpn, names, (cnt + 1) * sizeof(*s->alpn));
    if (mbedtls_ssl_conf_alpn_protocols(&s->conf, s->alpn) != 0)
        return diag_fail(d, DIAG_STAGE_TLS,
                         ESP_ERR_MBEDTLS_SSL_CONF_ALPN_PROTOCOLS_FAILED,
                         "a name in the ALPN list is empty or longer than 255 "
                         "bytes");
    return ESP_OK;
}

esp_err_t tls_load_psk(struct tls_session *s, struct span key,
                       struct span identity, struct diag *d)
{
    unsigned refused = tls_lib_refused_cnt();

    if (key.len == 0)
        return ESP_OK;
    if (mbedtls_ssl_conf_psk(&s->conf, key.ptr, key.len, identity.ptr,
                             identity.len) != 0)
        return diag_fail(
            d, DIAG_STAGE_TLS,
            tls_lib_err(refused, ESP_ERR_MBEDTLS_SSL_CONF_PSK_FAILED),
            "the pre-shared key of %zu bytes or its identity of %zu cannot be "
            "used: they must not be empty, and not longer than %d and %d",
            key.len, identity.len, MBEDTLS_PSK_MAX_LEN,
            MBEDTLS_SSL_OUT_CONTENT_LEN);
    return ESP_OK;
}

/* PKCS #1 stands before PSS: a server of TLS 1.2 with an RSA key takes what it
 * sees first, and the library has PSS in TLS 1.3 only, where PKCS #1 is not
 * allowed and nobody takes it. */
static const uint16_t our_signatures[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
    MBEDTLS_TLS1_3_SIG_NONE
};

esp_err_t tls_load_base(struct tls_session *s, const int *suites,
                        struct diag *d)
{
    int role = s->is_server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;

    if (mbedtls_ssl_config_defaults(&s->conf, role,
                                    MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return diag_fail(d, DIAG_STAGE_TLS,
                         ESP_ERR_MBEDTLS_SSL_CONFIG_DEFAULTS_FAILED,
                         "Mbed TLS cannot be set up");
    mbedtls_ssl_conf_rng(&s->conf, mbedtls_psa_get_random,
                         MBEDTLS_PSA_RANDOM_STATE);
    mbedtls_ssl_conf_ciphersuites(&s->conf, suites ? suites : our_suites);
    mbedtls_ssl_conf_sig_algs(&s->conf, our_signatures);
    return ESP_OK;
}

/* A ticket alone would go on with the old keys; with fresh ones beside it a
 * stolen ticket key does not open what was recorded. */
static void load_tickets(struct tls_session *s, const struct tls_conf *conf)
{
    s->keep_ticket = conf->keep_ticket && conf->psk.len == 0;
    mbedtls_ssl_conf_session_tickets(
        &s->conf, s->keep_ticket ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED
                                 : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        &s->conf, s->keep_ticket
                      ? MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED
                      : MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_DISABLED);
    if (conf->psk.len == 0)
        mbedtls_ssl_conf_tls13_key_exchange_modes(
            &s->conf, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
}

esp_err_t tls_conf_load(struct tls_session *s, const struct tls_conf *conf,
                        struct diag *d)
{
    const struct tls_own own = { conf->client_cert, conf->client_key,
                                 conf->client_key_password, "client" };
    esp_err_t err = tls_load_base(s, conf->suites, d);

    if (err)
        return err;
    s->skip_verify = conf->skip_verify;
    s->keep_cert = conf->keep_cert;
    if (TLS_ROOM_VARIES && conf->record_len < TLS_RECORD_MAX_LEN)
        s->bio.room = conf->record_len;
    tls_load_versions(s, conf->min, conf->max);
    load_tickets(s, conf);
    err = load_trust(s, conf, d);
    if (!err)
        err = tls_load_own(s, &own, d);
    if (!err)
        err = tls_load_psk(s, conf->psk, conf->psk_identity, d);
    if (!err)
        err = tls_load_alpn(s, conf->alpn, d);
    return err;
}

static bool names_trust(const struct tls_conf *conf)
{
    return conf->ca.len > 0 || conf->bundle.len > 0 || conf->store ||
           conf->attach || conf->psk.len > 0;
}

esp_err_t tls_conf_check(const struct tls_conf *conf, struct diag *d)
{
    if (conf->store && tls_store_is_empty(conf->store) && conf->ca.len == 0)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED,
                         "the store of CA certificates is empty: fill it "
                         "before it is used");
    if (names_trust(conf) || conf->skip_verify)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED,
                     "there is nothing to verify the server by: give a CA "
                     "certificate");
}

void tls_conf_obey(struct tls_conf *conf, const struct policy *policy,
                   const char *host)
{
    bool given = names_trust(conf);

    conf->dates = pol_cert_dates(policy);
    conf->record_len = policy->tls_record_len;
    if (conf->psk.len > 0 && !pol_psk(policy)) {
        LOGE(tag, "the pre-shared key is not used: ESP_TLS_PSK_VERIFICATION is "
                  "off");
        conf->psk = span_of(NULL, 0);
    }
    if (!given && pol_skip_cert_verify(policy))
        conf->skip_verify = true;
    if (conf->skip_verify)
        LOG_ALARM(tag,
                  "%s is NOT verified: anybody on the way can read and change "
                  "what is sent",
                  host);
}
