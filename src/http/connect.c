/* Opening a connection: TCP, the proxy's tunnel, TLS. */
#include "http/conn.h"
#include "http/proxy.h"
#include "http/text.h"

static esp_err_t explain_name(const struct http_conn *c, uint32_t timeout_ms,
                              bool is_late, struct diag *d)
{
    const esp_err_t err = ESP_ERR_HTTP_CONNECT;

    if (is_late)
        return http_conn_fail(c, d, DIAG_STAGE_RESOLVE, err,
                              "nobody told the name's address within %u.%u s: "
                              "check the device's DNS",
                              (unsigned)(timeout_ms / 1000),
                              (unsigned)(timeout_ms % 1000 / 100));
    return http_conn_fail(c, d, DIAG_STAGE_RESOLVE, err,
                          "the name was not found: check it, and the device's "
                          "DNS");
}

static esp_err_t explain_tcp(const struct http_conn *c, uint32_t timeout_ms,
                             bool is_late, struct diag *d)
{
    const esp_err_t err = ESP_ERR_HTTP_CONNECT;
    char why[HTTP_CAUSE_LEN];

    switch (c->err) {
    case ESP_ERR_NO_MEM:
        return http_conn_fail(c, d, DIAG_STAGE_CONNECT, ESP_ERR_NO_MEM,
                              "out of memory for a connection");
    case ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME:
        return explain_name(c, timeout_ms, is_late, d);
    case ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT:
        return http_conn_fail(
            c, d, DIAG_STAGE_CONNECT, err, "no connection within %u.%u s",
            (unsigned)(timeout_ms / 1000), (unsigned)(timeout_ms % 1000 / 100));
    default:
        http_conn_cause(c, why, sizeof(why));
        return http_conn_fail(c, d, DIAG_STAGE_CONNECT, err,
                              "cannot connect: %s (errno %d)", why,
                              c->sys_errno);
    }
}

/* What the TLS layer said, with host and port in front. */
APART static void explain_tls(const struct http_conn *c, struct diag *d)
{
    struct diag why = *d;

    *d = (struct diag)DIAG_NONE;
    if (c->err == ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT)
        (void)http_conn_fail(c, d, DIAG_STAGE_TLS, c->err, "%s (%u.%u s)",
                             why.text, (unsigned)(c->timeout_ms / 1000),
                             (unsigned)(c->timeout_ms % 1000 / 100));
    else
        (void)http_conn_fail(c, d, DIAG_STAGE_TLS, c->err, "%s", why.text);
}

static esp_err_t open_tls(struct http_conn *c, const struct tls_conf *conf,
                          struct diag *d)
{
    bool is_fresh = diag_is_fresh(d);
    struct tls_ticket *ticket =
        CFG_TICKETS ? http_tickets_take(&c->tickets, c->host, c->port) : NULL;
    struct tls_dial dial = { .net = c->env->net,
                             .conn = c->tcp,
                             .host = c->host,
                             .ticket = ticket,
                             .deadline_ms =
                                 http_conn_now_ms(c) + c->timeout_ms };
    esp_err_t err = tls_open(&c->tls, &dial, conf, d);

    if (CFG_TICKETS)
        tls_ticket_free(ticket);
    if (!err) {
        c->resumed = tls_resumed(c->tls);
        return ESP_OK;
    }
    c->err = err;
    c->fault = dial.fault;
    c->sys_errno = c->env->net->last_errno(c->tcp);
    if (is_fresh)
        explain_tls(c, d);
    return err;
}

esp_err_t http_conn_open(struct http_conn *c, const struct http_url *url,
                         const struct http_opts *opts, struct diag *d)
{
    uint32_t wait_ms =
        opts->connect_timeout_ms ? opts->connect_timeout_ms : c->timeout_ms;
    const struct port_net *net = c->env->net;

    c->bare_close = false;
    c->closed = false;
    c->resumed = false;
    c->sys_errno = 0;
    c->fault = (struct tls_fault){ .code = 0 };
    c->is_https = url->is_https;
    c->port = url->port;
    (void)http_copy(url->host, c->host, HTTP_HOST_LEN);
    if (!url->is_https && c->tls_only) {
        c->err = ESP_ERR_NOT_ALLOWED;
        return http_conn_fail(c, d, DIAG_STAGE_HTTP, c->err,
                              "the URL is http:, so anyone on the way could "
                              "replace what comes; use https:, or allow http: "
                              "(ESP_HTTPS_OTA_ALLOW_HTTP, --allow-http)");
    }
    struct tls_conf conf = opts->tls;
    if (url->is_https) {
        tls_conf_obey(&conf, c->env->policy, c->host);
        c->err = tls_conf_check(&conf, d);
        if (c->err)
            return c->err;
    }
    uint64_t deadline_ms = http_conn_now_ms(c) + wait_ms;
    bool by_proxy = http_conn_by_proxy(c);
    c->at_proxy = by_proxy;
    c->err = net->open(net->ctx, by_proxy ? c->proxy->host : c->host,
                       by_proxy ? c->proxy->port : c->port, &opts->net,
                       deadline_ms, &c->tcp, &c->sys_errno);
    if (c->err)
        return explain_tcp(c, wait_ms, http_conn_now_ms(c) >= deadline_ms, d);
    esp_err_t err = by_proxy && url->is_https
                        ? http_proxy_tunnel(c, url, deadline_ms, d)
                        : ESP_OK;
    c->at_proxy = false;
    if (!err && url->is_https)
        err = open_tls(c, &conf, d);
    if (err)
        http_conn_close(c);
    return err;
}
