/* http/client.h - an HTTP/1.1 client for one request at a time.
 *
 * Order:  http_open, then for each exchange http_request, http_read... until
 *         http_body_done(); http_close at the end. The connection is kept and
 *         reused while server, scheme, host and port allow it.
 * Memory: the client, its buffers and its headers live in env->heap;
 *         everything given by pointer is copied unless it says borrowed.
 * Redirects and authentication are decided by pure functions in redirect.h and
 * auth.h; http_request() follows what they decide when opts.follow is set.
 * Only bodies of 2xx answers reach http_read() then.
 * Secrets (credentials, cookies, authorization) are dropped when scheme, host
 * or port change. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/policy.h"
#include "http/head.h"
#include "http/url.h"
#include "port/net.h"
#include "port/sys.h"
#include "tls/tls.h"

struct http_env {
    const struct port_net *net;
    const struct port_sys *sys;
    const struct port_heap *heap;
    const struct policy *policy;
};

enum http_auth { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_DIGEST };

enum http_event {
    HTTP_EV_CONNECTED, HTTP_EV_HEADERS_SENT, HTTP_EV_STATUS, HTTP_EV_HEADER,
    HTTP_EV_HEADERS_DONE, HTTP_EV_DATA, HTTP_EV_FINISH, HTTP_EV_DISCONNECTED,
    HTTP_EV_REDIRECT, HTTP_EV_ERROR
};

struct http_event_info {
    enum http_event ev;
    int status;
    const char *name, *value; /* HTTP_EV_HEADER; terminated */
    struct span data;         /* HTTP_EV_DATA */
};
typedef void (*http_event_fn)(void *ctx, const struct http_event_info *e);

struct http_opts {
    struct tls_conf tls;         /* spans borrowed while the client lives */
    struct port_net_opts net;
    uint32_t timeout_ms;         /* each connect, send, receive; 0: 5000 */
    uint32_t connect_timeout_ms; /* 0: timeout_ms */
    uint32_t max_redirects;      /* 0: 10 */
    uint32_t max_auth_retries;   /* 0: 10; UINT32_MAX: none */
    bool follow;                 /* redirects and 401 inside http_request() */
    enum http_auth auth;         /* BASIC: pre-emptive */
    const char *username, *password; /* NULL: those of the URL, if any */
    const char *user_agent;
    uint32_t rx_len;             /* receive buffer, 0: 4096 */
    http_event_fn on_event;
    void *event_ctx;
};

struct http_stats {
    uint32_t connects, handshakes, requests, redirects;
    uint64_t body_len; /* decoded bytes handed out */
    char host[256];    /* of the hop that answered or failed last */
    int sys_errno;
    struct tls_fault tls;
};

struct http_client;

/* ESP_ERR_INVALID_ARG: the URL does not parse; ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t http_open(struct http_client **out,
                               const struct http_env *env,
                               const struct http_opts *opts, const char *url,
                               struct diag *d);
void http_close(struct http_client *c); /* NULL is a no-op */

/* Absolute, or a path that keeps scheme and host. */
MUST_CHECK esp_err_t http_set_url(struct http_client *c, const char *url);
/* Replaces (names compare without case); value NULL removes. */
MUST_CHECK esp_err_t http_set_header(struct http_client *c, const char *name,
                                     const char *value);
/* "GET", "HEAD", "POST"...; a token, copied. */
MUST_CHECK esp_err_t http_set_method(struct http_client *c,
                                     const char *method);
/* Borrowed until the request was sent; NULL: none. */
void http_set_body(struct http_client *c, const void *body, size_t len);

/* Connects if needed, sends the request, reads the head; follows redirects
 * and answers challenges when opts.follow. ESP_OK whatever the status is,
 * except: ESP_ERR_HTTP_MAX_REDIRECT, _REDIRECT_DOWNGRADE, _CONNECT,
 * _WRITE_DATA, _FETCH_HEADER, _READ_TIMEOUT, TLS errors. d says more. */
MUST_CHECK esp_err_t http_request(struct http_client *c, struct diag *d);

/* Decoded body bytes. ESP_OK with *got_len 0: the body is complete.
 * ESP_ERR_TIMEOUT: none within timeout_ms, may be called again.
 * ESP_ERR_HTTP_INCOMPLETE_DATA: the peer closed before the end.
 * ESP_ERR_INVALID_RESPONSE: broken framing. */
MUST_CHECK esp_err_t http_read(struct http_client *c, void *dst, size_t len,
                               size_t *got_len, struct diag *d);
bool http_body_done(const struct http_client *c);

/* The head of the last answer: status, lengths, range, validators. */
const struct http_head *http_head(const struct http_client *c);
const struct http_stats *http_stats(const struct http_client *c);
/* The URL asked last, after redirects, without userinfo. */
const struct http_url *http_url_now(const struct http_client *c);

#endif
