/* http/text.h - the few character classes and comparisons that HTTP needs,
 * without the C library's locale. Pure. */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "http/len.h"

static inline bool http_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline uint8_t http_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static inline bool http_is_alpha(uint8_t c)
{
    return http_lower(c) >= 'a' && http_lower(c) <= 'z';
}

/* A blank inside a line: space or tab. */
static inline bool http_is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* The value of a hexadecimal digit; -1: it is none. */
int http_hex(uint8_t c);
/* tchar of RFC 9110 section 5.6.2: what names and methods are made of. */
bool http_is_tchar(uint8_t c);
/* One or more tchar. */
bool http_is_token(struct span s);
/* No control characters but tab: fit for a field value. */
bool http_is_value(struct span s);

/* Compare without case. */
bool http_same_name(struct span a, struct span b);
bool http_name_is(struct span a, const char *str);

/* Without the blanks at both ends. */
struct span http_trim(struct span s);
/* Splits at the first sep: what is before it; *rest is what comes after, and
 * empty when there is no sep. */
struct span http_cut(struct span s, uint8_t sep, struct span *rest);
/* Decimal digits only; ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_SIZE. */
MUST_CHECK esp_err_t http_digits(struct span s, http_len *out);
/* The span as a string; false, and an empty string, when it does not fit. */
bool http_copy(struct span s, char *out, size_t out_len);

/* Does the text repeat the secret, or end with the front of it? */
bool http_is_told(struct span text, struct span secret);

/* Text that is put together in a buffer of fixed size. len counts on when the
 * buffer is full, so that it tells what is needed; the text is whole when
 * http_txt_end() says so. */
struct http_txt {
    char *buf;
    size_t cap, len;
};
void http_txt_put(struct http_txt *t, struct span s);
void http_txt_puts(struct http_txt *t, const char *str);
/* Terminates. ESP_ERR_INVALID_SIZE: *need_len bytes were needed; with ESP_OK
 * so many, terminator included, are used. */
MUST_CHECK esp_err_t http_txt_end(struct http_txt *t, size_t *need_len);

#endif
