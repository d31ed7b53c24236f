#include "http/conn.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/text.h"

/* What stands around a host in front of its port: [::1]:443. */
static const char *around(const char *host, const char *mark)
{
    return strchr(host, ':') ? mark : "";
}

esp_err_t(http_conn_fail)(const struct http_conn *c, struct diag *d,
                          enum diag_stage stage, esp_err_t err, const char *fmt,
                          ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    const char *host = c->host;
    if (!c->at_proxy)
        return diag_fail(d, stage, err, "%s%s%s:%u: %s", around(host, "["),
                         host, around(host, "]"), (unsigned)c->port, text);
    const char *proxy = c->proxy->host;
    return diag_fail(d, stage, err, "%s%s%s:%u: proxy %s%s%s:%u: %s",
                     around(host, "["), host, around(host, "]"),
                     (unsigned)c->port, around(proxy, "["), proxy,
                     around(proxy, "]"), (unsigned)c->proxy->port, text);
}

uint64_t http_conn_now_ms(const struct http_conn *c)
{
    return c->env->sys->mono_ms(c->env->sys->ctx);
}

static const char *errno_text(int sys_errno)
{
    return sys_errno ? strerror(sys_errno) : "no reason given";
}

void http_conn_cause(const struct http_conn *c, char *out, size_t out_len)
{
    if (c->closed)
        (void)snprintf(out, out_len, "closed by the server");
    else if (c->fault.code)
        tls_fault_text(&c->fault, out, out_len);
    else
        (void)snprintf(out, out_len, "%s", errno_text(c->sys_errno));
}

static void note_failure(struct http_conn *c, esp_err_t err)
{
    c->err = err;
    c->closed = false;
    c->sys_errno = c->env->net->last_errno(c->tcp);
    if (c->tls)
        tls_last_fault(c->tls, &c->fault);
}

esp_err_t http_conn_send(struct http_conn *c, const void *src, size_t len,
                         struct diag *d)
{
    const uint8_t *p = src;
    char cause[HTTP_CAUSE_LEN];
    esp_err_t err = ESP_OK;

    while (len > 0 && !err) {
        uint64_t deadline_ms = http_conn_now_ms(c) + c->timeout_ms;
        size_t done = 0;
        err = c->tls ? tls_send(c->tls, p, len, deadline_ms, &done)
                     : c->env->net->send(c->tcp, p, len, deadline_ms, &done);
        p += done;
        len -= done;
    }
    if (!err)
        return ESP_OK;
    note_failure(c, err);
    http_conn_cause(c, cause, sizeof(cause));
    if (err == ESP_ERR_TIMEOUT)
        return http_conn_fail(c, d, DIAG_STAGE_HTTP, ESP_ERR_HTTP_WRITE_DATA,
                              "the server took no bytes for %u.%u s",
                              (unsigned)(c->timeout_ms / 1000),
                              (unsigned)(c->timeout_ms % 1000 / 100));
    return http_conn_fail(c, d, DIAG_STAGE_HTTP, ESP_ERR_HTTP_WRITE_DATA,
                          "the connection broke while the request was sent: "
                          "%s",
                          cause);
}

esp_err_t http_conn_recv(struct http_conn *c, void *dst, size_t len,
                         uint64_t deadline_ms, size_t *got_len)
{
    uint64_t until_ms = http_conn_now_ms(c) + c->timeout_ms;

    if (deadline_ms && deadline_ms < until_ms)
        until_ms = deadline_ms;
    *got_len = 0;
    esp_err_t err =
        c->tls ? tls_recv(c->tls, dst, len, until_ms, got_len)
               : c->env->net->recv(c->tcp, dst, len, until_ms, got_len);
    if (err)
        note_failure(c, err);
    else
        c->closed = *got_len == 0;
    if (c->closed && c->tls)
        c->bare_close = !tls_closed_clean(c->tls);
    return err;
}

void http_conn_free(struct http_conn *c)
{
    http_conn_close(c);
    if (CFG_TICKETS)
        http_tickets_free(&c->tickets);
}

void http_conn_close(struct http_conn *c)
{
    if (CFG_TICKETS && c->tls)
        http_tickets_put(&c->tickets, c->host, c->port,
                         tls_take_ticket(c->tls));
    tls_close(c->tls);
    c->tls = NULL;
    c->env->net->close(c->tcp);
    c->tcp = NULL;
}
