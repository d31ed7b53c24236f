/* What porta adds to esp_https_ota. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "nvs_flash.h"
#include "porta/ota_control.h"

static const esp_http_client_config_t http = { .url = RIG_URL };
static const esp_https_ota_config_t config = { .http_config = &http };

struct told {
    uint32_t cnt, posted;
    porta_ota_result_t last, event;
};

static void on_result(void *ctx, const porta_ota_result_t *result)
{
    struct told *t = ctx;

    t->cnt++;
    t->last = *result;
}

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    struct told *t = arg;

    assert_ptr_equal(base, PORTA_OTA_EVENT);
    assert_int_equal(id, PORTA_OTA_EVENT_RESULT);
    t->event = *(porta_ota_result_t *)data;
    t->posted++;
}

static void open_device(struct device *d, struct told *t,
                        porta_ota_options_t options)
{
    memset(t, 0, sizeof(*t));
    device_open(d);
    options.on_result = on_result;
    options.ctx = t;
    porta_ota_set_options(&options);
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    assert_int_equal(esp_event_handler_register(PORTA_OTA_EVENT,
                                                ESP_EVENT_ANY_ID, on_event, t),
                     ESP_OK);
}

static void test_result(void **state)
{
    struct device d;
    struct told t;

    (void)state;
    open_device(&d, &t, (porta_ota_options_t){ .stall_ms = 0 });
    assert_int_equal(esp_https_ota(&config), ESP_OK);
    assert_int_equal(t.cnt, 1);
    assert_int_equal(t.last.err, ESP_OK);
    assert_string_equal(t.last.stage, "none");
    assert_int_equal(t.last.http_status, 200);
    assert_int_equal(t.last.image_len, d.rig.image_len);
    assert_int_equal(t.last.received_len, d.rig.image_len);
    assert_int_equal(t.last.written_len, d.rig.image_len);
    assert_int_equal(t.last.requests, 1);
    assert_int_equal(t.last.erases, 5);
    assert_string_equal(t.last.host, "server.test");
    assert_int_equal(t.posted, 1);
    assert_memory_equal(&t.event, &t.last, sizeof(t.last));
    device_close(&d);
}

static uint32_t heap_free(void)
{
    return 4999;
}

/* What an application asks of images; without asking all of them are taken. */
static void test_asked_before(void **state)
{
    static const struct {
        porta_ota_options_t options;
        const char *words;
        esp_err_t want;
    } rows[] = {
        { { .require_updatable = true },
          "capability record",
          ESP_ERR_NOT_ALLOWED },
        { { .least_heap = 5000, .heap_free = heap_free },
          "4999 bytes",
          ESP_ERR_NO_MEM },
        { { .least_heap = 5000 }, "", ESP_OK },
        { { .same_project = true,
            .no_same_version = true,
            .no_older = true,
            .same_spi_mode = true },
          "",
          ESP_OK },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct device d;
        struct told t;

        open_device(&d, &t, rows[i].options);
        assert_int_equal(esp_https_ota(&config), rows[i].want);
        assert_non_null(strstr(t.last.message, rows[i].words));
        assert_string_equal(t.last.updatable, "unknown");
        if (rows[i].want)
            assert_int_equal(t.last.erases, 0);
        device_close(&d);
    }
}

/* A session that failed to begin tells, too. */
static void test_failure(void **state)
{
    struct device d;
    struct told t;

    (void)state;
    open_device(&d, &t, (porta_ota_options_t){ .retry_cnt = 2 });
    d.rig.web.status = 503;
    assert_int_equal(esp_https_ota(&config), ESP_FAIL);
    assert_int_equal(t.cnt, 1);
    assert_int_equal(t.last.err, ESP_FAIL);
    assert_string_equal(t.last.stage, "http");
    assert_non_null(strstr(t.last.message, "503"));
    assert_int_equal(t.last.retries, 2);
    assert_int_equal(t.last.requests, 3);
    device_close(&d);
}

/* With retries another file may come in the middle, unless the application was
 * told of this one. */
static void test_another_file(void **state)
{
    (void)state;
    for (int told = 0; told < 2; told++) {
        esp_https_ota_handle_t h;
        esp_app_desc_t desc;
        struct device d;
        struct told t;
        esp_err_t err;

        open_device(&d, &t, (porta_ota_options_t){ .retry_cnt = 2 });
        d.rig.web.etag = "\"a\"";
        d.rig.web.cut_at = 9000;
        d.rig.web.cut_cnt = 1;
        assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
        if (told)
            assert_int_equal(esp_https_ota_get_img_desc(h, &desc), ESP_OK);
        d.rig.web.etag = "\"b\"";
        do
            err = esp_https_ota_perform(h);
        while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
        assert_int_equal(err, told ? ESP_FAIL : ESP_OK);
        assert_int_equal(
            told ? esp_https_ota_abort(h) : esp_https_ota_finish(h), ESP_OK);
        assert_int_equal(t.last.retries, 1);
        if (told)
            assert_non_null(strstr(t.last.message, "changed"));
        assert_int_equal(rig_boots(&d.rig), told ? 0 : 1);
        device_close(&d);
    }
}

static void test_cancel(void **state)
{
    for (int all = 0; all < 2; all++) {
        struct device d;
        struct told t;
        esp_https_ota_handle_t h;
        porta_ota_result_t now;

        (void)state;
        open_device(&d, &t, (porta_ota_options_t){ .retry_cnt = 9 });
        d.rig.web.max_recv = 1000;
        assert_int_equal(porta_ota_cancel(NULL), ESP_ERR_NOT_FOUND);
        assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
        assert_int_equal(esp_https_ota_perform(h),
                         ESP_ERR_HTTPS_OTA_IN_PROGRESS);
        assert_int_equal(porta_ota_get_result(h, &now), ESP_OK);
        assert_int_equal(now.err, ESP_OK);
        assert_true(now.received_len > 0);
        assert_int_equal(porta_ota_cancel(&d), ESP_ERR_NOT_FOUND);
        assert_int_equal(porta_ota_cancel(all ? NULL : h), ESP_OK);
        assert_int_equal(esp_https_ota_perform(h), ESP_ERR_NOT_FINISHED);
        assert_int_equal(esp_https_ota_abort(h), ESP_OK);
        assert_int_equal(porta_ota_cancel(h), ESP_ERR_NOT_FOUND);
        assert_int_equal(t.last.err, ESP_ERR_NOT_FINISHED);
        assert_string_equal(t.last.stage, "download");
        assert_int_equal(t.last.retries, 0);
        assert_int_equal(rig_boots(&d.rig), 0);
        device_close(&d);
    }
}

static void test_limits(void **state)
{
    struct device d;
    struct told t;

    (void)state;
    open_device(&d, &t, (porta_ota_options_t){ .max_time_ms = 9000 });
    d.rig.web.trickle_ms = 1000;
    assert_int_equal(esp_https_ota(&config), ESP_FAIL);
    assert_int_equal(t.last.err, ESP_ERR_TIMEOUT);
    assert_int_equal(t.last.elapsed_ms, 9000);
    porta_ota_set_options(&(porta_ota_options_t){
        .stall_ms = 20000, .on_result = on_result, .ctx = &t });
    assert_int_equal(esp_https_ota(&config), ESP_FAIL);
    assert_int_equal(t.last.elapsed_ms, 20000);
    assert_non_null(strstr(t.last.message, "too slow"));
    device_close(&d);
}

static void open_storage(void)
{
    const esp_partition_t *nvs = NULL;

    assert_int_equal(esp_partition_register_external(
                         NULL, 0x54000, 0x4000, "nvs", ESP_PARTITION_TYPE_DATA,
                         ESP_PARTITION_SUBTYPE_DATA_NVS, &nvs),
                     ESP_OK);
    assert_int_equal(nvs_flash_init(), ESP_OK);
}

/* With storage and the wish to keep, a session goes on by itself; what the
 * application sees is one whole download. Then the file is known. */
static void test_keep(void **state)
{
    struct device d;
    struct told t;
    esp_https_ota_handle_t h;

    (void)state;
    open_device(&d, &t, (porta_ota_options_t){ .keep = true });
    d.rig.web.etag = "\"a\"";
    d.rig.web.cut_at = 10000;
    d.rig.web.cut_cnt = 2;
    assert_int_equal(esp_https_ota(&config), ESP_FAIL);
    assert_int_equal(t.last.checkpoints, 0); /* no storage yet */
    open_storage();
    assert_int_equal(esp_https_ota(&config), ESP_FAIL);
    assert_int_equal(t.last.checkpoints, 1);
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
    assert_int_equal(esp_https_ota_get_image_size(h), d.rig.image_len);
    while (esp_https_ota_perform(h) == ESP_ERR_HTTPS_OTA_IN_PROGRESS)
        ;
    assert_int_equal(esp_https_ota_get_image_len_read(h), d.rig.image_len);
    assert_int_equal(esp_https_ota_finish(h), ESP_OK);
    assert_int_equal(t.last.resumed_from, 8192);
    assert_int_equal(t.last.received_len, d.rig.image_len - 8192);
    assert_int_equal(rig_boots(&d.rig), 1);
    device_close(&d);
}

static esp_err_t write_blob(const char *text)
{
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    const esp_partition_t *blob = esp_partition_find_first(
        ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, "blob");
    esp_ota_handle_t h;

    assert_int_equal(esp_ota_begin(slot, OTA_WITH_SEQUENTIAL_WRITES, &h),
                     ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(h, blob, true), ESP_OK);
    assert_int_equal(esp_ota_write(h, text, strlen(text) + 1), ESP_OK);
    return esp_ota_end(h);
}

/* What esp_ota_end() could not copy to the end is copied by the application's
 * next start, or by whoever writes the slot next: before it is gone. */
static void test_copy_that_was_interrupted(void **state)
{
    struct told t;

    (void)state;
    for (unsigned by_begin = 0; by_begin < 2; by_begin++) {
        const char *blob;
        struct device d;
        esp_ota_handle_t h;

        open_device(&d, &t, (porta_ota_options_t){ .keep = true });
        blob = (const char *)rig_bytes(&d.rig, RIG_BLOB);
        open_storage();
        sim_flash_wear(&d.rig.flash, RIG_BLOB, 0);
        assert_int_not_equal(write_blob("first"), ESP_OK);
        assert_string_not_equal(blob, "first");
        sim_flash_mend(&d.rig.flash, RIG_BLOB);
        if (by_begin) {
            assert_int_equal(
                esp_ota_begin(esp_ota_get_next_update_partition(NULL), 4096,
                              &h),
                ESP_OK);
            assert_int_equal(esp_ota_abort(h), ESP_OK);
        } else {
            assert_int_equal(porta_ota_finish_copy(), ESP_OK);
        }
        assert_string_equal(blob, "first");
        assert_int_equal(porta_ota_finish_copy(), ESP_ERR_NOT_FOUND);
        device_close(&d);
    }
}

/* Nor is it given up while the place that it belongs to takes nothing. */
static void test_staged_copy_is_kept(void **state)
{
    const esp_partition_t *slot;
    struct told t;
    struct device d;
    esp_ota_handle_t h = 0;

    (void)state;
    open_device(&d, &t, (porta_ota_options_t){ .keep = true });
    slot = esp_ota_get_next_update_partition(NULL);
    open_storage();
    sim_flash_wear(&d.rig.flash, RIG_BLOB, 0);
    assert_int_not_equal(write_blob("first"), ESP_OK);
    assert_int_not_equal(esp_ota_begin(slot, 4096, &h), ESP_OK);
    assert_int_not_equal(
        esp_ota_resume(slot, OTA_WITH_SEQUENTIAL_WRITES, 4096, &h), ESP_OK);
    assert_int_equal(h, 0);
    assert_string_equal((const char *)rig_bytes(&d.rig, slot->address),
                        "first");
    sim_flash_mend(&d.rig.flash, RIG_BLOB);
    assert_int_equal(esp_ota_begin(slot, 4096, &h), ESP_OK);
    assert_string_equal((const char *)rig_bytes(&d.rig, RIG_BLOB), "first");
    device_close(&d);
}

static void test_bad_arguments(void **state)
{
    porta_ota_result_t r;

    (void)state;
    assert_int_equal(porta_ota_get_result(NULL, &r), ESP_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_result),
        cmocka_unit_test(test_asked_before),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_another_file),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_copy_that_was_interrupted),
        cmocka_unit_test(test_staged_copy_is_kept),
        cmocka_unit_test(test_bad_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
