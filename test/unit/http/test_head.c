/* Response heads: each row is read whole, and again byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/head.h"
#include "len_rows.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define OK "HTTP/1.1 200 OK\r\n"
#define END "\r\n"
#define NONE HTTP_LEN_UNKNOWN

struct row {
    const char *claim, *in;
    const char *why; /* part of the reason: refused; NULL: accepted */
    struct http_head want;
};

/* A row names what differs from the defaults. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define HEAD(s, ...)                                                        \
    {                                                                       \
        .status = (s), .minor = 1, .content_len = NONE, .keep_alive = true, \
        .range_total = NONE, __VA_ARGS__                                    \
    }

static const struct row rows[] = {
    { "the least", OK END, NULL, HEAD(200, ) },
    { "no reason", "HTTP/1.1 204\r\n" END, NULL, HEAD(204, ) },
    { "an empty reason", "HTTP/1.1 204 \r\n" END, NULL, HEAD(204, ) },
    { "a single line feed behind the status", "HTTP/1.1 204\n" END, NULL,
      HEAD(204, ) },
    { "single line feeds", "HTTP/1.1 200 OK\nContent-Length: 3\n\n", NULL,
      HEAD(200, .content_len = 3) },
    { "HTTP/1.0 closes", "HTTP/1.0 200 OK\r\n" END, NULL,
      HEAD(200, .minor = 0, .keep_alive = false) },
    { "HTTP/1.0 may keep", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" END,
      NULL, HEAD(200, .minor = 0) },
    { "HTTP/1.1 may close", OK "Connection: close\r\n" END, NULL,
      HEAD(200, .keep_alive = false) },
    { "close among others", OK "Connection: close, keep-alive, close\r\n" END,
      NULL, HEAD(200, .keep_alive = false) },
    { "HTTP/1.0 may keep, said twice",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive, Keep-Alive\r\n" END, NULL,
      HEAD(200, .minor = 0) },
    { "close in a list", OK "connection: Upgrade , CLOSE\r\n" END, NULL,
      HEAD(200, .keep_alive = false) },
    { "a length", OK "Content-Length: 893536\r\n" END, NULL,
      HEAD(200, .content_len = 893536) },
    { "names have no case, values may have blanks around",
      OK "CONTENT-LENGTH: \t 12 \t\r\n" END, NULL,
      HEAD(200, .content_len = 12) },
    { "no blank after the colon", OK "Content-Length:12\r\n" END, NULL,
      HEAD(200, .content_len = 12) },
    { "the same length twice",
      OK "Content-Length: 7\r\nContent-Length: 7\r\n" END, NULL,
      HEAD(200, .content_len = 7) },
    { "the same length in a list", OK "Content-Length: 7, 7\r\n" END, NULL,
      HEAD(200, .content_len = 7) },
    { "a length of 0", OK "Content-Length: 0\r\n" END, NULL,
      HEAD(200, .content_len = 0) },
    { "chunked", OK "Transfer-Encoding: Chunked\r\n" END, NULL,
      HEAD(200, .chunked = true) },
    { "a range",
      "HTTP/1.1 206 Partial\r\nContent-Range: bytes 10-19/100\r\n" END, NULL,
      HEAD(206, .has_range = true, .range_first = 10, .range_last = 19,
           .range_total = 100) },
    { "a range of a body of unknown length",
      "HTTP/1.1 206 P\r\nContent-Range: bytes 0-0/*\r\n" END, NULL,
      HEAD(206, .has_range = true) },
    { "no range", "HTTP/1.1 416 R\r\nContent-Range: bytes */77\r\n" END, NULL,
      HEAD(416, .range_total = 77) },
    { "the same range twice",
      "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/100\r\n"
      "Content-Range: bytes 0-9/100\r\n" END,
      NULL, HEAD(206, .has_range = true, .range_last = 9, .range_total = 100) },
    { "two ranges that end elsewhere are none",
      "HTTP/1.1 206 P\r\n"
      "Content-Range: bytes 0-9/100\r\nContent-Range: bytes 0-8/100\r\n" END,
      NULL, HEAD(206, ) },
    { "two ranges of files of other lengths are none",
      "HTTP/1.1 206 P\r\n"
      "Content-Range: bytes 0-9/100\r\nContent-Range: bytes 0-9/99\r\n" END,
      NULL, HEAD(206, ) },
    { "two ranges that differ are none",
      "HTTP/1.1 206 P\r\n"
      "Content-Range: bytes 0-9/100\r\nContent-Range: bytes 1-9/100\r\n" END,
      NULL, HEAD(206, ) },
    { "a broken range is none",
      "HTTP/1.1 206 P\r\n"
      "Content-Range: bytes 9-0/100\r\n" END,
      NULL, HEAD(206, ) },
    { "a broken range after a sound one is none",
      "HTTP/1.1 206 P\r\n"
      "Content-Range: bytes 0-9/100\r\nContent-Range: x\r\n" END,
      NULL, HEAD(206, ) },
    { "a sound range after a broken one is none",
      "HTTP/1.1 206 P\r\n"
      "Content-Range: x\r\nContent-Range: bytes 0-9/100\r\n" END,
      NULL, HEAD(206, ) },
    { "identity is no encoding", OK "Content-Encoding: identity\r\n" END, NULL,
      HEAD(200, ) },
    { "an encoding without a name is none", OK "Content-Encoding:\r\n" END,
      NULL, HEAD(200, ) },
    { "gzip is one", OK "Content-Encoding: gzip\r\n" END, NULL,
      HEAD(200, .encoded = true, .encoding = "gzip") },
    { "several are one", OK "Content-Encoding: deflate, gzip, compress\r\n" END,
      NULL, HEAD(200, .encoded = true, .encoding = "several") },
    { "ranges are accepted", OK "Accept-Ranges: bytes\r\n" END, NULL,
      HEAD(200, .accept_ranges = true) },
    { "ranges are not", OK "Accept-Ranges: none\r\n" END, NULL, HEAD(200, ) },
    { "seconds to wait", "HTTP/1.1 503 No\r\nRetry-After: 120\r\n" END, NULL,
      HEAD(503, .retry_after_s = 120) },
    { "more seconds than fit",
      "HTTP/1.1 503 No\r\nRetry-After: 9999999999\r\n" END, NULL,
      HEAD(503, .retry_after_s = UINT32_MAX) },
    { "more seconds than 64 bits hold",
      "HTTP/1.1 503 No\r\nRetry-After: 99999999999999999999999\r\n" END, NULL,
      HEAD(503, .retry_after_s = UINT32_MAX) },
    { "a date to wait for says nothing without the server's own",
      "HTTP/1.1 503 No\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n" END,
      NULL, HEAD(503, ) },
    { "with it, it does",
      "HTTP/1.1 503 No\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
      "Date: Fri, 31 Dec 1999 23:58:09 GMT\r\n" END,
      NULL, HEAD(503, .retry_after_s = 110) },
    { "a date that has passed is now",
      "HTTP/1.1 503 No\r\nDate: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
      "Retry-After: Fri, 31 Dec 1999 23:58:09 GMT\r\n" END,
      NULL, HEAD(503, ) },
    { "nor is the server's own, if it is none",
      "HTTP/1.1 503 No\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
      "Date: yesterday\r\n" END,
      NULL, HEAD(503, ) },
    { "a date that is none is left out",
      "HTTP/1.1 503 No\r\nDate: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
      "Retry-After: tomorrow\r\n" END,
      NULL, HEAD(503, ) },
    { "a date of ages away is as long as fits",
      "HTTP/1.1 503 No\r\nDate: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
      "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n" END,
      NULL, HEAD(503, .retry_after_s = UINT32_MAX) },
    { "validators and the type",
      OK "ETag: W/\"a b\"\r\n"
         "Last-Modified: Tue, 15 Nov 1994 12:45:26 GMT\r\n"
         "Content-Type: text/html; charset=utf-8\r\n" END,
      NULL,
      HEAD(200, .etag = "W/\"a b\"",
           .last_modified = "Tue, 15 Nov 1994 12:45:26 GMT",
           .content_type = "text/html; charset=utf-8") },
    { "validators and a type that no field may hold are left out",
      OK "ETag: \"a\001\"\r\nLast-Modified: \177\r\n"
         "Content-Type: text\033[2J\r\n" END,
      NULL, HEAD(200, ) },
    { "a name that is longer than any of ours",
      OK "Content-Length-Of-The-Part-That-Was-Asked-For-Which-Is-Not-That-Of-"
         "The-Whole: 5\r\n" END,
      NULL, HEAD(200, ) },
    { "what nobody asked for", OK "X: y\r\nServer:\r\nA-:1\r\n" END, NULL,
      HEAD(200, ) },

    { "nothing of HTTP", "SSH-2.0-OpenSSH_9.2\r\n", "begin as HTTP", { 0 } },
    { "HTML", "<html><body>\r\n", "begin as HTTP", { 0 } },
    { "HTTP/2", "HTTP/2 200 OK\r\n", "first line", { 0 } },
    { "HTTP/2.0", "HTTP/2.0 200 OK\r\n", "first line", { 0 } },
    { "a version that is no digit",
      "HTTP/1.x 200 OK\r\n",
      "first line",
      { 0 } },
    { "no blank behind the version", "HTTP/1.10200\r\n", "first line", { 0 } },
    { "the protocol's name alone", "HTTP/\r\n", "first line", { 0 } },
    { "less than that", "HTT\r\n", "begin as HTTP", { 0 } },
    { "two blanks", "HTTP/1.1  200 OK\r\n", "first line", { 0 } },
    { "a status of two digits", "HTTP/1.1 20 OK\r\n", "first line", { 0 } },
    { "a status of four digits", "HTTP/1.1 2000 OK\r\n", "first line", { 0 } },
    { "a status with letters", "HTTP/1.1 2x0 OK\r\n", "status", { 0 } },
    { "a status below 100", "HTTP/1.1 099 OK\r\n", "status", { 0 } },
    { "a status above 599", "HTTP/1.1 600 OK\r\n", "status", { 0 } },
    { "a first line without end",
      "HTTP/1.1.1.1.1.1.1.1.1.1.1",
      "first line",
      { 0 } },
    { "an empty first line",
      "\r\nHTTP/1.1 200 OK\r\n\r\n",
      "begin as HTTP",
      { 0 } },
    { "two lengths",
      OK "Content-Length: 7\r\nContent-Length: 8\r\n" END,
      "two different",
      { 0 } },
    { "two lengths in a list",
      OK "Content-Length: 7,8\r\n" END,
      "two different",
      { 0 } },
    { "a list with nothing in it",
      OK "Content-Length: 7,\r\n" END,
      "not a number",
      { 0 } },
    { "a length with a sign",
      OK "Content-Length: +7\r\n" END,
      "not a number",
      { 0 } },
    { "a negative length",
      OK "Content-Length: -1\r\n" END,
      "not a number",
      { 0 } },
    { "a hexadecimal length",
      OK "Content-Length: 0x10\r\n" END,
      "not a number",
      { 0 } },
    { "a length with a blank",
      OK "Content-Length: 1 2\r\n" END,
      "not a number",
      { 0 } },
    { "no length", OK "Content-Length:\r\n" END, "not a number", { 0 } },
    { "a length that overflows",
      OK "Content-Length: " LEN_OVER "\r\n" END,
      "not a number",
      { 0 } },
    { "a length that means unknown",
      OK "Content-Length: " LEN_UNKNOWN "\r\n" END,
      "not a number",
      { 0 } },
    { "chunked and a length",
      OK "Transfer-Encoding: chunked\r\nContent-Length: 7\r\n" END,
      "both",
      { 0 } },
    { "a length and chunked",
      OK "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n" END,
      "both",
      { 0 } },
    { "another coding", OK "Transfer-Encoding: gzip\r\n" END, "coding", { 0 } },
    { "two codings",
      OK "Transfer-Encoding: gzip, chunked\r\n" END,
      "coding",
      { 0 } },
    { "chunked twice",
      OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END,
      "coding",
      { 0 } },
    { "chunked in HTTP/1.0",
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n" END,
      "HTTP/1.0",
      { 0 } },
    { "a folded line", OK "X: a\r\n b\r\n" END, "folded", { 0 } },
    { "a folded first line", OK " X: a\r\n" END, "folded", { 0 } },
    { "a blank before the colon",
      OK "Content-Length : 7\r\n" END,
      "blank",
      { 0 } },
    { "no colon", OK "Content-Length\r\n" END, "no field name", { 0 } },
    { "no name", OK ": 7\r\n" END, "no field name", { 0 } },
    { "a name that is no token", OK "A(b): 7\r\n" END, "no field name", { 0 } },
    { "a bare CR in a value", OK "X: a\rb\r\n" END, "CR without", { 0 } },
    { "a bare CR in the reason",
      "HTTP/1.1 200 O\rK\r\n" END,
      "CR without",
      { 0 } },
    { "a bare CR at the end", OK "X: a\r\n\rX", "CR without", { 0 } },
};

static esp_err_t on_part(void *ctx, enum http_head_part part, struct span b)
{
    char *out = ctx;
    size_t len = strlen(out);

    if (part == HTTP_HEAD_STATUS && b.len == 0)
        out[len++] = '|';
    for (size_t i = 0; i < b.len; i++)
        out[len++] = (char)b.ptr[i];
    if (part == HTTP_HEAD_NAME)
        out[len++] = '=';
    if (part == HTTP_HEAD_FIELD_END)
        out[len++] = ';';
    out[len] = '\0';
    return ESP_OK;
}

/* Feeds in pieces of `piece` bytes; tells how many bytes were the head's. */
static enum http_head_step feed(struct http_head_parser *p, struct span in,
                                size_t piece, size_t *used)
{
    enum http_head_step step = HTTP_HEAD_MORE;

    *used = 0;
    while (*used < in.len && step == HTTP_HEAD_MORE) {
        struct span part = span_from(in, *used);
        size_t done = 0;
        if (part.len > piece)
            part.len = piece;
        step = http_head_feed(p, part, &done);
        if (step == HTTP_HEAD_MORE)
            assert_int_equal(done, part.len);
        *used += done;
    }
    return step;
}

static void check_same(const struct http_head *got, const struct http_head *w)
{
    assert_int_equal(got->status, w->status);
    assert_int_equal(got->minor, w->minor);
    assert_int_equal(got->content_len, w->content_len);
    assert_int_equal(got->chunked, w->chunked);
    assert_int_equal(got->keep_alive, w->keep_alive);
    assert_int_equal(got->has_range, w->has_range);
    assert_int_equal(got->range_first, w->range_first);
    assert_int_equal(got->range_last, w->range_last);
    assert_int_equal(got->range_total, w->range_total);
    assert_int_equal(got->encoded, w->encoded);
    assert_int_equal(got->accept_ranges, w->accept_ranges);
    assert_int_equal(got->retry_after_s, w->retry_after_s);
    assert_string_equal(got->encoding, w->encoding);
    assert_string_equal(got->etag, w->etag);
    assert_string_equal(got->last_modified, w->last_modified);
    assert_string_equal(got->content_type, w->content_type);
}

static void check_row(const struct row *row, size_t piece, char *parts)
{
    char in[512];
    struct http_head_parser p;
    size_t used = 0;

    /* What follows the head is not the head's. */
    strcpy(in, row->in);
    if (!row->why)
        strcat(in, "body");
    parts[0] = '\0';
    http_head_init(&p, on_part, parts);
    enum http_head_step step = feed(&p, span_str(in), piece, &used);
    assert_int_equal(step, row->why ? HTTP_HEAD_BAD : HTTP_HEAD_DONE);
    if (row->why) {
        assert_int_equal(p.err, ESP_ERR_INVALID_RESPONSE);
        if (!strstr(p.why, row->why))
            fail_msg("'%s' is not in '%s'", row->why, p.why);
        return;
    }
    assert_int_equal(used, strlen(row->in));
    check_same(&p.head, &row->want);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        char whole[1024], bytes[1024], pairs[1024];

        print_message("# %s\n", rows[i].claim);
        check_row(&rows[i], 4096, whole);
        check_row(&rows[i], 1, bytes);
        check_row(&rows[i], 3, pairs);
        assert_string_equal(whole, bytes);
        assert_string_equal(whole, pairs);
    }
}

static void test_nul(void **state)
{
    static const char in[] = OK "X: a\0b\r\n\r\n";
    struct http_head_parser p;
    size_t used = 0;

    (void)state;
    http_head_init(&p, NULL, NULL);
    assert_int_equal(http_head_feed(&p, span_of(in, sizeof(in) - 1), &used),
                     HTTP_HEAD_BAD);
    assert_non_null(strstr(p.why, "NUL"));
}

static void test_parts(void **state)
{
    char parts[256] = "";
    struct http_head_parser p;
    size_t used = 0;

    (void)state;
    http_head_init(&p, on_part, parts);
    assert_int_equal(feed(&p,
                          span_str("HTTP/1.1 302 Go on\r\nLocation:  /x \r\n"
                                   "Empty:\r\nB: c d\r\n\r\n"),
                          7, &used),
                     HTTP_HEAD_DONE);
    assert_string_equal(parts, "Go on|Location=/x ;Empty=;B=c d;");
}

/* A field may be as long as it likes; what does not matter costs nothing. */
static void test_long_fields(void **state)
{
    static const char *const names[] = { "Content-Security-Policy",
                                         "ETag",
                                         "Content-Type",
                                         "Connection",
                                         "Content-Range",
                                         "Content-Encoding",
                                         "Content-Length",
                                         "Transfer-Encoding" };
    char *in = malloc(20000);

    (void)state;
    assert_non_null(in);
    for (size_t i = 0; i < CNT(names); i++) {
        struct http_head_parser p;
        size_t used = 0;
        bool frames = i >= 6;

        strcpy(in, OK);
        strcat(in, names[i]);
        strcat(in, ": ");
        size_t len = strlen(in);
        memset(in + len, '1', 16000);
        strcpy(in + len + 16000, "\r\n\r\n");
        http_head_init(&p, NULL, NULL);
        assert_int_equal(feed(&p, span_str(in), 100, &used),
                         frames ? HTTP_HEAD_BAD : HTTP_HEAD_DONE);
        assert_string_equal(p.head.etag, "");
        assert_string_equal(p.head.content_type, "");
        if (i == 3) /* nobody knows what it said: do not count on it */
            assert_false(p.head.keep_alive);
        assert_false(p.head.has_range);
        assert_int_equal(p.head.encoded, i == 5); /* not ours, at any rate */
    }
    free(in);
}

static void test_endless(void **state)
{
    struct http_head_parser p;
    enum http_head_step step = HTTP_HEAD_MORE;
    size_t total = 0;

    (void)state;
    http_head_init(&p, NULL, NULL);
    size_t used = 0;
    assert_int_equal(http_head_feed(&p, span_str(OK), &used), HTTP_HEAD_MORE);
    while (step == HTTP_HEAD_MORE) {
        step = http_head_feed(&p, span_str("X-Filler: again\r\n"), &used);
        total += used;
        assert_true(total <= HTTP_HEAD_MAX_LEN + 16);
    }
    assert_int_equal(step, HTTP_HEAD_BAD);
    assert_non_null(strstr(p.why, "256 KiB"));
}

static esp_err_t refuse(void *ctx, enum http_head_part part, struct span b)
{
    (void)ctx;
    (void)b;
    return part == HTTP_HEAD_FIELD_END ? ESP_ERR_NO_MEM : ESP_OK;
}

static void test_receiver_gives_up(void **state)
{
    struct http_head_parser p;
    size_t used = 0;

    (void)state;
    http_head_init(&p, refuse, NULL);
    assert_int_equal(feed(&p, span_str(OK "A: b\r\n" END), 1, &used),
                     HTTP_HEAD_BAD);
    assert_int_equal(p.err, ESP_ERR_NO_MEM);
}

static void test_framing(void **state)
{
    static const struct {
        const char *claim;
        struct http_head h;
        bool head_request;
        enum http_framing want;
    } frames[] = {
        { "a length", HEAD(200, .content_len = 5), false, HTTP_FRAMING_LENGTH },
        { "a length of 0", HEAD(200, .content_len = 0), false,
          HTTP_FRAMING_NONE },
        { "chunked", HEAD(200, .chunked = true), false, HTTP_FRAMING_CHUNKED },
        { "neither", HEAD(200, ), false, HTTP_FRAMING_CLOSE },
        { "HEAD has none", HEAD(200, .content_len = 5), true,
          HTTP_FRAMING_NONE },
        { "204 has none", HEAD(204, .chunked = true), false,
          HTTP_FRAMING_NONE },
        { "304 has none", HEAD(304, .content_len = 5), false,
          HTTP_FRAMING_NONE },
        { "1xx has none", HEAD(100, ), false, HTTP_FRAMING_NONE },
        { "206 is like 200", HEAD(206, .content_len = 5), false,
          HTTP_FRAMING_LENGTH },
    };

    (void)state;
    for (size_t i = 0; i < CNT(frames); i++) {
        print_message("# %s\n", frames[i].claim);
        assert_int_equal(
            http_head_framing(&frames[i].h, frames[i].head_request),
            frames[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_long_fields),
        cmocka_unit_test(test_endless),
        cmocka_unit_test(test_receiver_gives_up),
        cmocka_unit_test(test_framing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
