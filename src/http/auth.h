/* http/auth.h - what is said to "who are you?": Basic (RFC 7617) and Digest
 * with MD5 or SHA-256 (RFC 7616). Pure; the texts made here are secrets and
 * the caller wipes them. */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

enum http_auth { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_DIGEST };

/* One challenge of a WWW-Authenticate value; spans point into it. Quoted
 * strings are given without their quotes, backslashes still in place. */
struct http_challenge {
    enum http_auth scheme;
    struct span realm, nonce, opaque;
    bool has_opaque;
    bool sha256; /* else MD5 */
    bool sess;
    bool stale;    /* the answer was right, its nonce too old */
    bool qop_auth; /* qop was given and offers "auth" */
};

/* The best challenge in a list of them that we can answer: Digest SHA-256,
 * Digest MD5, Basic. ESP_ERR_NOT_SUPPORTED: none; ESP_ERR_INVALID_RESPONSE:
 * the list is broken. */
MUST_CHECK esp_err_t http_challenge_parse(struct span text,
                                          struct http_challenge *out);

struct http_login {
    struct span user, password;
};

/* "Basic ..." with its terminator. ESP_ERR_INVALID_SIZE: *need_len bytes are
 * needed. ESP_ERR_INVALID_ARG: a colon in the user name. */
MUST_CHECK esp_err_t http_basic_format(const struct http_login *login,
                                       char *out, size_t out_len,
                                       size_t *need_len);

struct http_digest {
    const struct http_challenge *challenge;
    const struct http_login *login;
    struct span method;
    struct span uri; /* path[?query] */
    uint32_t nc;     /* how often this nonce was used, from 1 */
    char cnonce[17]; /* 16 hexadecimal digits */
};

/* 32 (MD5) or 64 (SHA-256) hexadecimal digits and a terminator. */
void http_digest_response(const struct http_digest *d, char out[65]);

/* "Digest ..." as http_basic_format(). */
MUST_CHECK esp_err_t http_digest_format(const struct http_digest *d, char *out,
                                        size_t out_len, size_t *need_len);

#endif
