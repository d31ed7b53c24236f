/* Every combination of two records, slots and images, against an oracle that
 * plays the reference (3.2 B to D) step by step; and rows for what the oracle
 * does not have: reasons, names, order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "boot/boot.h"

#define NONE 0xFFFFFFFFu

/* --- the oracle: a device with the reference's bootloader ----------------- */

struct device {
    struct ota_rec rec[2];
    int slot_cnt;
    bool rollback;
    /* absent or the verdict on its image: slots 0.., factory, test */
    enum boot_image image[BOOT_CHOICES];
    int booted; /* slot, -1 factory, -2 test, -99 nothing */
};

static bool ref_invalid(const struct ota_rec *e)
{
    return e->seq == NONE || e->state == 3 || e->state == 4;
}

static bool ref_crc_wrong(const struct ota_rec *e)
{
    return e->crc != ota_rec_crc(e->seq);
}

static int ref_active(const struct ota_rec rec[2])
{
    bool ok[2];
    for (int i = 0; i < 2; i++)
        ok[i] = !ref_invalid(&rec[i]) && !ref_crc_wrong(&rec[i]);
    if (ok[0] && ok[1])
        return rec[0].seq >= rec[1].seq ? 0 : 1;
    return ok[0] ? 0 : ok[1] ? 1 : -1;
}

static bool ref_try(const struct device *d, int i)
{
    if (i >= d->slot_cnt)
        return false;
    uint32_t at = i == -1 ? BOOT_FACTORY : i == -2 ? BOOT_TEST : (uint32_t)i;
    return d->image[at] == BOOT_IMAGE_GOOD;
}

/* B.3 to B.5: which index, and what is written before loading. */
static int ref_select(struct device *d, bool *initial)
{
    *initial = false;
    for (int i = 0; d->rollback && i < 2; i++)
        if (d->rec[i].state == 1)
            d->rec[i].state = 4;
    if ((ref_invalid(&d->rec[0]) && ref_invalid(&d->rec[1])) ||
        d->slot_cnt == 0) {
        if (d->image[BOOT_FACTORY] != BOOT_IMAGE_ABSENT)
            return -1;
        *initial = true;
        for (int i = 0; i < 2; i++)
            if (d->rec[i].seq != NONE && !ref_crc_wrong(&d->rec[i]))
                *initial = false;
        return 0;
    }
    int active = ref_active(d->rec);
    if (active < 0)
        return -1;
    if (d->rollback && d->rec[active].state == 0)
        d->rec[active].state = 1;
    return (int)((d->rec[active].seq - 1) % (uint32_t)d->slot_cnt);
}

/* D: try images, write the first record. */
static void ref_boot(struct device *d)
{
    bool initial;
    int start = ref_select(d, &initial);
    d->booted = -99;
    for (int i = start; i >= -1 && d->booted == -99; i--)
        if (ref_try(d, i))
            d->booted = i;
    for (int i = start + 1; i < d->slot_cnt && d->booted == -99; i++)
        if (ref_try(d, i))
            d->booted = i;
    if (d->booted > -1 && initial) {
        memset(&d->rec[0], 0xFF, sizeof(d->rec[0]));
        d->rec[0].seq = (uint32_t)d->booted + 1;
        d->rec[0].state = 2;
        d->rec[0].crc = ota_rec_crc(d->rec[0].seq);
    }
    if (d->booted == -99 && ref_try(d, -2))
        d->booted = -2;
}

/* Difference 1 of docs/boot.md: a NEW record whose image is bad is given up in
 * the same pass. The reference leaves it PENDING and gives it up one boot
 * later, so what we do in one pass it does in as many as it needs. */
static bool new_is_bad(const struct device *d)
{
    for (int i = 0; i < 2; i++) {
        if (!d->rollback || d->rec[i].state != 1 || d->slot_cnt == 0)
            continue;
        int slot = (int)((d->rec[i].seq - 1) % (uint32_t)d->slot_cnt);
        if (d->booted != slot || d->image[slot] != BOOT_IMAGE_GOOD)
            return true;
    }
    return false;
}

static unsigned expect(struct device *d)
{
    unsigned passes = 0;
    do {
        ref_boot(d);
        passes++;
    } while (new_is_bad(d));
    return passes;
}

/* --- ours ------------------------------------------------------------------ */

static uint32_t choice_of(int booted)
{
    switch (booted) {
    case -1:
        return BOOT_FACTORY;
    case -2:
        return BOOT_TEST;
    case -99:
        return BOOT_NONE;
    default:
        return (uint32_t)booted;
    }
}

/* Plays the caller: judges what is asked for, writes the marks. */
static const char *run_ours(const struct device *d, struct boot_plan *plan,
                            struct ota_rec rec[2])
{
    struct boot_in in = { .table_ok = true,
                          .has_otadata = true,
                          .otadata_ok = true,
                          .rec = { d->rec[0], d->rec[1] },
                          .slot_cnt = (uint32_t)d->slot_cnt,
                          .policy = { .rollback = d->rollback } };
    for (uint32_t i = 0; i < BOOT_CHOICES; i++)
        in.image[i] = d->image[i] == BOOT_IMAGE_ABSENT ? BOOT_IMAGE_ABSENT
                                                       : BOOT_IMAGE_UNKNOWN;
    boot_plan(&in, plan);
    for (unsigned asked = 0; plan->action == BOOT_ACT_VERIFY; asked++) {
        if (asked > BOOT_CHOICES || plan->choice >= BOOT_CHOICES ||
            in.image[plan->choice] != BOOT_IMAGE_UNKNOWN)
            return "asks for what it knows";
        in.image[plan->choice] = d->image[plan->choice];
        boot_plan(&in, plan);
    }
    memcpy(rec, d->rec, 2 * sizeof(rec[0]));
    for (uint32_t i = 0; i < plan->mark_cnt; i++) {
        const struct boot_mark *m = &plan->marks[i];
        if (memcmp(&rec[m->rec_idx], &m->rec, sizeof(m->rec)) == 0)
            return "a mark that changes nothing";
        rec[m->rec_idx] = m->rec;
    }
    if (plan->action == BOOT_ACT_BOOT &&
        in.image[plan->choice] != BOOT_IMAGE_GOOD)
        return "boots what was not judged good";
    return NULL;
}

static const char *compare(const struct device *d, unsigned *passes)
{
    struct device ref = *d;
    struct boot_plan plan;
    struct ota_rec rec[2];
    const char *what = run_ours(d, &plan, rec);
    if (what)
        return what;
    *passes = expect(&ref);
    if (plan.choice != choice_of(ref.booted))
        return "another choice";
    if ((plan.action == BOOT_ACT_RESET) != (ref.booted == -99))
        return "another action";
    if (memcmp(rec, ref.rec, sizeof(rec)) != 0)
        return "other records";
    if (plan.reason == BOOT_WHY_NONE)
        return "no reason";
    return NULL;
}

/* --- the enumeration -------------------------------------------------------- */

static const uint32_t seqs[] = { NONE, 1, 2, 3, 0xFFFFFFFE };
static const uint32_t states[] = { 0, 1, 2, 3, 4, NONE, 9 };
#define SEQS (sizeof(seqs) / sizeof(seqs[0]))
#define STATES (sizeof(states) / sizeof(states[0]))
#define RECS (SEQS * STATES * 2)

static struct ota_rec rec_nth(uint32_t k)
{
    struct ota_rec rec;
    memset(&rec, 0x5A, sizeof(rec)); /* a label that must be kept */
    rec.seq = seqs[k % SEQS];
    rec.state = states[k / SEQS % STATES];
    rec.crc = ota_rec_crc(rec.seq) ^ (k / SEQS / STATES ? 0x100u : 0);
    return rec;
}

struct counts {
    unsigned long all, later; /* all, and where difference 1 shows */
};

/* Absent, good, bad for factory and test; good or bad for each slot. */
static void each_layout(struct device *d, struct counts *counts)
{
    static const enum boot_image kinds[3] = { BOOT_IMAGE_ABSENT,
                                              BOOT_IMAGE_GOOD, BOOT_IMAGE_BAD };
    unsigned layouts = 9u << d->slot_cnt;
    for (unsigned k = 0; k < layouts; k++) {
        memset(d->image, 0, sizeof(d->image));
        d->image[BOOT_FACTORY] = kinds[k % 3];
        d->image[BOOT_TEST] = kinds[k / 3 % 3];
        for (int i = 0; i < d->slot_cnt; i++)
            d->image[i] = k / 9 >> i & 1 ? BOOT_IMAGE_GOOD : BOOT_IMAGE_BAD;
        unsigned passes = 0;
        const char *what = compare(d, &passes);
        if (what)
            fail_msg("%s: seq %#x state %#x crc %d, seq %#x state %#x crc %d, "
                     "%d slots, layout %u, rollback %d",
                     what, d->rec[0].seq, d->rec[0].state,
                     !ref_crc_wrong(&d->rec[0]), d->rec[1].seq, d->rec[1].state,
                     !ref_crc_wrong(&d->rec[1]), d->slot_cnt, k, d->rollback);
        counts->all++;
        counts->later += passes > 1;
    }
}

static void test_every_combination(void **state)
{
    struct counts counts = { 0, 0 };
    (void)state;
    for (uint32_t k = 0; k < RECS * RECS; k++) {
        struct device d = { .rec = { rec_nth(k % RECS), rec_nth(k / RECS) } };
        for (d.slot_cnt = 0; d.slot_cnt <= 3; d.slot_cnt++) {
            d.rollback = false;
            each_layout(&d, &counts);
            d.rollback = true;
            each_layout(&d, &counts);
        }
    }
    printf("# %lu combinations, %lu of them take the reference more boots\n",
           counts.all, counts.later);
    assert_true(counts.all > 1000000 && counts.later > 1000);
}

/* All sixteen slots: each can be asked for, found by falling back, and given
 * the first record. */
static void test_sixteen_slots(void **state)
{
    (void)state;
    for (uint32_t named = 0; named < 16; named++) {
        for (uint32_t good = 0; good < 16; good++) {
            struct device d = { .slot_cnt = 16, .rollback = true };
            memset(d.rec, 0xFF, sizeof(d.rec));
            d.rec[1].seq = 17 + named;
            d.rec[1].crc = ota_rec_crc(17 + named);
            for (uint32_t i = 0; i < 16; i++)
                d.image[i] = i == good ? BOOT_IMAGE_GOOD : BOOT_IMAGE_BAD;
            unsigned passes;
            const char *what = compare(&d, &passes);
            if (what)
                fail_msg("%s: named %u, good %u", what, named, good);
            memset(&d.rec[1], 0xFF, sizeof(d.rec[1]));
            what = compare(&d, &passes);
            if (what)
                fail_msg("%s: blank, good %u", what, good);
        }
    }
}

/* --- rows: reasons, preferences, orders ------------------------------------- */

#define ABS BOOT_IMAGE_ABSENT
#define UNK BOOT_IMAGE_UNKNOWN
#define GOOD BOOT_IMAGE_GOOD
#define BAD BOOT_IMAGE_BAD
#define B 0x80000000u /* a flag in a row's state: bad CRC */

struct row {
    const char *claim;
    bool no_table, no_otadata, otadata_bad, rollback;
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

static void row_input(const struct row *row, struct boot_in *in)
{
    *in = (struct boot_in){ .table_ok = !row->no_table,
                            .has_otadata = !row->no_otadata,
                            .otadata_ok = !row->otadata_bad,
                            .policy = { .rollback = row->rollback } };
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

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(boot_choice_name(0), "ota_0");
    assert_string_equal(boot_choice_name(15), "ota_15");
    assert_string_equal(boot_choice_name(BOOT_FACTORY), "factory");
    assert_string_equal(boot_choice_name(BOOT_TEST), "test");
    assert_string_equal(boot_choice_name(BOOT_NONE), "none");
    for (int i = 0; i <= BOOT_WHY_NO_SLOTS; i++)
        assert_true(strlen(boot_reason_text((enum boot_reason)i)) > 10);
    assert_string_equal(boot_reason_text((enum boot_reason)99),
                        "unknown reason");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_combination),
        cmocka_unit_test(test_sixteen_slots),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_order_of_marks),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("boot_plan", tests, NULL, NULL);
}
