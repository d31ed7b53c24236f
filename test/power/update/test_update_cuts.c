/* The power is cut in every flash operation of a whole update, before it,
 * inside it and after it. Afterwards the device boots the old image or the
 * new one, whole; a slot that was not finished does not boot even when the
 * other one is lost; and the next update succeeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const enum sim_fault cuts[] = { SIM_FAULT_BEFORE, SIM_FAULT_TORN,
                                       SIM_FAULT_UNSTABLE, SIM_FAULT_AFTER };

struct scene {
    const char *claim;
    bool old_in_target; /* ota_1 holds an older image */
    bool bulk;
    bool rollback;
    uint32_t range_len;
    bool failed; /* the older image did: it is not to come back */
};

/* Who writes the flash: the session; somebody beside it; the same, who does
 * nothing before he is waited for. */
enum writer { WRITER_SELF, WRITER_BESIDE, WRITER_LATE };

static const struct scene scenes[] = {
    { "into an erased slot", false, false, true, 0, false },
    { "over an older image", true, false, true, 0, false },
    { "erased in bulk, without rollback", true, true, false, 0, false },
    { "in ranges", true, false, true, 8192, false },
    { "over an image that failed: the new one is not taken for it", true, false,
      true, 0, true },
};

static const struct rig_image old_image = { .version = "0",
                                            .filler = 3,
                                            .body_len = 30000 };

static void set_scene(struct rig *r, const struct scene *s, enum writer by)
{
    rig_open(r);
    if (by != WRITER_SELF)
        rig_write_behind(r, by == WRITER_LATE);
    r->policy.rollback = s->rollback;
    r->policy.deny = s->failed;
    r->opts.bulk_erase = s->bulk;
    r->opts.range_len = s->range_len;
    if (s->old_in_target) {
        uint32_t len;
        uint8_t *old = rig_make_image(&old_image, &len);

        memcpy(r->flash.bytes + RIG_SLOT_1, old, len);
        free(old);
        rig_record(r, 1, 2, s->failed ? OTA_STATE_ABORTED : OTA_STATE_VALID);
        rig_record(r, 0, s->failed ? 1 : 3, OTA_STATE_VALID);
    }
}

static bool holds_new(const struct rig *r)
{
    return memcmp(rig_bytes(r, RIG_SLOT_1), r->image, r->image_len) == 0;
}

static bool holds_old(const struct rig *r)
{
    uint32_t len;
    uint8_t *old = rig_make_image(&old_image, &len);
    bool same = memcmp(rig_bytes(r, RIG_SLOT_1), old, len) == 0;

    free(old);
    return same;
}

/* ota_0 is lost: does the bootloader find something in ota_1 that it must
 * not? */
static void check_without_old(struct rig *r)
{
    uint8_t magic = r->flash.bytes[RIG_SLOT_0];

    r->flash.bytes[RIG_SLOT_0] = 0;
    if (rig_boots(r) == 1)
        assert_true(holds_new(r) || holds_old(r));
    r->flash.bytes[RIG_SLOT_0] = magic;
}

static void after_cut(struct rig *r, esp_err_t err)
{
    uint32_t boots;

    sim_flash_power_on(&r->flash);
    rig_reboot(r);
    boots = rig_boots(r);
    assert_true(boots == 0 || boots == 1);
    if (boots == 1)
        assert_true(holds_new(r));
    if (!err)
        assert_int_equal(boots, 1);
    check_without_old(r);
    if (boots == 1)
        return;
    rig_serve(r, r->image, r->image_len);
    assert_int_equal(rig_update(r, NULL), ESP_OK);
    assert_int_equal(rig_boots(r), 1);
    assert_true(holds_new(r));
}

/* false: the update has fewer operations. */
static bool cut_at(const struct scene *s, enum writer by,
                   const struct sim_fault_plan *plan)
{
    struct rig r;
    esp_err_t err;
    bool fired;

    set_scene(&r, s, by);
    sim_flash_arm_plan(&r.flash, plan);
    err = rig_update(&r, NULL);
    fired = r.flash.count.fired == 1;
    if (fired)
        assert_true(err != ESP_OK || plan->fault == SIM_FAULT_AFTER);
    after_cut(&r, err);
    rig_close(&r);
    return fired;
}

/* Every operation of the scene, one after the other; how many there are. */
static uint32_t cut_all(const struct scene *s, enum writer by,
                        enum sim_fault fault)
{
    struct sim_fault_plan plan = { .fault = fault,
                                   .nth = 1,
                                   .tear_idx = SIM_TEAR_ANY };

    do {
        plan.seed = plan.nth * 77 + fault;
    } while (cut_at(s, by, &plan) && ++plan.nth);
    return plan.nth - 1;
}

static enum writer writer_of(void **state)
{
    return *(const enum writer *)*state;
}

static void test_cuts(void **state)
{
    enum writer by = writer_of(state);
    uint32_t all = 0;

    for (size_t i = 0; i < CNT(scenes); i++) {
        print_message("# %s\n", scenes[i].claim);
        for (size_t k = 0; k < CNT(cuts); k++) {
            uint32_t cnt = cut_all(&scenes[i], by, cuts[k]);

            /* 5 erases and 6 programs of the slot, and the records. */
            assert_true(cnt >= 11);
            all += cnt;
        }
    }
    print_message("%u cuts\n", all);
}

/* The flash reports a failure and lives on: the update fails, the old image
 * boots, the next update succeeds. */
static void test_bad_status(void **state)
{
    assert_true(cut_all(&scenes[1], writer_of(state), SIM_FAULT_STATUS) >= 11);
}

int main(void)
{
    static enum writer self = WRITER_SELF, beside = WRITER_BESIDE,
                       late = WRITER_LATE;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_cuts, &self),
        cmocka_unit_test_prestate(test_bad_status, &self),
        cmocka_unit_test_prestate(test_cuts, &beside),
        cmocka_unit_test_prestate(test_bad_status, &beside),
        cmocka_unit_test_prestate(test_cuts, &late),
        cmocka_unit_test_prestate(test_bad_status, &late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
