/* What is below a CSV table: numbers, fields, encodings, names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "part/csv_text.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define KEPT 0x5A5A

static const struct {
    const char *text;
    esp_err_t err;
    int64_t want;
} nums[] = {
    { "0", ESP_OK, 0 },
    { "00", ESP_OK, 0 },
    { "0_0", ESP_OK, 0 },
    { "4096", ESP_OK, 4096 },
    { "1_024", ESP_OK, 1024 },
    { "0x1000", ESP_OK, 4096 },
    { "0XfF", ESP_OK, 255 },
    { "0xAa", ESP_OK, 0xaa },
    { "0x_ff", ESP_OK, 255 },
    { "0o17", ESP_OK, 15 },
    { "0b101", ESP_OK, 5 },
    { "+5", ESP_OK, 5 },
    { "-5", ESP_OK, -5 },
    { "4K", ESP_OK, 4096 },
    { "4k", ESP_OK, 4096 },
    { "2M", ESP_OK, 2 << 20 },
    { "-2M", ESP_OK, -(2 << 20) },
    { "0x10K", ESP_OK, 0x4000 },
    { "1KK", ESP_OK, 1 << 20 },
    { "1kM", ESP_OK, 1 << 30 },
    { "1 K", ESP_OK, 1024 },
    { "4096M", ESP_OK, CSV_NUM_MAX },
    { "-4096M", ESP_OK, -CSV_NUM_MAX },
    { "4097M", ESP_ERR_INVALID_SIZE, 0 },
    { "0x100000001", ESP_ERR_INVALID_SIZE, 0 },
    { "1KKKKKKKKKKKKKKKKKK", ESP_ERR_INVALID_SIZE, 0 },
    { "0KKKKKKKKKKKKKKKKKK", ESP_OK, 0 },
    { "99999999999999999999999999", ESP_ERR_INVALID_SIZE, 0 },
    { "", ESP_ERR_INVALID_ARG, 0 },
    { "K", ESP_ERR_INVALID_ARG, 0 },
    { "010", ESP_ERR_INVALID_ARG, 0 },
    { "0_1", ESP_ERR_INVALID_ARG, 0 },
    { "1.5M", ESP_ERR_INVALID_ARG, 0 },
    { "1__0", ESP_ERR_INVALID_ARG, 0 },
    { "1_", ESP_ERR_INVALID_ARG, 0 },
    { "_1", ESP_ERR_INVALID_ARG, 0 },
    { "0x", ESP_ERR_INVALID_ARG, 0 },
    { "0x_", ESP_ERR_INVALID_ARG, 0 },
    { "0x__1", ESP_ERR_INVALID_ARG, 0 },
    { "0b2", ESP_ERR_INVALID_ARG, 0 },
    { "0o8", ESP_ERR_INVALID_ARG, 0 },
    { "ff", ESP_ERR_INVALID_ARG, 0 },
    { "--1", ESP_ERR_INVALID_ARG, 0 },
    { "- 1", ESP_ERR_INVALID_ARG, 0 },
    { "-", ESP_ERR_INVALID_ARG, 0 },
    { "1 2", ESP_ERR_INVALID_ARG, 0 },
    { "1K K", ESP_ERR_INVALID_ARG, 0 },
};

static void test_num(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(nums); i++) {
        int64_t got = KEPT;

        print_message("# '%s'\n", nums[i].text);
        assert_int_equal(csv_num(span_str(nums[i].text), &got), nums[i].err);
        assert_true(got == (nums[i].err ? KEPT : nums[i].want));
    }
}

static void test_split(void **state)
{
    struct span f[CSV_FIELDS];

    (void)state;
    csv_split(span_str("nvs , data,\tnvs,,0x4000"), f);
    assert_true(span_eq(f[0], "nvs"));
    assert_true(span_eq(f[1], "data"));
    assert_true(span_eq(f[2], "nvs"));
    assert_true(span_eq(f[3], ""));
    assert_true(span_eq(f[4], "0x4000"));
    assert_true(span_eq(f[5], ""));
    csv_split(span_str("a,b,c,d,e,f,g,h"), f);
    assert_true(span_eq(f[5], "f"));
    csv_split(span_of(NULL, 0), f);
    assert_int_equal(f[0].len, 0);
}

/* --- lines ---------------------------------------------------------------- */

#define TEXT(literal) (literal), sizeof(literal) - 1

static void test_encodings(void **state)
{
    static const struct {
        const char *claim;
        const char *text;
        size_t len;
    } rows[] = {
        { "UTF-8", TEXT("a\xC3\xA9,\nb\n") },
        { "UTF-8 with a mark", TEXT("\xEF\xBB\xBF"
                                    "a\xC3\xA9,\nb\n") },
        { "UTF-16, little end first", TEXT("\xFF\xFE"
                                           "a\0\xE9\0,\0\n\0b\0\n\0") },
        { "UTF-16, big end first", TEXT("\xFE\xFF"
                                        "\0a\0\xE9\0,\0\n\0b\0\n") },
        { "UTF-32, little end first",
          TEXT("\xFF\xFE\0\0"
               "a\0\0\0\xE9\0\0\0,\0\0\0\n\0\0\0b\0\0\0\n\0\0\0") },
        { "UTF-32, big end first",
          TEXT("\0\0\xFE\xFF"
               "\0\0\0a\0\0\0\xE9\0\0\0,\0\0\0\n\0\0\0b\0\0\0\n") },
        { "no line end at the end", TEXT("a\xC3\xA9,\nb") },
        { "\\r\\n", TEXT("a\xC3\xA9,\r\nb\r\n") },
        { "\\r", TEXT("a\xC3\xA9,\rb\r") },
        { "blanks around", TEXT("  a\xC3\xA9, \n\t b \n") },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct csv_reader r;
        struct span line;
        bool cut;

        print_message("# %s\n", rows[i].claim);
        csv_open(&r, span_of(rows[i].text, rows[i].len));
        assert_true(csv_next(&r, &line, &cut));
        assert_true(span_eq(line, "a\xC3\xA9,"));
        assert_int_equal(r.line_no, 1);
        assert_true(csv_next(&r, &line, &cut));
        assert_true(span_eq(line, "b"));
        assert_int_equal(r.line_no, 2);
        assert_false(csv_next(&r, &line, &cut));
    }
}

static void test_utf16_beyond_16_bits(void **state)
{
    static const struct {
        const char *claim;
        const char *text;
        size_t len;
        const char *want;
    } rows[] = {
        { "a pair", TEXT("\xFF\xFE\x3D\xD8\x00\xDE"), "\xF0\x9F\x98\x80" },
        { "half a pair",
          TEXT("\xFF\xFE\x3D\xD8"
               "a\0"),
          "\xEF\xBF\xBD" },
        { "the wrong half",
          TEXT("\xFF\xFE\x00\xDE"
               "a\0"),
          "\xEF\xBF\xBD"
          "a" },
        { "cut off in a unit",
          TEXT("\xFF\xFE"
               "a\0b"),
          "a\xEF\xBF\xBD" },
        { "the last wrong half",
          TEXT("\xFF\xFE\xFF\xDF"
               "a\0"),
          "\xEF\xBF\xBD"
          "a" },
        { "the last first half", TEXT("\xFF\xFE\xFF\xDB\xFF\xDF"),
          "\xF4\x8F\xBF\xBF" },
        { "just below and above the halves", TEXT("\xFF\xFE\xFF\xD7\x00\xE0"),
          "\xED\x9F\xBF\xEE\x80\x80" },
        { "the edges of two and three bytes",
          TEXT("\xFF\xFE\x7F\x00\x80\x00\xFF\x07\x00\x08"),
          "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80" },
        { "halves in UTF-32",
          TEXT("\0\0\xFE\xFF\0\0\xD8\0\0\0\xDF\xFF\0\0\xD7\xFF"),
          "\xEF\xBF\xBD\xEF\xBF\xBD\xED\x9F\xBF" },
        { "the last of Unicode in UTF-32",
          TEXT("\0\0\xFE\xFF\0\x10\xFF\xFF\0\1\0\0"),
          "\xF4\x8F\xBF\xBF\xF0\x90\x80\x80" },
        { "beyond Unicode", TEXT("\xFF\xFE\0\0\0\0\x11\0"), "\xEF\xBF\xBD" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct csv_reader r;
        struct span line;
        bool cut;

        print_message("# %s\n", rows[i].claim);
        csv_open(&r, span_of(rows[i].text, rows[i].len));
        assert_true(csv_next(&r, &line, &cut));
        assert_true(span_eq(line, rows[i].want));
    }
}

static void test_long_line(void **state)
{
    char text[2 * CSV_LINE_MAX_LEN];
    struct csv_reader r;
    struct span line;
    bool cut;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[CSV_LINE_MAX_LEN] = '\n';
    csv_open(&r, span_of(text, CSV_LINE_MAX_LEN + 3));
    assert_true(csv_next(&r, &line, &cut));
    assert_false(cut);
    assert_int_equal(line.len, CSV_LINE_MAX_LEN);
    text[CSV_LINE_MAX_LEN] = 'x';
    text[CSV_LINE_MAX_LEN + 1] = '\n';
    csv_open(&r, span_of(text, CSV_LINE_MAX_LEN + 3));
    assert_true(csv_next(&r, &line, &cut));
    assert_true(cut);
    assert_true(csv_next(&r, &line, &cut));
    assert_false(cut);
    assert_true(span_eq(line, "x"));
}

/* --- variables ------------------------------------------------------------ */

static const char *env(void *ctx, const char *name)
{
    (void)ctx;
    if (strcmp(name, "SIZE") == 0)
        return "1M";
    if (strcmp(name, "az_AZ09") == 0)
        return "odd";
    if (strcmp(name, "EMPTY") == 0)
        return "";
    return strcmp(name, "LOOP") == 0 ? "$LOOP" : NULL;
}

static void test_expand(void **state)
{
    static const struct {
        const char *in;
        const char *want; /* or the name that is not known */
        esp_err_t err;
    } rows[] = {
        { "a,$SIZE,b", "a,1M,b", ESP_OK },
        { "a,${SIZE}K", "a,1MK", ESP_OK },
        { "$SIZE$SIZE", "1M1M", ESP_OK },
        { "$az_AZ09-", "odd-", ESP_OK },
        { "$SIZE@$SIZE[$SIZE`$SIZE{$SIZE/", "1M@1M[1M`1M{1M/", ESP_OK },
        { "$0az", "$0az", ESP_OK },
        { "$9az", "$9az", ESP_OK },
        { "[$EMPTY]", "[]", ESP_OK },
        { "$LOOP", "$LOOP", ESP_OK },
        { "costs 5$", "costs 5$", ESP_OK },
        { "$ 5", "$ 5", ESP_OK },
        { "$5", "$5", ESP_OK },
        { "${}", "${}", ESP_OK },
        { "${SIZE", "${SIZE", ESP_OK },
        { "\\$NOPE", "\\$NOPE", ESP_OK },
        { "\\$SIZE", "\\1M", ESP_OK },
        { "$SIZES", "SIZES", ESP_ERR_NOT_FOUND },
        { "x$NOPE", "NOPE", ESP_ERR_NOT_FOUND },
        { "${NOPE}", "NOPE", ESP_ERR_NOT_FOUND },
        { "$_", "_", ESP_ERR_NOT_FOUND },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct csv_vars vars = { env, NULL, "" };
        uint8_t out[CSV_LINE_MAX_LEN];
        size_t len = 0;

        print_message("# %s\n", rows[i].in);
        assert_int_equal(csv_expand(&vars, span_str(rows[i].in), out, &len),
                         rows[i].err);
        if (rows[i].err)
            assert_string_equal(vars.unknown, rows[i].want);
        else
            assert_true(span_eq(span_of(out, len), rows[i].want));
    }
}

/* Names that are cut, or hold a zero byte, are not the name they begin with. */
static const char *any_env(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return "value";
}

static void test_expand_odd_names(void **state)
{
    struct csv_vars vars = { any_env, NULL, "" };
    uint8_t out[CSV_LINE_MAX_LEN];
    char in[66];
    size_t len;

    (void)state;
    assert_int_equal(csv_expand(&vars, span_of("${A\0B}", 6), out, &len),
                     ESP_ERR_NOT_FOUND);
    memset(in, 'n', sizeof(in));
    in[0] = '$';
    assert_int_equal(csv_expand(&vars, span_of(in, 64), out, &len), ESP_OK);
    assert_int_equal(csv_expand(&vars, span_of(in, 65), out, &len),
                     ESP_ERR_NOT_FOUND);
}

static void test_expand_limits(void **state)
{
    struct csv_vars vars = { env, NULL, "" };
    struct csv_vars none = { NULL, NULL, "" };
    uint8_t out[CSV_LINE_MAX_LEN];
    char in[CSV_LINE_MAX_LEN];
    size_t len;

    (void)state;
    memset(in, 'x', sizeof(in));
    assert_int_equal(csv_expand(&vars, span_of(in, sizeof(in)), out, &len),
                     ESP_OK);
    assert_int_equal(len, sizeof(out));
    for (size_t i = 0; i + 4 <= sizeof(in); i += 4)
        memcpy(in + i, "$LOO", 4); /* names that run into each other */
    memcpy(in, "$LOOP", 5);
    memset(in + 5, '9', 100); /* longer than any name we look up */
    assert_int_equal(csv_expand(&vars, span_of(in, 105), out, &len),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(strlen(vars.unknown), sizeof(vars.unknown) - 1);
    assert_int_equal(csv_expand(&none, span_str("$SIZE"), out, &len),
                     ESP_ERR_NOT_FOUND);
}

/* The value of one variable makes the line too long. */
static const char *long_env(void *ctx, const char *name)
{
    (void)name;
    return ctx;
}

static void test_expand_too_long(void **state)
{
    char value[CSV_LINE_MAX_LEN + 1];
    struct csv_vars vars = { long_env, value, "" };
    uint8_t out[CSV_LINE_MAX_LEN];
    size_t len;

    (void)state;
    memset(value, 'v', CSV_LINE_MAX_LEN);
    value[CSV_LINE_MAX_LEN] = '\0';
    assert_int_equal(csv_expand(&vars, span_str("$V"), out, &len), ESP_OK);
    assert_int_equal(csv_expand(&vars, span_str("$V,"), out, &len),
                     ESP_ERR_INVALID_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_num),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_utf16_beyond_16_bits),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_expand),
        cmocka_unit_test(test_expand_odd_names),
        cmocka_unit_test(test_expand_limits),
        cmocka_unit_test(test_expand_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
