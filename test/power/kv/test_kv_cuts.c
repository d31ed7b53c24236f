/* Every operation of the key/value store with the power cut at every flash
 * operation - before it, in it, after it - and again in the recovery; and with
 * every flash operation reporting failure.
 *
 * After each: the store mounts; every key has its old value or, as far as the
 * operation is about it, its new one; a second reader finds the store sound; a
 * second mount has nothing to do; the operation succeeds when tried again.
 * PORTA_DEEP=1: more ways of tearing, and second cuts of a long recovery (a
 * page that is moved) in 24 places or more instead of 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

#define OPS_MAX 1000u

struct tally {
    bool stop; /* when something went wrong */
    unsigned long ops, cuts, second, failures, armed, fired, old, new, bad;
    char first_bad[160];
};

static bool is_set(const char *name)
{
    const char *env = getenv(name);

    return env && env[0] == '1';
}

static bool deep(void)
{
    return is_set("PORTA_DEEP");
}

/* How many operations of a long recovery are cut: a sanitizer run looks for
 * other faults, and takes ten times as long. */
static uint32_t samples(void)
{
    if (is_set("PORTA_SANITIZE"))
        return 1;
    return deep() ? 24 : 3;
}

static void bad(struct tally *t, const struct stage *st, const char *what,
                uint32_t op)
{
    if (t->bad++ == 0)
        snprintf(t->first_bad, sizeof(t->first_bad), "%s: cut at %u: %s",
                 st->scene->name, (unsigned)op, what);
}

/* --- how an operation can end --------------------------------------------- */

struct cut {
    enum sim_fault fault;
    uint64_t seed;
    int shape; /* an enum rig_shape for an erase, on top of BEFORE; -1: none */
};

#define CUTS_MAX 32u

static unsigned cut_list(struct cut list[CUTS_MAX], unsigned torn)
{
    unsigned cnt = 0;

    list[cnt++] = (struct cut){ SIM_FAULT_BEFORE, 1, -1 };
    list[cnt++] = (struct cut){ SIM_FAULT_AFTER, 1, -1 };
    for (unsigned i = 0; i < torn; i++) {
        list[cnt++] = (struct cut){ SIM_FAULT_TORN, 1000003u * (i + 1), -1 };
        list[cnt++] =
            (struct cut){ SIM_FAULT_UNSTABLE, 7000001u * (i + 1), -1 };
    }
    for (int i = 0; i < RIG_SHAPE_CNT; i++)
        list[cnt++] = (struct cut){ SIM_FAULT_BEFORE, 1, i };
    return cnt;
}

/* False: this cut does not apply to what was cut. */
static bool shape_up(struct stage *st, struct cut cut)
{
    return cut.shape < 0 || rig_shape(&st->rig, (enum rig_shape)cut.shape);
}

static void note_fault(struct tally *t, const struct stage *st)
{
    t->armed += st->rig.sim.count.armed;
    t->fired += st->rig.sim.count.fired;
}

/* --- after a cut ---------------------------------------------------------- */

static void check_sound(struct stage *st, struct tally *t, uint32_t op)
{
    const struct rig *r = &st->rig;
    const char *what = witness(r->sim.bytes, r->part.len / KV_PAGE_LEN);

    if (what)
        bad(t, st, what, op);
}

static void do_again(struct stage *st, struct tally *t, uint32_t op)
{
    struct rig *r = &st->rig;
    uint32_t ops = sim_flash_ops(&r->sim);
    bool done = false;

    if (rig_mount(r) != ESP_OK || sim_flash_ops(&r->sim) != ops)
        bad(t, st, "a second mount has something to do", op);
    if (stage_act(st) != ESP_OK || stage_check(st, &done) || !done)
        bad(t, st, "it cannot be done again", op);
    if (rig_mount(r) != ESP_OK || stage_check(st, &done) || !done)
        bad(t, st, "done again, it does not stay", op);
    check_sound(st, t, op);
}

/* Power is back, for good. */
static void settle(struct stage *st, struct tally *t, uint32_t op, bool again)
{
    struct rig *r = &st->rig;
    bool done = false;
    const char *what;

    sim_flash_power_on(&r->sim);
    if (rig_mount(r) != ESP_OK) {
        bad(t, st, "it does not mount", op);
        return;
    }
    what = stage_check(st, &done);
    if (what)
        bad(t, st, what, op);
    t->new += done;
    t->old += !done;
    check_sound(st, t, op);
    if (again)
        do_again(st, t, op);
    rig_unmount(r);
}

/* The operations that recovery takes from here. */
static uint32_t recovery_ops(struct stage *st, const struct rig_image *image)
{
    rig_load(&st->rig, image);
    if (rig_mount(&st->rig) != ESP_OK)
        return 0;
    return sim_flash_ops(&st->rig.sim);
}

static void second_cuts(struct stage *st, const struct rig_image *image,
                        struct tally *t, uint32_t first)
{
    uint32_t ops = recovery_ops(st, image);
    uint32_t step = ops <= samples() ? 1 : ops / samples();
    struct cut cuts[CUTS_MAX];
    unsigned cnt = cut_list(cuts, 1);

    for (uint32_t op = 1 + first % step; op <= ops; op += step) {
        for (unsigned i = 0; i < cnt; i++) {
            rig_load(&st->rig, image);
            sim_flash_arm(&st->rig.sim, cuts[i].fault, op, cuts[i].seed + op);
            if (rig_mount(&st->rig) == ESP_OK)
                bad(t, st, "a cut in the mount goes unnoticed", first);
            if (!shape_up(st, cuts[i]))
                continue;
            note_fault(t, st);
            settle(st, t, first, t->second % 8 == 0);
            t->second++;
        }
    }
}

/* --- one scene ------------------------------------------------------------ */

/* Runs the scene with one fault. False: it needs fewer operations. */
static bool act_with(struct stage *st, struct tally *t, struct cut cut,
                     uint32_t op)
{
    struct rig *r = &st->rig;
    bool done;
    esp_err_t err;

    rig_load(r, &st->start);
    if (rig_mount(r) != ESP_OK || sim_flash_ops(&r->sim) != 0)
        bad(t, st, "the start is not settled", op);
    sim_flash_arm(&r->sim, cut.fault, op, cut.seed + op);
    err = stage_act(st);
    if (r->sim.count.fired == 0) {
        if (err || stage_check(st, &done) || !done)
            bad(t, st, "it fails without a cut", op);
        return false;
    }
    if (err == ESP_OK)
        bad(t, st, "a cut goes unnoticed", op);
    return true;
}

static void cut_at(struct stage *st, struct tally *t, uint32_t op)
{
    struct rig_image image;

    rig_unmount(&st->rig);
    note_fault(t, st);
    t->cuts++;
    rig_save(&st->rig, &image);
    settle(st, t, op, true);
    second_cuts(st, &image, t, op);
}

/* The flash reports failure, half-way, and the power stays. */
static void fail_at(struct stage *st, struct tally *t, uint32_t op)
{
    struct rig *r = &st->rig;
    bool done;
    const char *what = NULL;

    note_fault(t, st);
    t->failures++;
    if (!r->kv) /* a partition that was being erased is not mounted */
        what = rig_mount(r) ? "it does not mount" : NULL;
    if (!what)
        what = stage_check(st, &done);
    if (!what && (stage_act(st) != ESP_OK || stage_check(st, &done) || !done))
        what = "it cannot be done again after a failure";
    if (what)
        bad(t, st, what, op);
    settle(st, t, op, true);
}

static void run_scene(const struct scene *scene, struct tally *t)
{
    static struct stage st;
    struct cut cuts[CUTS_MAX];
    const struct cut failure = { SIM_FAULT_STATUS, 77, -1 };
    unsigned cnt = cut_list(cuts, deep() ? 4 : 2);
    bool more = stage_open(&st, scene);

    if (!more)
        bad(t, &st, "no start", 0);
    for (uint32_t op = 1; more && !(t->bad && t->stop); op++) {
        for (unsigned i = 0; more && i < cnt; i++) {
            more = act_with(&st, t, cuts[i], op);
            if (more && shape_up(&st, cuts[i]))
                cut_at(&st, t, op);
        }
        if (more && act_with(&st, t, failure, op))
            fail_at(&st, t, op);
        if (more)
            t->ops++;
        if (op > OPS_MAX) {
            bad(t, &st, "it takes too many operations", op);
            more = false;
        }
    }
    stage_close(&st);
}

/* --- tests ---------------------------------------------------------------- */

static void sum_up(struct tally *sum, const struct tally *t)
{
    sum->ops += t->ops;
    sum->cuts += t->cuts;
    sum->second += t->second;
    sum->failures += t->failures;
    sum->armed += t->armed;
    sum->fired += t->fired;
    sum->old += t->old;
    sum->new += t->new;
    sum->bad += t->bad;
}

static void print_row(const char *name, const struct tally *t)
{
    printf("%-34s %5lu %6lu %8lu %6lu %7lu %7lu %5lu\n", name, t->ops, t->cuts,
           t->second, t->failures, t->old, t->new, t->bad);
}

static void test_cuts(void **state)
{
    struct tally sum = { 0 };

    (void)state;
    printf("%-34s %5s %6s %8s %6s %7s %7s %5s\n", "operation", "ops", "cuts",
           "2nd cuts", "fails", "old", "new", "bad");
    for (unsigned i = 0; i < scene_cnt; i++) {
        struct tally t = { 0 };

        run_scene(&scenes[i], &t);
        print_row(scenes[i].name, &t);
        if (t.bad)
            printf("    %s\n", t.first_bad);
        sum_up(&sum, &t);
    }
    print_row("all", &sum);
    printf("faults armed %lu, fired %lu\n", sum.armed, sum.fired);
    assert_int_equal(sum.bad, 0);
    assert_int_equal(sum.armed, sum.fired);
    assert_true(sum.old > 0 && sum.new > 0);
}

/* The code under test has a fault: some scene has to notice. */
static int mutant(void)
{
    for (unsigned i = 0; i < scene_cnt; i++) {
        struct tally t = { .stop = true };

        run_scene(&scenes[i], &t);
        if (t.bad) {
            printf("noticed: %s\n", t.first_bad);
            return 0;
        }
    }
    printf("not noticed\n");
    return 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cuts) };

    if (argc == 2 && strcmp(argv[1], "--mutant") == 0)
        return mutant();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
