/* The esp_* functions of a device with anti-rollback, fuses in its flash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_efuse.h"
#include "esp_https_ota.h"
#include "esp_ota_ops.h"

static const esp_http_client_config_t http = { .url = RIG_URL };

static const esp_partition_t *part(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_ANY,
                                    ESP_PARTITION_SUBTYPE_ANY, label);
}

/* ota_0 runs, with version v0; ota_1 has an image of version v1. Fuses 2. */
static void open_device(struct device *d, uint32_t v0, uint32_t v1)
{
    device_open(d);
    rig_add_fuses(&d->rig);
    rig_put_image(&d->rig, RIG_SLOT_0,
                  &(struct rig_image){ .secure_version = v0 });
    rig_put_image(&d->rig, RIG_SLOT_1,
                  &(struct rig_image){ .secure_version = v1, .filler = 5 });
    assert_int_equal(fuse_raise(&d->rig.fuses.port, 2), ESP_OK);
    d->boot.fuse = NULL;
    device_restart(d, RIG_SLOT_0);
}

static void serve(struct device *d, uint32_t version)
{
    free(d->rig.image);
    d->rig.image = rig_make_image(
        &(struct rig_image){ .secure_version = version, .filler = 3 },
        &d->rig.image_len);
    rig_serve(&d->rig, d->rig.image, d->rig.image_len);
}

static void test_efuse(void **state)
{
    struct device d;

    (void)state;
    open_device(&d, 2, 2);
    assert_int_equal(esp_efuse_read_secure_version(), 2);
    assert_true(esp_efuse_check_secure_version(2));
    assert_false(esp_efuse_check_secure_version(1));
    assert_int_equal(esp_efuse_update_secure_version(4), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 4);
    assert_int_equal(esp_efuse_update_secure_version(3), ESP_FAIL);
    assert_int_equal(esp_efuse_update_secure_version(17), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_efuse_update_secure_version(16), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 16);
    d.rig.flash.bytes[RIG_FUSES] ^= 1;
    assert_int_equal(esp_efuse_read_secure_version(), 16); /* the copy */
    d.rig.flash.bytes[RIG_FUSES + FUSE_SECTOR_LEN] ^= 1;
    assert_int_equal(esp_efuse_read_secure_version(), UINT32_MAX);
    assert_false(esp_efuse_check_secure_version(16));
    assert_int_equal(esp_efuse_update_secure_version(16), ESP_ERR_INVALID_CRC);
    device_close(&d);
}

/* A field that the project made smaller. */
static void test_smaller_field(void **state)
{
    struct device d;

    (void)state;
    open_device(&d, 2, 2);
    d.rig.policy.sec_ver_bits = 4;
    device_restart(&d, RIG_SLOT_0);
    assert_int_equal(esp_efuse_read_secure_version(), 2);
    assert_int_equal(esp_efuse_update_secure_version(5), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_efuse_update_secure_version(4), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 4);
    device_close(&d);
}

/* A flash of their own, beside the device's. */
static void test_fuse_flash(void **state)
{
    struct sim_flash_conf conf = { .size_len = FUSE_EMUL_LEN };
    struct sim_flash fuses;
    struct device d;

    (void)state;
    device_open(&d);
    assert_int_equal(sim_flash_init(&fuses, &conf), ESP_OK);
    d.boot.fuse = NULL;
    device_restart(&d, RIG_SLOT_0);
    assert_int_equal(esp_efuse_read_secure_version(), 0); /* there are none */
    assert_int_equal(esp_efuse_update_secure_version(1), ESP_ERR_INVALID_ARG);
    d.boot.fuse_flash = &fuses.port;
    device_restart(&d, RIG_SLOT_0);
    assert_int_equal(esp_efuse_update_secure_version(3), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 3);
    sim_flash_deinit(&fuses);
    device_close(&d);
}

/* Refused, and what is in the slot stays: the bootloader refuses it, too. */
static void test_set_boot(void **state)
{
    struct device d;

    (void)state;
    open_device(&d, 2, 1);
    d.rig.flash.count = (struct sim_flash_count){ 0 };
    assert_int_equal(esp_ota_set_boot_partition(part("ota_1")),
                     ESP_ERR_OTA_SMALL_SEC_VER);
    assert_int_equal(sim_flash_ops(&d.rig.flash), 0);
    assert_int_equal(rig_boots(&d.rig), 0);
    rig_put_image(&d.rig, RIG_SLOT_1,
                  &(struct rig_image){ .secure_version = 2 });
    device_restart(&d, RIG_SLOT_0);
    assert_int_equal(esp_ota_set_boot_partition(part("ota_1")), ESP_OK);
    assert_int_equal(rig_boots(&d.rig), 1);
    device_close(&d);
}

static void test_https_ota(void **state)
{
    esp_https_ota_config_t config = { .http_config = &http };
    struct device d;

    (void)state;
    open_device(&d, 2, 2);
    serve(&d, 1);
    d.rig.flash.count = (struct sim_flash_count){ 0 };
    assert_int_equal(esp_https_ota(&config), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_int_equal(sim_flash_ops(&d.rig.flash), 0);
    serve(&d, 5);
    assert_int_equal(esp_https_ota(&config), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 2); /* not yet */
    device_close(&d);
}

/* The counter moves when the image confirmed itself, and not before. */
static void test_confirm_raises(void **state)
{
    struct device d;

    (void)state;
    open_device(&d, 2, 5);
    rig_record(&d.rig, 1, 2, OTA_STATE_PENDING);
    device_restart(&d, RIG_SLOT_1);
    assert_int_equal(esp_efuse_read_secure_version(), 2);
    assert_true(esp_ota_check_rollback_is_possible());
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 5);
    /* What it came from is too old now. */
    assert_false(esp_ota_check_rollback_is_possible());
    assert_int_equal(esp_ota_mark_app_invalid_rollback(),
                     ESP_ERR_OTA_ROLLBACK_FAILED);
    device_close(&d);
}

/* The second slot becomes the factory's place. */
static void make_factory(struct rig *r)
{
    struct part_table *t = &r->parts.table;

    for (uint32_t i = 0; i < t->cnt; i++)
        if (t->entries[i].off == RIG_SLOT_1)
            t->entries[i].subtype = PART_APP_FACTORY;
    part_table_pack(t, r->flash.bytes + PART_TABLE_OFF);
    rig_reboot(r);
}

/* A factory program is where the bootloader goes when no record is left; its
 * version decides whether it may. */
static void test_back_to_the_factory(void **state)
{
    static const bool new_enough[] = { true, false };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct device d;

        open_device(&d, 2, new_enough[i] ? 2 : 1);
        make_factory(&d.rig);
        rig_record(&d.rig, 0, 1, OTA_STATE_PENDING);
        device_restart(&d, RIG_SLOT_0);
        assert_int_equal(esp_ota_check_rollback_is_possible(), new_enough[i]);
        assert_int_equal(esp_ota_mark_app_invalid_rollback(),
                         new_enough[i] ? ESP_OK : ESP_ERR_OTA_ROLLBACK_FAILED);
        device_close(&d);
    }
}

/* A program that another record speaks for raises nothing. */
static void test_fallback_raises_nothing(void **state)
{
    struct device d;

    (void)state;
    open_device(&d, 5, 2);
    rig_record(&d.rig, 0, 2, OTA_STATE_VALID);
    rig_record(&d.rig, 1, 4, OTA_STATE_PENDING);
    device_restart(&d, RIG_SLOT_1);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 2);
    device_close(&d);
}

/* The power went between the record and the fuses: the next call ends it. */
static void test_confirm_again_raises(void **state)
{
    struct device d;

    (void)state;
    open_device(&d, 2, 5);
    rig_record(&d.rig, 1, 2, OTA_STATE_VALID);
    device_restart(&d, RIG_SLOT_1);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 5);
    device_close(&d);
}

/* Confirmed, but the fuses cannot be raised: said, and the record stands. */
static void test_confirm_with_bad_fuses(void **state)
{
    esp_ota_img_states_t ota_state;
    struct device d;

    (void)state;
    open_device(&d, 2, 5);
    rig_record(&d.rig, 1, 2, OTA_STATE_PENDING);
    device_restart(&d, RIG_SLOT_1);
    sim_flash_wear(&d.rig.flash, RIG_FUSES, 0);
    assert_int_not_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(esp_ota_get_state_partition(part("ota_1"), &ota_state),
                     ESP_OK);
    assert_int_equal(ota_state, ESP_OTA_IMG_VALID);
    assert_int_equal(esp_efuse_read_secure_version(), 2);
    device_close(&d);
}

/* A program that is too old, started all the same, does not get far. */
static void test_start_up(void **state)
{
    struct device d;

    (void)state;
    open_device(&d, 2, 1);
    api_device_stop();
    d.boot.running_off = RIG_SLOT_1;
    assert_int_equal(api_device_start(&d.boot), ESP_ERR_OTA_SMALL_SEC_VER);
    d.rig.policy.anti_rollback = false;
    assert_int_equal(api_device_start(&d.boot), ESP_OK);
    d.rig.policy.anti_rollback = true;
    api_device_stop();
    d.boot.running_off = RIG_SLOT_0;
    d.rig.flash.bytes[RIG_FUSES] ^= 1;
    d.rig.flash.bytes[RIG_FUSES + FUSE_SECTOR_LEN] ^= 1;
    assert_int_equal(api_device_start(&d.boot), ESP_ERR_INVALID_CRC);
    d.rig.policy.anti_rollback = false;
    device_restart(&d, RIG_SLOT_0);
    device_close(&d);
}

/* Whichever read or allocation fails: a confirmation that is not told as failed
 * has raised the fuses, and one that was can be asked for again. */
static void test_confirm_while_things_fail(void **state)
{
    struct device d;
    uint32_t nth = 1, failed_cnt = 0;

    (void)state;
    for (bool failed = true; failed; nth += nth < 12 ? 1 : 5) {
        esp_err_t err;

        open_device(&d, 2, 5);
        rig_record(&d.rig, 1, 2, OTA_STATE_PENDING);
        device_restart(&d, RIG_SLOT_1);
        sim_flash_fail_read(&d.rig.flash, nth);
        if (nth < 12)
            d.rig.heap.fail_at = d.rig.heap.alloc_cnt + nth;
        err = esp_ota_mark_app_valid_cancel_rollback();
        failed = sim_flash_unfired(&d.rig.flash) == 0;
        sim_flash_power_on(&d.rig.flash);
        if (!err)
            assert_int_equal(esp_efuse_read_secure_version(), 5);
        assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
        assert_int_equal(esp_efuse_read_secure_version(), 5);
        failed_cnt += err != ESP_OK;
        device_close(&d);
    }
    assert_true(failed_cnt > 5);
}

/* ... nor does a program that is too old start because nobody could look. */
static void test_start_up_while_things_fail(void **state)
{
    struct device d;

    (void)state;
    for (uint32_t nth = 1; nth < 30; nth++) {
        for (unsigned heap = 0; heap < 2; heap++) {
            open_device(&d, 2, 1);
            api_device_stop();
            d.boot.running_off = RIG_SLOT_1;
            if (heap)
                d.rig.heap.fail_at = d.rig.heap.alloc_cnt + nth;
            else
                sim_flash_fail_read(&d.rig.flash, nth);
            assert_int_not_equal(api_device_start(&d.boot), ESP_OK);
            d.rig.heap.fail_at = 0;
            sim_flash_power_on(&d.rig.flash);
            device_restart(&d, RIG_SLOT_0);
            device_close(&d);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_efuse),
        cmocka_unit_test(test_smaller_field),
        cmocka_unit_test(test_fuse_flash),
        cmocka_unit_test(test_set_boot),
        cmocka_unit_test(test_https_ota),
        cmocka_unit_test(test_confirm_raises),
        cmocka_unit_test(test_back_to_the_factory),
        cmocka_unit_test(test_fallback_raises_nothing),
        cmocka_unit_test(test_confirm_again_raises),
        cmocka_unit_test(test_confirm_with_bad_fuses),
        cmocka_unit_test(test_start_up),
        cmocka_unit_test(test_confirm_while_things_fail),
        cmocka_unit_test(test_start_up_while_things_fail),
    };
    return cmocka_run_group_tests_name("api_anti_rollback", tests, NULL, NULL);
}
