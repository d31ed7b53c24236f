/* esp_https_ota: what the application has it do meanwhile - decrypt the file,
 * take events - where there is little of the file, or no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_event.h"
#include "esp_https_ota.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* --- decryption by the application ---------------------------------------- */

static esp_err_t decrypt(decrypt_cb_arg_t *args, void *user_ctx)
{
    (void)user_ctx;
    args->data_out = malloc(args->data_in_len);
    memcpy(args->data_out, args->data_in, args->data_in_len);
    args->data_out_len = args->data_in_len;
    return ESP_OK;
}

struct seen {
    uint32_t call_cnt;
    size_t len;
};

static esp_err_t count(decrypt_cb_arg_t *args, void *user_ctx)
{
    struct seen *s = user_ctx;

    s->call_cnt++;
    s->len += args->data_in_len;
    return decrypt(args, NULL);
}

/* The call-back is given the first kilobyte at once, and less only where there
 * is no more. */
static void test_short_files(void **state)
{
    static const struct {
        size_t len;
        uint32_t call_cnt;
    } files[] = { { 0, 0 }, { 1, 1 }, { 500, 1 }, { 1024, 1 } };

    (void)state;
    for (size_t i = 0; i < CNT(files); i++) {
        struct device d;
        struct seen seen = { 0 };
        esp_http_client_config_t http = { .url = RIG_URL };
        esp_https_ota_config_t config = { .http_config = &http,
                                          .decrypt_cb = count,
                                          .decrypt_user_ctx = &seen };

        print_message("# %zu bytes\n", files[i].len);
        device_open(&d);
        rig_serve(&d.rig, d.rig.image, files[i].len);
        assert_int_equal(esp_https_ota(&config), ESP_ERR_OTA_VALIDATE_FAILED);
        assert_int_equal(seen.call_cnt, files[i].call_cnt);
        assert_int_equal(seen.len, files[i].len);
        assert_int_equal(rig_boots(&d.rig), 0);
        device_close(&d);
    }
}

static void test_decrypt_without_memory(void **state)
{
    uint32_t n = 0;
    bool ran_out = true;

    (void)state;
    while (ran_out) {
        struct device d;
        esp_http_client_config_t http = { .url = RIG_URL };
        esp_https_ota_config_t config = { .http_config = &http,
                                          .decrypt_cb = decrypt };
        uint32_t start;
        esp_err_t err;

        device_open(&d);
        start = d.rig.heap.alloc_cnt;
        d.rig.heap.fail_at = start + ++n;
        err = esp_https_ota(&config);
        ran_out = d.rig.heap.alloc_cnt >= start + n;
        assert_int_equal(rig_boots(&d.rig), err ? 0 : 1);
        device_close(&d);
    }
    assert_true(n > 8);
}

/* --- events --------------------------------------------------------------- */

static void nothing(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base, (void)id, (void)data;
}

/* Whoever has no memory for an event has an update all the same. */
static void test_lost_events(void **state)
{
    uint32_t n = 0, done_cnt = 0;
    bool ran_out = true;

    (void)state;
    while (ran_out) {
        struct device d;
        esp_http_client_config_t http = { .url = RIG_URL };
        esp_https_ota_config_t config = { .http_config = &http };
        uint32_t start;
        esp_err_t err;

        device_open(&d);
        assert_int_equal(esp_event_loop_create_default(), ESP_OK);
        assert_int_equal(esp_event_handler_register(ESP_HTTPS_OTA_EVENT,
                                                    ESP_EVENT_ANY_ID, nothing,
                                                    NULL),
                         ESP_OK);
        start = d.rig.heap.alloc_cnt;
        d.rig.heap.fail_at = start + ++n;
        err = esp_https_ota(&config);
        ran_out = d.rig.heap.alloc_cnt >= start + n;
        done_cnt += ran_out && !err;
        assert_int_equal(rig_boots(&d.rig), err ? 0 : 1);
        device_close(&d);
    }
    assert_true(done_cnt > 5); /* the update does not need them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_files),
        cmocka_unit_test(test_decrypt_without_memory),
        cmocka_unit_test(test_lost_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
