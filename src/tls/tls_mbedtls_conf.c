#include "tls/tls_mbedtls.h"

#include <mbedtls/psa_util.h>

#include "base/log.h"
#include "crypto/ct.h"

static const char tag[] = "tls";

/* In our order, which most servers follow: AES-128 before AES-256 before
 * ChaCha20, because the processors that we run on have instructions or
 * hardware for AES; authenticated modes before CBC, which is there for old
 * servers. The library skips what it was built without. */
static const int suites[] = {
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

/* A key or certificate as the library wants it: PEM needs its terminator
 * inside the length, which text that came from a file does not have. */
struct blob {
    const uint8_t *ptr;
    size_t len;
    uint8_t *copy; /* NULL: none was needed */
};

static bool is_pem(struct span s)
{
    static const char mark[] = "-----BEGIN ";
    const size_t mark_len = sizeof(mark) - 1;

    for (size_t i = 0; i + mark_len <= s.len; i++) {
        if (memcmp(s.ptr + i, mark, mark_len) == 0)
            return true;
    }
    return false;
}

static esp_err_t blob_open(struct blob *b, struct span s)
{
    const struct port_heap *heap = tls_lib_env()->heap;

    *b = (struct blob){ .ptr = s.ptr, .len = s.len };
    if (!is_pem(s) || s.ptr[s.len - 1] == '\0')
        return ESP_OK;
    b->copy = heap->alloc(heap->ctx, s.len + 1);
    if (!b->copy)
        return ESP_ERR_NO_MEM;
    memcpy(b->copy, s.ptr, s.len);
    b->ptr = b->copy;
    b->len = s.len + 1;
    return ESP_OK;
}

static void blob_close(struct blob *b)
{
    const struct port_heap *heap = tls_lib_env()->heap;

    if (b->copy)
        ct_wipe(b->copy, b->len);
    heap->free(heap->ctx, b->copy);
}

/* Some certificates of a list may be of a kind that we do not read: the rest
 * is used, as the reference does, and the log tells. */
static esp_err_t load_certs(mbedtls_x509_crt *out, struct span text,
                            const char *what, struct diag *d)
{
    struct blob blob;
    unsigned refused = tls_lib_refused_cnt();
    esp_err_t err = blob_open(&blob, text);

    if (err)
        return diag_fail(d, DIAG_STAGE_TLS, err, "out of memory");
    int ret = mbedtls_x509_crt_parse(out, blob.ptr, blob.len);
    blob_close(&blob);
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

static esp_err_t load_key(struct tls_session *s, const struct tls_conf *conf,
                          struct diag *d)
{
    struct blob blob;
    unsigned refused = tls_lib_refused_cnt();
    esp_err_t err = blob_open(&blob, conf->client_key);

    if (err)
        return diag_fail(d, DIAG_STAGE_TLS, err, "out of memory");
    int ret = mbedtls_pk_parse_key(
        &s->key, blob.ptr, blob.len, conf->client_key_password.ptr,
        conf->client_key_password.len, mbedtls_psa_get_random,
        MBEDTLS_PSA_RANDOM_STATE);
    blob_close(&blob);
    if (ret == 0)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_TLS,
                     tls_lib_err(refused, ESP_ERR_MBEDTLS_PK_PARSE_KEY_FAILED),
                     "the client key cannot be read: not PEM or DER, or its "
                     "password is wrong (Mbed TLS -0x%04x)",
                     (unsigned)-ret);
}

static esp_err_t load_own(struct tls_session *s, const struct tls_conf *conf,
                          struct diag *d)
{
    if (conf->client_cert.len == 0 && conf->client_key.len == 0)
        return ESP_OK;
    if (conf->client_cert.len == 0 || conf->client_key.len == 0)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "a client certificate and its key must be given "
                         "together");
    esp_err_t err =
        load_certs(&s->own, conf->client_cert, "client certificate", d);
    if (!err)
        err = load_key(s, conf, d);
    if (err)
        return err;
    if (mbedtls_ssl_conf_own_cert(&s->conf, &s->own, &s->key) != 0)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_NO_MEM, "out of memory");
    return ESP_OK;
}

/* Without a certificate authority the chain of a server that answers with a
 * certificate is still required, and cannot be verified: fails closed. */
static esp_err_t load_trust(struct tls_session *s, const struct tls_conf *conf,
                            struct diag *d)
{
    mbedtls_ssl_conf_authmode(&s->conf, conf->skip_verify
                                            ? MBEDTLS_SSL_VERIFY_NONE
                                            : MBEDTLS_SSL_VERIFY_REQUIRED);
    if (conf->ca.len > 0) {
        esp_err_t err = load_certs(&s->ca, conf->ca, "CA certificate", d);
        if (err)
            return err;
        mbedtls_ssl_conf_ca_chain(&s->conf, &s->ca, NULL);
    }
    if (conf->attach) {
        esp_err_t err = conf->attach(&s->conf);
        if (err)
            return diag_fail(d, DIAG_STAGE_TLS, err,
                             "the certificate bundle cannot be used (%s)",
                             err_name(err));
    }
    s->verify.next = s->conf.MBEDTLS_PRIVATE(f_vrfy);
    s->verify.next_ctx = s->conf.MBEDTLS_PRIVATE(p_vrfy);
    mbedtls_ssl_conf_verify(&s->conf, tls_verify_cert, &s->verify);
    return ESP_OK;
}

static mbedtls_ssl_protocol_version version_of(enum tls_version v,
                                               mbedtls_ssl_protocol_version any)
{
    if (v == TLS_VERSION_ANY)
        return any;
    return v == TLS_VERSION_1_2 ? MBEDTLS_SSL_VERSION_TLS1_2
                                : MBEDTLS_SSL_VERSION_TLS1_3;
}

static esp_err_t load_alpn(struct tls_session *s, const struct tls_conf *conf,
                           struct diag *d)
{
    const struct port_heap *heap = tls_lib_env()->heap;
    size_t cnt = 0;

    if (!conf->alpn)
        return ESP_OK;
    while (conf->alpn[cnt])
        cnt++;
    s->alpn = heap->alloc(heap->ctx, (cnt + 1) * sizeof(*s->alpn));
    if (!s->alpn)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_NO_MEM, "out of memory");
    memcpy(s->alpn, conf->alpn, (cnt + 1) * sizeof(*s->alpn));
    if (mbedtls_ssl_conf_alpn_protocols(&s->conf, s->alpn) != 0)
        return diag_fail(d, DIAG_STAGE_TLS,
                         ESP_ERR_MBEDTLS_SSL_CONF_ALPN_PROTOCOLS_FAILED,
                         "a name in the ALPN list is empty or longer than 255 "
                         "bytes");
    return ESP_OK;
}

static esp_err_t load_psk(struct tls_session *s, const struct tls_conf *conf,
                          struct diag *d)
{
    if (conf->psk.len == 0)
        return ESP_OK;
    if (mbedtls_ssl_conf_psk(&s->conf, conf->psk.ptr, conf->psk.len,
                             conf->psk_identity.ptr,
                             conf->psk_identity.len) != 0)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_MBEDTLS_SSL_CONF_PSK_FAILED,
                         "the pre-shared key or its identity is empty or too "
                         "long");
    return ESP_OK;
}

esp_err_t tls_conf_load(struct tls_session *s, const struct tls_conf *conf,
                        struct diag *d)
{
    if (mbedtls_ssl_config_defaults(&s->conf, MBEDTLS_SSL_IS_CLIENT,
                                    MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return diag_fail(d, DIAG_STAGE_TLS,
                         ESP_ERR_MBEDTLS_SSL_CONFIG_DEFAULTS_FAILED,
                         "Mbed TLS cannot be set up");
    mbedtls_ssl_conf_rng(&s->conf, mbedtls_psa_get_random,
                         MBEDTLS_PSA_RANDOM_STATE);
    mbedtls_ssl_conf_ciphersuites(&s->conf, suites);
    mbedtls_ssl_conf_min_tls_version(
        &s->conf, version_of(conf->min, MBEDTLS_SSL_VERSION_TLS1_2));
    mbedtls_ssl_conf_max_tls_version(
        &s->conf, version_of(conf->max, MBEDTLS_SSL_VERSION_TLS1_3));
    esp_err_t err = load_trust(s, conf, d);
    if (!err)
        err = load_own(s, conf, d);
    if (!err)
        err = load_psk(s, conf, d);
    if (!err)
        err = load_alpn(s, conf, d);
    return err;
}
