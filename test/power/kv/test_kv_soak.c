/* Thousands of random writes in a row with the power cut at random, in the
 * recovery too: what no list of scenes has. Every key is compared with a model
 * after each cut. PORTA_DEEP=1: twenty times as long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_rng.h"
#include "unit/kv/rig.h"

#define KEYS 24u

struct soak {
    struct rig rig;
    uint64_t seed;
    struct val model[KEYS];
    unsigned long writes, full, cuts, second, shapes;
};

static uint32_t pick(struct soak *s, uint32_t below)
{
    return (uint32_t)(sim_rng_next(&s->seed) >> 33) % below;
}

static void key_of(unsigned i, char key[KV_KEY_LEN])
{
    snprintf(key, KV_KEY_LEN, "key%u", i);
}

static struct val random_val(struct soak *s)
{
    static const uint8_t types[] = {
        0,           KV_TYPE_U8,    KV_TYPE_I64,  KV_TYPE_STR,
        KV_TYPE_STR, KV_TYPE_CHUNK, KV_TYPE_CHUNK
    };
    struct val v = { .type = types[pick(s, sizeof(types))],
                     .num = pick(s, 256) };

    if (v.type == KV_TYPE_STR)
        v.len = 1 + pick(s, 400);
    if (v.type == KV_TYPE_CHUNK)
        v.len = pick(s, 20) == 0 ? pick(s, 5000) : pick(s, 700);
    return v;
}

/* --- power ---------------------------------------------------------------- */

static void arm(struct soak *s, uint32_t within)
{
    static const enum sim_fault faults[] = { SIM_FAULT_BEFORE, SIM_FAULT_TORN,
                                             SIM_FAULT_UNSTABLE,
                                             SIM_FAULT_AFTER };

    s->rig.torn_off = UINT32_MAX;
    sim_flash_arm(&s->rig.sim, faults[pick(s, 4)], 1 + pick(s, within),
                  s->seed);
}

static bool went_off(struct soak *s)
{
    bool off = s->rig.sim.power_off;

    if (off && pick(s, 3) == 0)
        s->shapes += rig_shape(&s->rig, (enum rig_shape)pick(s, RIG_SHAPE_CNT));
    sim_flash_power_on(&s->rig.sim);
    return off;
}

/* Mounts, with more cuts on the way. */
static void come_back(struct soak *s)
{
    rig_unmount(&s->rig);
    for (unsigned i = 0; i < 3 && pick(s, 2); i++) {
        arm(s, 12);
        esp_err_t err = rig_mount(&s->rig);
        bool off = went_off(s);
        assert_true(off || err == ESP_OK);
        s->second += off;
    }
    assert_int_equal(rig_mount(&s->rig), ESP_OK);
}

/* --- one write ------------------------------------------------------------ */

static void check_all(struct soak *s, const struct kv_ns *ns)
{
    char key[KV_KEY_LEN];

    for (unsigned i = 0; i < KEYS; i++) {
        key_of(i, key);
        if (!val_is(ns, key, &s->model[i]))
            fail_msg("%s is not what it was, after %lu writes", key, s->writes);
    }
    const char *what = witness(s->rig.sim.bytes, s->rig.part.len / KV_PAGE_LEN);
    if (what)
        fail_msg("%s, after %lu writes", what, s->writes);
}

static void write_one(struct soak *s)
{
    unsigned i = pick(s, KEYS);
    struct val v = random_val(s);
    struct kv_ns ns;
    char key[KV_KEY_LEN];

    key_of(i, key);
    assert_int_equal(kv_open(s->rig.kv, "soak", true, &ns), ESP_OK);
    if (pick(s, 3) == 0)
        arm(s, 40);
    esp_err_t err = val_set(&ns, key, &v);
    s->writes++;
    if (went_off(s)) {
        s->cuts++;
        come_back(s);
        assert_int_equal(kv_open(s->rig.kv, "soak", false, &ns), ESP_OK);
        if (val_is(&ns, key, &v))
            s->model[i] = v;
        check_all(s, &ns);
    } else if (err == ESP_ERR_NVS_NOT_ENOUGH_SPACE) {
        s->full++;
    } else {
        assert_int_equal(err, ESP_OK);
        s->model[i] = v;
    }
    if (s->writes % 64 == 0)
        check_all(s, &ns);
}

static void run(uint32_t page_cnt, uint64_t seed, unsigned long writes)
{
    static struct soak s;
    struct kv_ns ns;

    memset(&s, 0, sizeof(s));
    s.seed = seed;
    rig_open(&s.rig, page_cnt);
    assert_int_equal(rig_mount(&s.rig), ESP_OK);
    assert_int_equal(kv_open(s.rig.kv, "soak", true, &ns), ESP_OK);
    while (s.writes < writes)
        write_one(&s);
    printf("%u pages: %lu writes (%lu found no room), %lu cuts, %lu in "
           "recovery, %lu erases shaped\n",
           (unsigned)page_cnt, s.writes, s.full, s.cuts, s.second, s.shapes);
    assert_true(s.cuts > writes / 20 && s.second > 0);
    rig_close(&s.rig);
}

static void test_soak(void **state)
{
    const char *env = getenv("PORTA_DEEP");
    unsigned long writes = env && env[0] == '1' ? 400000 : 20000;

    (void)state;
    run(3, 1, writes);
    run(4, 2, writes);
    run(6, 3, writes);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_soak) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
