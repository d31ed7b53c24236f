/* Every change of a record, with the power cut at every flash operation, and
 * cut again in the recovery.
 *
 * After each cut: the reader of the log sees the old record or the new one and
 * never goes back; the sibling's record is untouched; what the reference sees
 * (the first 32 bytes) is the old or the new record, or the intent is open and
 * the sibling decides; no sector was erased without an intent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

/* What is put to the test: the product, or a mutant that must go red. */
struct subject {
    esp_err_t (*change)(const struct otadata_place *at, struct otadata *o,
                        uint32_t idx, const struct ota_rec *rec);
    esp_err_t (*redo)(const struct otadata_place *at, struct otadata *o);
};

struct scene {
    struct ota_rec rec[2]; /* before */
    unsigned fill[2];
    uint32_t idx;
    struct ota_rec want;
};

struct tally {
    unsigned long scenes, cuts, second_cuts, bad, fired;
    const char *first_bad;
};

static const struct subject product = { otadata_change, otadata_redo };

static void bad(struct tally *t, const char *what)
{
    t->bad++;
    if (!t->first_bad)
        t->first_bad = what;
}

/* --- what must hold after a cut ------------------------------------------- */

static void check_reference(const struct rig *r, const struct scene *s,
                            struct tally *t)
{
    struct ota_rec raw, sibling;
    ota_rec_parse(r->sim.bytes + s->idx * OTADATA_SECTOR, &raw);
    ota_rec_parse(r->sim.bytes + (1 - s->idx) * OTADATA_SECTOR, &sibling);
    if (!rec_equal(&sibling, &s->rec[1 - s->idx]))
        bad(t, "the sibling's record changed");
    if (rec_equal(&raw, &s->rec[s->idx]) || rec_equal(&raw, &s->want))
        return;
    struct witness_entry e = witness_newest(r->sim.bytes);
    if (!e.found || !e.open || e.target != s->idx)
        bad(t, "a damaged record without an open intent");
}

/* Returns true when the new record is what counts. */
static bool check_view(const struct rig *r, const struct scene *s,
                       struct tally *t)
{
    struct otadata o;
    if (otadata_read(&r->at, OTADATA_LEN, &o) != ESP_OK) {
        bad(t, "the records cannot be read");
        return false;
    }
    if (!rec_equal(&o.rec[1 - s->idx], &s->rec[1 - s->idx]))
        bad(t, "the sibling reads otherwise");
    bool is_new = rec_equal(&o.rec[s->idx], &s->want);
    if (!is_new && !rec_equal(&o.rec[s->idx], &s->rec[s->idx]))
        bad(t, "neither the old record nor the new one");
    check_reference(r, s, t);
    return is_new;
}

/* Power stays: the change ends, and nothing is left to do. */
static void check_end(struct rig *r, const struct subject *sub,
                      const struct scene *s, bool was_new, struct tally *t)
{
    struct otadata o;
    if (sub->redo(&r->at, &o) != ESP_OK || o.redo_open)
        bad(t, "recovery does not end");
    uint32_t ops = sim_flash_ops(&r->sim);
    if (sub->redo(&r->at, &o) != ESP_OK || sim_flash_ops(&r->sim) != ops)
        bad(t, "a second recovery writes");
    bool is_new = check_view(r, s, t);
    if (was_new && !is_new)
        bad(t, "the new record was seen and is gone");
    if (!rec_equal(&o.raw[s->idx], &o.rec[s->idx]))
        bad(t, "the sector does not say what counts");
    if (sub->change(&r->at, &o, s->idx, &s->want) != ESP_OK ||
        !check_view(r, s, t))
        bad(t, "the change cannot be made again");
}

/* --- cuts ----------------------------------------------------------------- */

#define OPS_MAX 16u
#define OP_BODY 3u /* intent, erase, then the record without its CRC */

/* The CRC is the commit: before it stands there, the reference sees a damaged
 * record, and never one with half a state. */
static void check_commit(const struct rig *r, const struct scene *s,
                         uint32_t op, struct tally *t)
{
    struct ota_rec raw;
    ota_rec_parse(r->sim.bytes + s->idx * OTADATA_SECTOR, &raw);
    if (op == OP_BODY && r->flash.prog_len <= 4 && !ota_rec_blank(&s->want) &&
        ota_rec_crc_ok(&raw))
        bad(t, "a good CRC before the commit");
}

static void second_cuts(struct rig *r, const struct subject *sub,
                        const struct scene *s, bool was_new, struct tally *t)
{
    struct rig_image image;
    struct cut cuts[CUTS_MAX];
    unsigned cnt = cut_list(cuts, torn_ways(1, 3));
    rig_save(r, &image);
    for (uint32_t op = 1; op <= OPS_MAX; op++) {
        for (unsigned i = 0; i < cnt; i++) {
            struct otadata o;
            rig_load(r, &image);
            sim_flash_arm(&r->sim, cuts[i].fault, op, cuts[i].seed + op);
            esp_err_t err = sub->redo(&r->at, &o);
            if (r->sim.count.fired == 0) {
                if (err != ESP_OK)
                    bad(t, "recovery fails without a cut");
                return;
            }
            t->second_cuts++;
            sim_flash_power_on(&r->sim);
            bool is_new = check_view(r, s, t);
            if (was_new && !is_new)
                bad(t, "the new record was seen and is gone");
            check_end(r, sub, s, is_new, t);
        }
    }
    bad(t, "recovery takes too many operations");
}

static void run_scene(struct rig *r, const struct subject *sub,
                      const struct scene *s, struct tally *t)
{
    struct rig_image start, cut_image;
    struct cut cuts[CUTS_MAX];
    unsigned cnt = cut_list(cuts, torn_ways(2, 6));
    image_start(&start, s->rec, s->fill);
    t->scenes++;
    for (uint32_t op = 1; op <= OPS_MAX; op++) {
        for (unsigned i = 0; i < cnt; i++) {
            struct otadata o;
            rig_load(r, &start);
            sim_flash_arm(&r->sim, cuts[i].fault, op, cuts[i].seed + op);
            esp_err_t err = sub->change(&r->at, &o, s->idx, &s->want);
            if (r->sim.count.fired == 0) {
                if (err != ESP_OK || !check_view(r, s, t))
                    bad(t, "the change fails without a cut");
                return;
            }
            t->cuts++;
            t->fired += r->sim.count.fired;
            sim_flash_power_on(&r->sim);
            check_commit(r, s, op, t);
            bool is_new = check_view(r, s, t);
            rig_save(r, &cut_image);
            second_cuts(r, sub, s, is_new, t);
            rig_load(r, &cut_image);
            check_end(r, sub, s, is_new, t);
        }
    }
    bad(t, "a change takes too many operations");
}

/* --- the scenes ----------------------------------------------------------- */

static const uint32_t states[] = { OTA_STATE_NEW,     OTA_STATE_PENDING,
                                   OTA_STATE_VALID,   OTA_STATE_INVALID,
                                   OTA_STATE_ABORTED, OTA_STATE_UNDEFINED,
                                   0x55AA0007u };
#define STATE_CNT (sizeof(states) / sizeof(states[0]))

/* Old records: each state with a good and a bad CRC, and blank. */
#define OLD_CNT (2 * STATE_CNT + 1)
static struct ota_rec old_rec(unsigned i, uint32_t seq)
{
    if (i == 2 * STATE_CNT)
        return rec_blank();
    struct ota_rec rec = rec_of(seq, states[i / 2]);
    if (i % 2)
        rec.crc ^= 0x00010000u;
    return rec;
}

/* New ones: each state with the same and with another sequence, and blank. */
#define WANT_CNT (2 * STATE_CNT + 1)
static struct ota_rec want_rec(unsigned i, uint32_t seq)
{
    if (i == 2 * STATE_CNT)
        return rec_blank();
    return rec_of(i % 2 ? seq + 2 : seq, states[i / 2]);
}

/* Every stride-th pair of an old and a new record. */
static void run_all(struct rig *r, const unsigned fill[2], unsigned stride,
                    struct tally *t)
{
    static const unsigned siblings[] = { 4, 8, 2 * STATE_CNT };
    for (unsigned o = 0; o < OLD_CNT; o++) {
        for (unsigned w = 0; w < WANT_CNT; w++) {
            struct scene s = { .idx = (o + w) % 2 };
            if ((o * WANT_CNT + w) % stride)
                continue;
            s.fill[0] = fill[0];
            s.fill[1] = fill[1];
            s.rec[s.idx] = old_rec(o, 5);
            s.rec[1 - s.idx] = old_rec(siblings[(o + w) % 3], 4);
            s.want = want_rec(w, 5);
            if (!rec_equal(&s.rec[s.idx], &s.want))
                run_scene(r, &product, &s, t);
        }
    }
}

static void report(const char *what, const struct tally *t)
{
    printf("# %s: %lu changes, %lu cuts, %lu second cuts, %lu bad%s%s\n", what,
           t->scenes, t->cuts, t->second_cuts, t->bad, t->bad ? ": " : "",
           t->bad ? t->first_bad : "");
}

static void test_fill(const char *what, unsigned used, uint32_t unit,
                      unsigned stride)
{
    struct rig r;
    struct tally t = { 0 };
    const unsigned fill[2] = { used, used + used / 8 };
    rig_open(&r, unit);
    run_all(&r, fill, torn_ways(stride, stride / 4), &t);
    report(what, &t);
    assert_int_equal(t.bad, 0);
    assert_int_equal(r.bad_erases, 0);
    assert_true(t.scenes > 15 && t.cuts > 20 * t.scenes);
    assert_true(t.fired == t.cuts && t.second_cuts > t.cuts);
    rig_close(&r);
}

static void test_empty_log(void **state)
{
    (void)state;
    test_fill("empty logs", 0, 4, 11);
}

static void test_used_log(void **state)
{
    (void)state;
    test_fill("used logs", 9, 4, 4);
}

static void test_last_entries(void **state)
{
    (void)state;
    test_fill("few places left", 55, 4, 11);
}

static void test_units(void **state)
{
    (void)state;
    test_fill("bytes can be programmed", 2, 1, 13);
    test_fill("units of 16 bytes", 2, 16, 13);
}

/* --- a full log: as the reference, and never stuck ------------------------ */

static void test_full_log(void **state)
{
    (void)state;
    struct rig r;
    struct otadata o;
    struct rig_image image;
    const struct ota_rec rec[2] = { rec_of(5, OTA_STATE_PENDING),
                                    rec_of(4, OTA_STATE_VALID) };
    const struct ota_rec want = rec_of(5, OTA_STATE_VALID);
    const unsigned fill[2] = { 0, 63 };
    rig_open(&r, 4);
    image_start(&image, rec, fill);
    for (uint32_t op = 1; op <= 4; op++) {
        rig_load(&r, &image);
        r.log_full = true;
        sim_flash_arm(&r.sim, SIM_FAULT_TORN, op, op);
        esp_err_t err = otadata_change(&r.at, &o, 0, &want);
        assert_int_equal(r.sim.count.fired, op < 4);
        assert_true((err != ESP_OK) == (op < 4));
        sim_flash_power_on(&r.sim);
        assert_int_equal(otadata_read(&r.at, OTADATA_LEN, &o), ESP_OK);
        assert_false(o.redo_open);
        assert_true(rec_equal(&o.rec[1], &rec[1])); /* the sibling decides */
    }
    assert_true(rec_equal(&o.rec[0], &want));
    /* The other way round there is room, and erasing sector 1 makes more. */
    r.log_full = false;
    const struct ota_rec other = rec_of(6, OTA_STATE_NEW);
    assert_int_equal(otadata_change(&r.at, &o, 1, &other), ESP_OK);
    assert_int_equal(o.free_cnt[1], 63);
    assert_int_equal(r.bad_erases, 0);
    rig_close(&r);
}

/* --- a flash that reports failure ----------------------------------------- */

static void test_bad_status(void **state)
{
    (void)state;
    struct rig r;
    struct otadata o;
    struct rig_image image;
    const struct ota_rec rec[2] = { rec_of(5, OTA_STATE_PENDING),
                                    rec_of(4, OTA_STATE_VALID) };
    const struct scene s = { .rec = { rec[0], rec[1] },
                             .idx = 0,
                             .want = rec_of(5, OTA_STATE_VALID) };
    struct tally t = { 0 };
    rig_open(&r, 4);
    image_start(&image, rec, s.fill);
    for (uint32_t op = 1; op <= 5; op++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            rig_load(&r, &image);
            sim_flash_arm(&r.sim, SIM_FAULT_STATUS, op, seed);
            assert_int_not_equal(otadata_change(&r.at, &o, 0, &s.want), ESP_OK);
            assert_int_equal(r.sim.count.fired, 1);
            bool was_new = check_view(&r, &s, &t);
            check_end(&r, &product, &s, was_new, &t);
        }
    }
    assert_int_equal(t.bad, 0);
    assert_int_equal(r.bad_erases, 0);
    rig_close(&r);
}

/* --- mutants: the harness must see them ----------------------------------- */

/* Erase, then write, as the reference does. */
static esp_err_t mutant_change(const struct otadata_place *at,
                               struct otadata *o, uint32_t idx,
                               const struct ota_rec *rec)
{
    uint8_t bytes[OTADATA_REC_LEN];
    uint32_t off = at->off + idx * OTADATA_SECTOR;
    ota_rec_pack(rec, bytes);
    esp_err_t err = at->flash->erase(at->flash->ctx, off);
    if (!err)
        err = at->flash->prog(at->flash->ctx, off, bytes, sizeof(bytes));
    return err ? err : otadata_read(at, OTADATA_LEN, o);
}

/* Believes a record that reads right, and closes the intent. */
static esp_err_t mutant_redo(const struct otadata_place *at, struct otadata *o)
{
    static const uint8_t done[4] = { 0 };
    esp_err_t err = otadata_read(at, OTADATA_LEN, o);
    if (err || !o->redo_open)
        return err;
    if (!rec_equal(&o->raw[o->redo_idx], &o->rec[o->redo_idx]))
        return otadata_redo(at, o);
    err = at->flash->prog(at->flash->ctx, at->off + o->open_off + 48, done, 4);
    return err ? err : otadata_read(at, OTADATA_LEN, o);
}

static void test_mutant_without_intent(void **state)
{
    (void)state;
    static const struct subject mutant = { mutant_change, otadata_redo };
    static const struct scene s = { .idx = 0 };
    struct rig r;
    struct tally t = { 0 };
    struct scene own = s;
    own.rec[0] = rec_of(5, OTA_STATE_PENDING);
    own.rec[1] = rec_of(4, OTA_STATE_VALID);
    own.want = rec_of(5, OTA_STATE_VALID);
    rig_open(&r, 4);
    run_scene(&r, &mutant, &own, &t);
    report("mutant, erase then write", &t);
    assert_true(t.bad > 0);
    assert_true(r.bad_erases > 0);
    rig_close(&r);
}

/* The sector's erase stopped with the new record's bytes standing there and
 * bits that have not settled: a recovery that believes them loses it. */
static void test_mutant_believes_contents(void **state)
{
    (void)state;
    static const struct subject subjects[2] = {
        { otadata_change, mutant_redo }, { otadata_change, otadata_redo }
    };
    for (unsigned k = 0; k < 2; k++) {
        struct rig r;
        struct rig_image image;
        struct tally t = { 0 };
        struct scene s = { .idx = 0, .want = rec_of(5, OTA_STATE_PENDING) };
        s.rec[0] = rec_of(5, OTA_STATE_NEW);
        s.rec[1] = rec_of(4, OTA_STATE_VALID);
        struct witness_entry e = { .gen = 1, .old_seq = 5, .open = true };
        ota_rec_pack(&s.want, e.rec);
        image_start(&image, s.rec, s.fill);
        witness_pack(image.bytes + OTADATA_SECTOR + 64, &e);
        image.is_unstable[0] = true;
        image.unstable[24] = 0x01; /* NEW 0 and PENDING 1: not decided */
        rig_open(&r, 4);
        for (unsigned turn = 0; turn < 64; turn++) {
            rig_load(&r, &image);
            check_end(&r, &subjects[k], &s, true, &t);
        }
        assert_int_equal(t.bad > 0, k == 0);
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_log),
        cmocka_unit_test(test_used_log),
        cmocka_unit_test(test_last_entries),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_full_log),
        cmocka_unit_test(test_bad_status),
        cmocka_unit_test(test_mutant_without_intent),
        cmocka_unit_test(test_mutant_believes_contents),
    };
    return cmocka_run_group_tests_name("otadata_cuts", tests, NULL, NULL);
}
