/* http/opts.h - what a client is given: its surroundings and its options. */
#ifndef HTTP_OPTS_H
#define HTTP_OPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/policy.h"
#include "http/auth.h"
#include "http/buf.h"
#include "port/net.h"
#include "port/sys.h"
#include "tls/tls.h"

#define HTTP_HOST_LEN 256u
#define HTTP_CAUSE_LEN 128u

struct http_env {
    const struct port_net *net;
    const struct port_sys *sys;
    const struct port_heap *heap;
    const struct policy *policy;
    const struct port_rng *rng; /* NULL: Digest is not answered */
};

enum http_event {
    HTTP_EV_CONNECTED,
    HTTP_EV_HEADERS_SENT,
    HTTP_EV_STATUS,
    HTTP_EV_HEADER,
    HTTP_EV_HEADERS_DONE,
    HTTP_EV_DATA,
    HTTP_EV_FINISH,
    HTTP_EV_DISCONNECTED,
    HTTP_EV_REDIRECT,
    HTTP_EV_ERROR
};

struct http_event_info {
    enum http_event ev;
    int status;
    const char *name, *value; /* HTTP_EV_HEADER; terminated */
    struct span data;         /* HTTP_EV_DATA */
};
typedef void (*http_event_fn)(void *ctx, const struct http_event_info *e);

/* What goes out behind "Authorization: Bearer ", asked for before each
 * request to home's origin that has no Authorization of its own. */
struct http_tokens {
    void *ctx;
    /* Puts the token in out, which is empty. renew: the last one was refused
     * (401). An error ends the request; d gets the sentence. */
    esp_err_t (*get)(void *ctx, bool renew, struct http_buf *out,
                     struct diag *d);
};

/* Who makes URLs that live for a short time only. */
enum http_url_why {
    HTTP_URL_START,   /* of the first request */
    HTTP_URL_REFUSED, /* the last one was answered 401, 403 or 410 */
    HTTP_URL_RESUME   /* http_resume(): after a pause */
};
struct http_urls {
    void *ctx;
    /* Puts the URL in out, which is empty. Left empty: the one that there is
     * will do. An error ends the request; d gets the sentence. */
    esp_err_t (*get)(void *ctx, enum http_url_why why, struct http_buf *out,
                     struct diag *d);
};

struct http_opts {
    struct tls_conf tls;         /* spans, name, alpn: borrowed while the
                                    client lives */
    struct port_net_opts net;    /* bind_if: the same */
    uint32_t timeout_ms;         /* each connect, send, receive; 0: 5000 */
    uint32_t connect_timeout_ms; /* 0: timeout_ms */
    uint32_t max_redirects;      /* 0: 10 */
    uint32_t max_auth_retries;   /* 0: 10; UINT32_MAX: none */
    bool follow;                 /* redirects and 401 inside http_request() */
    enum http_auth auth;         /* BASIC: pre-emptive */
    const char *username, *password; /* NULL: those of the URL, if any */
    const char *user_agent;
    const char *proxy;                /* http://[user:password@]host:port */
    const struct http_tokens *tokens; /* borrowed while the client lives */
    const struct http_urls *urls;     /* the same */
    uint32_t rx_len;                  /* receive buffer, 0: 4096 */
    http_event_fn on_event;           /* with CFG_HTTP_APP */
    void *event_ctx;
};

struct http_proxy {
    char *host; /* NULL: there is none */
    uint16_t port;
    char *auth; /* "Basic ...", NULL: none; secret */
};

#endif
