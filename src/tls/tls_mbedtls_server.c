/* tls/server.h: the other end of a session. */
#include "tls/tls_mbedtls.h"

#include <mbedtls/psa_util.h>
#include <mbedtls/ssl_ticket.h>

#include "tls/server.h"

struct tls_tickets {
    mbedtls_ssl_ticket_context ctx;
};

struct tls_tickets *tls_tickets_new(uint32_t lifetime_s)
{
    const struct port_heap *heap = tls_lib_env()->heap;
    struct tls_tickets *t = heap->alloc(heap->ctx, sizeof(*t));

    if (!t)
        return NULL;
    mbedtls_ssl_ticket_init(&t->ctx);
    if (mbedtls_ssl_ticket_setup(&t->ctx, mbedtls_psa_get_random,
                                 MBEDTLS_PSA_RANDOM_STATE,
                                 MBEDTLS_CIPHER_AES_256_GCM, lifetime_s) == 0)
        return t;
    tls_tickets_free(t);
    return NULL;
}

void tls_tickets_free(struct tls_tickets *t)
{
    const struct port_heap *heap = tls_lib_env()->heap;

    if (!t)
        return;
    mbedtls_ssl_ticket_free(&t->ctx);
    heap->free(heap->ctx, t);
}

static esp_err_t load_clients(struct tls_session *s,
                              const struct tls_server_conf *conf,
                              struct diag *d)
{
    const struct port_clock *clock = tls_lib_env()->clock;
    struct tls_now *now = &s->verify.now;

    now->rule = conf->dates;
    now->clock_set = clock->now_s(clock->ctx, &now->clock_s) == ESP_OK;
    now->floor_s = tls_date_build_s();
    s->verify.until_s = INT64_MAX;
    mbedtls_ssl_conf_verify(&s->conf, tls_verify_cert, &s->verify);
    if (conf->client_ca.len == 0)
        return ESP_OK;
    esp_err_t err =
        tls_load_certs(&s->ca, conf->client_ca, "client CA certificate", d);
    if (err)
        return err;
    mbedtls_ssl_conf_ca_chain(&s->conf, &s->ca, NULL);
    mbedtls_ssl_conf_authmode(&s->conf, conf->client_optional
                                            ? MBEDTLS_SSL_VERIFY_OPTIONAL
                                            : MBEDTLS_SSL_VERIFY_REQUIRED);
    return ESP_OK;
}

static void load_hooks(struct tls_session *s,
                       const struct tls_server_conf *conf)
{
    mbedtls_ssl_conf_set_user_data_p(&s->conf, conf->select_ctx);
    if (conf->select)
        mbedtls_ssl_conf_cert_cb(&s->conf, conf->select);
    if (conf->tickets)
        mbedtls_ssl_conf_session_tickets_cb(&s->conf, mbedtls_ssl_ticket_write,
                                            mbedtls_ssl_ticket_parse,
                                            tls_writable(&conf->tickets->ctx));
}

static esp_err_t server_load(struct tls_session *s,
                             const struct tls_server_conf *conf, struct diag *d)
{
    const struct tls_own own = { conf->cert, conf->key, conf->key_password,
                                 "server" };
    esp_err_t err = tls_load_base(s, conf->suites, d);

    if (err)
        return err;
    tls_load_versions(s, conf->min, conf->max);
    load_hooks(s, conf);
    err = load_clients(s, conf, d);
    if (!err)
        err = tls_load_own(s, &own, d);
    if (!err)
        err = tls_load_psk(s, conf->psk, conf->psk_identity, d);
    if (!err)
        err = tls_load_alpn(s, conf->alpn, d);
    return err;
}

esp_err_t tls_accept(struct tls_session **out, const struct port_net *net,
                     struct port_conn *conn, const struct tls_server_conf *conf,
                     struct diag *d)
{
    *out = NULL;
    if (!tls_lib_env()->heap)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_INVALID_STATE,
                         "TLS was not initialised");
    if (conf->cert.len == 0 && !conf->select && conf->psk.len == 0)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_MBEDTLS_SSL_SETUP_FAILED,
                         "a server needs a certificate, a callback that "
                         "selects one, or a pre-shared key");
    struct tls_session *s = tls_session_new();
    if (!s)
        return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_NO_MEM,
                         "out of memory for a TLS session");
    s->is_server = true;
    tls_bio_init(&s->bio, net, conn);
    esp_err_t err = server_load(s, conf, d);
    if (!err)
        err = tls_session_setup(s, NULL, d);
    if (err) {
        s->broken = true;
        tls_close(s);
        return err;
    }
    *out = s;
    return ESP_OK;
}
