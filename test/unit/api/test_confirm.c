/* porta/ota_confirm.h: policies that decide, what they leave in the log, and
 * releases that are not to come back. The task runs when the test lets it, and
 * waiting moves the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/deny.h"
#include "unit/api/device.h"

#include "esp_ota_ops.h"

/* --- a task that the test runs -------------------------------------------- */

struct fake_task {
    struct port_task port;
    struct sim_sys *sys;
    void (*fn)(void *arg);
    uint32_t waits, endless;
};

static jmp_buf restarted;

static esp_err_t fake_start(void *ctx, const char *name, void (*fn)(void *arg),
                            void *arg)
{
    struct fake_task *t = ctx;

    (void)name;
    (void)arg;
    t->fn = fn;
    return ESP_OK;
}

static void fake_nothing(void *ctx)
{
    (void)ctx;
}

/* What nobody ends ends after a minute. */
static uint32_t fake_wait(void *ctx, uint32_t ms)
{
    struct fake_task *t = ctx;

    t->waits++;
    if (ms == UINT32_MAX) {
        t->endless++;
        api_device()->confirm.stop = true;
        return 0;
    }
    sim_sys_advance_to(t->sys, t->sys->now_ms + ms);
    return 0;
}

static void fake_restart(void *ctx)
{
    (void)ctx;
    longjmp(restarted, 1);
}

struct scene {
    struct device d;
    struct fake_task task;
};

static void set_record(struct device *d, uint32_t idx, uint32_t seq,
                       uint32_t state)
{
    struct ota_rec rec;

    memset(&rec, 0xFF, sizeof(rec));
    rec.seq = seq;
    rec.state = state;
    rec.crc = ota_rec_crc(seq);
    ota_rec_pack(&rec, d->rig.flash.bytes + RIG_OTADATA + idx * OTADATA_SECTOR);
}

/* ota_1 is on trial and runs; ota_0 holds the same, whole image. */
static void scene_open(struct scene *s)
{
    struct device *d = &s->d;

    memset(s, 0, sizeof(*s));
    device_open(d);
    memset(d->rig.flash.bytes + RIG_OTADATA, 0xFF, OTADATA_LEN);
    memcpy(d->rig.flash.bytes + RIG_SLOT_1, rig_bytes(&d->rig, RIG_SLOT_0),
           RIG_SLOT_LEN);
    set_record(d, 0, 1, OTA_STATE_VALID);
    set_record(d, 1, 2, OTA_STATE_PENDING);
    s->task = (struct fake_task){ .port = { .ctx = &s->task,
                                            .start = fake_start,
                                            .enter = fake_nothing,
                                            .leave = fake_nothing,
                                            .wait = fake_wait,
                                            .wake = fake_nothing },
                                  .sys = &d->rig.sys };
    d->boot.task = &s->task.port;
    d->rig.sys.port.restart = fake_restart;
    device_restart(d, RIG_SLOT_1);
}

static uint32_t state_of(const struct scene *s, uint32_t idx)
{
    struct ota_rec rec;

    ota_rec_parse(rig_bytes(&s->d.rig, RIG_OTADATA + idx * OTADATA_SECTOR),
                  &rec);
    return rec.state;
}

/* true: it was given up, and the device reset. */
static bool let_it_run(struct scene *s)
{
    if (setjmp(restarted))
        return true;
    s->task.fn(NULL);
    return false;
}

/* --- policies ------------------------------------------------------------- */

struct told {
    uint32_t calls, confirm_at_ms;
    porta_ota_vote_t then;
};

static porta_ota_vote_t vote(void *ctx, uint32_t uptime_ms)
{
    struct told *t = ctx;

    t->calls++;
    return uptime_ms >= t->confirm_at_ms ? t->then : PORTA_OTA_WAIT;
}

static void test_confirms(void **state)
{
    struct told told = { .confirm_at_ms = 2500, .then = PORTA_OTA_CONFIRM };
    const porta_ota_policy_t policy = {
        .required = 3, .deadline_ms = 60000, .vote = vote, .ctx = &told
    };
    porta_ota_verdict_t v;
    struct scene s;

    (void)state;
    scene_open(&s);
    assert_int_equal(porta_ota_last_verdict(&v), ESP_ERR_NOT_FOUND);
    porta_ota_condition_met(1);
    assert_int_equal(porta_ota_confirm_start(&policy), ESP_OK);
    assert_int_equal(porta_ota_confirm_start(&policy), ESP_ERR_INVALID_STATE);
    porta_ota_condition_met(2);
    assert_false(let_it_run(&s));
    assert_int_equal(state_of(&s, 1), OTA_STATE_VALID);
    assert_int_equal(told.calls, 4); /* once a second: at 0, 1, 2, 3 */
    assert_int_equal(porta_ota_last_verdict(&v), ESP_OK);
    assert_true(v.confirmed);
    assert_string_equal(v.who, "policy");
    assert_string_equal(v.why, "the application's callback decided so");
    assert_int_equal(v.slot, 1);
    assert_int_equal(v.uptime_ms, 3000);
    assert_int_equal(v.conditions, 3);
    assert_int_equal(porta_ota_trial_starts(), 0);
    assert_int_equal(porta_ota_confirm_start(&policy), ESP_ERR_INVALID_STATE);
    device_close(&s.d);
}

static void test_deadline_passes(void **state)
{
    const porta_ota_policy_t policy = { .required = 6, .deadline_ms = 5000 };
    porta_ota_verdict_t v;
    struct scene s;

    (void)state;
    scene_open(&s);
    assert_int_equal(porta_ota_trial_starts(), 1);
    porta_ota_condition_met(2);
    assert_int_equal(porta_ota_confirm_start(&policy), ESP_OK);
    assert_true(let_it_run(&s));
    assert_int_equal(state_of(&s, 1), OTA_STATE_INVALID);
    assert_int_equal(porta_ota_last_verdict(&v), ESP_OK);
    assert_false(v.confirmed);
    assert_string_equal(v.why,
                        "the conditions were not met before the deadline");
    assert_int_equal(v.conditions, 4); /* the one that is missing */
    assert_int_equal(v.uptime_ms, 5000);
    device_close(&s.d);
}

static void test_a_condition_fails(void **state)
{
    const porta_ota_policy_t policy = { .required = 1, .deadline_ms = 5000 };
    porta_ota_verdict_t v;
    struct scene s;

    (void)state;
    scene_open(&s);
    porta_ota_condition_failed(4, "no answer from the backend");
    porta_ota_condition_failed(8, "later words");
    assert_int_equal(porta_ota_confirm_start(&policy), ESP_OK);
    assert_true(let_it_run(&s));
    assert_int_equal(porta_ota_last_verdict(&v), ESP_OK);
    assert_int_equal(v.conditions, 4);
    assert_string_equal(v.words, "no answer from t");
    assert_string_equal(v.why, "a condition was reported to fail");
    device_close(&s.d);
}

/* The bootloader would allow more starts than the policy does. */
static void test_too_many_starts(void **state)
{
    const porta_ota_policy_t policy = { .required = 1, .max_starts = 2 };
    const struct ota_event started = { .seq = 2,
                                       .rec_idx = 1,
                                       .kind = OTA_EVENT_STARTED,
                                       .charged = 1,
                                       .power = 1 };
    porta_ota_verdict_t v;
    struct scene s;
    struct otadata o;

    (void)state;
    scene_open(&s);
    const struct otadata_place at = { s.d.rig.parts.flash, RIG_OTADATA };
    assert_int_equal(otadata_note(&at, &o, &started), ESP_OK);
    assert_int_equal(porta_ota_trial_starts(), 3);
    assert_int_equal(porta_ota_confirm_start(&policy), ESP_OK);
    assert_true(let_it_run(&s));
    assert_int_equal(porta_ota_last_verdict(&v), ESP_OK);
    assert_int_equal(v.resets, 1);
    assert_int_equal(v.power_resets, 1);
    assert_string_equal(v.why, "it was not confirmed in as many starts as its "
                               "policy allows");
    device_close(&s.d);
}

/* Without anything to go back to it runs on, as it is. */
static void test_nowhere_to_go(void **state)
{
    const porta_ota_policy_t policy = { .required = 1, .deadline_ms = 10 };
    struct scene s;

    (void)state;
    scene_open(&s);
    set_record(&s.d, 0, 4, OTA_STATE_VALID); /* ota_1 as well */
    set_record(&s.d, 1, 6, OTA_STATE_PENDING);
    assert_false(esp_ota_check_rollback_is_possible());
    assert_int_equal(esp_ota_mark_app_invalid_rollback(),
                     ESP_ERR_OTA_ROLLBACK_FAILED);
    assert_int_equal(porta_ota_confirm_start(&policy), ESP_OK);
    assert_false(let_it_run(&s));
    assert_int_equal(state_of(&s, 1), OTA_STATE_PENDING);
    device_close(&s.d);
}

static void test_arguments(void **state)
{
    static const porta_ota_policy_t late = { .deadline_ms = 10,
                                             .min_uptime_ms = 10 };
    static const porta_ota_policy_t any = { .required = 1 };
    struct scene s;

    (void)state;
    scene_open(&s);
    assert_int_equal(porta_ota_confirm_start(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_ota_confirm_start(&late), ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_ota_last_verdict(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_ota_denied_get(0, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_ota_deny(NULL), ESP_ERR_INVALID_ARG);
    device_restart(&s.d, RIG_SLOT_0); /* which is not on trial */
    assert_int_equal(porta_ota_confirm_start(&any), ESP_ERR_INVALID_STATE);
    device_close(&s.d);
}

/* A policy that is still deciding does not keep a device from stopping. */
static void test_stops(void **state)
{
    static const porta_ota_policy_t any = { .required = 1 };
    struct scene s;

    (void)state;
    scene_open(&s);
    assert_int_equal(porta_ota_confirm_start(&any), ESP_OK);
    assert_false(let_it_run(&s)); /* the wait without end sets `stop` */
    assert_int_equal(s.task.endless, 1);
    assert_int_equal(state_of(&s, 1), OTA_STATE_PENDING);
    device_close(&s.d);
}

/* --- the calls of ESP-IDF ------------------------------------------------- */

static void test_calls_are_recorded(void **state)
{
    porta_ota_verdict_t v;
    struct scene s;

    (void)state;
    scene_open(&s);
    s.d.rig.sys.reason = PORT_RESET_WDT;
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(porta_ota_last_verdict(&v), ESP_OK);
    assert_true(v.confirmed && v.reset_reason == PORT_RESET_WDT);
    assert_string_equal(v.who, "application");
    assert_int_equal(esp_ota_mark_app_invalid_rollback(), ESP_OK);
    assert_int_equal(porta_ota_last_verdict(&v), ESP_OK);
    assert_false(v.confirmed);
    assert_string_equal(v.why, "it was asked for");
    device_close(&s.d);
}

/* --- denied releases ------------------------------------------------------ */

static void test_denied(void **state)
{
    const esp_partition_t *slot;
    struct policy policy;
    uint8_t digest[32], got[32];
    struct scene s;
    bool denied;

    (void)state;
    scene_open(&s);
    policy = *s.d.boot.policy;
    policy.deny = true;
    s.d.boot.policy = &policy;
    set_record(&s.d, 1, 2, OTA_STATE_ABORTED);
    device_restart(&s.d, RIG_SLOT_0);
    slot = esp_partition_find_first(ESP_PARTITION_TYPE_APP,
                                    ESP_PARTITION_SUBTYPE_APP_OTA_1, NULL);
    struct part_entry part = api_entry(slot);
    struct part_dev *parts = &api_device()->parts;
    assert_int_equal(deny_identity(parts, &part, digest), ESP_OK);
    /* Learnt from the refused slot when the device started. */
    assert_int_equal(deny_has(parts, digest, &denied), ESP_OK);
    assert_true(denied);
    assert_int_equal(esp_ota_set_boot_partition(slot), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(porta_ota_denied_get(0, got), ESP_OK);
    assert_memory_equal(got, digest, 32);
    /* Forgotten is forgotten, the slot's record included. */
    assert_int_equal(porta_ota_denied_clear(), ESP_OK);
    assert_int_equal(deny_would_have(parts, digest, &denied), ESP_OK);
    assert_false(denied);
    assert_int_equal(esp_ota_set_boot_partition(slot), ESP_OK);
    assert_int_equal(porta_ota_deny(digest), ESP_OK);
    assert_int_equal(esp_ota_set_boot_partition(slot), ESP_ERR_NOT_ALLOWED);
    policy.deny = false;
    assert_int_equal(esp_ota_set_boot_partition(slot), ESP_OK);
    device_close(&s.d);
}

/* What could not even be tried says nothing about the release. */
static void test_damage_is_not_denied(void **state)
{
    static const struct {
        uint8_t why;
        bool denied;
    } rows[] = { { OTA_WHY_IMAGE_BAD, false },
                 { OTA_WHY_TOO_OLD, false },
                 { OTA_WHY_RESET, true } };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct ota_event event = { .seq = 2,
                                         .rec_idx = 1,
                                         .kind = OTA_EVENT_GIVEN_UP,
                                         .why = rows[i].why };
        uint8_t digest[32];
        struct scene s;
        struct otadata o;
        bool denied;

        scene_open(&s);
        const struct otadata_place at = { s.d.rig.parts.flash, RIG_OTADATA };
        set_record(&s.d, 1, 2, OTA_STATE_ABORTED);
        assert_int_equal(otadata_note(&at, &o, &event), ESP_OK);
        struct part_dev *parts = &api_device()->parts;
        assert_int_equal(
            deny_identity(parts, part_ota(&parts->table, 1), digest), ESP_OK);
        assert_int_equal(deny_would_have(parts, digest, &denied), ESP_OK);
        assert_int_equal(denied, rows[i].denied);
        device_close(&s.d);
    }
}

/* ota_1 holds what nobody knows yet. */
static void other_image(struct scene *s, struct part_dev *parts,
                        uint8_t digest[32])
{
    s->d.rig.flash.bytes[RIG_SLOT_1 + 32 + 16] ^= 1;  /* version */
    s->d.rig.flash.bytes[RIG_SLOT_1 + 32 + 144] ^= 1; /* ELF */
    assert_int_equal(deny_identity(parts, part_ota(&parts->table, 1), digest),
                     ESP_OK);
}

/* What replaces an image that failed stands behind its record for a while,
 * and gets a trial of its own, under the same number. */
static void test_the_next_image_is_not_the_last_one(void **state)
{
    const struct ota_event event = {
        .seq = 2, .rec_idx = 1, .kind = OTA_EVENT_GIVEN_UP, .why = OTA_WHY_RESET
    };
    uint8_t digest[32];
    struct scene s;
    struct otadata o;
    bool denied;

    (void)state;
    scene_open(&s);
    const struct otadata_place at = { s.d.rig.parts.flash, RIG_OTADATA };
    struct part_dev *parts = &api_device()->parts;
    set_record(&s.d, 1, 2, OTA_STATE_ABORTED);
    assert_int_equal(otadata_note(&at, &o, &event), ESP_OK);
    assert_int_equal(deny_learn(parts), ESP_OK);
    other_image(&s, parts, digest);
    assert_int_equal(deny_learn(parts), ESP_OK);
    assert_int_equal(deny_would_have(parts, digest, &denied), ESP_OK);
    assert_false(denied);
    assert_int_equal(otadata_note(&at, &o, &event), ESP_OK);
    assert_int_equal(deny_learn(parts), ESP_OK);
    assert_int_equal(deny_has(parts, digest, &denied), ESP_OK);
    assert_true(denied);
    device_close(&s.d);
}

/* A bootloader that writes no log erases the sector of the record that it
 * gives up, and the log in it. */
static void give_up_as_reference(struct scene *s, uint32_t seq)
{
    struct ota_rec rec = { .seq = seq, .state = OTA_STATE_ABORTED };
    uint8_t *sector = s->d.rig.flash.bytes + RIG_OTADATA + OTADATA_SECTOR;

    memset(rec.label, 0xFF, sizeof(rec.label));
    rec.crc = ota_rec_crc(seq);
    memset(sector, 0xFF, OTADATA_SECTOR);
    ota_rec_pack(&rec, sector);
}

/* Every trial is ended by such a bootloader. */
static void test_learnt_without_a_verdict(void **state)
{
    struct ota_rec fresh = { .seq = 2, .state = OTA_STATE_NEW };
    uint8_t digest[32], listed[32];
    struct scene s;
    struct otadata o;
    bool denied;

    (void)state;
    memset(fresh.label, 0xFF, sizeof(fresh.label));
    fresh.crc = ota_rec_crc(2);
    scene_open(&s);
    const struct otadata_place at = { s.d.rig.parts.flash, RIG_OTADATA };
    struct part_dev *parts = &api_device()->parts;
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(otadata_read(&at, OTADATA_LEN, &o), ESP_OK);
        assert_int_equal(otadata_change(&at, &o, 1, &fresh), ESP_OK);
        if (i % 2 == 0) /* else it fails once more */
            other_image(&s, parts, digest);
        give_up_as_reference(&s, 2);
        assert_int_equal(deny_learn(parts), ESP_OK);
        assert_int_equal(deny_has(parts, digest, &denied), ESP_OK);
        assert_true(denied);
        assert_int_equal(otadata_read(&at, OTADATA_LEN, &o), ESP_OK);
        assert_int_equal(otadata_deny_get(&at, &o, 1, listed),
                         ESP_ERR_NOT_FOUND);
        if (i % 2 == 0 && i < 4)
            continue;
        assert_int_equal(otadata_deny_clear(&at, &o), ESP_OK);
        assert_int_equal(deny_learn(parts), ESP_OK);
        assert_int_equal(deny_has(parts, digest, &denied), ESP_OK);
        assert_false(denied);
    }
    /* Forgotten before anybody learnt it, on a list that was empty. */
    assert_int_equal(otadata_read(&at, OTADATA_LEN, &o), ESP_OK);
    assert_int_equal(otadata_change(&at, &o, 1, &fresh), ESP_OK);
    give_up_as_reference(&s, 2);
    assert_int_equal(otadata_read(&at, OTADATA_LEN, &o), ESP_OK);
    assert_int_equal(otadata_deny_clear(&at, &o), ESP_OK);
    assert_int_equal(deny_learn(parts), ESP_OK);
    assert_int_equal(deny_has(parts, digest, &denied), ESP_OK);
    assert_false(denied);
    device_close(&s.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_next_image_is_not_the_last_one),
        cmocka_unit_test(test_learnt_without_a_verdict),
        cmocka_unit_test(test_confirms),
        cmocka_unit_test(test_deadline_passes),
        cmocka_unit_test(test_a_condition_fails),
        cmocka_unit_test(test_too_many_starts),
        cmocka_unit_test(test_nowhere_to_go),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_calls_are_recorded),
        cmocka_unit_test(test_denied),
        cmocka_unit_test(test_damage_is_not_denied),
    };
    return cmocka_run_group_tests_name("porta_confirm", tests, NULL, NULL);
}
