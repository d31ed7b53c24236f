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
 * Home is the URL that was given; redirects lead away from it. Secrets
 * (credentials, cookies, authorization, tokens, what was marked) belong to
 * home's origin: when scheme, host or port change they stay behind, also when
 * a later hop leads back, until http_rewind() starts at home again. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "http/fields.h"
#include "http/head.h"
#include "http/opts.h"
#include "http/url.h"

struct http_client;
/* What the client was opened with, for another of the same kind; strings that
 * were copied are NULL. */
const struct http_opts *http_opts_of(const struct http_client *c);

struct http_stats {
    uint32_t connects, handshakes, requests, redirects;
    uint32_t resumed;  /* of the handshakes: went on with an earlier one */
    http_len body_len; /* decoded bytes handed out */
    uint16_t port;
    esp_err_t transport_err; /* esp_tls's code of the last failed connection */
    int sys_errno;
    struct tls_fault tls;
    bool unsound;    /* the last answer was not HTTP as it must be: it would not
                        be so the next time */
    bool bare_close; /* the body ended with a TCP close, without TLS's
                        good-bye: only what is in it says that it is whole */
    char host[HTTP_HOST_LEN]; /* of the hop that answered or failed last */
};

/* ESP_ERR_INVALID_ARG: the URL does not parse; ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t http_open(struct http_client **out,
                               const struct http_env *env,
                               const struct http_opts *opts, const char *url,
                               struct diag *d);
void http_close(struct http_client *c); /* NULL is a no-op */

/* Absolute, or a path that keeps scheme and host: the new home. Another origin
 * costs the secrets (see above) for good; a userinfo in the URL gives new
 * ones. */
MUST_CHECK esp_err_t http_set_url(struct http_client *c, const char *url);
/* Home again, with the secrets that belong there. */
MUST_CHECK esp_err_t http_rewind(struct http_client *c, struct diag *d);
/* From now on plain http: is refused, whoever asks for it (ESP_ERR_NOT_ALLOWED,
 * before anything is sent). */
void http_refuse_plain(struct http_client *c);
/* After a pause: opts.urls, if it is there, is asked for a URL that is good
 * now, and the request starts at it. */
MUST_CHECK esp_err_t http_resume(struct http_client *c, struct diag *d);
/* For the origin that is home now. NULL: none. Borrowed while the client
 * lives. */
void http_set_tokens(struct http_client *c, const struct http_tokens *tokens);
void http_set_urls(struct http_client *c, const struct http_urls *urls);
/* As opts.tls.psk: for connections opened from now on, borrowed while the
 * client lives. */
void http_set_psk(struct http_client *c, struct span key, struct span identity);
/* As opts.proxy, copied; NULL: none. ESP_ERR_INVALID_ARG: not such a URL. */
MUST_CHECK esp_err_t http_set_proxy(struct http_client *c, const char *url);
/* NULL, NULL: none. Copied. */
MUST_CHECK esp_err_t http_set_login(struct http_client *c, const char *username,
                                    const char *password);
/* NULL: none. */
const char *http_username(const struct http_client *c);
const char *http_password(const struct http_client *c);
void http_set_auth(struct http_client *c, enum http_auth auth);
/* The challenge that http_authenticate() answers, as if the server had made
 * it. */
MUST_CHECK esp_err_t http_set_challenge(struct http_client *c,
                                        struct span text);
void http_set_timeout(struct http_client *c, uint32_t timeout_ms);
/* For connections opened from now on; borrowed until they are closed. */
void http_set_limit(struct http_client *c, struct port_limit *limit);
/* Replaces (names compare without case); value NULL removes.
 * ESP_ERR_INVALID_ARG: would break the line; ESP_ERR_NOT_FOUND: nothing to
 * remove. */
MUST_CHECK esp_err_t http_set_header(struct http_client *c, const char *name,
                                     const char *value);
/* This header stays with home's origin, as Authorization does. */
void http_mark_secret(struct http_client *c, const char *name);
void http_clear_headers(struct http_client *c);
/* NULL: not set. Valid until the fields change. */
const char *http_get_header(const struct http_client *c, const char *name);
/* "GET", "HEAD", "POST"...; a token, copied. */
MUST_CHECK esp_err_t http_set_method(struct http_client *c, const char *method);
/* Borrowed until the request was sent; NULL: none. */
void http_set_body(struct http_client *c, const void *body, size_t len);

/* Connects if needed, sends the request, reads the head; follows redirects
 * and answers challenges when opts.follow; a 401, 403 or 410 for a URL that
 * opts.urls or an earlier request's redirect gave is asked for anew, once, from
 * where it came. ESP_OK whatever the status is, except:
 * ESP_ERR_HTTP_MAX_REDIRECT, _REDIRECT_DOWNGRADE, _CONNECT, _WRITE_DATA,
 * _FETCH_HEADER, _READ_TIMEOUT, TLS errors; ESP_FAIL: a proxy that does not
 * want us; what opts.tokens and opts.urls return. d says more. */
MUST_CHECK esp_err_t http_request(struct http_client *c, struct diag *d);

/* The same in steps, for callers that act on each answer themselves:
 * http_start, http_send_head, http_send_body..., http_recv_head, http_read...;
 * then http_redirect or http_authenticate, and again from the start. What is
 * left of the answer before is read over or cut off.
 * body_len HTTP_LEN_UNKNOWN: the body is sent chunked, framed by the caller. */
MUST_CHECK esp_err_t http_send_head(struct http_client *c, http_len body_len,
                                    struct diag *d);
MUST_CHECK esp_err_t http_send_body(struct http_client *c, const void *src,
                                    size_t len, struct diag *d);
/* ESP_ERR_HTTP_READ_TIMEOUT: nothing came within timeout_ms; may be called
 * again while http_connected(). */
MUST_CHECK esp_err_t http_recv_head(struct http_client *c, struct diag *d);
/* A new request, not a further try of the last: redirects and authentications
 * are counted from 0, and opts.urls is asked if it was not yet. */
MUST_CHECK esp_err_t http_start(struct http_client *c, struct diag *d);
/* When the last answer says that a URL from opts.urls has expired (401, 403,
 * 410) another is asked for; *renewed: the request can be made again. */
MUST_CHECK esp_err_t http_renew(struct http_client *c, bool *renewed,
                                struct diag *d);
/* Goes where the last answer's Location points. ESP_ERR_INVALID_ARG: it had
 * none, or none of use; ESP_ERR_HTTP_REDIRECT_DOWNGRADE; _MAX_REDIRECT. */
MUST_CHECK esp_err_t http_redirect(struct http_client *c, struct diag *d);
/* Answers the last answer's challenge with the next request.
 * ESP_ERR_NOT_SUPPORTED: no challenge that we can answer; ESP_FAIL: no
 * credentials, they were refused, or the retries are used up. */
MUST_CHECK esp_err_t http_authenticate(struct http_client *c, struct diag *d);
/* Redirects and authentications are counted from 0 again. */
void http_reset_counters(struct http_client *c);
/* Ends the connection; the client can be used again. */
void http_disconnect(struct http_client *c);
bool http_connected(const struct http_client *c);
/* File descriptor of the connection, or -1. */
int http_fd(const struct http_client *c);
/* Of the chunk announced last, 0 when the body is not chunked. */
http_len http_chunk_len(const struct http_client *c);

/* Decoded body bytes. ESP_OK with *got_len 0: the body is complete.
 * ESP_ERR_TIMEOUT: none within timeout_ms, may be called again.
 * ESP_ERR_HTTP_INCOMPLETE_DATA: the peer closed before the end.
 * ESP_ERR_INVALID_RESPONSE: broken framing. */
MUST_CHECK esp_err_t http_read(struct http_client *c, void *dst, size_t len,
                               size_t *got_len, struct diag *d);
bool http_body_done(const struct http_client *c);

/* Does what a server said repeat a secret of ours: a header that is one, a
 * token, a password, a parameter of the URL? Then it is not fit to be shown. */
bool http_is_secret_told(const struct http_client *c, struct span text);

/* Why the last connection that broke did: the alert that came, what is wrong
 * with its TLS, "connection reset by peer", "closed by the server". */
void http_cause(const struct http_client *c, char out[HTTP_CAUSE_LEN]);

/* The head of the last answer: status, lengths, range, validators. */
const struct http_head *http_head(const struct http_client *c);
const struct http_stats *http_stats(const struct http_client *c);
/* The URL that redirects led away from, without userinfo. */
const char *http_home_url(const struct http_client *c);
/* The URL asked last, after redirects, without userinfo. */
const struct http_url *http_url_now(const struct http_client *c);

#endif
