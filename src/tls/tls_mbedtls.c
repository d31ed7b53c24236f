/* TLS by Mbed TLS 3.6.
 *
 * The library is told the memory and the random numbers of the ports once,
 * in tls_init(); everything else hangs on a session. Deadlines live in the
 * transport callbacks (tls_mbedtls_bio.c), which wait as long as they may: the
 * library asks again only after a deadline has passed. */
#include "tls/tls_mbedtls.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <mbedtls/platform.h>
#include <psa/crypto.h>

#include "crypto/ct.h"

/* Calls of the library in one tls_recv() that gave nothing: session tickets,
 * empty records. A peer that sends only those is not obliged for ever. */
#define TLS_IDLE_MAX_CNT 256u
/* The latest time seen is kept in steps, to spare the flash it is kept in. */
#define FLOOR_STEP_S 86400

static struct {
    struct tls_env env;
    unsigned user_cnt;
    atomic_uint refused_cnt;
} tls_lib;

const struct tls_env *tls_lib_env(void)
{
    return &tls_lib.env;
}

unsigned tls_lib_refused_cnt(void)
{
    return atomic_load(&tls_lib.refused_cnt);
}

esp_err_t tls_lib_err(unsigned before, esp_err_t err)
{
    return tls_lib_refused_cnt() != before ? ESP_ERR_NO_MEM : err;
}

static void *lib_calloc(size_t cnt, size_t len)
{
    const struct port_heap *heap = tls_lib.env.heap;
    void *ptr = NULL;

    if (len == 0 || cnt <= SIZE_MAX / len)
        ptr = heap->alloc(heap->ctx, cnt * len);
    if (!ptr)
        atomic_fetch_add(&tls_lib.refused_cnt, 1);
    return ptr;
}

static void lib_free(void *ptr)
{
    tls_lib.env.heap->free(tls_lib.env.heap->ctx, ptr);
}

psa_status_t mbedtls_psa_external_get_random(
    mbedtls_psa_external_random_context_t *ctx, uint8_t *dst, size_t len,
    size_t *done_len)
{
    (void)ctx;
    *done_len = 0;
    if (!tls_lib.env.rng ||
        tls_lib.env.rng->fill(tls_lib.env.rng->ctx, dst, len) != ESP_OK)
        return PSA_ERROR_INSUFFICIENT_ENTROPY;
    *done_len = len;
    return PSA_SUCCESS;
}

static void hooks_release(void)
{
    mbedtls_psa_crypto_free();
    (void)mbedtls_platform_set_calloc_free(calloc, free);
    tls_lib.env = (struct tls_env){ .heap = NULL };
}

esp_err_t tls_init(const struct tls_env *env)
{
    if (tls_lib.user_cnt > 0) {
        if (tls_lib.env.heap != env->heap || tls_lib.env.rng != env->rng ||
            tls_lib.env.clock != env->clock)
            return ESP_ERR_INVALID_STATE;
        tls_lib.user_cnt++;
        return ESP_OK;
    }
    tls_lib.env = *env;
    (void)mbedtls_platform_set_calloc_free(lib_calloc, lib_free);
    psa_status_t status = psa_crypto_init();
    if (status != PSA_SUCCESS) {
        hooks_release();
        return status == PSA_ERROR_INSUFFICIENT_MEMORY ? ESP_ERR_NO_MEM
                                                       : ESP_FAIL;
    }
    tls_lib.user_cnt = 1;
    return ESP_OK;
}

void tls_deinit(void)
{
    if (tls_lib.user_cnt > 0 && --tls_lib.user_cnt == 0)
        hooks_release();
}

struct tls_session *tls_session_new(void)
{
    const struct port_heap *heap = tls_lib.env.heap;
    struct tls_session *s = heap->alloc(heap->ctx, sizeof(*s));

    if (!s)
        return NULL;
    mbedtls_ssl_init(&s->ssl);
    mbedtls_ssl_config_init(&s->conf);
    mbedtls_x509_crt_init(&s->ca);
    return s;
}

static void session_free(struct tls_session *s)
{
    const struct port_heap *heap = tls_lib.env.heap;

    mbedtls_ssl_free(&s->ssl);
    mbedtls_ssl_config_free(&s->conf);
    mbedtls_x509_crt_free(&s->ca);
    if (s->own) {
        mbedtls_x509_crt_free(&s->own->cert);
        mbedtls_pk_free(&s->own->key);
        heap->free(heap->ctx, s->own);
    }
    tls_verify_forget(&s->verify);
    tls_ticket_free(s->ticket);
    heap->free(heap->ctx, s->alpn);
    ct_wipe(s, sizeof(*s));
    heap->free(heap->ctx, s);
}

/* The library insists on being told that no name is checked. */
static esp_err_t set_name(struct tls_session *s, const char *name,
                          struct diag *d)
{
    unsigned refused = tls_lib_refused_cnt();
    uint32_t addr[4];

    s->by_address = name && mbedtls_x509_crt_parse_cn_inet_pton(name, addr);
    if (name && strlen(name) >= TLS_NAME_LEN)
        return diag_fail(d, DIAG_STAGE_TLS,
                         ESP_ERR_MBEDTLS_SSL_SET_HOSTNAME_FAILED,
                         "the host name has %zu bytes, TLS takes %u",
                         strlen(name), TLS_NAME_LEN - 1);
    if (mbedtls_ssl_set_hostname(&s->ssl, name) != 0)
        return diag_fail(
            d, DIAG_STAGE_TLS,
            tls_lib_err(refused, ESP_ERR_MBEDTLS_SSL_SET_HOSTNAME_FAILED),
            "TLS does not take the host name, or memory is out");
    return ESP_OK;
}

esp_err_t tls_session_setup(struct tls_session *s, const char *name,
                            struct diag *d)
{
    unsigned refused = tls_lib_refused_cnt();

    if (mbedtls_ssl_setup(&s->ssl, &s->conf) != 0)
        return diag_fail(d, DIAG_STAGE_TLS,
                         tls_lib_err(refused, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED),
                         "a TLS session cannot be set up: out of memory, or "
                         "the version bounds exclude each other");
    esp_err_t err = set_name(s, name, d);
    if (!err)
        mbedtls_ssl_set_bio(&s->ssl, &s->bio, tls_bio_send, tls_bio_recv, NULL);
    return err;
}

/* --- the handshake -------------------------------------------------------- */

static bool waits(int ret)
{
    return ret == MBEDTLS_ERR_SSL_WANT_READ ||
           ret == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* The certificates were verified, and none comes again: of what the server sent
 * only its key is still used, to see that it has the other half. RSA needs
 * 4 KB for that, which stand in the place of what goes here. */
static void chain_done(struct tls_session *s)
{
    mbedtls_ssl_session *next = s->ssl.MBEDTLS_PRIVATE(session_negotiate);
    mbedtls_x509_crt *crt = next ? next->MBEDTLS_PRIVATE(peer_cert) : NULL;

    mbedtls_ssl_conf_ca_chain(&s->conf, NULL, NULL);
    mbedtls_x509_crt_free(&s->ca);
    mbedtls_x509_crt_init(&s->ca);
    s->verify.bundle = NULL;
    if (!crt || s->keep_cert)
        return;
    mbedtls_pk_context key = crt->pk;
    mbedtls_pk_init(&crt->pk);
    mbedtls_x509_crt_free(crt);
    mbedtls_x509_crt_init(crt);
    crt->pk = key;
}

/* It has proven itself. */
static void verify_done(struct tls_session *s)
{
    mbedtls_ssl_session *next = s->ssl.MBEDTLS_PRIVATE(session_negotiate);

    tls_verify_forget(&s->verify);
    if (next && !s->keep_cert)
        tls_drop_certificate(next);
}

/* RFC 6066, 3: a literal address is not a server name, and GnuTLS hangs up on
 * one of IPv6. The library would send it, so its hello does not see it. */
static int shake_step(struct tls_session *s)
{
    char *name = s->ssl.MBEDTLS_PRIVATE(hostname);

    if (s->by_address &&
        s->ssl.MBEDTLS_PRIVATE(state) <= MBEDTLS_SSL_CLIENT_HELLO)
        s->ssl.MBEDTLS_PRIVATE(hostname) = NULL;
    int ret = mbedtls_ssl_handshake_step(&s->ssl);
    s->ssl.MBEDTLS_PRIVATE(hostname) = name;
    return ret;
}

/* A step from `was` has been made. */
static void shed(struct tls_session *s, int was)
{
    int now = s->ssl.MBEDTLS_PRIVATE(state);

    if (s->is_server || now == was)
        return;
    if (was == MBEDTLS_SSL_SERVER_HELLO && now != MBEDTLS_SSL_CLIENT_HELLO)
        tls_shed_choice(s);
    if (was == MBEDTLS_SSL_SERVER_CERTIFICATE)
        chain_done(s);
    if (now == MBEDTLS_SSL_SERVER_FINISHED)
        verify_done(s);
}

/* Step by step, to see whether the server shows a certificate: that is where
 * a handshake that goes on with a ticket parts from a whole one. */
static int shake_on(struct tls_session *s)
{
    int ret = 0;

    while (ret == 0 && !mbedtls_ssl_is_handshake_over(&s->ssl)) {
        int was = s->ssl.MBEDTLS_PRIVATE(state);
        ret = shake_step(s);
        if (s->ssl.MBEDTLS_PRIVATE(state) == MBEDTLS_SSL_SERVER_CERTIFICATE)
            s->met_cert = true;
        if (ret == 0)
            shed(s, was);
    }
    return ret;
}

/* A server's certificate that was good by the clock says that the clock is. */
static void raise_floor(struct tls_session *s)
{
    const struct tls_now *now = &s->verify.now;
    struct tls_floor *floor = s->floor;

    if (!floor || !s->verify.began || now->rule == POL_DATES_OFF ||
        !tls_date_plausible(now) || now->clock_s - floor->s < FLOOR_STEP_S)
        return;
    floor->s = now->clock_s;
    if (floor->keep)
        floor->keep(floor->ctx, floor->s);
}

static void shake_done(struct tls_session *s)
{
    raise_floor(s);
    chain_done(s);
    verify_done(s);
    if (!s->keep_cert)
        tls_drop_certificate(s->ssl.MBEDTLS_PRIVATE(session));
    if (s->ssl.MBEDTLS_PRIVATE(tls_version) == MBEDTLS_SSL_VERSION_TLS1_2)
        tls_ticket_keep(s); /* TLS 1.3 sends its tickets later */
    tls_shed_handshake(s);
}

esp_err_t tls_shake(struct tls_session *s, uint64_t deadline_ms, struct diag *d)
{
    unsigned refused = tls_lib_refused_cnt();
    int ret = 0;

    if (s->broken)
        return ESP_FAIL;
    s->bio.deadline_ms = deadline_ms;
    s->bio.err = ESP_OK;
    do {
        ret = shake_on(s);
        s->wants_write = ret == MBEDTLS_ERR_SSL_WANT_WRITE;
        if (waits(ret) && s->bio.err == ESP_ERR_TIMEOUT)
            return ESP_ERR_TIMEOUT;
    } while (waits(ret) && s->bio.err == ESP_OK);
    if (ret == 0) {
        shake_done(s);
        return ESP_OK;
    }
    s->broken = true;
    if (tls_lib_err(refused, ESP_OK) == ESP_ERR_NO_MEM) {
        s->fault.code = ret;
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_NO_MEM,
                         "out of memory during the TLS handshake");
    }
    return tls_explain(s, ret, d);
}

esp_err_t tls_begin(struct tls_session **out, const struct tls_dial *dial,
                    const struct tls_conf *conf, struct diag *d)
{
    const char *name = conf->name ? conf->name : dial->host;

    *out = NULL;
    if (tls_lib.user_cnt == 0)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_INVALID_STATE,
                         "TLS was not initialised");
    esp_err_t err = tls_conf_check(conf, d);
    if (err)
        return err;
    struct tls_session *s = tls_session_new();
    if (!s)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_NO_MEM,
                         "out of memory for a TLS session");
    tls_bio_init(&s->bio, dial->net, dial->conn);
    err = tls_conf_load(s, conf, d);
    if (!err)
        err = tls_session_setup(s, conf->skip_name_check ? NULL : name, d);
    if (err) {
        s->broken = true; /* nothing to say good-bye to */
        tls_close(s);
        return err;
    }
    tls_ticket_offer(s, dial->ticket);
    *out = s;
    return ESP_OK;
}

esp_err_t tls_open(struct tls_session **out, struct tls_dial *dial,
                   const struct tls_conf *conf, struct diag *d)
{
    struct tls_session *s = NULL;
    esp_err_t err = tls_begin(&s, dial, conf, d);

    *out = NULL;
    dial->fault = (struct tls_fault){ .code = 0 };
    if (err)
        return err;
    assert(s);
    err = tls_shake(s, dial->deadline_ms, d);
    if (err == ESP_ERR_TIMEOUT) {
        s->broken = true;
        err = tls_explain(s, MBEDTLS_ERR_SSL_TIMEOUT, d);
    }
    dial->fault = s->fault;
    if (err) {
        tls_close(s);
        return err;
    }
    *out = s;
    return ESP_OK;
}

/* --- bytes ---------------------------------------------------------------- */

static esp_err_t session_broken(struct tls_session *s, int ret)
{
    const unsigned char *msg = s->ssl.MBEDTLS_PRIVATE(in_msg);

    s->broken = true;
    s->fault.code = ret;
    s->fault.room = s->bio.room;
    if (ret == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && msg)
        s->fault.alert = msg[1];
    return ESP_FAIL;
}

esp_err_t tls_send(struct tls_session *s, const void *src, size_t len,
                   uint64_t deadline_ms, size_t *done_len)
{
    int ret = 0;

    *done_len = 0;
    if (s->broken)
        return ESP_FAIL;
    s->bio.deadline_ms = deadline_ms;
    s->bio.err = ESP_OK;
    do {
        ret = mbedtls_ssl_write(&s->ssl, src, len);
        if (ret > 0) {
            *done_len = (size_t)ret;
            return ESP_OK;
        }
        if (s->bio.err == ESP_ERR_TIMEOUT)
            return ESP_ERR_TIMEOUT;
    } while (waits(ret));
    return session_broken(s, ret);
}

static bool recv_again(int ret)
{
    return waits(ret) || ret == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
}

esp_err_t tls_recv(struct tls_session *s, void *dst, size_t len,
                   uint64_t deadline_ms, size_t *done_len)
{
    int ret = MBEDTLS_ERR_SSL_WANT_READ;

    *done_len = 0;
    if (s->broken)
        return ESP_FAIL;
    s->bio.deadline_ms = deadline_ms;
    s->bio.err = ESP_OK;
    for (unsigned i = 0; i < TLS_IDLE_MAX_CNT && recv_again(ret); i++) {
        ret = mbedtls_ssl_read(&s->ssl, dst, len);
        if (ret == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
            tls_ticket_keep(s);
        if (recv_again(ret) && s->bio.err == ESP_ERR_TIMEOUT)
            return ESP_ERR_TIMEOUT;
    }
    if (ret > 0) {
        *done_len = (size_t)ret;
        return ESP_OK;
    }
    s->closed_clean = ret == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY;
    if (s->closed_clean || ret == 0 || ret == MBEDTLS_ERR_SSL_CONN_EOF)
        return ESP_OK;
    return session_broken(s, ret);
}

size_t tls_pending(const struct tls_session *s)
{
    return s->broken ? 0 : mbedtls_ssl_get_bytes_avail(&s->ssl);
}

bool tls_resumed(const struct tls_session *s)
{
    return s->offered && !s->met_cert;
}

bool tls_wants_write(const struct tls_session *s)
{
    return s->wants_write;
}

const int *tls_suites(void)
{
    return mbedtls_ssl_list_ciphersuites();
}

void *tls_library_session(struct tls_session *s)
{
    return &s->ssl;
}

const char *tls_alpn(const struct tls_session *s)
{
    return mbedtls_ssl_get_alpn_protocol(&s->ssl);
}

bool tls_closed_clean(const struct tls_session *s)
{
    return s->closed_clean;
}

void tls_last_fault(const struct tls_session *s, struct tls_fault *out)
{
    *out = s->fault;
}

const char *tls_version_name(const struct tls_session *s)
{
    return mbedtls_ssl_get_version(&s->ssl);
}

const char *tls_suite_name(const struct tls_session *s)
{
    return mbedtls_ssl_get_ciphersuite(&s->ssl);
}

void tls_close(struct tls_session *s)
{
    if (!s)
        return;
    if (!s->broken) {
        s->bio.deadline_ms = 0;
        (void)mbedtls_ssl_close_notify(&s->ssl);
    }
    session_free(s);
}
