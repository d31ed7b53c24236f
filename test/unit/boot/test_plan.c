/* Every combination of two records, slots and images, against an oracle that
 * plays the reference (3.2 B to D) step by step; and trials with a budget. */
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
    uint8_t trial_boots, trial_power; /* not the reference's */
    enum port_reset_reason reason;
    struct ota_event event;
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

/* --- ours ----------------------------------------------------------------- */

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
                          .event = d->event,
                          .reset_reason = d->reason,
                          .policy = { .rollback = d->rollback,
                                      .trial_boots = d->trial_boots,
                                      .trial_power = d->trial_power } };
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
        if (memcmp(&rec[m->rec_idx], &m->rec, sizeof(m->rec)) == 0 &&
            m->event.kind != OTA_EVENT_STARTED)
            return "a mark that changes nothing";
        if (m->event.kind != OTA_EVENT_NONE &&
            (m->event.rec_idx != m->rec_idx || m->event.seq != m->rec.seq))
            return "an event about another record";
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

/* --- the enumeration ------------------------------------------------------ */

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

/* --- trials with a budget ------------------------------------------------- */

static const struct ota_event *event_of(const struct boot_plan *plan,
                                        uint32_t idx)
{
    static const struct ota_event none;
    for (uint32_t i = 0; i < plan->mark_cnt; i++)
        if (plan->marks[i].rec_idx == idx)
            return &plan->marks[i].event;
    return &none;
}

static struct ota_rec rec_made(uint32_t seq, uint32_t state)
{
    struct ota_rec rec;
    memset(&rec, 0xFF, sizeof(rec));
    rec.seq = seq;
    rec.state = state;
    rec.crc = ota_rec_crc(seq);
    return rec;
}

/* How many resets of a history count: all that are not by power, and those by
 * power beyond the excused ones, in whatever order they came. */
static unsigned resets_charged(unsigned history, unsigned len, unsigned excused)
{
    unsigned power = 0;
    for (unsigned i = 0; i < len; i++)
        power += history >> i & 1;
    return len - power + (power > excused ? power - excused : 0);
}

/* From NEW on, one reset after the other, by panic or by power. Without a
 * budget it is the reference's device that is compared with, above. */
static void run_history(uint8_t boots, uint8_t power, unsigned history)
{
    static const enum port_reset_reason reasons[2][2] = {
        { PORT_RESET_PANIC, PORT_RESET_WDT },
        { PORT_RESET_POWERON, PORT_RESET_BROWNOUT }
    };
    struct device d = { .slot_cnt = 2,
                        .rollback = true,
                        .trial_boots = boots,
                        .trial_power = power,
                        .image = { BOOT_IMAGE_GOOD, BOOT_IMAGE_GOOD },
                        .reason = PORT_RESET_SW,
                        /* left by an older trial of the same sequence */
                        .event = { .seq = 2,
                                   .kind = history & 1 ? OTA_EVENT_STARTED
                                                       : OTA_EVENT_GIVEN_UP,
                                   .charged = 1,
                                   .power = 1 } };
    d.rec[0] = rec_made(1, OTA_STATE_VALID);
    d.rec[1] = rec_made(2, OTA_STATE_NEW);
    for (unsigned len = 0; len <= 6; len++) {
        struct boot_plan plan;
        struct ota_rec rec[2];
        if (len > 0)
            d.reason = reasons[history >> (len - 1) & 1][len & 1];
        assert_null(run_ours(&d, &plan, rec));
        bool over =
            resets_charged(history, len, power) >= (boots > 0 ? boots : 1);
        const struct ota_event *ev = event_of(&plan, 1);
        if (plan.choice != (over ? 0u : 1u) ||
            rec[1].state != (over ? OTA_STATE_ABORTED : OTA_STATE_PENDING))
            fail_msg("budget %u and %u, history %#x: choice %u at reset %u",
                     boots, power, history, plan.choice, len);
        if (over) {
            assert_int_equal(plan.reason, BOOT_WHY_ROLLED_BACK);
            assert_int_equal(ev->kind, OTA_EVENT_GIVEN_UP);
            assert_int_equal(ev->why, OTA_WHY_RESET);
            assert_int_equal(ev->reset_reason, d.reason);
            return;
        }
        assert_int_equal(ev->kind, boots <= 1 && power == 0
                                       ? OTA_EVENT_NONE
                                       : OTA_EVENT_STARTED);
        assert_int_equal(plan.reason,
                         len == 0 ? BOOT_WHY_RECORD : BOOT_WHY_TRIAL);
        memcpy(d.rec, rec, sizeof(rec));
        if (ev->kind != OTA_EVENT_NONE)
            d.event = *ev;
    }
    assert_true(boots + power > 6);
}

static void test_histories(void **state)
{
    (void)state;
    for (unsigned boots = 0; boots <= 4; boots++)
        for (unsigned power = 0; power <= 3; power++)
            for (unsigned history = 0; history < 64; history++)
                run_history((uint8_t)boots, (uint8_t)power, history);
}

/* Numbers that nobody may set do not make a trial endless. */
static void test_budget_is_bounded(void **state)
{
    struct device d = { .slot_cnt = 2,
                        .rollback = true,
                        .trial_boots = 255,
                        .trial_power = 255,
                        .image = { BOOT_IMAGE_GOOD, BOOT_IMAGE_GOOD },
                        .reason = PORT_RESET_POWERON };
    unsigned starts = 0;
    (void)state;
    d.rec[0] = rec_made(1, OTA_STATE_VALID);
    d.rec[1] = rec_made(2, OTA_STATE_NEW);
    for (;; starts++) {
        struct boot_plan plan;
        assert_null(run_ours(&d, &plan, d.rec));
        if (plan.choice == 0)
            break;
        d.event = *event_of(&plan, 1);
        assert_true(starts < 100);
    }
    assert_int_equal(starts, 2 * POL_TRIAL_MAX);
    assert_true(starts <= OTADATA_STARTS_MAX);
}

/* What the log says must decide as this says. */
static bool oracle_goes_on(const struct device *d, uint32_t seq)
{
    unsigned charged = 0, power = 0;
    bool by_power =
        d->reason == PORT_RESET_POWERON || d->reason == PORT_RESET_BROWNOUT;
    if (d->event.seq == seq && d->event.kind == OTA_EVENT_GIVEN_UP)
        return false;
    if (d->event.seq == seq && d->event.kind == OTA_EVENT_STARTED) {
        charged = d->event.charged;
        power = d->event.power;
    }
    bool excused = by_power && power < d->trial_power;
    return charged + !excused < (d->trial_boots ? d->trial_boots : 1u);
}

/* A trial that goes on is, for one pass, a record like a VALID one, if its
 * image is good; one that does not is the reference's. */
static const char *compare_trial(const struct device *d)
{
    struct device plain = *d;
    struct boot_plan plan, want;
    struct ota_rec rec[2], ref[2];
    int led = ref_active(d->rec);
    const char *what = run_ours(d, &plan, rec);
    if (what)
        return what;
    int slot = led < 0 || d->slot_cnt == 0
                   ? -1
                   : (int)((d->rec[led].seq - 1) % (uint32_t)d->slot_cnt);
    bool on = led >= 0 && d->rec[led].state == 1 &&
              oracle_goes_on(d, d->rec[led].seq) &&
              (slot < 0 || d->image[slot] == BOOT_IMAGE_GOOD);
    plain.trial_boots = plain.trial_power = 0;
    memset(&plain.event, 0, sizeof(plain.event));
    if (on)
        plain.rec[led].state = OTA_STATE_VALID;
    what = run_ours(&plain, &want, ref);
    if (what)
        return what;
    if (on && ref[led].state == OTA_STATE_VALID)
        ref[led].state = OTA_STATE_PENDING;
    if (plan.choice != want.choice || plan.action != want.action)
        return "another choice";
    if (memcmp(rec, ref, sizeof(rec)) != 0)
        return "other records";
    if (led >= 0 && d->rec[led].state == 1 && slot >= 0 &&
        event_of(&plan, (uint32_t)led)->kind !=
            (on ? OTA_EVENT_STARTED : OTA_EVENT_GIVEN_UP))
        return "another event";
    return NULL;
}

static void test_every_trial(void **state)
{
    static const enum port_reset_reason reasons[] = { PORT_RESET_UNKNOWN,
                                                      PORT_RESET_POWERON,
                                                      PORT_RESET_PANIC,
                                                      PORT_RESET_BROWNOUT };
    unsigned long cnt = 0;
    (void)state;
    for (uint32_t k = 0; k < RECS * RECS; k++) {
        struct device d = { .slot_cnt = 2, .rollback = true };
        d.rec[0] = rec_nth(k % RECS);
        d.rec[1] = rec_nth(k / RECS);
        if (d.rec[0].state != 1 && d.rec[1].state != 1)
            continue;
        for (unsigned v = 0; v < 3u * 3 * 4 * 4 * 6 * 4; v++) {
            unsigned x = v;
            d.trial_boots = (uint8_t)(x % 3 + 1), x /= 3;
            d.trial_power = (uint8_t)(x % 3), x /= 3;
            d.reason = reasons[x % 4], x /= 4;
            d.event.kind = (uint8_t)(x % 4), x /= 4;
            d.event.charged = (uint8_t)(x % 3), x /= 3;
            d.event.power = (uint8_t)(x % 2), x /= 2;
            d.event.seq = d.rec[k & 1].seq;
            d.image[0] = x & 1 ? BOOT_IMAGE_GOOD : BOOT_IMAGE_BAD;
            d.image[1] = x & 2 ? BOOT_IMAGE_GOOD : BOOT_IMAGE_BAD;
            const char *what = compare_trial(&d);
            if (what)
                fail_msg("%s: records %u %#x, %u %#x, variant %u", what,
                         d.rec[0].seq, d.rec[0].state, d.rec[1].seq,
                         d.rec[1].state, v);
            cnt++;
        }
    }
    printf("# %lu trials\n", cnt);
    assert_true(cnt > 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_combination),
        cmocka_unit_test(test_sixteen_slots),
        cmocka_unit_test(test_histories),
        cmocka_unit_test(test_budget_is_bounded),
        cmocka_unit_test(test_every_trial),
    };
    return cmocka_run_group_tests_name("boot_plan", tests, NULL, NULL);
}
