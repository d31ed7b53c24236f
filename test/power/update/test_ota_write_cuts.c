/* The same cuts for an application that writes with esp_ota_write(), which
 * puts the magic byte into flash first: a slot that was not finished may look
 * like an image, and the bootloader's verification is what keeps it from
 * running. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_ota_ops.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define PIECE 1500u

static const enum sim_fault cuts[] = { SIM_FAULT_BEFORE, SIM_FAULT_TORN,
                                       SIM_FAULT_UNSTABLE, SIM_FAULT_AFTER };

static esp_err_t write_image(const struct device *d, esp_ota_handle_t h)
{
    esp_err_t err = ESP_OK;

    for (uint32_t at = 0; !err && at < d->rig.image_len; at += PIECE) {
        uint32_t left = d->rig.image_len - at;
        err = esp_ota_write(h, d->rig.image + at, left < PIECE ? left : PIECE);
    }
    return err;
}

static esp_err_t update(struct device *d)
{
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    esp_ota_handle_t h;
    esp_err_t err = esp_ota_begin(slot, OTA_WITH_SEQUENTIAL_WRITES, &h);

    if (err)
        return err;
    err = write_image(d, h);
    if (err) {
        (void)esp_ota_abort(h);
        return err;
    }
    err = esp_ota_end(h);
    return err ? err : esp_ota_set_boot_partition(slot);
}

static bool cut_at(enum sim_fault fault, uint32_t nth)
{
    struct device d;
    uint32_t boots;
    esp_err_t err;
    bool fired;

    device_open(&d);
    /* The record of an older update, which begin() takes away. */
    rig_record(&d.rig, 1, 2, OTA_STATE_VALID);
    rig_record(&d.rig, 0, 3, OTA_STATE_VALID);
    sim_flash_arm(&d.rig.flash, fault, nth, nth * 31);
    err = update(&d);
    fired = d.rig.flash.count.fired == 1;
    sim_flash_power_on(&d.rig.flash);
    boots = rig_boots(&d.rig);
    assert_true(boots == 0 || (boots == 1 && (!err || fired)));
    if (boots == 1)
        assert_memory_equal(rig_bytes(&d.rig, RIG_SLOT_1), d.rig.image,
                            d.rig.image_len);
    if (boots == 0) { /* and the next update succeeds */
        device_restart(&d, RIG_SLOT_0);
        assert_int_equal(update(&d), ESP_OK);
        assert_int_equal(rig_boots(&d.rig), 1);
    }
    device_close(&d);
    return fired;
}

static void test_cuts(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(cuts); i++) {
        uint32_t nth = 1;
        while (cut_at(cuts[i], nth))
            nth++;
        /* 5 erases, 14 programs, and the records. */
        assert_true(nth > 19);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cuts) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
