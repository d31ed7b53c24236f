/* Activations with the power cut at every operation, house moves and
 * renumbering included, and a soak of 10,000 updates.
 *
 * After each cut: a usable record leads; it names what led before, the running
 * slot or the target; the running slot keeps a usable record; and the same
 * request, made again, ends as it should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

#define NONE 0xFFFFFFFFu
#define V OTA_STATE_VALID
#define A OTA_STATE_ABORTED

struct scene {
    const char *claim;
    uint32_t seq0, state0, seq1, state1;
    unsigned used0, used1; /* log entries */
    uint32_t cnt, running, slot;
    unsigned changes; /* records that change: 2 with a move */
};

static const struct scene scenes[] = {
    { "plain", 1, V, 2, A, 0, 0, 2, 0, 1, 1 },
    { "the running slot's log is nearly full", 1, V, 2, A, 56, 0, 2, 0, 1, 2 },
    { "one place is left", 1, V, 2, A, 62, 5, 2, 0, 1, 2 },
    { "no place is left", 1, V, 2, A, 63, 5, 2, 0, 1, 2 },
    { "the running slot is in record 1", 3, A, 2, V, 4, 58, 2, 1, 0, 2 },
    { "after a fallback, three slots", 5, V, 4, V, 1, 1, 3, 0, 2, 1 },
    { "after a fallback, little room", 5, V, 4, V, 1, 60, 3, 0, 2, 2 },
    { "the running slot has no record", 6, V, 5, V, 2, 2, 3, 0, 1, 2 },
    { "blank otadata, a slot runs", NONE, V, NONE, V, 0, 0, 2, 0, 1, 2 },
    { "the sequences end", NONE, V, 0xFFFFFFFE, V, 3, 3, 2, 1, 0, 2 },
    { "the sequences end, the other is near too", 0xFFFFFFFD, A, 0xFFFFFFFE, V,
      3, 3, 2, 1, 0, 2 },
    { "back to the running slot", 3, 0, 2, V, 3, 3, 2, 1, 1, 1 },
};

static struct ota_rec scene_rec(uint32_t seq, uint32_t state)
{
    return seq == NONE ? rec_blank() : rec_of(seq, state);
}

static bool names(const struct ota_rec *rec, uint32_t slot, uint32_t cnt)
{
    return ota_rec_valid(rec) && ota_seq_slot(rec->seq, cnt) == slot;
}

static uint32_t leads(const struct ota_rec rec[2], uint32_t cnt)
{
    uint32_t idx = ota_active_idx(rec);
    return idx == OTA_REC_NONE ? NONE : ota_seq_slot(rec[idx].seq, cnt);
}

struct run {
    struct rig rig;
    const struct scene *s;
    uint32_t led;    /* slot that led at the start, NONE: none */
    bool had_record; /* the running slot, at the start */
    unsigned long cuts, second_cuts;
};

static void check(const struct run *run, bool done)
{
    struct otadata o;
    const struct scene *s = run->s;
    assert_int_equal(otadata_read(&run->rig.at, OTADATA_LEN, &o), ESP_OK);
    uint32_t now = leads(o.rec, s->cnt);
    if (done ? now != s->slot
             : now != run->led && now != s->running && now != s->slot)
        fail_msg("%s: slot %u leads", s->claim, now);
    if ((run->had_record || done) && s->running != s->slot &&
        !names(&o.rec[0], s->running, s->cnt) &&
        !names(&o.rec[1], s->running, s->cnt))
        fail_msg("%s: the running slot's record is gone", s->claim);
    if (run->rig.bad_erases)
        fail_msg("%s: an erase without an intent", s->claim);
}

static esp_err_t activate(struct run *run)
{
    struct otadata o;
    const struct otadata_request req = { .slot = run->s->slot,
                                         .slot_cnt = run->s->cnt,
                                         .running_is_slot = true,
                                         .running_slot = run->s->running,
                                         .state = OTA_STATE_NEW };
    return otadata_activate(&run->rig.at, &o, &req);
}

static void check_again(struct run *run)
{
    struct otadata o;
    assert_int_equal(otadata_redo(&run->rig.at, &o), ESP_OK);
    check(run, false);
    assert_int_equal(activate(run), ESP_OK);
    check(run, true);
}

static void second_cuts(struct run *run)
{
    struct rig_image image;
    struct cut cuts[CUTS_MAX];
    unsigned cnt = cut_list(cuts, torn_ways(1, 4));
    rig_save(&run->rig, &image);
    for (uint32_t op = 1;; op++) {
        for (unsigned i = 0; i < cnt; i++) {
            rig_load(&run->rig, &image);
            sim_flash_arm(&run->rig.sim, cuts[i].fault, op, cuts[i].seed);
            esp_err_t err = activate(run); /* recovers first */
            if (run->rig.sim.count.fired == 0) {
                assert_int_equal(err, ESP_OK);
                check(run, true);
                return;
            }
            run->second_cuts++;
            sim_flash_power_on(&run->rig.sim);
            check(run, false);
            check_again(run);
        }
    }
}

static void run_scene(struct run *run, const struct rig_image *start)
{
    struct rig_image cut_image;
    struct cut cuts[CUTS_MAX];
    unsigned cnt = cut_list(cuts, torn_ways(3, 8));
    for (uint32_t op = 1;; op++) {
        for (unsigned i = 0; i < cnt; i++) {
            rig_load(&run->rig, start);
            sim_flash_arm(&run->rig.sim, cuts[i].fault, op, cuts[i].seed);
            esp_err_t err = activate(run);
            if (run->rig.sim.count.fired == 0) {
                assert_int_equal(err, ESP_OK);
                assert_int_equal(run->rig.sim.count.erases, run->s->changes);
                check(run, true);
                return;
            }
            run->cuts++;
            sim_flash_power_on(&run->rig.sim);
            check(run, false);
            rig_save(&run->rig, &cut_image);
            second_cuts(run);
            rig_load(&run->rig, &cut_image);
            check_again(run);
        }
    }
}

static void test_cuts(void **state)
{
    unsigned long cuts = 0, second = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        const struct scene *s = &scenes[i];
        struct run run = { .s = s };
        struct rig_image start;
        const struct ota_rec rec[2] = { scene_rec(s->seq0, s->state0),
                                        scene_rec(s->seq1, s->state1) };
        const unsigned fill[2] = { s->used0, s->used1 };
        rig_open(&run.rig, 4);
        /* A torn intent may use up the last place. */
        run.rig.log_full = s->used0 >= 62;
        run.led = leads(rec, s->cnt);
        run.had_record = names(&rec[0], s->running, s->cnt) ||
                         names(&rec[1], s->running, s->cnt);
        image_start(&start, rec, fill);
        run_scene(&run, &start);
        cuts += run.cuts;
        second += run.second_cuts;
        rig_close(&run.rig);
    }
    printf("# activations: %zu, %lu cuts, %lu second cuts\n",
           sizeof(scenes) / sizeof(scenes[0]), cuts, second);
    assert_true(cuts > 500 && second > cuts);
}

/* --- soak ----------------------------------------------------------------- */

struct device {
    struct rig rig;
    struct otadata o;
    uint32_t cnt, running;
    uint32_t rnd;
    unsigned long updates, failed, cuts;
};

static uint32_t rnd(struct device *d, uint32_t below)
{
    d->rnd = d->rnd * 1664525u + 1013904223u;
    return (d->rnd >> 8) % below;
}

/* Every so often the power goes somewhere in what follows. */
static void maybe_cut(struct device *d)
{
    static const enum sim_fault faults[] = { SIM_FAULT_BEFORE, SIM_FAULT_TORN,
                                             SIM_FAULT_UNSTABLE,
                                             SIM_FAULT_AFTER };
    if (rnd(d, 8) != 0)
        return;
    enum sim_fault fault = faults[rnd(d, 4)];
    uint32_t op = 1 + rnd(d, 8);
    sim_flash_arm(&d->rig.sim, fault, op, d->rnd);
}

/* Returns true when the power went. */
static bool was_cut(struct device *d)
{
    bool cut = d->rig.sim.power_off;
    d->cuts += cut;
    sim_flash_power_on(&d->rig.sim);
    return cut;
}

static void mark(struct device *d, uint32_t state)
{
    for (;;) {
        assert_int_equal(otadata_read(&d->rig.at, OTADATA_LEN, &d->o), ESP_OK);
        uint32_t idx = ota_active_idx(d->o.rec);
        if (idx == OTA_REC_NONE || d->o.rec[idx].state == state ||
            ota_seq_slot(d->o.rec[idx].seq, d->cnt) == d->running)
            return;
        struct ota_rec rec = d->o.rec[idx];
        rec.state = state;
        maybe_cut(d);
        esp_err_t err = otadata_change(&d->rig.at, &d->o, idx, &rec);
        if (!was_cut(d))
            assert_int_equal(err, ESP_OK);
    }
}

static void update(struct device *d, uint32_t slot)
{
    const struct otadata_request req = { .slot = slot,
                                         .slot_cnt = d->cnt,
                                         .running_is_slot = true,
                                         .running_slot = d->running,
                                         .state = OTA_STATE_NEW };
    for (;;) {
        maybe_cut(d);
        esp_err_t err = otadata_activate(&d->rig.at, &d->o, &req);
        if (!was_cut(d)) {
            assert_int_equal(err, ESP_OK);
            break;
        }
    }
    d->updates++;
    assert_int_equal(leads(d->o.rec, d->cnt), slot);
    mark(d, OTA_STATE_PENDING);
    if (rnd(d, 3) == 0) {
        mark(d, OTA_STATE_ABORTED);
        d->failed++;
        assert_int_equal(leads(d->o.rec, d->cnt), d->running);
    } else {
        mark(d, OTA_STATE_VALID);
        assert_int_equal(leads(d->o.rec, d->cnt), slot);
        d->running = slot;
    }
}

static void soak(uint32_t cnt, uint32_t seq, unsigned updates)
{
    struct device d = { .cnt = cnt, .rnd = cnt };
    struct rig_image start;
    const struct ota_rec rec[2] = { rec_of(seq, V), rec_blank() };
    const unsigned fill[2] = { 0, 0 };
    d.running = ota_seq_slot(seq, cnt);
    rig_open(&d.rig, 4);
    image_start(&start, rec, fill);
    rig_load(&d.rig, &start);
    for (unsigned i = 0; i < updates; i++)
        update(&d, (d.running + 1 + rnd(&d, cnt - 1)) % cnt);
    printf("# %u slots from sequence %#x: %lu updates, %lu failed, %lu cuts, "
           "%u + %u erases, sequence %u\n",
           cnt, seq, d.updates, d.failed, d.cuts, d.rig.sim.erase_cnt[0],
           d.rig.sim.erase_cnt[1], d.o.rec[ota_active_idx(d.o.rec)].seq);
    assert_int_equal(d.rig.bad_erases, 0);
    assert_true(d.cuts > updates / 20 && d.failed > updates / 5);
    rig_close(&d.rig);
}

static void test_soak(void **state)
{
    (void)state;
    soak(2, 1, 10000);
    soak(3, 1, 10000);
    soak(16, 1, 2000);
}

static void test_soak_wraps(void **state)
{
    (void)state;
    soak(2, 0xFFFFFFF0u, 200);
    soak(3, 0xFFFFFFF0u, 200);
    soak(7, 0xFFFFFFFEu, 200);
}

/* Updates that all fail stay away from the running slot's record, and the log
 * never runs out. */
static void test_only_failures(void **state)
{
    struct device d = { .cnt = 2, .rnd = 5 };
    struct rig_image start;
    const struct ota_rec rec[2] = { rec_of(1, V), rec_blank() };
    const unsigned fill[2] = { 0, 0 };
    (void)state;
    rig_open(&d.rig, 4);
    image_start(&start, rec, fill);
    rig_load(&d.rig, &start);
    for (unsigned i = 0; i < 1000; i++) {
        const struct otadata_request req = { .slot = 1,
                                             .slot_cnt = 2,
                                             .running_is_slot = true,
                                             .state = OTA_STATE_NEW };
        assert_int_equal(otadata_activate(&d.rig.at, &d.o, &req), ESP_OK);
        mark(&d, OTA_STATE_PENDING);
        mark(&d, OTA_STATE_ABORTED);
        assert_int_equal(leads(d.o.rec, 2), 0);
        assert_true(d.o.free_cnt[0] > 0 && d.o.free_cnt[1] > 0);
    }
    assert_int_equal(d.rig.bad_erases, 0);
    rig_close(&d.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_soak),
        cmocka_unit_test(test_soak_wraps),
        cmocka_unit_test(test_only_failures),
    };
    return cmocka_run_group_tests_name("otadata_moves", tests, NULL, NULL);
}
