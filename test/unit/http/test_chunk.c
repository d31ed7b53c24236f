/* The chunked coding: each row is read whole, and again byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/chunk.h"
#include "len_rows.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct row {
    const char *claim, *in;
    const char *body; /* what came out before the end or the error */
    const char *why;  /* part of the reason: refused; NULL: done */
};

static const struct row rows[] = {
    { "nothing", "0\r\n\r\n", "", NULL },
    { "one chunk", "3\r\nabc\r\n0\r\n\r\n", "abc", NULL },
    { "two chunks", "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", "abcd", NULL },
    { "digits of both cases", "a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n",
      "0123456789abcdefghij", NULL },
    { "leading zeros", "0003\r\nabc\r\n000\r\n\r\n", "abc", NULL },
    { "an extension", "3;name=\"v\"\r\nabc\r\n0;x\r\n\r\n", "abc", NULL },
    { "blanks behind the size", "3  \r\nabc\r\n0 \r\n\r\n", "abc", NULL },
    { "a trailer", "1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n", "a", NULL },
    { "line ends in the data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", NULL },
    { "the largest size, of which one byte came", CHUNK_MAX "\r\na", "a", "" },
    { "a size with the highest bit", CHUNK_OVER "\r\n", "", "too large" },
    { "a size of 65 bits", "10000000000000000\r\n", "", "too large" },
    { "a size that would wrap to 3", CHUNK_WRAP "\r\nabc", "", "too large" },
    { "no size", "\r\nabc", "", "no size" },
    { "an extension without size", ";x\r\n", "", "no size" },
    { "a sign", "+3\r\nabc", "", "no size" },
    { "a negative size", "-3\r\nabc", "", "no size" },
    { "a prefix", "0x3\r\nabc", "", "hexadecimal" },
    { "no digit", "3g\r\nabc", "", "hexadecimal" },
    { "a blank in front", " 3\r\nabc", "", "no size" },
    { "a single line feed", "3\nabc", "", "CR LF" },
    { "a CR without line feed", "3\rabc", "", "CR LF" },
    { "data longer than the size", "3\r\nabcd\r\n0\r\n\r\n", "abc", "CR LF" },
    { "data shorter than the size", "3\r\nab\r\n0\r\n\r\n", "ab\r", "CR LF" },
    { "no line end after the data", "1\r\na0\r\n\r\n", "a", "CR LF" },
    { "half a line end after the data", "1\r\na\rb", "a", "CR LF" },
    { "a line feed in the trailer", "0\r\nA: b\n\r\n", "", "CR LF" },
    { "a CR in the trailer", "0\r\nA: b\rc\r\n", "", "CR LF" },
    { "a CR at the end", "0\r\n\rx", "", "CR LF" },
};

/* Feeds pieces; returns the last step, the body in out, what is left in
 * *used. */
static enum http_chunk_step decode(struct http_chunk *c, struct span in,
                                   size_t piece, char *out, size_t *used)
{
    enum http_chunk_step step = HTTP_CHUNK_MORE;
    size_t len = 0;

    *used = 0;
    http_chunk_init(c);
    while (*used < in.len) {
        struct span part = span_from(in, *used);
        size_t done = 0;
        if (part.len > piece)
            part.len = piece;
        step = http_chunk_feed(c, part, &done);
        *used += done;
        if (step == HTTP_CHUNK_DONE || step == HTTP_CHUNK_BAD)
            break;
        if (step == HTTP_CHUNK_MORE) {
            assert_int_equal(done, part.len);
            continue;
        }
        part = span_from(part, done);
        if (part.len > c->left_len)
            part.len = (size_t)c->left_len;
        if (part.len > 0)
            memcpy(out + len, part.ptr, part.len);
        len += part.len;
        http_chunk_take(c, part.len);
        *used += part.len;
    }
    out[len] = '\0';
    return step;
}

static void check_row(const struct row *row, size_t piece)
{
    struct http_chunk c;
    char in[256], out[256];
    size_t used = 0;

    /* What follows the last chunk is not the body's. */
    strcpy(in, row->in);
    if (!row->why)
        strcat(in, "HTTP");
    enum http_chunk_step step = decode(&c, span_str(in), piece, out, &used);
    assert_string_equal(out, row->body);
    if (!row->why) {
        assert_int_equal(step, HTTP_CHUNK_DONE);
        assert_int_equal(used, strlen(row->in));
    } else if (row->why[0]) {
        assert_int_equal(step, HTTP_CHUNK_BAD);
        if (!strstr(c.why, row->why))
            fail_msg("'%s' is not in '%s'", row->why, c.why);
    } else {
        assert_int_equal(step, HTTP_CHUNK_DATA);
    }
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        print_message("# %s\n", rows[i].claim);
        for (size_t piece = 1; piece < 9; piece++)
            check_row(&rows[i], piece);
        check_row(&rows[i], 4096);
    }
}

static void test_nul(void **state)
{
    struct http_chunk c;
    size_t used = 0;

    (void)state;
    http_chunk_init(&c);
    assert_int_equal(http_chunk_feed(&c, span_of("1;\0\r\n", 5), &used),
                     HTTP_CHUNK_BAD);
    http_chunk_init(&c);
    assert_int_equal(http_chunk_feed(&c, span_of("0\r\nA\0\r\n", 7), &used),
                     HTTP_CHUNK_BAD);
}

static void test_size_is_told(void **state)
{
    struct http_chunk c;
    size_t used = 0;

    (void)state;
    http_chunk_init(&c);
    assert_int_equal(http_chunk_feed(&c, span_str("1f4\r\nab"), &used),
                     HTTP_CHUNK_DATA);
    assert_int_equal(used, 5);
    assert_int_equal(c.size_len, 500);
    assert_int_equal(c.left_len, 500);
    http_chunk_take(&c, 2);
    assert_int_equal(c.left_len, 498);
    assert_int_equal(http_chunk_feed(&c, span_str("x"), &used),
                     HTTP_CHUNK_DATA); /* takes nothing */
    assert_int_equal(used, 0);
}

/* Framing that never gives data ends; what is allowed is let through. */
static void test_limits(void **state)
{
    static const struct {
        const char *front;
        size_t limit;
        const char *why;
    } cases[] = {
        { "1;", HTTP_CHUNK_LINE_MAX_LEN, "1024" },
        { "", HTTP_CHUNK_LINE_MAX_LEN, "1024" },
        { "0\r\n", HTTP_CHUNK_TRAILER_MAX_LEN, "16 KiB" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(cases); i++) {
        struct http_chunk c;
        enum http_chunk_step step;
        size_t used = 0;
        size_t total = strlen(cases[i].front);

        http_chunk_init(&c);
        step = http_chunk_feed(&c, span_str(cases[i].front), &used);
        while (step == HTTP_CHUNK_MORE) {
            step = http_chunk_feed(&c, span_str("0"), &used);
            total += used;
        }
        assert_int_equal(step, HTTP_CHUNK_BAD);
        assert_non_null(strstr(c.why, cases[i].why));
        assert_in_range(total, cases[i].limit, cases[i].limit + 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_size_is_told),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
