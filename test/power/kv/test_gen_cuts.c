/* The power is cut in every flash operation of a migration of settings, in
 * each way; also in the recovery. Afterwards the old image finds its settings
 * and the new one migrates to the end, whichever of them starts first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit/kv/gen_rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const enum sim_fault cuts[] = { SIM_FAULT_BEFORE, SIM_FAULT_TORN,
                                       SIM_FAULT_UNSTABLE, SIM_FAULT_AFTER,
                                       SIM_FAULT_STATUS };
static const struct kv_gen_image old_image = { 1, 10, false, { 0 } };
static const struct kv_gen_image new_image = { 2, 11, true, { 0 } };
static const struct kv_gen_image third_image = { 3, 12, false, { 0 } };

/* What is cut. */
enum deed { MIGRATE, GO_BACK, MIGRATE_AGAIN, CONFIRM, THIRD, DEED_CNT };

static struct rig_image starts[DEED_CNT];

static esp_err_t start(struct rig *r, const struct kv_gen_image *image,
                       uint8_t *side)
{
    struct gen_app a = { .r = r, .image = *image };
    esp_err_t err = gen_begin(&a);

    *side = a.side;
    return err;
}

static uint64_t finds(struct rig *r, const struct kv_gen_image *image)
{
    struct gen_app a = { .r = r, .image = *image };

    return gen_begin(&a) ? UINT64_MAX : gen_get(&a);
}

static esp_err_t perform(struct rig *r, enum deed deed)
{
    uint8_t side;

    if (deed == THIRD)
        return start(r, &third_image, &side);
    if (deed == CONFIRM)
        return kv_gen_confirm(r->kv, new_image.id);
    return start(r, deed == GO_BACK ? &old_image : &new_image, &side);
}

static void prepare(void)
{
    struct rig r;
    struct gen_app a = { .r = &r, .image = old_image };

    rig_open(&r, 5);
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(gen_begin(&a), ESP_OK);
    assert_int_equal(gen_set(&a, 5), ESP_OK);
    rig_save(&r, &starts[MIGRATE]);
    assert_int_equal(perform(&r, MIGRATE), ESP_OK);
    rig_save(&r, &starts[GO_BACK]);
    rig_save(&r, &starts[CONFIRM]);
    assert_int_equal(perform(&r, CONFIRM), ESP_OK);
    rig_save(&r, &starts[THIRD]);
    rig_load(&r, &starts[GO_BACK]);
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(perform(&r, GO_BACK), ESP_OK);
    rig_save(&r, &starts[MIGRATE_AGAIN]);
    rig_close(&r);
}

/* Reads as the old image, or as the new one, or first as one, then as the
 * other. */
static void check(struct rig *r, unsigned order)
{
    if (order % 2 == 0)
        assert_int_equal(finds(r, &old_image), 5);
    assert_int_equal(finds(r, &new_image), 52);
    if (order % 2 == 1)
        assert_int_equal(finds(r, &old_image), 5);
}

/* The third schema's copy takes the place of the first's settings: they are
 * whole, or they are made from the second's. */
static void check_third(struct rig *r, unsigned order)
{
    uint64_t first;

    if (order % 3 == 0) {
        assert_int_equal(finds(r, &third_image), 523);
        return;
    }
    if (order % 3 == 1) {
        uint64_t second = finds(r, &new_image);
        assert_int_equal(second, 52);
    }
    first = finds(r, &old_image);
    if (first != 5 && first != 521 && first != 5231)
        fail_msg("the first schema finds %llu", (unsigned long long)first);
    assert_int_equal(finds(r, &third_image),
                     first == 5231 ? 523 : first * 10 + 3);
}

static void check_deed(struct rig *r, enum deed deed, unsigned order)
{
    if (deed == THIRD)
        check_third(r, order);
    else
        check(r, order);
}

/* A second cut: in what the next start does. */
static void cut_again(struct rig *r, const struct rig_image *at, enum deed deed,
                      uint64_t seed)
{
    const struct kv_gen_image *image =
        deed == THIRD ? &third_image : &new_image;

    for (uint32_t nth = 1;; nth++) {
        uint8_t side;
        bool fired;

        rig_load(r, at);
        sim_flash_arm(&r->sim, SIM_FAULT_TORN, nth, seed);
        if (rig_mount(r) == ESP_OK)
            (void)!start(r, image, &side);
        fired = r->sim.count.fired == 1;
        sim_flash_power_on(&r->sim);
        assert_int_equal(rig_mount(r), ESP_OK);
        check_deed(r, deed, nth);
        if (!fired)
            return;
    }
}

static bool cut_at(enum deed deed, enum sim_fault fault, uint32_t nth,
                   uint64_t seed)
{
    static struct rig_image at;
    struct rig r;
    bool fired;

    rig_open(&r, 5);
    rig_load(&r, &starts[deed]);
    assert_int_equal(rig_mount(&r), ESP_OK);
    sim_flash_arm(&r.sim, fault, nth, seed);
    esp_err_t err = perform(&r, deed);
    fired = r.sim.count.fired == 1;
    assert_true(!fired || err || fault == SIM_FAULT_STATUS);
    sim_flash_power_on(&r.sim);
    rig_unmount(&r);
    rig_save(&r, &at);
    assert_int_equal(rig_mount(&r), ESP_OK);
    check_deed(&r, deed, nth);
    if (fired && seed == 1 && nth % 12 == 0)
        cut_again(&r, &at, deed, nth);
    rig_close(&r);
    return fired;
}

static void test_every_cut(void **state)
{
    unsigned states = 0;

    (void)state;
    prepare();
    for (enum deed deed = MIGRATE; deed < DEED_CNT; deed++)
        for (size_t c = 0; c < CNT(cuts); c++)
            for (uint32_t nth = 1; cut_at(deed, cuts[c], nth, 1); nth++)
                for (uint64_t seed = 2; seed <= 2; seed++, states++)
                    (void)cut_at(deed, cuts[c], nth, seed);
    print_message("# %u cut states\n", states);
    assert_true(states > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut),
    };

    return cmocka_run_group_tests_name("gen_cuts", tests, NULL, NULL);
}
