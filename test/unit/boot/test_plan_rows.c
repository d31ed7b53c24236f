/* What the oracle of test_plan.c does not have: reasons, names, orders, the way
 * back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "boot/boot.h"

#define NONE 0xFFFFFFFFu

#define ABS BOOT_IMAGE_ABSENT
#define UNK BOOT_IMAGE_UNKNOWN
#define GOOD BOOT_IMAGE_GOOD
#define BAD BOOT_IMAGE_BAD
#define B 0x80000000u /* a flag in a row's state: bad CRC */

static struct ota_rec row_rec(uint32_t seq, uint32_t state)
{
    struct ota_rec rec;
    bool bad = state != NONE && (state & B);
    memset(&rec, 0xFF, sizeof(rec));
    rec.seq = seq;
    rec.state = bad ? state & ~B : state;
    if (seq != NONE)
        rec.crc = ota_rec_crc(seq) ^ (bad ? 1u : 0);
    return rec;
}

/* --- is there a way back? ------------------------------------------------- */

static void test_way_back(void **state)
{
    static const struct {
        const char *claim;
        uint32_t seq, state, running, slot_cnt;
        bool possible;
        uint32_t choice;
    } way_rows[] = {
        { "the other record's slot", 1, OTA_STATE_VALID, 1, 2, true, 0 },
        { "without rollback's states", 2, OTA_STATE_UNDEFINED, 0, 2, true, 1 },
        { "no other record: the factory", NONE, NONE, 1, 2, true,
          BOOT_FACTORY },
        { "a refused one: the factory", 1, OTA_STATE_INVALID, 1, 2, true,
          BOOT_FACTORY },
        { "a damaged one: the factory", 1, B | 2, 1, 2, true, BOOT_FACTORY },
        { "a record that names the running slot is no way back", 4,
          OTA_STATE_VALID, 1, 2, false, 1 },
        { "not by its number, by its slot", 4, OTA_STATE_VALID, 1, 3, true, 0 },
        { "the factory does not go back to itself", NONE, NONE, BOOT_FACTORY, 2,
          false, BOOT_FACTORY },
        { "without slots there is nothing", 1, OTA_STATE_VALID, 1, 0, false,
          BOOT_NONE },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(way_rows) / sizeof(way_rows[0]); i++) {
        struct ota_rec other = row_rec(way_rows[i].seq, way_rows[i].state);
        uint32_t choice;
        if (boot_way_back(&other, way_rows[i].running, way_rows[i].slot_cnt,
                          &choice) != way_rows[i].possible ||
            choice != way_rows[i].choice)
            fail_msg("not so: %s (%u)", way_rows[i].claim, choice);
    }
}

/* --- rows: reasons, preferences, orders ----------------------------------- */

struct row {
    const char *claim;
    bool no_table, no_otadata, otadata_bad, rollback;
    uint8_t trial_boots;
    uint32_t seq[2], state[2];
    enum boot_image slots[3], factory, test;
    enum boot_action action;
    uint32_t choice, preferred;
    enum boot_reason reason;
    int fallbacks[5]; /* -1 ends */
};

static const struct row rows[] = {
    { .claim = "no table: reset",
      .no_table = true,
      .slots = { GOOD, GOOD },
      .action = BOOT_ACT_RESET,
      .choice = BOOT_NONE,
      .preferred = BOOT_NONE,
      .reason = BOOT_WHY_NO_TABLE,
      .fallbacks = { -1 } },
    { .claim = "no otadata partition: factory, then the slots, then test",
      .no_otadata = true,
      .seq = { 2, 1 },
      .slots = { UNK, UNK },
      .factory = UNK,
      .test = UNK,
      .action = BOOT_ACT_VERIFY,
      .choice = BOOT_FACTORY,
      .preferred = BOOT_FACTORY,
      .reason = BOOT_WHY_NO_OTADATA,
      .fallbacks = { 0, 1, BOOT_TEST, -1 } },
    { .claim = "neither otadata nor factory: the first slot that verifies",
      .no_otadata = true,
      .slots = { BAD, GOOD },
      .action = BOOT_ACT_BOOT,
      .choice = 1,
      .preferred = BOOT_NONE,
      .reason = BOOT_WHY_NO_OTADATA,
      .fallbacks = { -1 } },
    { .claim = "otadata that cannot be read: reset",
      .otadata_bad = true,
      .slots = { GOOD },
      .action = BOOT_ACT_RESET,
      .choice = BOOT_NONE,
      .preferred = BOOT_NONE,
      .reason = BOOT_WHY_OTADATA_BAD,
      .fallbacks = { -1 } },
    { .claim = "blank, no factory: first boot of ota_0",
      .seq = { NONE, NONE },
      .state = { NONE, NONE },
      .slots = { UNK, UNK },
      .action = BOOT_ACT_VERIFY,
      .choice = 0,
      .preferred = 0,
      .reason = BOOT_WHY_FIRST_BOOT,
      .fallbacks = { 1, -1 } },
    { .claim = "the record with the highest sequence is followed; then down, "
               "factory, up, test",
      .seq = { 2, 1 },
      .state = { 2, 2 },
      .slots = { UNK, UNK, UNK },
      .factory = UNK,
      .test = UNK,
      .action = BOOT_ACT_VERIFY,
      .choice = 1,
      .preferred = 1,
      .reason = BOOT_WHY_RECORD,
      .fallbacks = { 0, BOOT_FACTORY, 2, BOOT_TEST, -1 } },
    { .claim = "what is known to be bad is skipped and no fallback",
      .seq = { 2, 1 },
      .state = { 2, 2 },
      .slots = { BAD, BAD, UNK },
      .factory = GOOD,
      .action = BOOT_ACT_BOOT,
      .choice = BOOT_FACTORY,
      .preferred = 1,
      .reason = BOOT_WHY_FALLBACK,
      .fallbacks = { 2, -1 } },
    { .claim = "an unconfirmed program is rolled back",
      .rollback = true,
      .seq = { 1, 2 },
      .state = { 2, 1 },
      .slots = { GOOD, GOOD },
      .action = BOOT_ACT_BOOT,
      .choice = 0,
      .preferred = 0,
      .reason = BOOT_WHY_ROLLED_BACK,
      .fallbacks = { 1, -1 } },
    { .claim = "not without rollback",
      .seq = { 1, 2 },
      .state = { 2, 1 },
      .slots = { GOOD, GOOD },
      .action = BOOT_ACT_BOOT,
      .choice = 1,
      .preferred = 1,
      .reason = BOOT_WHY_RECORD,
      .fallbacks = { 0, -1 } },
    { .claim = "a NEW image that is bad: the other record is followed, though "
               "the factory would be next",
      .rollback = true,
      .seq = { 3, 4 },
      .state = { 2, 0 },
      .slots = { BAD, GOOD, GOOD },
      .factory = GOOD,
      .action = BOOT_ACT_BOOT,
      .choice = 2,
      .preferred = 0,
      .reason = BOOT_WHY_FALLBACK,
      .fallbacks = { 1, BOOT_FACTORY, -1 } },
    { .claim = "both refused: the factory",
      .seq = { 1, 2 },
      .state = { 3, 4 },
      .slots = { GOOD, GOOD },
      .factory = GOOD,
      .action = BOOT_ACT_BOOT,
      .choice = BOOT_FACTORY,
      .preferred = BOOT_FACTORY,
      .reason = BOOT_WHY_RECORDS_REFUSED,
      .fallbacks = { 0, 1, -1 } },
    { .claim = "bad CRCs: the factory",
      .seq = { 1, 2 },
      .state = { B | 2, B | 2 },
      .slots = { GOOD, GOOD },
      .factory = GOOD,
      .action = BOOT_ACT_BOOT,
      .choice = BOOT_FACTORY,
      .preferred = BOOT_FACTORY,
      .reason = BOOT_WHY_RECORDS_DAMAGED,
      .fallbacks = { 0, 1, -1 } },
    { .claim = "bad CRCs of refused records are damage, too",
      .seq = { 1, NONE },
      .state = { B | 4, NONE },
      .slots = { GOOD, GOOD },
      .action = BOOT_ACT_BOOT,
      .choice = 0,
      .preferred = 0,
      .reason = BOOT_WHY_RECORDS_DAMAGED,
      .fallbacks = { 1, -1 } },
    { .claim = "no OTA slot at all: the factory",
      .seq = { 1, NONE },
      .state = { 2, NONE },
      .factory = GOOD,
      .action = BOOT_ACT_BOOT,
      .choice = BOOT_FACTORY,
      .preferred = BOOT_FACTORY,
      .reason = BOOT_WHY_NO_SLOTS,
      .fallbacks = { -1 } },
    { .claim = "no slot and no factory: test",
      .seq = { NONE, NONE },
      .state = { NONE, NONE },
      .test = GOOD,
      .action = BOOT_ACT_BOOT,
      .choice = BOOT_TEST,
      .preferred = BOOT_NONE,
      .reason = BOOT_WHY_NO_SLOTS,
      .fallbacks = { -1 } },
    { .claim = "a trial with budget left goes on",
      .rollback = true,
      .trial_boots = 2,
      .seq = { 1, 2 },
      .state = { 2, 1 },
      .slots = { GOOD, GOOD },
      .action = BOOT_ACT_BOOT,
      .choice = 1,
      .preferred = 1,
      .reason = BOOT_WHY_TRIAL,
      .fallbacks = { 0, -1 } },
    { .claim = "... but not with an image that does not verify any more",
      .rollback = true,
      .trial_boots = 2,
      .seq = { 1, 2 },
      .state = { 2, 1 },
      .slots = { GOOD, BAD },
      .action = BOOT_ACT_BOOT,
      .choice = 0,
      .preferred = 1,
      .reason = BOOT_WHY_FALLBACK,
      .fallbacks = { -1 } },
    { .claim = "nothing verifies",
      .seq = { 1, 2 },
      .state = { 2, 2 },
      .slots = { BAD, BAD },
      .factory = BAD,
      .test = BAD,
      .action = BOOT_ACT_RESET,
      .choice = BOOT_NONE,
      .preferred = 1,
      .reason = BOOT_WHY_NOTHING_BOOTS,
      .fallbacks = { -1 } },
};

static void row_input(const struct row *row, struct boot_in *in)
{
    *in = (struct boot_in){ .table_ok = !row->no_table,
                            .has_otadata = !row->no_otadata,
                            .otadata_ok = !row->otadata_bad,
                            .reset_reason = PORT_RESET_PANIC,
                            .policy = { .rollback = row->rollback,
                                        .trial_boots = row->trial_boots } };
    for (uint32_t i = 0; i < 2; i++)
        in->rec[i] = row_rec(row->seq[i], row->state[i]);
    for (uint32_t i = 0; i < 3; i++) {
        in->image[i] = row->slots[i];
        in->slot_cnt += row->slots[i] != ABS;
    }
    in->image[BOOT_FACTORY] = row->factory;
    in->image[BOOT_TEST] = row->test;
}

static bool row_fallbacks(const struct row *row, const struct boot_plan *plan)
{
    uint32_t cnt = 0;
    for (; row->fallbacks[cnt] >= 0; cnt++)
        if (cnt >= plan->fallback_cnt ||
            plan->fallbacks[cnt] != row->fallbacks[cnt])
            return false;
    return plan->fallback_cnt == cnt;
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct boot_in in;
        struct boot_plan plan;
        row_input(row, &in);
        boot_plan(&in, &plan);
        if (plan.action != row->action || plan.choice != row->choice ||
            plan.preferred != row->preferred || plan.reason != row->reason ||
            !row_fallbacks(row, &plan))
            fail_msg("not so: %s (action %d, choice %s, preferred %s, %s)",
                     row->claim, plan.action, boot_choice_name(plan.choice),
                     boot_choice_name(plan.preferred),
                     boot_reason_text(plan.reason));
    }
}

/* What is given up is written before what is begun. */
static void test_order_of_marks(void **state)
{
    (void)state;
    for (uint32_t newer = 0; newer < 2; newer++) {
        struct boot_in in = { .table_ok = true,
                              .has_otadata = true,
                              .otadata_ok = true,
                              .slot_cnt = 2,
                              .image = { GOOD, GOOD },
                              .policy = { .rollback = true } };
        struct boot_plan plan;
        in.rec[newer] = row_rec(6, OTA_STATE_PENDING);
        in.rec[1 - newer] = row_rec(5, OTA_STATE_NEW);
        boot_plan(&in, &plan);
        assert_int_equal(plan.mark_cnt, 2);
        assert_int_equal(plan.marks[0].rec_idx, newer);
        assert_int_equal(plan.marks[0].rec.state, OTA_STATE_ABORTED);
        assert_int_equal(plan.marks[1].rec.state, OTA_STATE_PENDING);
        assert_int_equal(plan.choice, 0);
    }
}

/* A count that is as high as it goes, in a log that others wrote. */
static void test_starts_are_counted_to_255(void **state)
{
    static const struct {
        uint8_t charged, want;
    } rows255[] = { { 0, 1 }, { 254, 255 }, { 255, 255 } };
    (void)state;
    for (size_t i = 0; i < sizeof(rows255) / sizeof(rows255[0]); i++) {
        struct boot_in in = { .table_ok = true,
                              .has_otadata = true,
                              .otadata_ok = true,
                              .slot_cnt = 2,
                              .image = { GOOD, GOOD },
                              .reset_reason = PORT_RESET_PANIC,
                              .event = { .seq = 2,
                                         .kind = OTA_EVENT_STARTED,
                                         .charged = rows255[i].charged },
                              .policy = { .rollback = true,
                                          .trial_boots = 1 } };
        struct boot_plan plan;
        in.rec[0] = row_rec(1, OTA_STATE_VALID);
        in.rec[1] = row_rec(2, OTA_STATE_PENDING);
        boot_plan(&in, &plan);
        assert_int_equal(plan.choice, 0);
        assert_int_equal(plan.mark_cnt, 1);
        assert_int_equal(plan.marks[0].event.charged, rows255[i].want);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(boot_choice_name(0), "ota_0");
    assert_string_equal(boot_choice_name(15), "ota_15");
    assert_string_equal(boot_choice_name(BOOT_FACTORY), "factory");
    assert_string_equal(boot_choice_name(BOOT_TEST), "test");
    assert_string_equal(boot_choice_name(BOOT_NONE), "none");
    for (int i = 0; i <= BOOT_WHY_TRIAL; i++)
        assert_true(strlen(boot_reason_text((enum boot_reason)i)) > 10);
    assert_string_equal(boot_reason_text((enum boot_reason)99),
                        "unknown reason");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_way_back),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_order_of_marks),
        cmocka_unit_test(test_starts_are_counted_to_255),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("boot_plan_rows", tests, NULL, NULL);
}
