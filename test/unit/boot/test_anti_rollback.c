/* The decision with anti-rollback, against an oracle that plays reference 3.2
 * B.4' to D with secure versions. Where we differ on purpose (docs/boot.md) the
 * oracle says so. A pass over a flash: test_fuses.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "boot/boot.h"

#define NONE 0xFFFFFFFFu
#define SLOTS_MAX 2
#define FACTORY (-1)
#define NOTHING (-99)

/* --- the oracle ----------------------------------------------------------- */

struct device {
    struct ota_rec rec[2];
    int slot_cnt;
    bool has[SLOTS_MAX + 1], good[SLOTS_MAX + 1]; /* factory at index 0 */
    int version[SLOTS_MAX + 1];                   /* -1: says none */
    int fuses;
    int booted;
};

static bool unwritten(const struct ota_rec *r)
{
    return r->seq == NONE || r->crc != ota_rec_crc(r->seq);
}

static int slot_of(const struct device *d, const struct ota_rec *r)
{
    return (int)((r->seq - 1) % (uint32_t)d->slot_cnt);
}

static bool version_ok(const struct device *d, int i)
{
    return d->version[i + 1] >= d->fuses;
}

static bool counts(const struct device *d, const struct ota_rec *r)
{
    return !unwritten(r) && r->state != 3 && r->state != 4 && d->slot_cnt > 0 &&
           version_ok(d, slot_of(d, r));
}

static bool can_try(const struct device *d, int i)
{
    return i < d->slot_cnt && d->has[i + 1] && version_ok(d, i) &&
           d->good[i + 1];
}

static int active_of(const struct device *d)
{
    bool a = counts(d, &d->rec[0]), b = counts(d, &d->rec[1]);

    if (a && b)
        return d->rec[0].seq >= d->rec[1].seq ? 0 : 1;
    return a ? 0 : b ? 1 : -1;
}

static int scan(const struct device *d, int start)
{
    for (int i = start; i >= FACTORY; i--)
        if (can_try(d, i))
            return i;
    for (int i = start + 1; i < d->slot_cnt; i++)
        if (can_try(d, i))
            return i;
    return NOTHING;
}

static void raise_to(struct device *d, int version)
{
    if (version > d->fuses)
        d->fuses = version;
}

/* B.4': nothing was ever written. */
static void boot_first(struct device *d)
{
    d->booted = scan(d, FACTORY);
    if (d->booted < 0)
        return;
    memset(&d->rec[0], 0xFF, sizeof(d->rec[0]));
    d->rec[0].seq = (uint32_t)d->booted + 1;
    d->rec[0].state = 2;
    d->rec[0].crc = ota_rec_crc(d->rec[0].seq);
    raise_to(d, d->version[d->booted + 1]);
}

/* One boot. Difference 7: a NEW record whose image is too old is given up; the
 * reference passes over it at every boot. Difference 8: fuses are raised when
 * the confirmed image is what boots; the reference raises them before it knows
 * whether that verifies. */
static void boot_once(struct device *d)
{
    for (int i = 0; i < 2; i++) {
        struct ota_rec *r = &d->rec[i];
        if (r->state == 1)
            r->state = 4;
        if (r->state == 0 && !unwritten(r) && d->slot_cnt > 0 &&
            !version_ok(d, slot_of(d, r)))
            r->state = 4;
    }
    if (unwritten(&d->rec[0]) && unwritten(&d->rec[1])) {
        boot_first(d);
        return;
    }
    int active = active_of(d);
    if (active < 0) {
        d->booted = scan(d, FACTORY);
        return;
    }
    struct ota_rec *led = &d->rec[active];
    if (led->state == 0)
        led->state = 1;
    d->booted = scan(d, slot_of(d, led));
    if (led->state == 2 && d->booted == slot_of(d, led))
        raise_to(d, d->version[d->booted + 1]);
}

/* Difference 1: a trial whose image is bad ends at once. */
static bool trial_is_void(const struct device *d)
{
    for (int i = 0; i < 2; i++)
        if (d->rec[i].state == 1 && d->slot_cnt > 0 &&
            (d->booted != slot_of(d, &d->rec[i]) ||
             !can_try(d, slot_of(d, &d->rec[i]))))
            return true;
    return false;
}

/* --- ours ----------------------------------------------------------------- */

static void input_of(const struct device *d, struct boot_in *in)
{
    *in =
        (struct boot_in){ .table_ok = true,
                          .has_otadata = true,
                          .otadata_ok = true,
                          .rec = { d->rec[0], d->rec[1] },
                          .slot_cnt = (uint32_t)d->slot_cnt,
                          .policy = { .rollback = true, .anti_rollback = true },
                          .fuse_version = (uint32_t)d->fuses };
    for (int i = FACTORY; i < d->slot_cnt; i++) {
        uint32_t at = i < 0 ? BOOT_FACTORY : (uint32_t)i;
        in->image[at] = d->has[i + 1] ? BOOT_IMAGE_UNKNOWN : BOOT_IMAGE_ABSENT;
        in->secure[at] = (uint32_t)(d->version[i + 1] + 1);
    }
}

static void run_ours(const struct device *d, struct boot_plan *plan)
{
    struct boot_in in;

    input_of(d, &in);
    boot_plan(&in, plan);
    while (plan->action == BOOT_ACT_VERIFY) {
        int i = plan->choice == BOOT_FACTORY ? FACTORY : (int)plan->choice;
        assert_int_equal(in.image[plan->choice], BOOT_IMAGE_UNKNOWN);
        in.image[plan->choice] =
            d->good[i + 1] ? BOOT_IMAGE_GOOD : BOOT_IMAGE_BAD;
        boot_plan(&in, plan);
    }
}

static const char *compare(const struct device *d)
{
    struct device ref = *d;
    struct ota_rec rec[2] = { d->rec[0], d->rec[1] };
    struct boot_plan plan;
    int fuses = d->fuses;

    do
        boot_once(&ref);
    while (trial_is_void(&ref));
    run_ours(d, &plan);
    for (uint32_t i = 0; i < plan.mark_cnt; i++)
        rec[plan.marks[i].rec_idx] = plan.marks[i].rec;
    if ((int)plan.raise_to > fuses)
        fuses = (int)plan.raise_to;
    if (plan.choice != (ref.booted == NOTHING   ? BOOT_NONE
                        : ref.booted == FACTORY ? BOOT_FACTORY
                                                : (uint32_t)ref.booted))
        return "another choice";
    if (memcmp(rec, ref.rec, sizeof(rec)) != 0)
        return "other records";
    return fuses == ref.fuses ? NULL : "other fuses";
}

/* --- all of it ------------------------------------------------------------ */

static const uint32_t seqs[] = { NONE, 1, 2, 3, 0xFFFFFFFE };
static const uint32_t rec_states[] = { 0, 1, 2, 3, 4, NONE, 9 };
#define SEQS (sizeof(seqs) / sizeof(seqs[0]))
#define STATES (sizeof(rec_states) / sizeof(rec_states[0]))
#define RECS (SEQS * STATES * 2)

static struct ota_rec rec_nth(uint32_t k)
{
    struct ota_rec rec;

    memset(&rec, 0x5A, sizeof(rec));
    rec.seq = seqs[k % SEQS];
    rec.state = rec_states[k / SEQS % STATES];
    rec.crc = ota_rec_crc(rec.seq) ^ (k / SEQS / STATES ? 0x100u : 0);
    return rec;
}

/* Each slot: a version of none, 1, 2 or 3 (the fuses say 2), good or bad; the
 * factory absent, too old, or good. */
static unsigned long each_layout(struct device *d)
{
    unsigned layouts = 3u << 3 * d->slot_cnt;

    d->fuses = 2;
    for (unsigned k = 0; k < layouts; k++) {
        const char *what;
        d->has[0] = k % 3 > 0;
        d->good[0] = true;
        d->version[0] = (int)(k % 3);
        for (int i = 0; i < d->slot_cnt; i++) {
            unsigned bits = k / 3 >> 3 * i & 7;
            d->has[i + 1] = true;
            d->good[i + 1] = bits & 1;
            d->version[i + 1] = bits / 2 == 0 ? -1 : (int)(bits / 2);
        }
        what = compare(d);
        if (what)
            fail_msg("%s: seq %#x state %#x, seq %#x state %#x, %d slots, "
                     "layout %u",
                     what, (unsigned)d->rec[0].seq, (unsigned)d->rec[0].state,
                     (unsigned)d->rec[1].seq, (unsigned)d->rec[1].state,
                     d->slot_cnt, k);
    }
    return layouts;
}

static void test_every_combination(void **state)
{
    unsigned long cnt = 0;

    (void)state;
    for (uint32_t k = 0; k < RECS * RECS; k++) {
        struct device d = { .rec = { rec_nth(k % RECS), rec_nth(k / RECS) } };
        for (d.slot_cnt = 0; d.slot_cnt <= SLOTS_MAX; d.slot_cnt++)
            cnt += each_layout(&d);
    }
    printf("# %lu combinations\n", cnt);
    assert_true(cnt > 1000000);
}

/* --- rows ----------------------------------------------------------------- */

static const struct {
    const char *claim;
    uint32_t seq[2], state[2];
    uint32_t secure[2]; /* as boot_in has it: one more, 0 none */
    uint32_t fuses;
    uint32_t choice;
    enum boot_reason reason;
    uint32_t raise_to;
} rows[] = {
    { "an image as old as the fuses boots",
      { 1, NONE },
      { 2, NONE },
      { 3, 0 },
      2,
      0,
      BOOT_WHY_RECORD,
      2 },
    { "a newer one that is confirmed raises them",
      { 1, NONE },
      { 2, NONE },
      { 6, 0 },
      2,
      0,
      BOOT_WHY_RECORD,
      5 },
    { "one on trial does not",
      { 1, 2 },
      { 2, 0 },
      { 3, 6 },
      2,
      1,
      BOOT_WHY_RECORD,
      0 },
    { "nor one whose record has no state",
      { 1, NONE },
      { NONE, NONE },
      { 6, 0 },
      2,
      0,
      BOOT_WHY_RECORD,
      0 },
    { "the record of an image that is too old does not count",
      { 1, 2 },
      { 2, 2 },
      { 3, 2 },
      2,
      0,
      BOOT_WHY_TOO_OLD,
      2 },
    { "nor that of one that says none",
      { 1, 2 },
      { 2, 2 },
      { 1, 0 },
      0,
      0,
      BOOT_WHY_TOO_OLD,
      0 },
    { "nothing is new enough",
      { 1, 2 },
      { 2, 2 },
      { 2, 2 },
      2,
      BOOT_NONE,
      BOOT_WHY_NOTHING_BOOTS,
      0 },
    { "fuses that cannot be read",
      { 1, 2 },
      { 2, 2 },
      { 9, 9 },
      UINT32_MAX,
      BOOT_NONE,
      BOOT_WHY_NO_FUSES,
      0 },
    { "what was given up raises nothing",
      { 1, 2 },
      { 2, 1 },
      { 3, 6 },
      1,
      0,
      BOOT_WHY_ROLLED_BACK,
      2 },
    { "a first boot counts as confirmed",
      { NONE, NONE },
      { NONE, NONE },
      { 4, 4 },
      0,
      0,
      BOOT_WHY_FIRST_BOOT,
      3 },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct boot_in in = { .table_ok = true,
                              .has_otadata = true,
                              .otadata_ok = true,
                              .slot_cnt = 2,
                              .image = { BOOT_IMAGE_GOOD, BOOT_IMAGE_GOOD },
                              .policy = { .rollback = true,
                                          .anti_rollback = true },
                              .fuse_version = rows[i].fuses };
        struct boot_plan plan;
        for (int k = 0; k < 2; k++) {
            memset(&in.rec[k], 0xFF, sizeof(in.rec[k]));
            in.rec[k].seq = rows[i].seq[k];
            in.rec[k].state = rows[i].state[k];
            in.rec[k].crc = ota_rec_crc(rows[i].seq[k]);
            in.secure[k] = rows[i].secure[k];
        }
        boot_plan(&in, &plan);
        if (plan.choice != rows[i].choice || plan.reason != rows[i].reason ||
            plan.raise_to != rows[i].raise_to)
            fail_msg("not so: %s (%s, %s, raises to %u)", rows[i].claim,
                     boot_choice_name(plan.choice),
                     boot_reason_text(plan.reason), (unsigned)plan.raise_to);
    }
}

/* Nothing is given up because the fuses could not be read this time. */
static void test_no_fuses_no_marks(void **state)
{
    struct boot_in in = { .table_ok = true,
                          .has_otadata = true,
                          .otadata_ok = true,
                          .slot_cnt = 2,
                          .image = { BOOT_IMAGE_GOOD, BOOT_IMAGE_GOOD },
                          .policy = { .rollback = true, .anti_rollback = true },
                          .fuse_version = UINT32_MAX };
    struct boot_plan plan;

    (void)state;
    in.rec[0] = (struct ota_rec){ .seq = 1, .crc = ota_rec_crc(1) };
    in.rec[1] = (struct ota_rec){ .seq = 2, .state = 1, .crc = ota_rec_crc(2) };
    boot_plan(&in, &plan);
    assert_int_equal(plan.action, BOOT_ACT_RESET);
    assert_int_equal(plan.mark_cnt, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_combination),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_fuses_no_marks),
    };
    return cmocka_run_group_tests_name("boot_anti_rollback", tests, NULL, NULL);
}
