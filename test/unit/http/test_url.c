/* URLs: what is taken, what is refused, where a Location leads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/url.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The parts joined by blanks: "s user host port path ?query". */
static void show(const struct http_url *u, char out[256])
{
    (void)snprintf(
        out, 256, "%s [%.*s] %s%.*s %u%s %.*s %s%.*s",
        u->is_https ? "https" : "http", (int)u->userinfo.len,
        (const char *)u->userinfo.ptr, u->host_is_ipv6 ? "6:" : "",
        (int)u->host.len, (const char *)u->host.ptr, (unsigned)u->port,
        u->port_given ? "!" : "", (int)u->path.len, (const char *)u->path.ptr,
        u->has_query ? "?" : "", (int)u->query.len, (const char *)u->query.ptr);
}

static const struct {
    const char *claim, *in, *want; /* want NULL: refused */
} urls[] = {
    { "the shortest", "http://a", "http [] a 80  " },
    { "everything", "https://u:p%20w@h.example:8443/a/b?c=d&e#frag",
      "https [u:p%20w] h.example 8443! /a/b ?c=d&e" },
    { "the scheme has no case", "HtTpS://h/", "https [] h 443 / " },
    { "an empty port is the default", "http://h:/x", "http [] h 80 /x " },
    { "the largest port", "http://h:65535/", "http [] h 65535! / " },
    { "leading zeros in a port", "http://h:0080/", "http [] h 80! / " },
    { "an empty query is a query", "http://h/?", "http [] h 80 / ?" },
    { "a query without a path", "http://h?q", "http [] h 80  ?q" },
    { "a fragment without a path", "http://h#f", "http [] h 80  " },
    { "a question mark in the fragment", "http://h/#a?b", "http [] h 80 / " },
    { "an at sign in the path", "http://h/a@b", "http [] h 80 /a@b " },
    { "an at sign in the query", "http://h?a@b", "http [] h 80  ?a@b" },
    { "a colon in the path", "http://h/a:b", "http [] h 80 /a:b " },
    { "an IPv6 literal", "https://[2001:db8::1]:444/",
      "https [] 6:2001:db8::1 444! / " },
    { "an IPv6 literal without port", "http://[::1]", "http [] 6:::1 80  " },
    { "bytes above 127 in the path", "http://h/\xc3\xa4",
      "http [] h 80 /\xc3\xa4 " },
    { "no scheme", "h/path", NULL },
    { "only a path", "/path", NULL },
    { "nothing", "", NULL },
    { "another scheme", "ftp://h/", NULL },
    { "a file", "file:///etc/passwd", NULL },
    { "one slash", "http:/h", NULL },
    { "no slashes", "http:h", NULL },
    { "no host", "http:///p", NULL },
    { "a port and no host", "http://:80/", NULL },
    { "a user and no host", "http://u@/", NULL },
    { "neither", "http://@/", NULL },
    { "a scheme with a plus", "svn+http://h/", NULL },
    { "a scheme with a hyphen", "view-source://h/", NULL },
    { "a scheme with a dot", "x.http://h/", NULL },
    { "port 0", "http://h:0/", NULL },
    { "port 65536", "http://h:65536/", NULL },
    { "a port that overflows", "http://h:99999999999999999999/", NULL },
    { "a port with a sign", "http://h:+80/", NULL },
    { "a hexadecimal port", "http://h:0x50/", NULL },
    { "two at signs", "http://a@b@c/", NULL },
    { "a backslash in the host", "http://good\\@evil/", NULL },
    { "a blank in the host", "http://a b/", NULL },
    { "a blank in the path", "http://h/a b", NULL },
    { "a tab", "http://h/\t", NULL },
    { "a line break", "http://h/\r\nX: y", NULL },
    { "delete", "http://h/\x7f", NULL },
    { "percent in the host", "http://a%2fb/", NULL },
    { "bytes above 127 in the host", "http://\xc3\xa4/", NULL },
    { "an open bracket", "http://[::1/", NULL },
    { "a bracket without colon", "http://[abc]/", NULL },
    { "text after the bracket", "http://[::1]x/", NULL },
    { "a zone in the literal", "http://[fe80::1%25eth0]/", NULL },
};

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(urls); i++) {
        struct http_url url;
        char got[256];
        esp_err_t err = http_url_parse(span_str(urls[i].in), &url);

        print_message("# %s\n", urls[i].claim);
        assert_int_equal(err, urls[i].want ? ESP_OK : ESP_ERR_INVALID_ARG);
        if (!urls[i].want)
            continue;
        show(&url, got);
        assert_string_equal(got, urls[i].want);
    }
}

static void test_host_length(void **state)
{
    char text[300] = "http://";
    struct http_url url;

    (void)state;
    memset(text + 7, 'a', 255);
    assert_int_equal(http_url_parse(span_str(text), &url), ESP_OK);
    text[7 + 255] = 'a';
    assert_int_equal(http_url_parse(span_str(text), &url), ESP_ERR_INVALID_ARG);
}

static void test_nul_inside(void **state)
{
    struct http_url url;

    (void)state;
    assert_int_equal(http_url_parse(span_of("http://h\0.evil/", 15), &url),
                     ESP_ERR_INVALID_ARG);
}

/* RFC 3986 section 5.4, but with http for the made-up scheme, and what
 * redirects look like. Base: http://a/b/c/d;p?q */
static const struct {
    const char *in, *want; /* want NULL: refused */
} references[] = {
    { "g", "http://a/b/c/g" },
    { "./g", "http://a/b/c/g" },
    { "g/", "http://a/b/c/g/" },
    { "/g", "http://a/g" },
    { "//g", "http://g/" },
    { "?y", "http://a/b/c/d;p?y" },
    { "g?y", "http://a/b/c/g?y" },
    { "#s", "http://a/b/c/d;p?q" },
    { "g#s", "http://a/b/c/g" },
    { "g?y#s", "http://a/b/c/g?y" },
    { ";x", "http://a/b/c/;x" },
    { "g;x", "http://a/b/c/g;x" },
    { "", "http://a/b/c/d;p?q" },
    { ".", "http://a/b/c/" },
    { "./", "http://a/b/c/" },
    { "..", "http://a/b/" },
    { "../", "http://a/b/" },
    { "../g", "http://a/b/g" },
    { "../..", "http://a/" },
    { "../../", "http://a/" },
    { "../../g", "http://a/g" },
    { "../../../g", "http://a/g" },
    { "../../../../g", "http://a/g" },
    { "/./g", "http://a/g" },
    { "/../g", "http://a/g" },
    { "g.", "http://a/b/c/g." },
    { ".g", "http://a/b/c/.g" },
    { "g..", "http://a/b/c/g.." },
    { "..g", "http://a/b/c/..g" },
    { "./../g", "http://a/b/g" },
    { "./g/.", "http://a/b/c/g/" },
    { "g/./h", "http://a/b/c/g/h" },
    { "g/../h", "http://a/b/c/h" },
    { "g?y/../x", "http://a/b/c/g?y/../x" },
    { "https://b:444/x/../y?z", "https://b:444/y?z" },
    { "HTTPS://B", "https://B/" },
    { "http://u:p@b/", "http://u:p@b/" },
    { "//[::1]:8/x", "http://[::1]:8/x" },
    { "/a//b/", "http://a/a//b/" },
    { "/..", "http://a/" },
    { "/.", "http://a/" },
    { "file:///etc/passwd", NULL },
    { "mailto:x@y", NULL },
    { "//", NULL },
    { "http:g", NULL },
    { "/a b", NULL },
    { "/a\r\nb", NULL },
    { "//a@b@c/", NULL },
};

static void test_resolve(void **state)
{
    struct http_url base;

    (void)state;
    assert_int_equal(http_url_parse(span_str("http://user@a/b/c/d;p?q"), &base),
                     ESP_OK);
    for (size_t i = 0; i < CNT(references); i++) {
        char out[128];
        size_t need = 0;
        esp_err_t err = http_url_resolve(&base, span_str(references[i].in), out,
                                         sizeof(out), &need);

        print_message("# '%s'\n", references[i].in);
        assert_int_equal(err,
                         references[i].want ? ESP_OK : ESP_ERR_INVALID_ARG);
        if (!references[i].want)
            continue;
        assert_string_equal(out, references[i].want);
        assert_int_equal(need, strlen(out) + 1);
    }
}

static void test_resolve_keeps_port(void **state)
{
    struct http_url base;
    char out[128];
    size_t need = 0;

    (void)state;
    assert_int_equal(http_url_parse(span_str("https://[::1]:8443"), &base),
                     ESP_OK);
    assert_int_equal(
        http_url_resolve(&base, span_str("x"), out, sizeof(out), &need),
        ESP_OK);
    assert_string_equal(out, "https://[::1]:8443/x");
}

static void test_resolve_tells_room(void **state)
{
    struct http_url base;
    char out[128];
    size_t need = 0;
    size_t room;

    (void)state;
    assert_int_equal(http_url_parse(span_str("http://host/dir/file"), &base),
                     ESP_OK);
    assert_int_equal(http_url_resolve(&base, span_str("next"), out, 5, &need),
                     ESP_ERR_INVALID_SIZE);
    room = need;
    assert_true(room <= sizeof(out));
    assert_int_equal(
        http_url_resolve(&base, span_str("next"), out, room - 1, &need),
        ESP_ERR_INVALID_SIZE);
    assert_int_equal(
        http_url_resolve(&base, span_str("next"), out, room, &need), ESP_OK);
    assert_string_equal(out, "http://host/dir/next");
}

static void test_same_origin(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        { "http://h/a", "http://h/b?c", true },
        { "http://h", "http://H:80/", true },
        { "https://h:443", "https://h", true },
        { "http://h", "https://h", false },
        { "http://h:443", "https://h:443", false },
        { "http://h", "http://h:81", false },
        { "http://h", "http://h.", false },
        { "http://h", "http://x.h", false },
        { "http://hh", "http://h", false },
        { "http://[::1]", "http://[::1]:80/a", true },
        { "http://[::1]", "http://[::2]", false },
        { "http://[::1]", "http://h", false },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct http_url a, b;
        assert_int_equal(http_url_parse(span_str(rows[i].a), &a), ESP_OK);
        assert_int_equal(http_url_parse(span_str(rows[i].b), &b), ESP_OK);
        print_message("# %s %s\n", rows[i].a, rows[i].b);
        assert_int_equal(http_url_same_origin(&a, &b), rows[i].same);
        assert_int_equal(http_url_same_origin(&b, &a), rows[i].same);
    }
}

static void test_format_drops_userinfo(void **state)
{
    struct http_url url;
    char out[64];
    size_t need = 0;

    (void)state;
    assert_int_equal(
        http_url_parse(span_str("https://user:secret@h:8443?x=1#f"), &url),
        ESP_OK);
    assert_int_equal(http_url_format(&url, out, sizeof(out), &need), ESP_OK);
    assert_string_equal(out, "https://h:8443/?x=1");
    assert_int_equal(http_url_format(&url, out, need - 1, &need),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(need, sizeof("https://h:8443/?x=1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_host_length),
        cmocka_unit_test(test_nul_inside),
        cmocka_unit_test(test_resolve),
        cmocka_unit_test(test_resolve_keeps_port),
        cmocka_unit_test(test_resolve_tells_room),
        cmocka_unit_test(test_same_origin),
        cmocka_unit_test(test_format_drops_userinfo),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
