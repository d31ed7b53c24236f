/* What the log knows besides changes: events and denied digests. They outlive
 * every change of a record, whatever is cut and cut again in the recovery, and
 * what was forgotten does not come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

#define DIGEST OTADATA_DIGEST_LEN
#define OPS_MAX 40u

/* What ought to be known. */
struct known {
    struct ota_event event; /* kind NONE: do not ask */
    struct ota_event verdict;
    uint8_t deny[OTADATA_DENY_MAX]; /* first bytes of the digests */
    unsigned deny_cnt;
};

static void digest_of(uint8_t n, uint8_t out[DIGEST])
{
    memset(out, 0x11, DIGEST);
    out[0] = n;
    out[DIGEST - 1] = (uint8_t)~n;
}

static struct ota_event event_of(uint8_t kind, uint32_t idx, uint32_t seq,
                                 uint8_t charged)
{
    struct ota_event ev = { .seq = seq,
                            .rec_idx = (uint8_t)idx,
                            .kind = kind,
                            .who = OTA_BY_POLICY,
                            .why = OTA_WHY_DEADLINE,
                            .reset_reason = 4,
                            .charged = charged,
                            .power = 3,
                            .up_ms = 0x01020304,
                            .conditions = 0xA0B0C0D0,
                            .text = "sixteen letters!" };
    return ev;
}

static bool event_equal(const struct ota_event *a, const struct ota_event *b)
{
    return a->seq == b->seq && a->rec_idx == b->rec_idx && a->kind == b->kind &&
           a->who == b->who && a->why == b->why &&
           a->reset_reason == b->reset_reason && a->charged == b->charged &&
           a->power == b->power && a->up_ms == b->up_ms &&
           a->conditions == b->conditions &&
           memcmp(a->text, b->text, sizeof(a->text)) == 0;
}

static const char *check_deny(const struct otadata_place *at,
                              const struct otadata *o, const struct known *k)
{
    uint8_t want[DIGEST], have[DIGEST];
    bool denied;
    for (unsigned i = 0; i < OTADATA_DENY_MAX; i++) {
        esp_err_t err = otadata_deny_get(at, o, i, have);
        if (i >= k->deny_cnt) {
            if (err != ESP_ERR_NOT_FOUND)
                return "a digest that nobody denied, or twice";
            continue;
        }
        digest_of(k->deny[i], want);
        if (err || memcmp(have, want, DIGEST) != 0)
            return "a denied digest is gone, or out of order";
        if (otadata_deny_has(at, o, want, &denied) || !denied)
            return "a denied digest is not found";
    }
    digest_of(0xEE, want);
    want[5] = 0;
    if (otadata_deny_has(at, o, want, &denied) || denied)
        return "a digest is found that is not there";
    return NULL;
}

static const char *check_known(const struct otadata_place *at,
                               const struct known *k)
{
    struct otadata o;
    struct ota_event verdict;
    if (otadata_read(at, OTADATA_LEN, &o))
        return "it cannot be read";
    if (k->event.kind && !event_equal(&o.event, &k->event))
        return "the newest event is another";
    if (otadata_verdict(at, &o, &verdict) ||
        !event_equal(&verdict, &k->verdict))
        return "the verdict is another";
    return check_deny(at, &o, k);
}

/* --- a device with something to remember ---------------------------------- */

struct scene {
    struct rig rig;
    struct rig_image start;
    struct known known;
};

static void must(esp_err_t err)
{
    assert_int_equal(err, ESP_OK);
}

/* Record 0 VALID and running, record 1 on trial; in sector `where` stands
 * nearly all that must live on. */
static void scene_open(struct scene *s, uint32_t where, uint32_t unit)
{
    const struct ota_rec rec[2] = { rec_of(5, OTA_STATE_VALID),
                                    rec_of(6, OTA_STATE_PENDING) };
    const unsigned fill[2] = { where == 1 ? 30 : 0, where == 0 ? 30 : 0 };
    struct ota_event ev;
    struct otadata o;
    uint8_t digest[DIGEST];

    memset(s, 0, sizeof(*s));
    rig_open(&s->rig, unit);
    image_start(&s->start, rec, fill);
    rig_load(&s->rig, &s->start);
    must(otadata_read(&s->rig.at, OTADATA_LEN, &o));
    for (uint8_t n = 100; n < 103; n++) { /* forgotten, see below */
        digest_of(n, digest);
        must(otadata_deny_add(&s->rig.at, &o, digest));
    }
    must(otadata_deny_clear(&s->rig.at, &o));
    s->known.deny_cnt = 3;
    for (uint8_t n = 0; n < 3; n++) {
        s->known.deny[n] = (uint8_t)(2 - n);
        digest_of(n, digest);
        must(otadata_deny_add(&s->rig.at, &o, digest));
    }
    s->known.verdict = event_of(OTA_EVENT_GIVEN_UP, 1 - where, 4, 9);
    must(otadata_note(&s->rig.at, &o, &s->known.verdict));
    ev = event_of(OTA_EVENT_STARTED, 1 - where, 6, 1);
    must(otadata_note(&s->rig.at, &o, &ev));
    s->known.event = ev;
    rig_save(&s->rig, &s->start);
    assert_null(check_known(&s->rig.at, &s->known));
}

static esp_err_t do_change(struct rig *r, uint32_t idx)
{
    const struct ota_rec want = rec_of(8, OTA_STATE_NEW);
    struct otadata o;
    return otadata_change(&r->at, &o, idx, &want);
}

struct tally {
    unsigned long cuts, second;
};

static void recover_cut(struct scene *s, uint32_t idx, struct tally *t)
{
    struct rig_image image;
    struct cut cuts[CUTS_MAX];
    unsigned cnt = cut_list(cuts, torn_ways(1, 3));
    rig_save(&s->rig, &image);
    for (uint32_t op = 1; op <= OPS_MAX; op++) {
        for (unsigned i = 0; i < cnt; i++) {
            rig_load(&s->rig, &image);
            sim_flash_arm(&s->rig.sim, cuts[i].fault, op, cuts[i].seed + op);
            esp_err_t err = do_change(&s->rig, idx);
            bool fired = s->rig.sim.count.fired > 0;
            sim_flash_power_on(&s->rig.sim);
            const char *bad = check_known(&s->rig.at, &s->known);
            if (!bad && !fired && err)
                bad = "the change fails without a cut";
            if (!bad && do_change(&s->rig, idx))
                bad = "it cannot be made again";
            if (!bad)
                bad = check_known(&s->rig.at, &s->known);
            if (bad)
                fail_msg("%s: record %u, second cut at %u", bad, idx, op);
            if (!fired)
                return;
            t->second++;
        }
    }
    fail_msg("a change takes too many operations");
}

static void change_cut(struct scene *s, uint32_t idx, struct tally *t)
{
    struct cut cuts[CUTS_MAX];
    unsigned cnt = cut_list(cuts, torn_ways(2, 6));
    for (uint32_t op = 1; op <= OPS_MAX; op++) {
        for (unsigned i = 0; i < cnt; i++) {
            rig_load(&s->rig, &s->start);
            sim_flash_arm(&s->rig.sim, cuts[i].fault, op, cuts[i].seed + op);
            esp_err_t err = do_change(&s->rig, idx);
            bool fired = s->rig.sim.count.fired > 0;
            sim_flash_power_on(&s->rig.sim);
            const char *bad = check_known(&s->rig.at, &s->known);
            if (bad || (!fired && err))
                fail_msg("%s: record %u, cut at %u", bad ? bad : "it fails",
                         idx, op);
            if (!fired) {
                assert_true(op > 9); /* what stood there was carried over */
                return;
            }
            t->cuts++;
            recover_cut(s, idx, t);
        }
    }
    fail_msg("a change takes too many operations");
}

static void test_changes_keep_them(void **state)
{
    static const uint32_t units[] = { 4, 16 };
    struct tally t = { 0, 0 };
    (void)state;
    for (unsigned u = 0; u < 2; u++) {
        for (uint32_t where = 0; where < 2; where++) {
            struct scene s;
            scene_open(&s, where, units[u]);
            change_cut(&s, where, &t);
            assert_int_equal(s.rig.bad_erases, 0);
            rig_close(&s.rig);
        }
    }
    printf("# %lu cuts, %lu second cuts\n", t.cuts, t.second);
    assert_true(t.cuts > 200 && t.second > t.cuts);
}

/* --- one entry ------------------------------------------------------------ */

enum act { ACT_NOTE, ACT_ADD, ACT_CLEAR, ACT_CNT };

static esp_err_t do_act(struct scene *s, enum act act)
{
    struct otadata o;
    struct ota_event ev = event_of(OTA_EVENT_CONFIRMED, 1, 6, 1);
    uint8_t digest[DIGEST];
    digest_of(50, digest);
    esp_err_t err = otadata_read(&s->rig.at, OTADATA_LEN, &o);
    if (err)
        return err;
    return act == ACT_NOTE  ? otadata_note(&s->rig.at, &o, &ev)
           : act == ACT_ADD ? otadata_deny_add(&s->rig.at, &o, digest)
                            : otadata_deny_clear(&s->rig.at, &o);
}

static struct known after(const struct scene *s, enum act act)
{
    struct known k = s->known;
    if (act == ACT_NOTE)
        k.event = k.verdict = event_of(OTA_EVENT_CONFIRMED, 1, 6, 1);
    if (act == ACT_ADD) {
        memmove(k.deny + 1, k.deny, sizeof(k.deny) - 1);
        k.deny[0] = 50;
        k.deny_cnt++;
    }
    if (act == ACT_CLEAR)
        k.deny_cnt = 0;
    return k;
}

/* An entry is there or not; records do not care. */
static void test_entry_cuts(void **state)
{
    struct cut cuts[CUTS_MAX];
    unsigned cnt = cut_list(cuts, torn_ways(6, 20)), was_new = 0, was_old = 0;
    (void)state;
    for (unsigned act = 0; act < ACT_CNT; act++) {
        struct scene s;
        scene_open(&s, 0, 4);
        struct known then = after(&s, (enum act)act);
        for (unsigned i = 0; i < cnt; i++) {
            rig_load(&s.rig, &s.start);
            sim_flash_arm(&s.rig.sim, cuts[i].fault, 1, cuts[i].seed);
            (void)!do_act(&s, (enum act)act);
            assert_int_equal(s.rig.sim.count.fired, 1);
            sim_flash_power_on(&s.rig.sim);
            bool done = check_known(&s.rig.at, &then) == NULL;
            was_new += done;
            was_old += !done;
            if (!done)
                assert_null(check_known(&s.rig.at, &s.known));
            assert_int_equal(do_act(&s, (enum act)act), ESP_OK);
            assert_null(check_known(&s.rig.at, &then));
            assert_int_equal(s.rig.sim.count.erases, 0);
        }
        rig_close(&s.rig);
    }
    assert_true(was_new > 0 && was_old > 0);
}

/* Nothing is written twice, and the list forgets the oldest. */
static void test_the_list(void **state)
{
    struct scene s;
    struct otadata o;
    uint8_t digest[DIGEST];
    (void)state;
    scene_open(&s, 0, 4);
    must(otadata_read(&s.rig.at, OTADATA_LEN, &o));
    uint32_t ops = sim_flash_ops(&s.rig.sim);
    digest_of(1, digest);
    must(otadata_deny_add(&s.rig.at, &o, digest));
    assert_int_equal(sim_flash_ops(&s.rig.sim), ops);
    s.known.deny_cnt = OTADATA_DENY_MAX;
    for (uint8_t n = 0; n < OTADATA_DENY_MAX; n++) {
        s.known.deny[OTADATA_DENY_MAX - 1 - n] = (uint8_t)(n + 20);
        digest_of((uint8_t)(n + 20), digest);
        must(otadata_deny_add(&s.rig.at, &o, digest));
    }
    assert_null(check_known(&s.rig.at, &s.known));
    must(otadata_deny_clear(&s.rig.at, &o));
    s.known.deny_cnt = 0;
    assert_null(check_known(&s.rig.at, &s.known));
    ops = sim_flash_ops(&s.rig.sim);
    must(otadata_deny_clear(&s.rig.at, &o));
    assert_int_equal(sim_flash_ops(&s.rig.sim), ops);
    rig_close(&s.rig);
}

/* They never take the places that changes need. */
static void test_room_is_left(void **state)
{
    struct scene s;
    struct otadata o;
    unsigned notes = 0, denied = 0;
    (void)state;
    scene_open(&s, 0, 4);
    must(otadata_read(&s.rig.at, OTADATA_LEN, &o));
    for (uint8_t n = 0; n < 200; n++) {
        uint8_t digest[DIGEST];
        digest_of((uint8_t)(n | 1), digest);
        digest[5] = n;
        esp_err_t err = otadata_deny_add(&s.rig.at, &o, digest);
        if (err)
            assert_int_equal(err, ESP_ERR_NO_MEM);
        denied += !err;
    }
    for (unsigned n = 0; n < 200; n++) {
        struct ota_event ev = event_of(OTA_EVENT_STARTED, n & 1, n, 0);
        esp_err_t err = otadata_note(&s.rig.at, &o, &ev);
        if (err)
            assert_int_equal(err, ESP_ERR_NO_MEM);
        notes += !err;
    }
    assert_true(denied > OTADATA_DENY_MAX && notes > OTADATA_STARTS_MAX);
    assert_int_equal(o.free_cnt[0], OTADATA_LOG_KEEP);
    assert_int_equal(o.free_cnt[1], OTADATA_LOG_KEEP);
    rig_close(&s.rig);
}

/* --- years of failed updates ---------------------------------------------- */

/* Trials that use all their starts, and are given up; the digest is denied
 * now and then. Nothing that ought to be known is lost in a move of house. */
static void test_failures_for_years(void **state)
{
    const struct ota_rec rec[2] = { rec_of(1, OTA_STATE_VALID), rec_blank() };
    const unsigned fill[2] = { 0, 0 };
    const struct otadata_request req = { .slot = 1,
                                         .slot_cnt = 2,
                                         .running_is_slot = true,
                                         .state = OTA_STATE_NEW };
    struct scene s;
    struct otadata o;
    uint32_t idx = 1, moves = 0;
    (void)state;
    memset(&s, 0, sizeof(s));
    rig_open(&s.rig, 4);
    image_start(&s.start, rec, fill);
    rig_load(&s.rig, &s.start);
    must(otadata_read(&s.rig.at, OTADATA_LEN, &o));
    for (unsigned i = 0; i < 500; i++) {
        uint32_t erases = s.rig.sim.count.erases;
        must(otadata_activate(&s.rig.at, &o, &req));
        moves += s.rig.sim.count.erases - erases > 1;
        const char *bad = i > 0 ? check_known(&s.rig.at, &s.known) : NULL;
        if (bad)
            fail_msg("%s after update %u", bad, i);
        idx = ota_active_idx(o.rec);
        struct ota_rec next = o.rec[idx];
        for (uint8_t n = 0; n <= OTADATA_STARTS_MAX; n++) {
            bool last = n == OTADATA_STARTS_MAX;
            struct ota_event ev =
                event_of(last ? OTA_EVENT_GIVEN_UP : OTA_EVENT_STARTED, idx,
                         next.seq, n);
            must(otadata_note(&s.rig.at, &o, &ev));
            next.state = last ? OTA_STATE_ABORTED : OTA_STATE_PENDING;
            must(otadata_change(&s.rig.at, &o, idx, &next));
            s.known.event = ev;
            if (last)
                s.known.verdict = ev;
        }
        if (i % 7 == 0) {
            uint8_t digest[DIGEST];
            digest_of((uint8_t)i, digest);
            must(otadata_deny_add(&s.rig.at, &o, digest));
            memmove(s.known.deny + 1, s.known.deny, sizeof(s.known.deny) - 1);
            s.known.deny[0] = (uint8_t)i;
            s.known.deny_cnt += s.known.deny_cnt < OTADATA_DENY_MAX;
        }
        assert_null(check_known(&s.rig.at, &s.known));
    }
    assert_true(moves > 100);
    assert_int_equal(s.rig.bad_erases, 0);
    rig_close(&s.rig);
}

/* A verdict ends the counting, and another's start does not count. */
static void test_event_order(void **state)
{
    struct scene s;
    struct otadata o;
    (void)state;
    scene_open(&s, 1, 4);
    must(otadata_read(&s.rig.at, OTADATA_LEN, &o));
    assert_int_equal(o.event.kind, OTA_EVENT_STARTED);
    assert_true(o.live[OTA_LIVE_STARTED].gen > o.live[OTA_LIVE_VERDICT].gen);
    struct ota_event ev = event_of(OTA_EVENT_CONFIRMED, 0, 6, 1);
    must(otadata_note(&s.rig.at, &o, &ev));
    assert_int_equal(o.event.kind, OTA_EVENT_CONFIRMED);
    assert_int_equal(o.live[OTA_LIVE_STARTED].gen, 0);
    rig_close(&s.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_keep_them),
        cmocka_unit_test(test_entry_cuts),
        cmocka_unit_test(test_the_list),
        cmocka_unit_test(test_room_is_left),
        cmocka_unit_test(test_failures_for_years),
        cmocka_unit_test(test_event_order),
    };
    return cmocka_run_group_tests_name("otadata_notes", tests, NULL, NULL);
}
