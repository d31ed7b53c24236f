/* URLs are taken strictly: what two programs could read differently (blanks,
 * control characters, a second '@', a backslash in the host) is refused, not
 * repaired, because the host decides where credentials go. */
#include "http/url.h"

#include <stdio.h>

#include "http/buf.h"
#include "http/text.h"

#define URL_HOST_MAX_LEN 255u

static bool url_chars_ok(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
            return false;
    }
    return true;
}

static bool is_alnum(uint8_t c)
{
    return http_is_alpha(c) || http_is_digit(c);
}

/* Length of "scheme:" at the front, without the colon; 0: there is none. */
static size_t url_scheme_len(struct span text)
{
    size_t i = 0;

    if (text.len == 0 || !http_is_alpha(text.ptr[0]))
        return 0;
    while (i < text.len && (is_alnum(text.ptr[i]) || text.ptr[i] == '+' ||
                            text.ptr[i] == '-' || text.ptr[i] == '.'))
        i++;
    return i < text.len && text.ptr[i] == ':' ? i : 0;
}

static bool url_host_ok(struct span host, bool is_ipv6)
{
    if (host.len == 0 || host.len > URL_HOST_MAX_LEN)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.ptr[i];
        bool ok = is_ipv6 ? http_hex(c) >= 0 : is_alnum(c);
        if (!ok && !strchr(is_ipv6 ? ":." : "-._~", c)) /* c is not NUL */
            return false;
    }
    return !is_ipv6 || memchr(host.ptr, ':', host.len) != NULL;
}

/* port = *DIGIT (RFC 3986 section 3.2.3): "host:" is the default port. */
static esp_err_t url_parse_port(struct span text, struct http_url *out)
{
    http_len port = 0;

    if (text.len == 0)
        return ESP_OK;
    if (http_digits(text, &port) != ESP_OK || port == 0 || port > 65535)
        return ESP_ERR_INVALID_ARG;
    out->port = (uint16_t)port;
    out->port_given = true;
    return ESP_OK;
}

static esp_err_t url_parse_host_port(struct span text, struct http_url *out)
{
    struct span port = span_of(NULL, 0);

    /* A span without a pointer has no length, which the analyser takes to be
     * open: span.h.
     * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    if (text.len > 0 && text.ptr[0] == '[') {
        struct span after;
        struct span host = http_cut(span_from(text, 1), ']', &after);
        if (host.len + 2 > text.len)
            return ESP_ERR_INVALID_ARG; /* no closing bracket */
        if (after.len > 0 && after.ptr[0] != ':')
            return ESP_ERR_INVALID_ARG;
        out->host = host;
        out->host_is_ipv6 = true;
        port = span_from(after, 1);
    } else {
        out->host = http_cut(text, ':', &port);
    }
    if (!url_host_ok(out->host, out->host_is_ipv6))
        return ESP_ERR_INVALID_ARG;
    return url_parse_port(port, out);
}

static esp_err_t url_parse_authority(struct span text, struct http_url *out)
{
    struct span rest;
    struct span user = http_cut(text, '@', &rest);

    if (user.len == text.len)
        return url_parse_host_port(text, out);
    /* Others take a backslash for a slash, and the user for the host. */
    if ((rest.len > 0 && memchr(rest.ptr, '@', rest.len)) ||
        (user.len > 0 && memchr(user.ptr, '\\', user.len)))
        return ESP_ERR_INVALID_ARG;
    out->userinfo = user;
    return url_parse_host_port(rest, out);
}

/* The first of the marks, or the end. */
static size_t url_until(struct span text, const char *marks)
{
    size_t i = 0;

    while (i < text.len && !strchr(marks, text.ptr[i]))
        i++;
    return i;
}

/* path [ "?" query ] [ "#" fragment ], the fragment dropped. */
static void url_split_path(struct span text, struct http_url *out)
{
    size_t path_len = url_until(text, "?#");
    struct span rest = span_from(text, path_len);

    out->path = span_of(text.ptr, path_len);
    out->has_query = rest.len > 0 && rest.ptr[0] == '?';
    if (!out->has_query)
        return;
    out->query = span_from(rest, 1);
    out->query.len = url_until(out->query, "#");
}

/* A URL or, with a base, a reference: one that does not begin with "scheme:"
 * or "//" has no host, and the rest of *out says only what it says. */
static esp_err_t url_parse_ref(struct span text, const struct http_url *base,
                               struct http_url *out)
{
    size_t scheme_len = url_scheme_len(text);
    struct span scheme = span_of(text.ptr, scheme_len);
    size_t len = 0;
    esp_err_t err = ESP_OK;

    *out = (struct http_url){ .is_https = base && base->is_https };
    if (!url_chars_ok(text))
        return ESP_ERR_INVALID_ARG;
    if (scheme_len > 0) {
        out->is_https = http_name_is(scheme, "https");
        if (!out->is_https && !http_name_is(scheme, "http"))
            return ESP_ERR_INVALID_ARG;
        text = span_from(text, scheme_len + 1);
    }
    out->port = out->is_https ? 443 : 80;
    if (text.len >= 2 && memcmp(text.ptr, "//", 2) == 0) {
        text = span_from(text, 2);
        len = url_until(text, "/?#");
        err = url_parse_authority(span_of(text.ptr, len), out);
    } else if (!base || scheme_len > 0) {
        err = ESP_ERR_INVALID_ARG;
    }
    url_split_path(span_from(text, len), out);
    return err;
}

esp_err_t http_url_parse(struct span text, struct http_url *out)
{
    return url_parse_ref(text, NULL, out);
}

bool http_url_same_origin(const struct http_url *a, const struct http_url *b)
{
    /* A literal has a colon, a name has none. */
    return a->is_https == b->is_https && a->port == b->port &&
           http_same_name(a->host, b->host);
}

void http_url_put_host(struct http_txt *t, const struct http_url *u,
                       bool with_port)
{
    char port[8] = "";

    if (with_port)
        (void)snprintf(port, sizeof(port), ":%u", (unsigned)u->port);
    http_txt_puts(t, u->host_is_ipv6 ? "[" : "");
    http_txt_put(t, u->host);
    http_txt_puts(t, u->host_is_ipv6 ? "]" : "");
    http_txt_puts(t, port);
}

static void put_scheme(struct http_txt *t, const struct http_url *u)
{
    http_txt_puts(t, u->is_https ? "https://" : "http://");
}

static void put_query(struct http_txt *t, const struct http_url *u)
{
    if (u->has_query)
        http_txt_puts(t, "?");
    http_txt_put(t, u->query);
}

esp_err_t http_url_format(const struct http_url *url, char *out, size_t out_len,
                          size_t *need_len)
{
    struct http_txt t = { .buf = out, .cap = out_len };

    put_scheme(&t, url);
    http_url_put_host(&t, url, url->port_given);
    http_txt_put(&t, url->path.len > 0 ? url->path : span_str("/"));
    put_query(&t, url);
    return http_txt_end(&t, need_len);
}

/* RFC 3986 section 5.2.4, in place: start is the index of the path's '/'. */
static void remove_dot_segments(struct http_txt *t, size_t start)
{
    char *buf = t->buf;
    size_t in = start;
    size_t out = start;

    while (in < t->len) {
        /* One segment with its leading slash: [in, end). */
        size_t end = in + 1;
        while (end < t->len && buf[end] != '/')
            end++;
        struct span seg = span_of(buf + in + 1, end - in - 1);
        bool last = end == t->len;
        bool up = span_eq(seg, "..");
        if (!up && !span_eq(seg, ".")) {
            memmove(buf + out, buf + in, end - in);
            out += end - in;
        } else {
            while (up && out > start && buf[--out] != '/')
                ;
            if (last)
                buf[out++] = '/';
        }
        in = end;
    }
    t->len = out;
}

/* What a reference does not say, the base does; what stands before its path,
 * too (RFC 3986 sections 5.2.2 and 5.2.3). */
static struct span url_complete(struct http_url *ref,
                                const struct http_url *base)
{
    struct span dir = span_of(NULL, 0);
    struct span path = ref->path;

    if (ref->host.len > 0)
        return dir;
    ref->host = base->host;
    ref->host_is_ipv6 = base->host_is_ipv6;
    ref->port = base->port;
    ref->port_given = base->port_given;
    if (path.len == 0 || path.ptr[0] != '/')
        dir = base->path;
    if (path.len > 0) {
        while (dir.len > 0 && dir.ptr[dir.len - 1] != '/')
            dir.len--;
    } else if (!ref->has_query) {
        ref->has_query = base->has_query;
        ref->query = base->query;
    }
    return dir;
}

esp_err_t http_url_resolve(const struct http_url *base, struct span location,
                           char *out, size_t out_len, size_t *need_len)
{
    struct http_url ref;
    struct http_txt t = { .buf = out, .cap = out_len };
    esp_err_t err = url_parse_ref(location, base, &ref);

    if (err)
        return err;
    /* Dots are removed in place, so the buffer holds the longest form. */
    *need_len = base->host.len + base->path.len + base->query.len +
                location.len + sizeof("https://[]:65535/?@/");
    if (out_len < *need_len)
        return ESP_ERR_INVALID_SIZE;
    struct span dir = url_complete(&ref, base);
    put_scheme(&t, &ref);
    if (ref.userinfo.len > 0) {
        http_txt_put(&t, ref.userinfo);
        http_txt_puts(&t, "@");
    }
    http_url_put_host(&t, &ref, ref.port_given);
    size_t start = t.len;
    http_txt_put(&t, dir);
    if (dir.len == 0 && (ref.path.len == 0 || ref.path.ptr[0] != '/'))
        http_txt_puts(&t, "/");
    http_txt_put(&t, ref.path);
    remove_dot_segments(&t, start);
    put_query(&t, &ref);
    return http_txt_end(&t, need_len);
}

void http_host_text(const struct http_url *url, char out[HTTP_HOST_TEXT_LEN])
{
    bool usual = url->port == (url->is_https ? 443 : 80);
    struct http_txt t = { .buf = out, .cap = HTTP_HOST_TEXT_LEN };
    size_t need_len = 0;

    http_url_put_host(&t, url, !usual);
    if (http_txt_end(&t, &need_len) != ESP_OK)
        out[0] = '\0'; /* hosts are at most 255 bytes long */
}

/* A '%' that begins no encoded byte is one. */
esp_err_t http_decode(struct http_buf *out, struct span text)
{
    esp_err_t err = http_buf_reserve(out, text.len);

    http_buf_reset(out);
    for (size_t i = 0; i < text.len && !err; i++) {
        uint8_t c = text.ptr[i];
        int hi = i + 2 < text.len ? http_hex(text.ptr[i + 1]) : -1;
        int lo = i + 2 < text.len ? http_hex(text.ptr[i + 2]) : -1;
        if (c == '%' && hi >= 0 && lo >= 0) {
            c = (uint8_t)(hi << 4 | lo);
            i += 2;
        }
        err = http_buf_add(out, span_of(&c, 1));
    }
    return err;
}
