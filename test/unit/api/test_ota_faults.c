/* esp_ota_* on flash that fails: each read of a call in turn, and each
 * operation. What is asked is told as an error, or it was done all the same;
 * and what boots is what booted before, or what was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "boot/deny.h"
#include "boot/deny.h"
#include "esp_ota_ops.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SEQ OTA_WITH_SEQUENTIAL_WRITES
#define BOOTS(slot) (1u << (slot))
#define EITHER (BOOTS(0) | BOOTS(1))

static const esp_partition_t *part(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_ANY,
                                    ESP_PARTITION_SUBTYPE_ANY, label);
}

static esp_err_t told(bool yes)
{
    return yes ? ESP_OK : ESP_FAIL;
}

/* --- what is called ------------------------------------------------------- */

static esp_err_t set_boot(struct device *d)
{
    (void)d;
    return esp_ota_set_boot_partition(part("ota_1"));
}

static esp_err_t set_boot_skip(struct device *d)
{
    (void)d;
    return esp_ota_set_boot_partition_skip_validate(part("ota_1"));
}

static esp_err_t confirm(struct device *d)
{
    (void)d;
    return esp_ota_mark_app_valid_cancel_rollback();
}

static esp_err_t give_up(struct device *d)
{
    (void)d;
    return esp_ota_mark_app_invalid_rollback();
}

static esp_err_t may_go_back(struct device *d)
{
    (void)d;
    return told(esp_ota_check_rollback_is_possible());
}

static esp_err_t last_invalid(struct device *d)
{
    (void)d;
    return told(esp_ota_get_last_invalid_partition() == part("ota_1"));
}

static esp_err_t get_state(struct device *d)
{
    esp_ota_img_states_t got;

    (void)d;
    return esp_ota_get_state_partition(part("ota_0"), &got);
}

static esp_err_t get_boot(struct device *d)
{
    (void)d;
    return told(esp_ota_get_boot_partition() == part("ota_0"));
}

static esp_err_t erase_last(struct device *d)
{
    (void)d;
    return esp_ota_erase_last_boot_app_partition();
}

static esp_err_t forget_last(struct device *d)
{
    (void)d;
    return esp_ota_invalidate_inactive_ota_data_slot();
}

static esp_err_t describe(struct device *d)
{
    esp_app_desc_t desc;

    (void)d;
    return esp_ota_get_partition_description(part("ota_0"), &desc);
}

static esp_err_t let_factory_boot(struct device *d)
{
    (void)d;
    return esp_ota_set_boot_partition_skip_validate(part("factory"));
}

static esp_err_t describe_bootloader(struct device *d)
{
    esp_bootloader_desc_t desc;

    (void)d;
    return esp_ota_get_bootloader_description(part("ota_0"), &desc) ==
                   ESP_ERR_NOT_FOUND
               ? ESP_OK
               : ESP_FAIL;
}

/* What came is no image: it is refused, and does not look like one. */
static esp_err_t install_bad(struct device *d)
{
    esp_ota_handle_t h;
    esp_err_t err = esp_ota_begin(part("ota_1"), SEQ, &h);

    if (err)
        return err;
    d->rig.image[d->rig.image_len - 1] ^= 1;
    err = esp_ota_write(h, d->rig.image, d->rig.image_len);
    if (err) {
        (void)esp_ota_abort(h);
        return err;
    }
    err = esp_ota_end(h);
    assert_int_equal(err, ESP_ERR_OTA_VALIDATE_FAILED);
    return rig_bytes(&d->rig, RIG_SLOT_1)[0] == 0xE9 ? ESP_FAIL : ESP_OK;
}

static esp_err_t install(struct device *d)
{
    esp_ota_handle_t h;
    esp_err_t err = esp_ota_begin(part("ota_1"), SEQ, &h);

    if (err)
        return err;
    err = esp_ota_write(h, d->rig.image, d->rig.image_len);
    if (err) {
        (void)esp_ota_abort(h);
        return err;
    }
    err = esp_ota_end(h);
    return err ? err : esp_ota_set_boot_partition(part("ota_1"));
}

/* --- before it ------------------------------------------------------------ */

/* Another image in ota_1, which nothing refers to yet. */
static void both_hold_images(struct device *d)
{
    rig_put_image(&d->rig, RIG_SLOT_1, &(struct rig_image){ .filler = 3 });
}

/* ota_1 runs, on trial. */
static void trial(struct device *d)
{
    both_hold_images(d);
    rig_record(&d->rig, 1, 2, OTA_STATE_PENDING);
    device_restart(d, RIG_SLOT_1);
}

/* Confirmed, with what was before still there. */
static void confirmed(struct device *d)
{
    both_hold_images(d);
    rig_record(&d->rig, 1, 2, OTA_STATE_VALID);
    device_restart(d, RIG_SLOT_1);
}

static void has_factory(struct device *d)
{
    struct part_table *t = &d->rig.parts.table;

    t->entries[t->cnt++] = (struct part_entry){ .subtype = PART_APP_FACTORY,
                                                .off = RIG_FUSES,
                                                .len = 0x4000,
                                                .label = "factory" };
    part_table_pack(t, d->rig.flash.bytes + PART_TABLE_OFF);
    device_restart(d, RIG_SLOT_0);
}

static void failed_once(struct device *d)
{
    both_hold_images(d);
    rig_record(&d->rig, 1, 2, OTA_STATE_ABORTED);
}

/* --- the table ------------------------------------------------------------ */

struct fault_row {
    const char *claim;
    void (*prepare)(struct device *d); /* NULL: nothing */
    esp_err_t (*call)(struct device *d);
    bool forgives; /* some reads are not needed for the answer */
    bool writes;
    uint32_t failed, worked; /* what may boot afterwards, BOOTS() */
};

static const struct fault_row rows[] = {
    { "choosing a slot", both_hold_images, set_boot, false, true, EITHER,
      BOOTS(1) },
    { "choosing it without a look at its image", both_hold_images,
      set_boot_skip, false, true, EITHER, BOOTS(1) },
    { "confirming: without a note of it, if need be", trial, confirm, true,
      true, EITHER, BOOTS(1) },
    { "giving up: the same", trial, give_up, true, true, EITHER, BOOTS(0) },
    { "nobody goes back without knowing where to", trial, may_go_back, false,
      false, BOOTS(0), BOOTS(0) },
    { "no slot is called refused", failed_once, last_invalid, false, false,
      BOOTS(0), BOOTS(0) },
    { "no state is made up", NULL, get_state, false, false, BOOTS(0),
      BOOTS(0) },
    { "nor what boots", NULL, get_boot, false, false, BOOTS(0), BOOTS(0) },
    { "erasing the last program", confirmed, erase_last, false, true, BOOTS(1),
      BOOTS(1) },
    { "forgetting the last program", confirmed, forget_last, false, true,
      BOOTS(1), BOOTS(1) },
    { "describing an image", NULL, describe, false, false, BOOTS(0), BOOTS(0) },
    { "describing what is no bootloader", NULL, describe_bootloader, false,
      false, BOOTS(0), BOOTS(0) },
    { "letting the factory boot, which here is empty", has_factory,
      let_factory_boot, false, true, BOOTS(0), BOOTS(0) },
    { "refusing a damaged image", NULL, install_bad, true, true, BOOTS(0),
      BOOTS(0) },
    { "a whole update", NULL, install, true, true, EITHER, BOOTS(1) },
};

static void prepare(struct device *d, const struct fault_row *row)
{
    device_open(d);
    d->rig.policy.deny = true;
    if (row->prepare)
        row->prepare(d);
}

/* False: it did without the thing that was to fail. */
static bool run(struct device *d, const struct fault_row *row)
{
    uint32_t fired = d->rig.flash.count.fired, boots;
    esp_err_t err = row->call(d);
    bool failed = d->rig.flash.count.fired > fired;

    if (!failed)
        assert_int_equal(err, ESP_OK);
    else if (!row->forgives)
        assert_int_not_equal(err, ESP_OK);
    sim_flash_power_on(&d->rig.flash); /* nothing is armed any more */
    boots = rig_boots(&d->rig);
    assert_true((err ? row->failed : row->worked) & BOOTS(boots));
    device_close(d);
    return failed;
}

/* The records are read in many small pieces: every third one will do. */
static void test_reads(void **state)
{
    uint32_t step = getenv("PORTA_DEEP") ? 1 : 3;

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct device d;
        uint32_t nth = 1;

        print_message("# %s\n", rows[i].claim);
        for (bool failed = true; failed; nth += step) {
            prepare(&d, &rows[i]);
            sim_flash_fail_read(&d.rig.flash, nth);
            failed = run(&d, &rows[i]);
        }
        assert_true(nth > 1 + step);
    }
}

static void test_operations(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct device d;
        uint32_t nth = 1;

        print_message("# %s\n", rows[i].claim);
        for (bool failed = true; failed; nth++) {
            prepare(&d, &rows[i]);
            sim_flash_arm(&d.rig.flash, SIM_FAULT_STATUS, nth, nth);
            failed = run(&d, &rows[i]);
        }
        /* What only asks writes nothing. */
        assert_int_equal(nth > 2, rows[i].writes);
    }
}

/* ota_1 holds what was given up, and nobody has put it on the list yet. In
 * doubt it is denied, whichever read failed. */
static void test_denied_in_doubt(void **state)
{
    uint32_t nth = 1;

    (void)state;
    for (bool failed = true; failed; nth++) {
        struct device d;
        uint8_t digest[SHA256_LEN];
        struct part_entry slot;
        bool denied = false;

        device_open(&d);
        failed_once(&d);
        slot = api_entry(part("ota_1"));
        assert_int_equal(deny_identity(&api_device()->parts, &slot, digest),
                         ESP_OK);
        sim_flash_fail_read(&d.rig.flash, nth);
        failed = deny_would_have(&api_device()->parts, digest, &denied);
        assert_int_equal(sim_flash_unfired(&d.rig.flash), !failed);
        assert_true(denied);
        device_close(&d);
    }
    assert_true(nth > 3);
}

/* A slot that nobody could look at is not called damaged. */
static void test_no_memory(void **state)
{
    struct device d;

    (void)state;
    device_open(&d);
    both_hold_images(&d);
    assert_non_null(part("ota_1")); /* the list of partitions is there */
    d.rig.heap.fail_at = d.rig.heap.alloc_cnt + 1;
    assert_int_equal(esp_ota_set_boot_partition(part("ota_1")), ESP_ERR_NO_MEM);
    assert_int_equal(rig_boots(&d.rig), 0);
    assert_int_equal(esp_ota_set_boot_partition(part("ota_1")), ESP_OK);
    assert_int_equal(rig_boots(&d.rig), 1);
    device_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_denied_in_doubt),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
