#include "tlsweb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "ports.h"

#define RNG mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE
#define WIRE_LEN 40000u /* two records, and what a handshake has at once */

/* Bytes on their way. */
struct wire {
    unsigned char bytes[WIRE_LEN];
    size_t from, to;
};

static struct {
    struct port_net port;
    struct web *web;
    mbedtls_ssl_config conf;
    mbedtls_x509_crt cert;
    mbedtls_ssl_context ssl;
    struct wire in, out;
    bool shaken, ended;
} srv;

static size_t wire_put(struct wire *w, const void *src, size_t len)
{
    if (w->from > 0) {
        memmove(w->bytes, w->bytes + w->from, w->to - w->from);
        w->to -= w->from;
        w->from = 0;
    }
    if (len > WIRE_LEN - w->to)
        len = WIRE_LEN - w->to;
    memcpy(w->bytes + w->to, src, len);
    w->to += len;
    return len;
}

static size_t wire_take(struct wire *w, void *dst, size_t len)
{
    if (len > w->to - w->from)
        len = w->to - w->from;
    memcpy(dst, w->bytes + w->from, len);
    w->from += len;
    return len;
}

static int bio_send(void *ctx, const unsigned char *src, size_t len)
{
    size_t done = wire_put(&srv.out, src, len);

    (void)ctx;
    return done ? (int)done : MBEDTLS_ERR_SSL_WANT_WRITE;
}

static int bio_recv(void *ctx, unsigned char *dst, size_t len)
{
    size_t done = wire_take(&srv.in, dst, len);

    (void)ctx;
    return done ? (int)done : MBEDTLS_ERR_SSL_WANT_READ;
}

/* Requests that came go to the server of files. */
static void hear(void)
{
    unsigned char plain[2048];
    size_t done;
    int got;

    while ((got = mbedtls_ssl_read(&srv.ssl, plain, sizeof(plain))) > 0)
        if (srv.web->port.send(&srv.web->conn, plain, (size_t)got, 0, &done))
            srv.ended = true;
}

static bool has_answer(const struct port_conn *c)
{
    return c->head_pos < c->head_len || c->body_pos < c->body_end;
}

/* A piece of the answer. */
static esp_err_t say(uint64_t deadline_ms)
{
    unsigned char plain[4096];
    size_t len = 0;
    esp_err_t err = srv.web->port.recv(&srv.web->conn, plain, sizeof(plain),
                                       deadline_ms, &len);

    if (!err && len == 0)
        srv.ended = true; /* without a good-bye, as who is cut off */
    for (size_t at = 0; !err && at < len;) {
        int done = mbedtls_ssl_write(&srv.ssl, plain + at, len - at);

        assert_true(done > 0);
        at += (size_t)done;
    }
    return err;
}

/* All that can be done with what came. */
static esp_err_t go_on(uint64_t deadline_ms)
{
    if (!srv.shaken)
        srv.shaken = mbedtls_ssl_handshake(&srv.ssl) == 0;
    if (!srv.shaken)
        return ESP_OK;
    hear();
    return !srv.ended && has_answer(&srv.web->conn) &&
                   srv.out.to == srv.out.from
               ? say(deadline_ms)
               : ESP_OK;
}

/* --- the contract --------------------------------------------------------- */

/* lint-ok: function, the contract's own list */
static esp_err_t net_open(void *ctx, const char *host, uint16_t port,
                          const struct port_net_opts *opts,
                          uint64_t deadline_ms, struct port_conn **out,
                          int *sys_errno)
{
    const struct port_net *to = &srv.web->port;
    esp_err_t err =
        to->open(to->ctx, host, port, opts, deadline_ms, out, sys_errno);

    (void)ctx;
    if (err)
        return err;
    ports_pause();
    srv.shaken = srv.ended = false;
    srv.in.from = srv.in.to = srv.out.from = srv.out.to = 0;
    mbedtls_ssl_init(&srv.ssl);
    assert_int_equal(mbedtls_ssl_setup(&srv.ssl, &srv.conf), 0);
    mbedtls_ssl_set_bio(&srv.ssl, NULL, bio_send, bio_recv, NULL);
    ports_resume();
    return ESP_OK;
}

static esp_err_t net_send(struct port_conn *conn, const void *src, size_t len,
                          uint64_t deadline_ms, size_t *done_len)
{
    esp_err_t err;

    (void)conn;
    (void)deadline_ms;
    if (srv.ended)
        return ESP_FAIL;
    *done_len = wire_put(&srv.in, src, len);
    ports_pause();
    err = go_on(0);
    ports_resume();
    return *done_len > 0 ? ESP_OK : err ? err : ESP_ERR_TIMEOUT;
}

static esp_err_t net_recv(struct port_conn *conn, void *dst, size_t len,
                          uint64_t deadline_ms, size_t *done_len)
{
    esp_err_t err = ESP_OK;

    (void)conn;
    *done_len = wire_take(&srv.out, dst, len);
    if (*done_len > 0 || srv.ended)
        return ESP_OK;
    ports_pause();
    err = go_on(deadline_ms);
    ports_resume();
    *done_len = wire_take(&srv.out, dst, len);
    if (*done_len > 0 || srv.ended || err)
        return err;
    sim_sys_advance_to(srv.web->sys, deadline_ms);
    return ESP_ERR_TIMEOUT;
}

static int net_errno(const struct port_conn *conn)
{
    return srv.web->port.last_errno(conn);
}

static int net_fd(const struct port_conn *conn)
{
    return srv.web->port.fd(conn);
}

static void net_close(struct port_conn *conn)
{
    if (!conn)
        return;
    mbedtls_ssl_free(&srv.ssl);
    srv.web->port.close(conn);
}

const struct port_net *tlsweb_net(struct web *web, int version)
{
    mbedtls_ssl_protocol_version v =
        version == 2 ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3;

    srv.web = web;
    srv.port = (struct port_net){ NULL,      net_open, net_send, net_recv,
                                  net_errno, net_fd,   net_close };
    mbedtls_ssl_conf_min_tls_version(&srv.conf, v);
    mbedtls_ssl_conf_max_tls_version(&srv.conf, v);
    return &srv.port;
}

void tlsweb_open(struct peer_ident *ident)
{
    mbedtls_ssl_config_init(&srv.conf);
    mbedtls_x509_crt_init(&srv.cert);
    assert_int_equal(mbedtls_ssl_config_defaults(&srv.conf,
                                                 MBEDTLS_SSL_IS_SERVER,
                                                 MBEDTLS_SSL_TRANSPORT_STREAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    mbedtls_ssl_conf_rng(&srv.conf, RNG);
    assert_int_equal(mbedtls_x509_crt_parse(&srv.cert,
                                            (const unsigned char *)ident->pem,
                                            strlen(ident->pem) + 1),
                     0);
    assert_int_equal(
        mbedtls_ssl_conf_own_cert(&srv.conf, &srv.cert, &ident->key), 0);
}

void tlsweb_close(void)
{
    mbedtls_x509_crt_free(&srv.cert);
    mbedtls_ssl_config_free(&srv.conf);
}
