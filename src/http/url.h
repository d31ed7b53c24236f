/* http/url.h - URLs (RFC 3986) as far as http and https need them. Pure.
 *
 * Spans point into the parsed text. */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct http_url {
    bool is_https;
    struct span userinfo; /* user[:password], percent-encoded; may be empty */
    struct span host;     /* without the brackets of an IPv6 literal */
    bool host_is_ipv6;
    uint16_t port; /* given or the scheme's default */
    bool port_given;
    struct span path;  /* starts with '/', or empty */
    struct span query; /* without '?' */
    bool has_query;
};

/* An absolute http or https URL. Refuses control characters, blanks, an empty
 * host, a bad port. A fragment is dropped. ESP_ERR_INVALID_ARG. */
MUST_CHECK esp_err_t http_url_parse(struct span text, struct http_url *out);

/* The URL as text, without userinfo, and with "/" for an empty path.
 * ESP_ERR_INVALID_SIZE: *need_len bytes are needed. */
MUST_CHECK esp_err_t http_url_format(const struct http_url *url, char *out,
                                     size_t out_len, size_t *need_len);

/* Same scheme, host (without case) and port: credentials may go there. */
bool http_url_same_origin(const struct http_url *a, const struct http_url *b);

/* Resolves a Location (absolute, //host/path, /path, relative, ?query) against
 * base (RFC 3986 section 5.2, dot segments removed) into out as text, with its
 * terminator and without a fragment. The base's userinfo is not passed on.
 * ESP_ERR_INVALID_SIZE: out_len is too small, *need_len is enough; with ESP_OK
 * it is the length used, terminator included. ESP_ERR_INVALID_ARG: not a
 * reference, or to another scheme than http and https. */
MUST_CHECK esp_err_t http_url_resolve(const struct http_url *base,
                                      struct span location, char *out,
                                      size_t out_len, size_t *need_len);

/* host[:port], an IPv6 literal in its brackets. */
struct http_txt;
void http_url_put_host(struct http_txt *t, const struct http_url *u,
                       bool with_port);

/* Percent-encoding undone (RFC 3986 section 2.1). */
struct http_buf;
MUST_CHECK esp_err_t http_decode(struct http_buf *out, struct span text);
/* "host[:port]", the port only when it is not the scheme's. */
#define HTTP_HOST_TEXT_LEN 272u
void http_host_text(const struct http_url *url, char out[HTTP_HOST_TEXT_LEN]);

#endif
