/* What the development server answers: ranges, conditions, redirects,
 * faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "serve_plan.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NO_STOP UINT64_MAX

/* --- ranges --------------------------------------------------------------- */

struct range_row {
    const char *claim, *header;
    uint64_t len;
    enum serve_range want;
    uint64_t first, last;
};

static const struct range_row ranges[] = {
    { "none", NULL, 100, SERVE_RANGE_NONE, 0, 0 },
    { "from and to", "bytes=10-19", 100, SERVE_RANGE_GOOD, 10, 19 },
    { "one byte", "bytes=0-0", 100, SERVE_RANGE_GOOD, 0, 0 },
    { "open end", "bytes=10-", 100, SERVE_RANGE_GOOD, 10, 99 },
    { "end past the file", "bytes=10-500", 100, SERVE_RANGE_GOOD, 10, 99 },
    { "the last ones", "bytes=-10", 100, SERVE_RANGE_GOOD, 90, 99 },
    { "more last ones than there are", "bytes=-500", 100, SERVE_RANGE_GOOD, 0,
      99 },
    { "the last none", "bytes=-0", 100, SERVE_RANGE_BEYOND, 0, 0 },
    { "starts at the end", "bytes=100-", 100, SERVE_RANGE_BEYOND, 0, 0 },
    { "of an empty file", "bytes=0-", 0, SERVE_RANGE_BEYOND, 0, 0 },
    { "suffix of an empty file", "bytes=-5", 0, SERVE_RANGE_BEYOND, 0, 0 },
    { "backwards", "bytes=20-10", 100, SERVE_RANGE_NONE, 0, 0 },
    { "several", "bytes=0-1,5-6", 100, SERVE_RANGE_NONE, 0, 0 },
    { "another unit", "items=0-1", 100, SERVE_RANGE_NONE, 0, 0 },
    { "no numbers", "bytes=-", 100, SERVE_RANGE_NONE, 0, 0 },
    { "no dash", "bytes=5", 100, SERVE_RANGE_NONE, 0, 0 },
    { "letters", "bytes=a-b", 100, SERVE_RANGE_NONE, 0, 0 },
    { "a number that wraps", "bytes=18446744073709551617-", 100,
      SERVE_RANGE_NONE, 0, 0 },
    { "hexadecimal", "bytes=0x10-0x20", 100, SERVE_RANGE_NONE, 0, 0 },
};

static void test_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(ranges); i++) {
        const struct range_row *r = &ranges[i];
        uint64_t first = 0, last = 0;
        enum serve_range got =
            serve_range_parse(r->header, r->len, &first, &last);

        if (got != r->want ||
            (got == SERVE_RANGE_GOOD && (first != r->first || last != r->last)))
            fail_msg("%s: %d, %u-%u", r->claim, got, (unsigned)first,
                     (unsigned)last);
    }
}

/* --- paths ---------------------------------------------------------------- */

static const struct {
    const char *path;
    bool ok;
} paths[] = {
    { "/a.bin", true }, { "/sub/a.bin", true }, { "/a..b", true },
    { "/..a", true },   { "/", true },          { "/.../x", true },
    { "/..", false },   { "/../x", false },     { "/a/../../x", false },
    { "/a/..", false }, { "//..//x", false },   { "a.bin", false },
    { "", false },      { "/a\\..\\x", false },
};

static void test_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(paths); i++)
        if (serve_path_ok(paths[i].path) != paths[i].ok)
            fail_msg("'%s'", paths[i].path);
}

/* --- faults --------------------------------------------------------------- */

static const struct {
    const char *text;
    esp_err_t err;
    enum serve_fault_kind kind;
    uint32_t at;
} faults[] = {
    { "truncate@5000", ESP_OK, SERVE_FAULT_TRUNCATE, 5000 },
    { "truncate@64K", ESP_OK, SERVE_FAULT_TRUNCATE, 65536 },
    { "stall@0", ESP_OK, SERVE_FAULT_STALL, 0 },
    { "stall", ESP_OK, SERVE_FAULT_STALL, 65536 },
    { "wrong-length@7", ESP_OK, SERVE_FAULT_WRONG_LENGTH, 7 },
    { "status=503", ESP_OK, SERVE_FAULT_STATUS, 503 },
    { "range-ignored", ESP_OK, SERVE_FAULT_RANGE_IGNORED, 0 },
    { "redirect@3", ESP_OK, SERVE_FAULT_REDIRECT, 3 },
    { "redirect", ESP_OK, SERVE_FAULT_REDIRECT, 1 },
    { "status=99", ESP_ERR_INVALID_ARG, SERVE_FAULT_NONE, 0 },
    { "status=1000", ESP_ERR_INVALID_ARG, SERVE_FAULT_NONE, 0 },
    { "status", ESP_ERR_INVALID_ARG, SERVE_FAULT_NONE, 0 },
    { "truncate@", ESP_ERR_INVALID_ARG, SERVE_FAULT_NONE, 0 },
    { "truncate@x", ESP_ERR_INVALID_ARG, SERVE_FAULT_NONE, 0 },
    { "trunc", ESP_ERR_INVALID_ARG, SERVE_FAULT_NONE, 0 },
    { "", ESP_ERR_INVALID_ARG, SERVE_FAULT_NONE, 0 },
};

static void test_redirects(void **state)
{
    struct serve_fault fault = { SERVE_FAULT_REDIRECT, true, 2 };

    (void)state;
    assert_int_equal(serve_redirect(&fault, 0), 1);
    assert_int_equal(serve_redirect(&fault, 1), 2);
    assert_int_equal(serve_redirect(&fault, 2), 0);
    assert_int_equal(serve_redirect(&fault, UINT32_MAX), 0);
    fault.kind = SERVE_FAULT_STALL;
    assert_int_equal(serve_redirect(&fault, 0), 0);
}

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(faults); i++) {
        struct serve_fault got = { SERVE_FAULT_NONE, false, 0 };

        if (serve_fault_parse(faults[i].text, &got) != faults[i].err ||
            got.kind != faults[i].kind || got.at != faults[i].at)
            fail_msg("'%s'", faults[i].text);
    }
}

/* --- answers -------------------------------------------------------------- */

#define TAG "\"1-64-3b9aca00\""
#define DATE "Sun, 09 Sep 2001 01:46:40 GMT"
#define LATER "Mon, 10 Sep 2001 01:46:40 GMT"
#define EARLIER "Sat, 08 Sep 2001 01:46:40 GMT"

static struct serve_file a_file(void)
{
    return (struct serve_file){ 100, 1000000000, TAG, DATE };
}

struct answer_row {
    const char *claim;
    struct serve_ask ask; /* range, if_range, if_none_match, if_mod_since */
    struct serve_fault fault;
    struct serve_plan want;
};

#define WHOLE                               \
    {                                       \
        200, 0, 100, 0, 100, false, NO_STOP \
    }
#define PART                               \
    {                                      \
        206, 10, 10, 0, 10, false, NO_STOP \
    }
#define SAME                            \
    {                                   \
        304, 0, 0, 0, 0, false, NO_STOP \
    }
#define NO_FAULT                   \
    {                              \
        SERVE_FAULT_NONE, false, 0 \
    }
#define FAULT(kind, at)              \
    {                                \
        SERVE_FAULT_##kind, true, at \
    }

static const struct answer_row answers[] = {
    { "all of it", { 0 }, NO_FAULT, WHOLE },
    { "a range", { "bytes=10-19", NULL, NULL, NULL }, NO_FAULT, PART },
    { "a range beyond",
      { "bytes=100-", NULL, NULL, NULL },
      NO_FAULT,
      { 416, 0, 0, 0, 0, true, NO_STOP } },
    { "If-Range with our tag",
      { "bytes=10-19", TAG, NULL, NULL },
      NO_FAULT,
      PART },
    { "If-Range with our date",
      { "bytes=10-19", DATE, NULL, NULL },
      NO_FAULT,
      PART },
    { "If-Range with another tag",
      { "bytes=10-19", "\"x\"", NULL, NULL },
      NO_FAULT,
      WHOLE },
    { "If-Range with a weak tag",
      { "bytes=10-19", "W/" TAG, NULL, NULL },
      NO_FAULT,
      WHOLE },
    { "If-Range with a later date",
      { "bytes=10-19", LATER, NULL, NULL },
      NO_FAULT,
      WHOLE },
    { "our tag is known", { NULL, NULL, TAG, NULL }, NO_FAULT, SAME },
    { "our tag in a list",
      { NULL, NULL, "\"a\", W/" TAG ", \"b\"", NULL },
      NO_FAULT,
      SAME },
    { "any tag is known", { NULL, NULL, "*", NULL }, NO_FAULT, SAME },
    { "another tag is known", { NULL, NULL, "\"x\"", NULL }, NO_FAULT, WHOLE },
    { "the tag outweighs the date",
      { NULL, NULL, "\"x\"", DATE },
      NO_FAULT,
      WHOLE },
    { "not modified since", { NULL, NULL, NULL, DATE }, NO_FAULT, SAME },
    { "modified since", { NULL, NULL, NULL, EARLIER }, NO_FAULT, WHOLE },
    { "a date that is none", { NULL, NULL, NULL, "today" }, NO_FAULT, WHOLE },
    { "fault: status",
      { 0 },
      FAULT(STATUS, 503),
      { 503, 0, 0, 0, 0, true, NO_STOP } },
    { "fault: truncate",
      { 0 },
      FAULT(TRUNCATE, 40),
      { 200, 0, 100, 0, 100, false, 40 } },
    { "fault: oversize",
      { 0 },
      FAULT(OVERSIZE, 7),
      { 200, 0, 100, 7, 107, false, NO_STOP } },
    { "fault: wrong length",
      { 0 },
      FAULT(WRONG_LENGTH, 7),
      { 200, 0, 100, 0, 93, false, NO_STOP } },
    { "fault: a length below nothing is nothing",
      { 0 },
      FAULT(WRONG_LENGTH, 700),
      { 200, 0, 100, 0, 0, false, NO_STOP } },
    { "fault: the range is ignored",
      { "bytes=10-19", NULL, NULL, NULL },
      FAULT(RANGE_IGNORED, 0),
      WHOLE },
};

static void test_answers(void **state)
{
    const struct serve_file file = a_file();

    (void)state;
    for (size_t i = 0; i < CNT(answers); i++) {
        const struct serve_plan *w = &answers[i].want;
        struct serve_plan got;

        serve_plan_make(&file, &answers[i].ask, &answers[i].fault, &got);
        if (got.status != w->status || got.first != w->first ||
            got.len != w->len || got.extra_len != w->extra_len ||
            got.announce_len != w->announce_len || got.text != w->text ||
            got.stop_at != w->stop_at)
            fail_msg("%s: status %d, %u bytes", answers[i].claim, got.status,
                     (unsigned)got.len);
    }
}

static void test_describe(void **state)
{
    struct serve_file f = { .len = 100, .mtime_s = 1 };

    (void)state;
    serve_file_describe(&f, 1, 0);
    assert_string_equal(f.etag, TAG);
    assert_string_equal(f.last_modified, "Thu, 01 Jan 1970 00:00:01 GMT");
    f.mtime_s = 1000000000;
    serve_file_describe(&f, 1, 0);
    assert_string_equal(f.last_modified, DATE);
}

/* --- pace ----------------------------------------------------------------- */

static void test_pace(void **state)
{
    (void)state;
    assert_int_equal(serve_pace_ms(1000, 0, 0), 0);
    assert_int_equal(serve_pace_ms(0, 0, 1000), 0);
    assert_int_equal(serve_pace_ms(1000, 0, 1000), 1000);
    assert_int_equal(serve_pace_ms(1000, 400, 1000), 600);
    assert_int_equal(serve_pace_ms(1000, 4000, 1000), 0);
    assert_int_equal(serve_piece_len(0, 65536), 65536);
    assert_int_equal(serve_piece_len(200000, 65536), 10000);
    assert_int_equal(serve_piece_len(UINT32_MAX, 65536), 65536);
    assert_int_equal(serve_piece_len(1, 65536), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),    cmocka_unit_test(test_paths),
        cmocka_unit_test(test_redirects), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_answers),   cmocka_unit_test(test_describe),
        cmocka_unit_test(test_pace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
