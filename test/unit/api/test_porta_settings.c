/* Settings that follow the image, as an application calls for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_ota_ops.h"
#include "nvs_flash.h"
#include "porta/settings.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NVS_OFF 0x54000u
#define NVS_LEN 0x5000u

static const char *const names[] = { "app" };
static uint32_t told_from; /* what the hook was told; UINT32_MAX: nothing */

static uint32_t get(void)
{
    nvs_handle_t h;
    uint32_t n = 0;

    if (porta_settings_open("app", NVS_READONLY, &h) != ESP_OK)
        return 0;
    (void)nvs_get_u32(h, "n", &n);
    nvs_close(h);
    return n;
}

static esp_err_t set(uint32_t n)
{
    nvs_handle_t h;
    esp_err_t err = porta_settings_open("app", NVS_READWRITE, &h);

    if (err)
        return err;
    err = nvs_set_u32(h, "n", n);
    nvs_close(h);
    return err;
}

static esp_err_t migrate(void *ctx, uint32_t from, uint32_t to)
{
    told_from = from;
    if (ctx)
        return ESP_ERR_NOT_SUPPORTED;
    return set(get() * 10 + to);
}

static esp_err_t begin(uint32_t schema)
{
    const porta_settings_t mine = { names, CNT(names), schema, migrate, NULL };

    told_from = UINT32_MAX;
    return porta_settings_begin(&mine);
}

/* A reset into this slot, whose record says so. */
static void start(struct device *d, uint32_t slot, uint32_t seq, uint32_t state)
{
    const esp_partition_t *part;

    rig_record(&d->rig, slot, seq, state);
    device_restart(d, slot ? RIG_SLOT_1 : RIG_SLOT_0);
    assert_int_equal(esp_partition_register_external(
                         NULL, NVS_OFF, NVS_LEN, "nvs", ESP_PARTITION_TYPE_DATA,
                         ESP_PARTITION_SUBTYPE_DATA_NVS, &part),
                     ESP_OK);
    assert_int_equal(nvs_flash_init(), ESP_OK);
}

static void test_an_update_that_is_reverted(void **state)
{
    struct device d;

    (void)state;
    device_open(&d);
    start(&d, 0, 1, OTA_STATE_VALID);
    assert_int_equal(begin(1), ESP_OK);
    assert_int_equal(told_from, 0);
    assert_int_equal(set(5), ESP_OK);
    start(&d, 1, 2, OTA_STATE_PENDING);
    assert_int_equal(begin(2), ESP_OK);
    assert_int_equal(told_from, 1);
    assert_int_equal(get(), 52);
    rig_record(&d.rig, 1, 2, OTA_STATE_ABORTED);
    start(&d, 0, 1, OTA_STATE_VALID);
    assert_int_equal(begin(1), ESP_OK);
    assert_int_equal(told_from, UINT32_MAX);
    assert_int_equal(get(), 5);
    device_close(&d);
}

/* Settings made on trial, and what the next image finds: confirmed, they count
 * for whoever comes next; unconfirmed and gone, they do not. */
static void check_trial(bool confirmed,
                        void (*settle)(struct device *d, bool confirmed))
{
    struct device d;

    device_open(&d);
    start(&d, 0, 1, OTA_STATE_VALID);
    assert_int_equal(begin(1), ESP_OK);
    assert_int_equal(set(5), ESP_OK);
    start(&d, 1, 2, OTA_STATE_PENDING);
    assert_int_equal(begin(2), ESP_OK);
    settle(&d, confirmed);
    start(&d, 0, 3, OTA_STATE_PENDING);
    assert_int_equal(begin(3), ESP_OK);
    assert_int_equal(get(), confirmed ? 523 : 53);
    device_close(&d);
}

static void by_itself(struct device *d, bool confirmed)
{
    (void)d;
    if (confirmed)
        assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
}

/* As `porta confirm` does it, and as a power cut right after the record. */
static void by_its_record(struct device *d, bool confirmed)
{
    rig_record(&d->rig, 1, 2, confirmed ? OTA_STATE_VALID : OTA_STATE_ABORTED);
}

static void test_confirmation(void **state)
{
    (void)state;
    check_trial(false, by_itself);
    check_trial(true, by_itself);
}

static void test_confirmed_by_somebody_else(void **state)
{
    (void)state;
    check_trial(false, by_its_record);
    check_trial(true, by_its_record);
}

static void test_refusals(void **state)
{
    const porta_settings_t no_names = { NULL, 1, 1, NULL, NULL };
    const porta_settings_t refuses = { names, 1, 2, migrate, &told_from };
    struct device d;
    nvs_handle_t h;

    (void)state;
    device_open(&d);
    assert_int_equal(porta_settings_begin(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_settings_begin(&no_names), ESP_ERR_INVALID_ARG);
    assert_int_equal(begin(1), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(porta_settings_open("app", NVS_READONLY, &h),
                     ESP_ERR_INVALID_STATE);
    start(&d, 0, 1, OTA_STATE_VALID);
    assert_int_equal(begin(0), ESP_ERR_INVALID_ARG);
    assert_int_equal(begin(1), ESP_OK);
    assert_int_equal(porta_settings_open(NULL, NVS_READONLY, &h),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_settings_open("fifteen_letters", NVS_READONLY, &h),
                     ESP_ERR_NVS_INVALID_NAME);
    assert_int_equal(set(7), ESP_OK);
    assert_int_equal(porta_settings_begin(&refuses), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(set(8), ESP_ERR_INVALID_STATE);
    assert_int_equal(begin(1), ESP_OK);
    assert_int_equal(get(), 7);
    device_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_update_that_is_reverted),
        cmocka_unit_test(test_confirmation),
        cmocka_unit_test(test_confirmed_by_somebody_else),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests_name("porta_settings", tests, NULL, NULL);
}
