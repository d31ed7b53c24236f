#include "http/text.h"

int http_hex(uint8_t c)
{
    if (http_is_digit(c))
        return c - '0';
    c = http_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_is_tchar(uint8_t c)
{
    return http_is_alpha(c) || http_is_digit(c) ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool http_is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!http_is_tchar(s.ptr[i]))
            return false;
    }
    return s.len > 0;
}

bool http_is_value(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool http_same_name(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (http_lower(a.ptr[i]) != http_lower(b.ptr[i]))
            return false;
    }
    return true;
}

bool http_name_is(struct span a, const char *str)
{
    return http_same_name(a, span_str(str));
}

struct span http_trim(struct span s)
{
    while (s.len > 0 && http_is_blank(s.ptr[0]))
        s = span_from(s, 1);
    while (s.len > 0 && http_is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct span http_cut(struct span s, uint8_t sep, struct span *rest)
{
    const uint8_t *at = s.len > 0 ? memchr(s.ptr, sep, s.len) : NULL;
    size_t len = at ? (size_t)(at - s.ptr) : s.len;

    *rest = span_from(s, len + (at ? 1 : 0));
    return span_of(s.ptr, len);
}

esp_err_t http_digits(struct span s, http_len *out)
{
    http_len value = 0;
    bool wraps = false;

    if (s.len == 0)
        return ESP_ERR_INVALID_ARG;
    for (size_t i = 0; i < s.len; i++) {
        if (!http_is_digit(s.ptr[i]))
            return ESP_ERR_INVALID_ARG;
        uint32_t digit = s.ptr[i] - (uint32_t)'0';
        wraps = wraps || value > HTTP_LEN_UNKNOWN / 10;
        value = value * 10 + digit;
        wraps = wraps || value < digit;
    }
    if (wraps)
        return ESP_ERR_INVALID_SIZE;
    *out = value;
    return ESP_OK;
}

bool http_copy(struct span s, char *out, size_t out_len)
{
    bool fits = s.len < out_len;

    if (fits && s.len > 0)
        memcpy(out, s.ptr, s.len);
    out[fits ? s.len : 0] = '\0';
    return fits;
}

/* So much of a secret's front is no chance. */
#define TOLD_MIN_LEN 4u

bool http_is_told(struct span text, struct span secret)
{
    for (size_t i = 0; secret.len > 0 && i < text.len; i++) {
        size_t len = text.len - i;
        if (len < TOLD_MIN_LEN && len < secret.len)
            return false;
        len = len < secret.len ? len : secret.len;
        if (memcmp(text.ptr + i, secret.ptr, len) == 0)
            return true;
    }
    return false;
}

void http_txt_put(struct http_txt *t, struct span s)
{
    if (s.len > 0 && t->len < t->cap && s.len <= t->cap - t->len)
        memcpy(t->buf + t->len, s.ptr, s.len);
    t->len += s.len;
}

void http_txt_puts(struct http_txt *t, const char *str)
{
    http_txt_put(t, span_str(str));
}

esp_err_t http_txt_end(struct http_txt *t, size_t *need_len)
{
    *need_len = t->len + 1;
    if (t->len >= t->cap)
        return ESP_ERR_INVALID_SIZE;
    t->buf[t->len] = '\0';
    return ESP_OK;
}
