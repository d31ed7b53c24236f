/* http/conn.h - one connection, plain or under TLS, behind one interface.
 *
 * Errors are told in words that name host and port; waiting is bounded by the
 * timeouts given. */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "http/opts.h"
#include "http/tickets.h"
#include "http/url.h"

struct http_conn {
    const struct http_env *env;
    struct port_conn *tcp;   /* NULL: closed */
    struct tls_session *tls; /* NULL: plain */
    uint32_t timeout_ms;
    /* Of the last failure. */
    esp_err_t err;
    int sys_errno;
    struct tls_fault fault;
    bool tls_only; /* plain connections are refused */
    bool is_https;
    char *host; /* HTTP_HOST_LEN bytes of the owner */
    uint16_t port;
    bool resumed;                   /* TLS went on with an earlier session */
    const struct http_proxy *proxy; /* its host NULL: none */
    bool at_proxy;                  /* what goes wrong is the proxy's fault */
    bool bare_close; /* the peer closed TCP without TLS's good-bye */
    bool closed;     /* the last recv met the peer's end, not a failure */
    struct http_tickets tickets;
};

static inline bool http_conn_is_open(const struct http_conn *c)
{
    return c->tcp != NULL;
}

/* connect.c: connects and, for https, shakes hands. ESP_ERR_HTTP_CONNECT: no
 * TCP connection (c->err says which of esp_tls's codes). TLS's own codes.
 * ESP_ERR_NO_MEM. Closed again on failure. */
MUST_CHECK esp_err_t http_conn_open(struct http_conn *c,
                                    const struct http_url *url,
                                    const struct http_opts *opts,
                                    struct diag *d);
/* All of it. ESP_ERR_HTTP_WRITE_DATA. */
MUST_CHECK esp_err_t http_conn_send(struct http_conn *c, const void *src,
                                    size_t len, struct diag *d);
/* At least one byte within timeout_ms or until the deadline, what is nearer
 * (0: no deadline); *got_len 0: the peer closed. ESP_ERR_TIMEOUT; ESP_FAIL:
 * broken. Writes no sentence: what it means is the caller's to say. */
MUST_CHECK esp_err_t http_conn_recv(struct http_conn *c, void *dst, size_t len,
                                    uint64_t deadline_ms, size_t *got_len);
void http_conn_close(struct http_conn *c);
/* Also forgets what later connections would go on with. */
void http_conn_free(struct http_conn *c);
uint64_t http_conn_now_ms(const struct http_conn *c);

/* "closed by the server", "reset by peer" or the like: why the last recv or
 * send gave no bytes. */
void http_conn_cause(const struct http_conn *c, char *out, size_t out_len);

/* Does it go through a proxy? */
static inline bool http_conn_by_proxy(const struct http_conn *c)
{
    return CFG_PROXY && c->proxy->host;
}

/* Through a proxy, without TLS: requests carry whole URLs. */
static inline bool http_conn_is_relayed(const struct http_conn *c)
{
    return http_conn_by_proxy(c) && !c->is_https;
}
/* As diag_fail(), with "host:port: " in front. */
esp_err_t http_conn_fail(const struct http_conn *c, struct diag *d,
                         enum diag_stage stage, esp_err_t err, const char *fmt,
                         ...) PRINTF_LIKE(5, 6);
#define http_conn_fail(c, d, stage, err, ...)                      \
    (CFG_SENTENCES ? http_conn_fail(c, d, stage, err, __VA_ARGS__) \
                   : diag_plain_fail(d, stage, err))

#endif
