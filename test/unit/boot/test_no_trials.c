/* A bootloader that is built without trials (CFG_TRIALS 0): the reference's one
 * boot, and what others noted in the log is not lost by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "world.h"

static struct world w;
static struct boot_result r;

static uint32_t state_of(uint32_t idx)
{
    struct ota_rec rec[2];
    world_records(&w, rec);
    return rec[idx].state;
}

static void test_trial_is_one_boot(void **state)
{
    (void)state;
    world_open(&w, WORLD_OTA_0 | WORLD_OTA_1);
    w.env.policy.trial_boots = 3; /* which is asked of it in vain */
    w.env.policy.trial_power = 3;
    w.env.reset_reason = PORT_RESET_POWERON;
    world_record(&w, 0, 1, OTA_STATE_VALID);
    world_record(&w, 1, 2, OTA_STATE_NEW);
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.choice, 1);
    assert_int_equal(state_of(1), OTA_STATE_PENDING);
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.choice, 0);
    assert_int_equal(r.plan.reason, BOOT_WHY_ROLLED_BACK);
    assert_int_equal(state_of(1), OTA_STATE_ABORTED);
    assert_int_equal(r.otadata.event.kind, OTA_EVENT_NONE);
    world_close(&w);
}

/* As a program noted it, in the sector that the bootloader erases. */
static void note_verdict(struct otadata *o, const struct otadata_place *at)
{
    struct ota_event event = { .seq = 1,
                               .rec_idx = 0,
                               .kind = OTA_EVENT_CONFIRMED,
                               .who = OTA_BY_APP,
                               .text = "fine" };
    assert_int_equal(otadata_read(at, OTADATA_LEN, o), ESP_OK);
    assert_int_equal(otadata_note(at, o, &event), ESP_OK);
}

static void test_notes_of_others_outlive_it(void **state)
{
    uint8_t digest[OTADATA_DIGEST_LEN] = { 7 };
    struct otadata o;
    struct otadata_place at;
    struct ota_event verdict;
    bool denied = false;

    (void)state;
    world_open(&w, WORLD_OTA_0 | WORLD_OTA_1);
    at = (struct otadata_place){ &w.sim.port, WORLD_OTADATA };
    world_record(&w, 0, 1, OTA_STATE_VALID);
    world_record(&w, 1, 2, OTA_STATE_NEW);
    note_verdict(&o, &at);
    assert_int_equal(otadata_deny_add(&at, &o, digest), ESP_OK);
    boot_run(&w.env, &r);
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.choice, 0);
    assert_int_equal(otadata_read(&at, OTADATA_LEN, &o), ESP_OK);
    assert_int_equal(otadata_verdict(&at, &o, &verdict), ESP_OK);
    assert_int_equal(verdict.kind, OTA_EVENT_CONFIRMED);
    assert_string_equal(verdict.text, "fine");
    assert_int_equal(otadata_deny_has(&at, &o, digest, &denied), ESP_OK);
    assert_true(denied);
    world_close(&w);
}

static void test_bad_image_ends_its_trial(void **state)
{
    (void)state;
    world_open(&w, WORLD_OTA_0 | WORLD_OTA_1);
    world_record(&w, 0, 1, OTA_STATE_VALID);
    world_record(&w, 1, 2, OTA_STATE_NEW);
    world_spoil(&w, WORLD_OTA_1);
    boot_run(&w.env, &r);
    assert_int_equal(r.plan.choice, 0);
    assert_int_equal(state_of(1), OTA_STATE_ABORTED);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trial_is_one_boot),
        cmocka_unit_test(test_notes_of_others_outlive_it),
        cmocka_unit_test(test_bad_image_ends_its_trial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
