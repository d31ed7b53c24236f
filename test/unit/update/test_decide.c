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

/* --- answers ------------------------------------------------------------------ */

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
    { "203 is as good as 200", 203, false, false, false, false, 0, 0, 100,
      UNKNOWN, "", "", UPD_ACT_TAKE, ESP_OK },
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
    { "resuming, the server gives no ranges", 200, true, true, false, false, 50,
      0, 100, UNKNOWN, "", "", UPD_ACT_RESTART, ESP_OK },
    { "in the middle, the server gives no ranges any more", 200, true, false,
      false, false, 50, 0, 100, 100, "", "", UPD_ACT_FAIL,
      ESP_ERR_INVALID_RESPONSE },
    { "resuming behind the end", 416, true, true, false, false, 50, 0, UNKNOWN,
      UNKNOWN, "", "", UPD_ACT_ASK_AGAIN, ESP_OK },
    { "416 for no reason", 416, true, true, false, false, 0, 0, UNKNOWN,
      UNKNOWN, "", "", UPD_ACT_FAIL, ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE },
    { "nothing newer", 304, false, false, false, false, 0, 0, UNKNOWN, UNKNOWN,
      "", "", UPD_ACT_NOT_MODIFIED, ESP_OK },
    { "nothing at all", 204, false, false, false, false, 0, 0, UNKNOWN, UNKNOWN,
      "", "", UPD_ACT_NOT_MODIFIED, ESP_OK },
    { "compressed unasked", 200, false, false, true, false, 0, 0, 100, UNKNOWN,
      "", "", UPD_ACT_FAIL, ESP_ERR_INVALID_RESPONSE },
    { "401", 401, false, false, false, false, 0, 0, 9, UNKNOWN, "", "",
      UPD_ACT_FAIL, ESP_FAIL },
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
                                  .content_len = row->total,
                                  .has_range = row->has_range,
                                  .range_first = row->first,
                                  .range_total = row->total,
                                  .encoded = row->encoded };
        struct upd_answer_in in = {
            &head,        row->asked,       row->want_off,
            row->restart, row->known_total, row->known_tag
        };
        struct upd_answer out;

        print_message("# %s\n", row->claim);
        strcpy(head.etag, row->tag);
        upd_judge_answer(&in, &out);
        assert_int_equal(out.act, row->act);
        assert_int_equal(out.err, row->err);
        if (row->act == UPD_ACT_FAIL)
            assert_int_not_equal(out.why[0], '\0');
        if (row->act == UPD_ACT_TAKE)
            assert_true(out.total == row->total);
    }
}

/* --- ranges -------------------------------------------------------------------- */

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

/* --- mending -------------------------------------------------------------------- */

static void test_mend(void **state)
{
    static const struct {
        const char *claim;
        struct upd_mend_in in;
        enum upd_mend want;
    } rows[] = {
        { "a pause", { ESP_ERR_TIMEOUT, 1, 3, 0, 0 }, UPD_MEND_WAIT },
        { "a pause too many",
          { ESP_ERR_TIMEOUT, 3, 3, 0, 0 },
          UPD_MEND_GIVE_UP },
        { "the same, and the rest may be asked for",
          { ESP_ERR_TIMEOUT, 3, 3, 0, 1 },
          UPD_MEND_ASK_REST },
        { "the end came early",
          { ESP_ERR_HTTP_INCOMPLETE_DATA, 1, 3, 0, 1 },
          UPD_MEND_ASK_REST },
        { "once too often",
          { ESP_ERR_HTTP_INCOMPLETE_DATA, 1, 3, 1, 1 },
          UPD_MEND_GIVE_UP },
        { "nonsense is not asked for again",
          { ESP_ERR_INVALID_RESPONSE, 1, 3, 0, 5 },
          UPD_MEND_GIVE_UP },
        { "nor is memory", { ESP_ERR_NO_MEM, 1, 3, 0, 5 }, UPD_MEND_GIVE_UP },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        print_message("# %s\n", rows[i].claim);
        assert_int_equal(upd_decide_mend(&rows[i].in), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),    cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_resume_off), cmocka_unit_test(test_unconfirmed),
        cmocka_unit_test(test_mend),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
