/* A client's connection, made at once or in steps, and its bytes. */
#include "api/tls_handle.h"

#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "http/text.h"
#include "http/url.h"

static const char tag[] = "esp-tls";

uint64_t api_tls_now_ms(void)
{
    const struct port_sys *sys = api_device()->boot.sys;

    return sys->mono_ms(sys->ctx);
}

esp_err_t api_tls_failed(struct esp_tls *t, esp_err_t err, const struct diag *d)
{
    struct tls_fault fault = { .code = 0 };

    if (t->session)
        tls_last_fault(t->session, &fault);
    if (t->conn && t->err.sys_errno == 0)
        t->err.sys_errno = api_device()->boot.net->last_errno(t->conn);
    t->err.pub.last_error = err;
    t->err.pub.esp_tls_error_code = -fault.code;
    t->err.pub.esp_tls_flags = (int)fault.flags;
    t->state = ESP_TLS_FAIL;
    LOGE(tag, "%s: %s", t->host[0] ? t->host : "TLS",
         d->err ? d->text : err_name(err));
    return err;
}

/* --- connecting ----------------------------------------------------------- */

static esp_err_t explain_tcp(const struct esp_tls *t, esp_err_t err,
                             struct diag *d)
{
    if (err == ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME)
        return diag_fail(d, DIAG_STAGE_RESOLVE, err,
                         "the name was not found: check it, and the DNS");
    if (err == ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT)
        return diag_fail(d, DIAG_STAGE_CONNECT, err,
                         "no connection to port %u within %u ms",
                         (unsigned)t->port, (unsigned)t->timeout_ms);
    return diag_fail(d, DIAG_STAGE_CONNECT, err,
                     "cannot connect to port %u: %s", (unsigned)t->port,
                     t->err.sys_errno ? strerror(t->err.sys_errno)
                                      : err_name(err));
}

/* Without descriptors there are no steps: the port's open() waits. */
static esp_err_t start_tcp(struct esp_tls *t, struct diag *d)
{
    const struct port_sock *sock = api_device()->boot.sock;
    const struct port_net *net = api_device()->boot.net;
    esp_err_t err;

    t->state = ESP_TLS_CONNECTING;
    if (t->conn)
        return ESP_OK; /* the application's own socket */
    if (sock && t->non_block)
        err = sock->start(sock->ctx, t->host, t->port, &t->net, t->deadline_ms,
                          &t->conn, &t->err.sys_errno);
    else
        err = net->open(net->ctx, t->host, t->port, &t->net, t->deadline_ms,
                        &t->conn, &t->err.sys_errno);
    return err ? explain_tcp(t, err, d) : ESP_OK;
}

static esp_err_t start_tls(struct esp_tls *t, struct diag *d)
{
    struct tls_dial dial = { .net = api_device()->boot.net,
                             .conn = t->conn,
                             .host = t->host,
                             .ticket = t->offer };

    if (t->plain) {
        t->state = ESP_TLS_DONE;
        return ESP_OK;
    }
    t->state = ESP_TLS_HANDSHAKE;
    return tls_begin(&t->session, &dial, &t->conf, d);
}

static esp_err_t wait_tcp(struct esp_tls *t, uint64_t deadline_ms,
                          struct diag *d)
{
    const struct port_sock *sock = api_device()->boot.sock;

    if (sock && t->non_block) {
        esp_err_t err = sock->ready(t->conn, deadline_ms, &t->err.sys_errno);
        if (err)
            return err == ESP_ERR_TIMEOUT ? err : explain_tcp(t, err, d);
    }
    return start_tls(t, d);
}

/* One phase further, or ESP_ERR_TIMEOUT. */
static esp_err_t advance(struct esp_tls *t, uint64_t deadline_ms,
                         struct diag *d)
{
    esp_err_t err;

    switch (t->state) {
    case ESP_TLS_INIT:
        return start_tcp(t, d);
    case ESP_TLS_CONNECTING:
        return wait_tcp(t, deadline_ms, d);
    case ESP_TLS_HANDSHAKE:
        err = tls_shake(t->session, deadline_ms, d);
        if (!err)
            t->state = ESP_TLS_DONE;
        return err;
    default:
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_STATE,
                         "this connection failed before: make another one");
    }
}

static esp_err_t out_of_time(struct esp_tls *t, struct diag *d)
{
    if (t->state == ESP_TLS_HANDSHAKE)
        return diag_fail(d, DIAG_STAGE_TLS,
                         ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT,
                         "the server stopped answering during the TLS "
                         "handshake (%u ms)",
                         (unsigned)t->timeout_ms);
    return explain_tcp(t, ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT, d);
}

/* 1, 0 or -1. Without wait a step ends where it would have to wait. */
static int connect_on(struct esp_tls *t, bool wait)
{
    struct diag d = DIAG_NONE;
    esp_err_t err = ESP_OK;

    while (!err && t->state != ESP_TLS_DONE)
        err = advance(t, wait ? t->deadline_ms : 0, &d);
    if (!err)
        return 1;
    if (err == ESP_ERR_TIMEOUT) {
        if (api_tls_now_ms() < t->deadline_ms)
            return 0;
        err = out_of_time(t, &d);
    }
    (void)api_tls_failed(t, err, &d);
    return -1;
}

static esp_err_t prepare(struct esp_tls *t, struct span host, int port,
                         const esp_tls_cfg_t *cfg)
{
    struct diag d = DIAG_NONE;
    esp_err_t err;

    if (port <= 0 || port > UINT16_MAX || host.len == 0 ||
        host.len >= sizeof(t->host)) {
        err = diag_fail(&d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                        "a host of %zu bytes and port %d are no address",
                        host.len, port);
        return api_tls_failed(t, err, &d);
    }
    (void)http_copy(host, t->host, sizeof(t->host));
    t->port = (uint16_t)port;
    err = api_tls_take(t, cfg, &d);
    if (err)
        return api_tls_failed(t, err, &d);
    t->deadline_ms = api_tls_now_ms() + t->timeout_ms;
    return ESP_OK;
}

static struct span host_of(const char *hostname, int hostlen)
{
    return hostname && hostlen > 0 ? span_of(hostname, (size_t)hostlen)
                                   : span_of(NULL, 0);
}

esp_tls_t *esp_tls_init(void)
{
    return api_alloc(sizeof(struct esp_tls));
}

static int connect_first(struct span host, int port, const esp_tls_cfg_t *cfg,
                         esp_tls_t *tls)
{
    if (!cfg || !tls)
        return -1;
    return prepare(tls, host, port, cfg) == ESP_OK ? connect_on(tls, true) : -1;
}

static int connect_step(struct span host, int port, const esp_tls_cfg_t *cfg,
                        esp_tls_t *tls)
{
    if (!cfg || !tls)
        return -1;
    if (tls->state == ESP_TLS_INIT && prepare(tls, host, port, cfg) != ESP_OK)
        return -1;
    return connect_on(tls, !tls->non_block);
}

int esp_tls_conn_new_sync(const char *hostname, int hostlen, int port,
                          const esp_tls_cfg_t *cfg, esp_tls_t *tls)
{
    return connect_first(host_of(hostname, hostlen), port, cfg, tls);
}

int esp_tls_conn_new_async(const char *hostname, int hostlen, int port,
                           const esp_tls_cfg_t *cfg, esp_tls_t *tls)
{
    return connect_step(host_of(hostname, hostlen), port, cfg, tls);
}

/* As in the reference the scheme only says which port; whether there is TLS
 * says cfg. */
int esp_tls_conn_http_new_sync(const char *url, const esp_tls_cfg_t *cfg,
                               esp_tls_t *tls)
{
    struct http_url u;

    if (!url || http_url_parse(span_str(url), &u) != ESP_OK)
        return -1;
    return connect_first(u.host, u.port, cfg, tls);
}

int esp_tls_conn_http_new_async(const char *url, const esp_tls_cfg_t *cfg,
                                esp_tls_t *tls)
{
    struct http_url u;

    if (!url || http_url_parse(span_str(url), &u) != ESP_OK)
        return -1;
    return connect_step(u.host, u.port, cfg, tls);
}

/* --- bytes ---------------------------------------------------------------- */

static ssize_t broken(struct esp_tls *t, esp_err_t err)
{
    struct tls_fault fault = { .code = 0 };

    if (t->session)
        tls_last_fault(t->session, &fault);
    t->err.pub = (esp_tls_last_error_t){ err, -fault.code, (int)fault.flags };
    t->err.sys_errno = api_device()->boot.net->last_errno(t->conn);
    return fault.code ? fault.code : -1;
}

static uint64_t io_deadline(const struct esp_tls *t)
{
    return t->non_block ? 0 : api_tls_now_ms() + t->timeout_ms;
}

ssize_t esp_tls_conn_write(esp_tls_t *tls, const void *data, size_t datalen)
{
    size_t done = 0;
    esp_err_t err;

    if (!tls || !data || tls->state != ESP_TLS_DONE)
        return -1;
    if (datalen == 0)
        return 0;
    if (tls->session)
        err = tls_send(tls->session, data, datalen, io_deadline(tls), &done);
    else
        err = api_device()->boot.net->send(tls->conn, data, datalen,
                                           io_deadline(tls), &done);
    if (err == ESP_ERR_TIMEOUT)
        return ESP_TLS_ERR_SSL_WANT_WRITE;
    return err ? broken(tls, ESP_ERR_MBEDTLS_SSL_WRITE_FAILED) : (ssize_t)done;
}

ssize_t esp_tls_conn_read(esp_tls_t *tls, void *data, size_t datalen)
{
    size_t done = 0;
    esp_err_t err;

    if (!tls || !data || tls->state != ESP_TLS_DONE)
        return -1;
    if (datalen == 0)
        return 0;
    if (tls->session)
        err = tls_recv(tls->session, data, datalen, io_deadline(tls), &done);
    else
        err = api_device()->boot.net->recv(tls->conn, data, datalen,
                                           io_deadline(tls), &done);
    if (err == ESP_ERR_TIMEOUT)
        return ESP_TLS_ERR_SSL_WANT_READ;
    return err ? broken(tls, ESP_ERR_MBEDTLS_SSL_READ_FAILED) : (ssize_t)done;
}

ssize_t esp_tls_get_bytes_avail(esp_tls_t *tls)
{
    if (!tls)
        return -1;
    return tls->session ? (ssize_t)tls_pending(tls->session) : 0;
}

void api_tls_hang_up(struct esp_tls *t)
{
    const struct port_sock *sock = api_device()->boot.sock;

    tls_close(t->session);
    t->session = NULL;
    if (t->conn && t->role == ESP_TLS_SERVER)
        (void)sock->release(t->conn);
    else
        api_device()->boot.net->close(t->conn);
    t->conn = NULL;
}

int esp_tls_conn_destroy(esp_tls_t *tls)
{
    if (!tls)
        return -1;
    api_tls_hang_up(tls);
    api_free(tls);
    return 0;
}
