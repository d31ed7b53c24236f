/* A data partition by way of a slot, with the power cut in every flash
 * operation, also of what finishes it later. The device boots what it booted;
 * the partition holds its old content or, once an interrupted copy was
 * finished, the new one; never what is neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"

static const enum sim_fault cuts[] = { SIM_FAULT_BEFORE, SIM_FAULT_TORN,
                                       SIM_FAULT_UNSTABLE, SIM_FAULT_AFTER,
                                       SIM_FAULT_STATUS };
#define CUT_CNT (sizeof(cuts) / sizeof(cuts[0]))

static uint8_t old_file[RIG_BLOB_LEN], new_file[9000];
static uint32_t old_cnt, new_cnt, redone_cnt;

static void start(struct rig *r)
{
    rig_open(r);
    for (size_t i = 0; i < sizeof(old_file); i++)
        old_file[i] = (uint8_t)(i % 251);
    for (size_t i = 0; i < sizeof(new_file); i++)
        new_file[i] = (uint8_t)(i % 241 + 3);
    memcpy(r->flash.bytes + RIG_BLOB, old_file, sizeof(old_file));
}

static esp_err_t install(struct rig *r)
{
    rig_serve(r, new_file, sizeof(new_file));
    r->opts.staging = part_find_label(&r->parts.table, "ota_1");
    r->opts.final = part_find_label(&r->parts.table, "blob");
    r->opts.finalize_with_copy = true;
    r->opts.store = &r->store.port;
    return rig_update(r, NULL);
}

static bool holds(const struct rig *r, const uint8_t *file, size_t len)
{
    return memcmp(rig_bytes(r, RIG_BLOB), file, len) == 0;
}

/* As an application does at its start. A flash that failed may be asked
 * again. */
static void recover(struct rig *r)
{
    esp_err_t err;

    sim_flash_power_on(&r->flash);
    rig_reboot(r);
    err = upd_redo_copy(&r->env, &r->store.port, NULL);
    assert_true(err == ESP_OK || err == ESP_ERR_NOT_FOUND);
    redone_cnt += err == ESP_OK;
    assert_int_equal(rig_boots(r), 0);
    if (holds(r, new_file, sizeof(new_file)))
        new_cnt++;
    else if (holds(r, old_file, sizeof(old_file)))
        old_cnt++;
    else
        fail_msg("the partition holds neither");
}

/* Cut in operation nth, and in operation nth2 of what follows (0: not
 * again). false: there are fewer. */
static bool run(enum sim_fault fault, uint32_t nth, uint32_t nth2)
{
    struct rig r;
    bool fired;

    start(&r);
    sim_flash_arm(&r.flash, fault, nth, nth);
    (void)!install(&r);
    fired = r.flash.count.fired == 1;
    if (fired && nth2 > 0) {
        sim_flash_power_on(&r.flash);
        rig_reboot(&r);
        sim_flash_arm(&r.flash, fault, nth2, nth2);
        (void)!upd_redo_copy(&r.env, &r.store.port, NULL);
    }
    recover(&r);
    if (!holds(&r, new_file, sizeof(new_file)))
        assert_int_equal(install(&r), ESP_OK);
    assert_true(holds(&r, new_file, sizeof(new_file)));
    rig_close(&r);
    return fired;
}

static void test_every_cut(void **state)
{
    uint32_t cnt = 0;

    (void)state;
    for (size_t k = 0; k < CUT_CNT; k++)
        for (uint32_t nth = 1; run(cuts[k], nth, 0); nth++)
            for (uint32_t nth2 = 1; nth2 <= 7; nth2++, cnt++)
                assert_true(run(cuts[k], nth, nth2));
    print_message("# %u pairs of cuts: %u left the old content, %u the new, "
                  "%u copies were finished later\n",
                  cnt, old_cnt, new_cnt, redone_cnt);
    assert_true(cnt > 300 && old_cnt > 100 && redone_cnt > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_cut) };

    return cmocka_run_group_tests_name("final_cuts", tests, NULL, NULL);
}
