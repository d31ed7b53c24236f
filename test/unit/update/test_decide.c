/* The update's decisions, which are pure: answers, ranges, resuming,
 * retrying. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "otadata/otadata.h"
#include "update/decide.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define UNKNOWN HTTP_LEN_UNKNOWN

/* --- answers -------------------------------------------------------------- */

struct answer_row {
    const char *claim;
    int status;
    bool asked, restart, encoded, has_range;
    uint64_t want_off, first, total, known_total;
    const char *tag, *known_tag;
    enum upd_act act;
    esp_err_t err;
};

static const struct answer_row answers[] = {
    { "all of it", 200, false, false, false, false, 0, 0, 100, UNKNOWN, "", "",
      UPD_ACT_TAKE, ESP_OK },
    { "all of it though a range from 0 was asked for", 200, true, false, false,
      false, 0, 0, 100, UNKNOWN, "", "", UPD_ACT_TAKE, ESP_OK },
    { "201 carries no image", 201, false, false, false, false, 0, 0, 100,
      UNKNOWN, "", "", UPD_ACT_FAIL, ESP_FAIL },
    { "nor does 202", 202, false, false, false, false, 0, 0, 100, UNKNOWN, "",
      "", UPD_ACT_FAIL, ESP_FAIL },
    { "nor 203, which somebody on the way has changed", 203, false, false,
      false, false, 0, 0, 100, UNKNOWN, "", "", UPD_ACT_FAIL, ESP_FAIL },
    { "nor 205", 205, false, false, false, false, 0, 0, 100, UNKNOWN, "", "",
      UPD_ACT_FAIL, ESP_FAIL },
    { "nor 226", 226, true, false, false, true, 0, 0, 100, UNKNOWN, "", "",
      UPD_ACT_FAIL, ESP_FAIL },
    { "the part that was asked for", 206, true, false, false, true, 50, 50, 100,
      100, "\"a\"", "\"a\"", UPD_ACT_TAKE, ESP_OK },
    { "another part", 206, true, false, false, true, 50, 40, 100, 100, "", "",
      UPD_ACT_FAIL, ESP_ERR_INVALID_RESPONSE },
    { "a part that does not say which", 206, true, false, false, false, 50, 0,
      UNKNOWN, 100, "", "", UPD_ACT_FAIL, ESP_ERR_INVALID_RESPONSE },
    { "a part that nobody asked for", 206, false, false, false, true, 0, 0, 100,
      UNKNOWN, "", "", UPD_ACT_FAIL, ESP_ERR_INVALID_RESPONSE },
    { "a part of a file of another length", 206, true, false, false, true, 50,
      50, 101, 100, "", "", UPD_ACT_FAIL, ESP_ERR_INVALID_RESPONSE },
    { "a part of a file of another tag", 206, true, false, false, true, 50, 50,
      100, 100, "\"b\"", "\"a\"", UPD_ACT_FAIL, ESP_ERR_INVALID_RESPONSE },
    { "resuming, another part: all of it instead", 206, true, true, false, true,
      50, 40, 100, 100, "", "", UPD_ACT_ASK_AGAIN, ESP_OK },
    { "resuming, a file of another tag", 206, true, true, false, true, 50, 50,
      100, 100, "\"b\"", "\"a\"", UPD_ACT_ASK_AGAIN, ESP_OK },
    { "resuming, a file that is shorter now", 206, true, true, false, true, 50,
      50, 99, 100, "", "", UPD_ACT_ASK_AGAIN, ESP_OK },
    { "resuming, the server gives no ranges", 200, true, true, false, false, 50,
      0, 100, UNKNOWN, "", "", UPD_ACT_RESTART, ESP_OK },
    { "in the middle, the server gives no ranges any more", 200, true, false,
      false, false, 50, 0, 100, 100, "", "", UPD_ACT_FAIL,
      ESP_ERR_INVALID_RESPONSE },
    { "resuming behind the end", 416, true, true, false, false, 50, 0, UNKNOWN,
      UNKNOWN, "", "", UPD_ACT_ASK_AGAIN, ESP_OK },
    { "416 for no reason", 416, true, true, false, false, 0, 0, UNKNOWN,
      UNKNOWN, "", "", UPD_ACT_FAIL, ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE },
    { "the end of a file whose length nobody told", 416, true, false, false,
      false, 50, 0, UNKNOWN, UNKNOWN, "", "", UPD_ACT_END, ESP_OK },
    { "told now", 416, true, false, false, false, 50, 0, 50, UNKNOWN, "", "",
      UPD_ACT_END, ESP_OK },
    { "told now, and it is another", 416, true, false, false, false, 50, 0, 60,
      UNKNOWN, "", "", UPD_ACT_FAIL, ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE },
    { "the end of a file that has more", 416, true, false, false, false, 50, 0,
      UNKNOWN, 100, "", "", UPD_ACT_FAIL, ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE },
    { "nothing newer", 304, false, false, false, false, 0, 0, UNKNOWN, UNKNOWN,
      "", "", UPD_ACT_NOT_MODIFIED, ESP_OK },
    { "nothing at all", 204, false, false, false, false, 0, 0, UNKNOWN, UNKNOWN,
      "", "", UPD_ACT_NOT_MODIFIED, ESP_OK },
    { "resuming, nothing newer than what runs", 304, true, true, false, false,
      50, 0, UNKNOWN, UNKNOWN, "", "", UPD_ACT_NOT_MODIFIED, ESP_OK },
    { "in the middle, nothing newer", 304, true, false, false, false, 50, 0,
      UNKNOWN, 100, "", "", UPD_ACT_FAIL, ESP_ERR_INVALID_RESPONSE },
    { "in the middle, nothing at all", 204, true, false, false, false, 50, 0,
      UNKNOWN, 100, "", "", UPD_ACT_FAIL, ESP_ERR_INVALID_RESPONSE },
    { "compressed unasked", 200, false, false, true, false, 0, 0, 100, UNKNOWN,
      "", "", UPD_ACT_FAIL, ESP_ERR_INVALID_RESPONSE },
    { "401", 401, false, false, false, false, 0, 0, 9, UNKNOWN, "", "",
      UPD_ACT_FAIL, ESP_FAIL },
    { "407", 407, false, false, false, false, 0, 0, 9, UNKNOWN, "", "",
      UPD_ACT_FAIL, ESP_FAIL },
    { "400, for which there are no special words", 400, false, false, false,
      false, 0, 0, 9, UNKNOWN, "", "", UPD_ACT_FAIL, ESP_FAIL },
    { "a part of a file whose length it tells no more", 206, true, false, false,
      true, 50, 50, UNKNOWN, 100, "", "", UPD_ACT_TAKE, ESP_OK },
    { "a part that has no tag any more", 206, true, false, false, true, 50, 50,
      100, 100, "", "\"a\"", UPD_ACT_TAKE, ESP_OK },
    { "resuming, a part though none was asked for", 206, false, true, false,
      true, 50, 50, 100, 100, "", "", UPD_ACT_FAIL, ESP_ERR_INVALID_RESPONSE },
    { "404", 404, false, false, false, false, 0, 0, 9, UNKNOWN, "", "",
      UPD_ACT_FAIL, ESP_FAIL },
    { "503", 503, false, false, false, false, 0, 0, 9, UNKNOWN, "", "",
      UPD_ACT_FAIL, ESP_FAIL },
    { "300 is no download", 300, false, false, false, false, 0, 0, 9, UNKNOWN,
      "", "", UPD_ACT_FAIL, ESP_FAIL },
    { "nor is 100", 100, false, false, false, false, 0, 0, 9, UNKNOWN, "", "",
      UPD_ACT_FAIL, ESP_FAIL },
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(answers); i++) {
        const struct answer_row *row = &answers[i];
        struct http_head head = { .status = row->status,
                                  .content_len = row->has_range
                                                     ? row->total - row->first
                                                     : row->total,
                                  .has_range = row->has_range,
                                  .range_first = row->first,
                                  .range_last = row->total - 1,
                                  .range_total = row->total,
                                  .encoded = row->encoded };
        struct upd_answer_in in = { .head = &head,
                                    .asked_range = row->asked,
                                    .want_off = row->want_off,
                                    .may_restart = row->restart,
                                    .file.total = row->known_total };
        struct upd_answer out;

        print_message("# %s\n", row->claim);
        strcpy(head.etag, row->tag);
        strcpy(in.file.etag, row->known_tag);
        upd_judge_answer(&in, &out);
        assert_int_equal(out.act, row->act);
        assert_int_equal(out.err, row->err);
        if (row->act == UPD_ACT_FAIL)
            assert_int_not_equal(out.why[0], '\0');
        if (row->act == UPD_ACT_TAKE)
            assert_true(out.total == row->total);
    }
}

/* Where what came may be given up, another file is begun anew, and nothing
 * else is. */
static void test_anew(void **state)
{
    static const struct {
        const char *claim;
        int status;
        http_len first, total, known_total;
        const char *tag;
        enum upd_act act;
    } rows[] = {
        { "the same file", 206, 50, 100, 100, "\"a\"", UPD_ACT_TAKE },
        { "another one", 206, 50, 100, 100, "\"b\"", UPD_ACT_ANEW },
        { "a longer one", 206, 50, 120, 100, "\"a\"", UPD_ACT_ANEW },
        { "all of it", 200, 0, 100, 100, "\"b\"", UPD_ACT_ANEW },
        { "a shorter one", 416, 0, UNKNOWN, 100, "", UPD_ACT_ANEW },
        { "one that ends elsewhere", 416, 0, 60, UNKNOWN, "", UPD_ACT_ANEW },
        { "the end", 416, 0, 50, UNKNOWN, "", UPD_ACT_END },
        { "the end, most likely", 416, 0, UNKNOWN, UNKNOWN, "", UPD_ACT_END },
        { "another part", 206, 40, 100, 100, "\"b\"", UPD_ACT_FAIL },
        { "nothing newer", 304, 0, UNKNOWN, 100, "", UPD_ACT_FAIL },
        { "nothing", 204, 0, UNKNOWN, 100, "", UPD_ACT_FAIL },
        { "no file", 404, 0, UNKNOWN, 100, "", UPD_ACT_FAIL },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct http_head head = { .status = rows[i].status,
                                  .content_len = UNKNOWN,
                                  .has_range = rows[i].status == 206,
                                  .range_first = rows[i].first,
                                  .range_last = rows[i].total - 1,
                                  .range_total = rows[i].total };
        struct upd_answer_in in = { .head = &head,
                                    .asked_range = true,
                                    .want_off = 50,
                                    .may_anew = true,
                                    .file = { .total = rows[i].known_total,
                                              .etag = "\"a\"" } };
        struct upd_answer out;

        print_message("# %s\n", rows[i].claim);
        strcpy(head.etag, rows[i].tag);
        upd_judge_answer(&in, &out);
        assert_int_equal(out.act, rows[i].act);
        assert_int_equal(out.err == ESP_OK, rows[i].act != UPD_ACT_FAIL);
        in.may_anew = false;
        upd_judge_answer(&in, &out);
        assert_int_equal(out.act, rows[i].act == UPD_ACT_ANEW ? UPD_ACT_FAIL
                                                              : rows[i].act);
    }
}

/* Content-Length and Content-Range of one part; the date of the last change
 * where there are no tags. */
static void test_part_answers(void **state)
{
    struct http_head head = { .status = 206,
                              .content_len = 50,
                              .has_range = true,
                              .range_first = 50,
                              .range_last = 99,
                              .range_total = 100,
                              .last_modified = "yesterday" };
    struct upd_answer_in in = { .head = &head,
                                .asked_range = true,
                                .want_off = 50,
                                .file = { .total = 100,
                                          .modified = "yesterday" } };
    struct upd_answer out;

    (void)state;
    upd_judge_answer(&in, &out);
    assert_int_equal(out.act, UPD_ACT_TAKE);
    head.content_len = 51;
    upd_judge_answer(&in, &out);
    assert_int_equal(out.act, UPD_ACT_FAIL);
    assert_non_null(strstr(out.why, "contradict"));
    head.content_len = UNKNOWN;
    upd_judge_answer(&in, &out);
    assert_int_equal(out.act, UPD_ACT_TAKE);
    strcpy(head.last_modified, "");
    upd_judge_answer(&in, &out);
    assert_int_equal(out.act, UPD_ACT_TAKE);
    strcpy(head.last_modified, "today");
    upd_judge_answer(&in, &out);
    assert_int_equal(out.act, UPD_ACT_FAIL);
    assert_non_null(strstr(out.why, "changed"));
}

static void test_validators(void **state)
{
    struct upd_file f = { .total = UNKNOWN };

    (void)state;
    assert_null(upd_validator(&f));
    assert_false(upd_file_known(&f));
    strcpy(f.modified, "yesterday");
    assert_string_equal(upd_validator(&f), "yesterday");
    assert_false(upd_file_known(&f)); /* without a length */
    f.total = 9;
    assert_true(upd_file_known(&f));
    strcpy(f.etag, "W/\"a\"");
    assert_string_equal(upd_validator(&f), "yesterday");
    strcpy(f.etag, "\"a\"");
    assert_string_equal(upd_validator(&f), "\"a\"");
    f.total = UNKNOWN;
    assert_true(upd_file_known(&f));
}

/* --- ranges --------------------------------------------------------------- */

static void test_ranges(void **state)
{
    static const struct {
        const char *claim;
        struct upd_range_in in;
        struct upd_range want;
    } rows[] = {
        { "all at once needs no range",
          { 0, UNKNOWN, 0, false },
          { false, 0, UNKNOWN } },
        { "unless it is to be found out",
          { 0, UNKNOWN, 0, true },
          { true, 0, UNKNOWN } },
        { "the rest", { 8192, UNKNOWN, 0, false }, { true, 8192, UNKNOWN } },
        { "the first part", { 0, UNKNOWN, 1000, false }, { true, 0, 999 } },
        { "a part in the middle",
          { 1000, 5000, 1000, false },
          { true, 1000, 1999 } },
        { "what is left and fits is the last part",
          { 4000, 5000, 1000, false },
          { true, 4000, UNKNOWN } },
        { "one byte more does not",
          { 4000, 5001, 1000, false },
          { true, 4000, 4999 } },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct upd_range got;

        print_message("# %s\n", rows[i].claim);
        upd_next_range(&rows[i].in, &got);
        assert_int_equal(got.send, rows[i].want.send);
        assert_true(got.first == rows[i].want.first);
        assert_true(got.last == rows[i].want.last);
    }
}

static void test_may_go_on(void **state)
{
    struct upd_range part = { true, 100, 199 };
    struct upd_range rest = { true, 100, UNKNOWN };
    struct upd_range all = { false, 0, UNKNOWN };

    (void)state;
    assert_true(upd_may_go_on(&part, 200));
    assert_false(upd_may_go_on(&part, 199));
    assert_false(upd_may_go_on(&rest, 200));
    assert_false(upd_may_go_on(&all, 200));
}

static void test_resume_off(void **state)
{
    (void)state;
    assert_int_equal(upd_resume_off(8192, 4096, 65536, false), 8192);
    assert_int_equal(upd_resume_off(8192, 4096, 65536, true), 0);
    assert_int_equal(upd_resume_off(8191, 4096, 65536, false), 0);
    assert_int_equal(upd_resume_off(65536, 4096, 65536, false), 0);
    assert_int_equal(upd_resume_off(0, 4096, 65536, false), 0);
}

static void test_unconfirmed(void **state)
{
    (void)state;
    assert_true(upd_unconfirmed(OTA_STATE_PENDING, true, true));
    assert_true(upd_unconfirmed(OTA_STATE_PENDING, true, false));
    assert_true(upd_unconfirmed(OTA_STATE_NEW, true, false));
    assert_false(upd_unconfirmed(OTA_STATE_NEW, true, true));
    assert_false(upd_unconfirmed(OTA_STATE_VALID, true, false));
    assert_false(upd_unconfirmed(OTA_STATE_UNDEFINED, true, false));
    assert_false(upd_unconfirmed(OTA_STATE_PENDING, false, false));
}

/* --- again, and when ------------------------------------------------------ */

#define NO_END UINT64_MAX

static const struct {
    const char *claim;
    struct upd_retry_in in;
    struct upd_retry want;
} retries[] = {
    { "the end came early",
      { DIAG_STAGE_DOWNLOAD, ESP_ERR_HTTP_INCOMPLETE_DATA, 0, false, 0, 0, 1,
        NO_END, 0 },
      { true, 250, false } },
    { "the wait doubles",
      { DIAG_STAGE_DOWNLOAD, ESP_ERR_TIMEOUT, 0, false, 0, 3, 9, NO_END, 0 },
      { true, 2000, false } },
    { "up to half a minute",
      { DIAG_STAGE_DOWNLOAD, ESP_ERR_TIMEOUT, 0, false, 0, 40, 99, NO_END, 0 },
      { true, 15000, false } },
    { "chance adds up to the other half",
      { DIAG_STAGE_DOWNLOAD, ESP_ERR_TIMEOUT, 0, false, 0, 40, 99, NO_END,
        15000 },
      { true, 30000, false } },
    { "once too often",
      { DIAG_STAGE_DOWNLOAD, ESP_ERR_TIMEOUT, 0, false, 0, 1, 1, NO_END, 0 },
      { false, 0, false } },
    { "a reset",
      { DIAG_STAGE_DOWNLOAD, ESP_FAIL, 0, false, 0, 0, 1, NO_END, 0 },
      { true, 250, false } },
    { "a name that is not known may be known soon",
      { DIAG_STAGE_RESOLVE, ESP_ERR_HTTP_CONNECT, 0, false, 0, 0, 1, NO_END,
        0 },
      { true, 250, false } },
    { "a token endpoint that says later",
      { DIAG_STAGE_HTTP, ESP_ERR_HTTP_EAGAIN, 0, false, 0, 0, 1, NO_END, 0 },
      { true, 250, false } },
    { "one that says no",
      { DIAG_STAGE_HTTP, ESP_FAIL, 0, false, 0, 0, 1, NO_END, 0 },
      { false, 0, false } },
    { "refused connections",
      { DIAG_STAGE_CONNECT, ESP_ERR_HTTP_CONNECT, 0, false, 0, 0, 1, NO_END,
        0 },
      { true, 250, false } },
    { "a certificate stays what it is",
      { DIAG_STAGE_TLS, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, 0, false, 0, 0, 1,
        NO_END, 0 },
      { false, 0, false } },
    { "a handshake that is not answered",
      { DIAG_STAGE_TLS, ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT, 0, false, 0,
        0, 1, NO_END, 0 },
      { true, 250, false } },
    { "a handshake that breaks",
      { DIAG_STAGE_TLS, ESP_ERR_ESP_TLS_TCP_CLOSED_FIN, 0, false, 0, 0, 1,
        NO_END, 0 },
      { true, 250, false } },
    { "nonsense is not asked for again",
      { DIAG_STAGE_DOWNLOAD, ESP_ERR_INVALID_RESPONSE, 0, false, 0, 0, 5,
        NO_END, 0 },
      { false, 0, false } },
    { "nor is an answer that is no HTTP",
      { DIAG_STAGE_HTTP, ESP_ERR_HTTP_FETCH_HEADER, 0, true, 0, 0, 5, NO_END,
        0 },
      { false, 0, false } },
    { "an answer that never came is",
      { DIAG_STAGE_HTTP, ESP_ERR_HTTP_FETCH_HEADER, 0, false, 0, 0, 5, NO_END,
        0 },
      { true, 250, false } },
    { "nor is memory",
      { DIAG_STAGE_DOWNLOAD, ESP_ERR_NO_MEM, 0, false, 0, 0, 5, NO_END, 0 },
      { false, 0, false } },
    { "404 says it of the file",
      { DIAG_STAGE_HTTP, ESP_FAIL, 404, false, 0, 0, 5, NO_END, 0 },
      { false, 0, false } },
    { "401 too",
      { DIAG_STAGE_HTTP, ESP_FAIL, 401, false, 9, 0, 5, NO_END, 0 },
      { false, 0, false } },
    { "so do 408, 425, 500, 502 and 504",
      { DIAG_STAGE_HTTP, ESP_FAIL, 408, false, 0, 0, 5, NO_END, 0 },
      { true, 250, false } },
    { "425",
      { DIAG_STAGE_HTTP, ESP_FAIL, 425, false, 0, 0, 5, NO_END, 0 },
      { true, 250, false } },
    { "500",
      { DIAG_STAGE_HTTP, ESP_FAIL, 500, false, 0, 0, 5, NO_END, 0 },
      { true, 250, false } },
    { "502",
      { DIAG_STAGE_HTTP, ESP_FAIL, 502, false, 0, 0, 5, NO_END, 0 },
      { true, 250, false } },
    { "504",
      { DIAG_STAGE_HTTP, ESP_FAIL, 504, false, 0, 0, 5, NO_END, 0 },
      { true, 250, false } },
    { "501 does not",
      { DIAG_STAGE_HTTP, ESP_FAIL, 501, false, 0, 0, 5, NO_END, 0 },
      { false, 0, false } },
    { "503 passes",
      { DIAG_STAGE_HTTP, ESP_FAIL, 503, false, 0, 0, 5, NO_END, 0 },
      { true, 250, false } },
    { "and is believed when it says how long",
      { DIAG_STAGE_HTTP, ESP_FAIL, 503, false, 7, 0, 5, NO_END, 0 },
      { true, 7000, false } },
    { "so is 429, but never sooner than the back-off",
      { DIAG_STAGE_HTTP, ESP_FAIL, 429, false, 1, 5, 9, NO_END, 0 },
      { true, 8000, false } },
    { "what would end after the session is not waited for",
      { DIAG_STAGE_HTTP, ESP_FAIL, 503, false, 7, 0, 5, 7000, 0 },
      { false, 0, true } },
    { "a millisecond more is enough",
      { DIAG_STAGE_HTTP, ESP_FAIL, 503, false, 7, 0, 5, 7001, 0 },
      { true, 7000, false } },
    { "an hour is too long without a limit, too",
      { DIAG_STAGE_HTTP, ESP_FAIL, 503, false, 3600, 0, 5, NO_END, 0 },
      { false, 0, true } },
    { "the largest number does not wrap",
      { DIAG_STAGE_HTTP, ESP_FAIL, 503, false, UINT32_MAX, 0, 5, NO_END, 0 },
      { false, 0, true } },
};

static void test_retry(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(retries); i++) {
        struct upd_retry got;

        print_message("# %s\n", retries[i].claim);
        upd_decide_retry(&retries[i].in, &got);
        assert_int_equal(got.again, retries[i].want.again);
        assert_int_equal(got.wait_ms, retries[i].want.wait_ms);
        assert_int_equal(got.too_late, retries[i].want.too_late);
    }
}

static void test_pace(void **state)
{
    (void)state;
    assert_int_equal(upd_least_len(30000), 1920);
    assert_int_equal(upd_decide_pace(30000, 29999, 0), UPD_PACE_ON);
    assert_int_equal(upd_decide_pace(30000, 30000, 1919), UPD_PACE_STALLED);
    assert_int_equal(upd_decide_pace(30000, 30000, 1920), UPD_PACE_NEW_WINDOW);
    assert_int_equal(upd_decide_pace(0, 1u << 30, 0), UPD_PACE_ON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),    cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_resume_off), cmocka_unit_test(test_unconfirmed),
        cmocka_unit_test(test_anew),       cmocka_unit_test(test_part_answers),
        cmocka_unit_test(test_validators), cmocka_unit_test(test_may_go_on),
        cmocka_unit_test(test_retry),      cmocka_unit_test(test_pace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
