/* http/oauth2.h - access tokens of an OAuth 2.0 server (RFC 6749): the grants
 * client_credentials and refresh_token, for devices that nobody logs in on.
 *
 * Order:  oauth2_open; the client that downloads gets oauth2_tokens() as its
 * opts.tokens and asks by itself; oauth2_close after that client was closed.
 * The token is kept until shortly before it expires. One that is refused is
 * replaced by a new one, once.
 * Secrets go to the token endpoint only, over TLS that is verified as
 * opts.http.tls says, with no redirect followed; never to a log or a sentence.
 * Memory: env->heap; all strings are copied. The endpoint's client lives only
 * while it is asked. Answers are bounded by OAUTH2_ANSWER_MAX_LEN. */
#ifndef HTTP_OAUTH2_H
#define HTTP_OAUTH2_H

#include "http/client.h"

#define OAUTH2_ANSWER_MAX_LEN (32u * 1024u)

struct oauth2_opts {
    struct http_opts http; /* trust, timeouts, proxy for the endpoint; what it
                              points to stays the caller's */
    const char *token_url; /* https, or http where the policy allows it */
    const char *client_id;
    const char *client_secret; /* NULL: a public client */
    const char *refresh_token; /* NULL: the grant is client_credentials */
    const char *scope;         /* NULL: the server's default */
    /* The server gave another refresh token, and the old one may be of no use
     * any more: keep it. NULL: it is kept in memory only. */
    void (*on_refresh_token)(void *ctx, const char *token);
    void *ctx;
};

struct oauth2_stats {
    uint32_t requests; /* to the token endpoint */
};

struct oauth2;

/* Asks nothing yet. ESP_ERR_INVALID_ARG: no client, or no such URL;
 * ESP_ERR_NOT_ALLOWED: http. */
MUST_CHECK esp_err_t oauth2_open(struct oauth2 **out,
                                 const struct http_env *env,
                                 const struct oauth2_opts *opts,
                                 struct diag *d);
/* Borrowed until oauth2_close(). */
const struct http_tokens *oauth2_tokens(const struct oauth2 *o);
const struct oauth2_stats *oauth2_stats(const struct oauth2 *o);
void oauth2_close(struct oauth2 *o); /* wipes; NULL is a no-op */

#endif
