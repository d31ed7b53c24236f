/* esp_https_ota: in one shot and in steps, and every order that callers get
 * wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "porta/ota_auth.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define GOING_ON ESP_ERR_HTTPS_OTA_IN_PROGRESS

static const esp_http_client_config_t http = { .url = RIG_URL };

static const esp_partition_t *part(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_ANY,
                                    ESP_PARTITION_SUBTYPE_ANY, label);
}

/* --- events --------------------------------------------------------------- */

struct seen {
    char text[512]; /* "START CONNECTED ..." */
    int written;
    uint16_t chip, rev;
    esp_partition_subtype_t subtype;
};

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    static const char *const names[] = { "START",  "CONNECTED", "DESC",  "CHIP",
                                         "REV",    "DECRYPT",   "WRITE", "BOOT",
                                         "FINISH", "ABORT" };
    struct seen *s = arg;
    size_t len = strlen(s->text);

    assert_ptr_equal(base, ESP_HTTPS_OTA_EVENT);
    if (id == ESP_HTTPS_OTA_WRITE_FLASH)
        s->written = *(int *)data;
    if (id == ESP_HTTPS_OTA_VERIFY_CHIP_ID)
        s->chip = (uint16_t) * (esp_chip_id_t *)data;
    if (id == ESP_HTTPS_OTA_VERIFY_CHIP_REVISION)
        s->rev = *(uint16_t *)data;
    if (id == ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION)
        s->subtype = *(esp_partition_subtype_t *)data;
    /* Many writes are one. */
    if (id == ESP_HTTPS_OTA_WRITE_FLASH && len > 6 &&
        strcmp(s->text + len - 6, "WRITE ") == 0)
        return;
    snprintf(s->text + len, sizeof(s->text) - len, "%s ", names[id]);
}

static void watch(struct seen *s)
{
    memset(s, 0, sizeof(*s));
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    assert_int_equal(esp_event_handler_register(ESP_HTTPS_OTA_EVENT,
                                                ESP_EVENT_ANY_ID, on_event, s),
                     ESP_OK);
}

/* --- the one call --------------------------------------------------------- */

static void test_one_shot(void **state)
{
    struct device d;
    struct seen seen;
    esp_https_ota_config_t config = { .http_config = &http };

    (void)state;
    device_open(&d);
    watch(&seen);
    assert_int_equal(esp_https_ota(&config), ESP_OK);
    assert_string_equal(seen.text,
                        "START CONNECTED CHIP REV WRITE BOOT FINISH ");
    assert_int_equal(seen.written, d.rig.image_len);
    assert_int_equal(seen.chip, RIG_CHIP);
    assert_int_equal(seen.subtype, ESP_PARTITION_SUBTYPE_APP_OTA_1);
    assert_ptr_equal(esp_ota_get_boot_partition(), part("ota_1"));
    assert_int_equal(rig_boots(&d.rig), 1);
    device_close(&d);
}

struct shot {
    const char *claim;
    bool no_config, no_http, resumption, no_verify, cert;
    esp_err_t (*init)(esp_http_client_handle_t client);
    int status;
    uint8_t damage; /* XORed into byte `at` */
    uint32_t at;
    esp_err_t want;
    const char *events;
};

static esp_err_t bring_nothing(esp_http_client_handle_t client)
{
    return client ? ESP_OK : ESP_FAIL;
}

static esp_err_t bring_key(esp_http_client_handle_t client)
{
    static const psk_hint_key_t psk = { (const uint8_t *)"0123456789abcdef", 16,
                                        "dev-1" };

    return porta_ota_set_psk(client, &psk);
}

static const struct shot shots[] = {
    { .claim = "nothing",
      .no_config = true,
      .want = ESP_ERR_INVALID_ARG,
      .events = "" },
    { .claim = "no HTTP configuration",
      .no_http = true,
      .want = ESP_ERR_INVALID_ARG,
      .events = "" },
    { .claim = "resumption belongs to the steps",
      .resumption = true,
      .want = ESP_ERR_NOT_SUPPORTED,
      .events = "" },
    { .claim = "nothing to verify the server by",
      .no_verify = true,
      .want = ESP_ERR_INVALID_ARG,
      .events = "START " },
    { .claim = "nor does the client's user bring anything",
      .no_verify = true,
      .init = bring_nothing,
      .want = ESP_ERR_INVALID_ARG,
      .events = "START " },
    { .claim = "a key that both know would do, but for http:",
      .no_verify = true,
      .init = bring_key,
      .want = ESP_ERR_NOT_ALLOWED,
      .events = "START " },
    { .claim = "http:, not allowed: a certificate does not help",
      .no_verify = true,
      .cert = true,
      .want = ESP_ERR_NOT_ALLOWED,
      .events = "START " },
    { .claim = "404", .status = 404, .want = ESP_FAIL, .events = "START " },
    { .claim = "304",
      .status = 304,
      .want = ESP_ERR_HTTP_NOT_MODIFIED,
      .events = "START " },
    { .claim = "no image",
      .damage = 1,
      .at = 0,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .events = "START CONNECTED WRITE ABORT " },
    { .claim = "another chip",
      .damage = 1,
      .at = 12,
      .want = ESP_ERR_INVALID_VERSION,
      .events = "START CONNECTED CHIP REV WRITE ABORT " },
    { .claim = "a wrong bit",
      .damage = 1,
      .at = 9000,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .events = "START CONNECTED CHIP REV WRITE ABORT " },
};

static void test_shots(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(shots); i++) {
        const struct shot *row = &shots[i];
        esp_http_client_config_t asked = http;
        esp_https_ota_config_t config = {
            .http_config = row->no_http ? NULL : &asked,
            .ota_resumption = row->resumption,
            .http_client_init_cb = row->init,
        };
        struct device d;
        struct seen seen;

        print_message("# %s\n", row->claim);
        device_open(&d);
        watch(&seen);
        d.rig.policy.allow_http = !row->no_verify;
        d.rig.policy.psk = true;
        asked.cert_pem = row->cert ? "a certificate" : NULL;
        d.rig.web.status = row->status;
        d.rig.image[row->at] ^= row->damage;
        assert_int_equal(esp_https_ota(row->no_config ? NULL : &config),
                         row->want);
        assert_string_equal(seen.text, row->events);
        assert_int_equal(rig_boots(&d.rig), 0);
        device_close(&d);
    }
}

/* --- the steps ------------------------------------------------------------ */

static void test_steps(void **state)
{
    struct device d;
    struct seen seen;
    esp_https_ota_config_t config = { .http_config = &http };
    esp_https_ota_handle_t h;
    esp_app_desc_t desc;
    esp_bootloader_desc_t boot;
    esp_err_t err;
    int last = 0;

    (void)state;
    device_open(&d);
    watch(&seen);
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
    assert_int_equal(esp_https_ota_get_image_len_read(h), -1);
    assert_int_equal(esp_https_ota_get_image_size(h), d.rig.image_len);
    assert_int_equal(esp_https_ota_get_status_code(h), 200);
    for (int i = 0; i < 2; i++) { /* the second time from memory */
        memset(&desc, 0, sizeof(desc));
        assert_int_equal(esp_https_ota_get_img_desc(h, &desc), ESP_OK);
        assert_string_equal(desc.version, "2");
        assert_memory_equal(&desc, d.rig.image + 32, sizeof(desc));
    }
    /* The reference writes 256 bytes into these 80. */
    assert_int_equal(esp_https_ota_get_bootloader_img_desc(h, &boot), ESP_FAIL);
    assert_int_equal(sim_flash_ops(&d.rig.flash), 0);
    while ((err = esp_https_ota_perform(h)) == GOING_ON) {
        int now = esp_https_ota_get_image_len_read(h);
        assert_true(now >= last);
        last = now;
        assert_false(esp_https_ota_is_complete_data_received(h));
    }
    assert_int_equal(err, ESP_OK);
    assert_true(esp_https_ota_is_complete_data_received(h));
    assert_int_equal(esp_https_ota_get_image_len_read(h), d.rig.image_len);
    assert_int_equal(esp_https_ota_perform(h), ESP_FAIL);
    assert_int_equal(esp_https_ota_get_img_desc(h, &desc), ESP_OK);
    assert_int_equal(esp_https_ota_finish(h), ESP_OK);
    assert_string_equal(seen.text, "START CONNECTED DESC DESC DESC CHIP REV "
                                   "WRITE DESC BOOT FINISH ");
    assert_int_equal(rig_boots(&d.rig), 1);
    device_close(&d);
}

static void test_nulls(void **state)
{
    struct device d;
    esp_https_ota_config_t config = { .http_config = &http };
    esp_https_ota_handle_t h = &d;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_https_ota_begin(NULL, &h), ESP_ERR_INVALID_ARG);
    assert_null(h);
    assert_int_equal(esp_https_ota_begin(&config, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_perform(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_finish(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_abort(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_get_img_desc(NULL, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_get_image_len_read(NULL), -1);
    assert_int_equal(esp_https_ota_get_image_size(NULL), -1);
    assert_int_equal(esp_https_ota_get_status_code(NULL), -1);
    assert_false(esp_https_ota_is_complete_data_received(NULL));
    device_close(&d);
}

/* Whoever begins and finishes has asked for nothing. */
static void test_finish_unused(void **state)
{
    struct device d;
    struct seen seen;
    esp_https_ota_config_t config = { .http_config = &http };
    esp_https_ota_handle_t h;

    (void)state;
    device_open(&d);
    watch(&seen);
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
    assert_int_equal(esp_https_ota_finish(h), ESP_OK);
    assert_string_equal(seen.text, "START CONNECTED FINISH ");
    assert_int_equal(rig_boots(&d.rig), 0);
    device_close(&d);
}

static void test_finish_early(void **state)
{
    struct device d;
    esp_https_ota_config_t config = { .http_config = &http };
    esp_https_ota_handle_t h;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
    assert_int_equal(esp_https_ota_perform(h), GOING_ON);
    assert_int_equal(esp_https_ota_finish(h), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(rig_boots(&d.rig), 0);
    device_close(&d);
}

/* Two writers of one slot. */
static void test_claims(void **state)
{
    struct device d;
    esp_https_ota_config_t config = { .http_config = &http };
    esp_https_ota_handle_t a, b;
    esp_ota_handle_t h;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_https_ota_begin(&config, &a), ESP_OK);
    assert_int_equal(esp_https_ota_begin(&config, &b),
                     ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(esp_ota_begin(part("ota_1"), 0, &h),
                     ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(esp_https_ota_abort(a), ESP_OK);
    assert_int_equal(esp_https_ota_begin(&config, &b), ESP_OK);
    assert_int_equal(esp_https_ota_abort(b), ESP_OK);
    device_close(&d);
}

/* --- options -------------------------------------------------------------- */

static esp_err_t add_header(esp_http_client_handle_t client)
{
    return esp_http_client_set_header(client, "X-Device", "rig");
}

static esp_err_t refuse(esp_http_client_handle_t client)
{
    (void)client;
    return ESP_ERR_INVALID_MAC;
}

static void test_init_cb(void **state)
{
    struct device d;
    esp_https_ota_config_t config = { .http_config = &http,
                                      .http_client_init_cb = add_header };
    esp_https_ota_handle_t h;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
    assert_non_null(strstr(d.rig.web.last_request, "X-Device: rig\r\n"));
    assert_int_equal(esp_https_ota_abort(h), ESP_OK);
    config.http_client_init_cb = refuse;
    assert_int_equal(esp_https_ota(&config), ESP_ERR_INVALID_MAC);
    device_close(&d);
}

static void test_bulk_and_partial(void **state)
{
    struct device d;
    esp_https_ota_config_t config = { .http_config = &http,
                                      .bulk_flash_erase = true,
                                      .partial_http_download = true,
                                      .max_http_request_size = 5000 };

    (void)state;
    device_open(&d);
    assert_int_equal(esp_https_ota(&config), ESP_OK);
    assert_int_equal(d.rig.web.request_cnt, 5);
    assert_string_equal(d.rig.web.ranges[0], "bytes=0-4999");
    assert_string_equal(d.rig.web.ranges[4], "bytes=20000-");
    assert_int_equal(rig_boots(&d.rig), 1);
    device_close(&d);
}

static void test_resumption(void **state)
{
    struct device d;
    esp_https_ota_config_t config = { .http_config = &http,
                                      .ota_resumption = true };
    esp_https_ota_handle_t h;
    esp_err_t err;
    int written;

    (void)state;
    device_open(&d);
    d.rig.web.max_recv = 1500;
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
    assert_string_equal(d.rig.web.ranges[0], "bytes=0-");
    for (int i = 0; i < 8; i++)
        assert_int_equal(esp_https_ota_perform(h), GOING_ON);
    written = esp_https_ota_get_image_len_read(h);
    assert_int_not_equal(written % 4096, 0);
    assert_true(written > 8192);
    assert_int_equal(esp_https_ota_abort(h), ESP_OK);
    device_restart(&d, RIG_SLOT_0);

    config.ota_image_bytes_written = (size_t)written;
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
    written -= written % 4096; /* what is sure to be in flash */
    assert_int_equal(esp_https_ota_get_image_len_read(h), written);
    assert_int_equal(esp_https_ota_get_image_size(h),
                     (int)d.rig.image_len - written);
    do {
        err = esp_https_ota_perform(h);
    } while (err == GOING_ON);
    assert_int_equal(err, ESP_OK);
    assert_int_equal(esp_https_ota_get_image_len_read(h), d.rig.image_len);
    assert_int_equal(esp_https_ota_finish(h), ESP_OK);
    assert_memory_equal(rig_bytes(&d.rig, RIG_SLOT_1), d.rig.image,
                        d.rig.image_len);
    assert_int_equal(rig_boots(&d.rig), 1);
    device_close(&d);
}

static void test_staging(void **state)
{
    struct device d;
    static const char text[] = "settings by way of a slot";
    esp_https_ota_config_t config = { .http_config = &http };

    (void)state;
    device_open(&d);
    rig_serve(&d.rig, text, sizeof(text));
    config.partition.staging = part("ota_1");
    config.partition.final = part("blob");
    config.partition.finalize_with_copy = true;
    assert_int_equal(esp_https_ota(&config), ESP_OK);
    assert_memory_equal(rig_bytes(&d.rig, RIG_BLOB), text, sizeof(text));
    assert_int_equal(rig_boots(&d.rig), 0);
    /* final given and equal to staging crashes the reference */
    rig_serve(&d.rig, d.rig.image, d.rig.image_len);
    config.partition.final = part("ota_1");
    assert_int_equal(esp_https_ota(&config), ESP_OK);
    assert_int_equal(rig_boots(&d.rig), 1);
    device_close(&d);
}

static void test_unconfirmed(void **state)
{
    struct device d;
    esp_https_ota_config_t config = { .http_config = &http };

    (void)state;
    device_open(&d);
    rig_record(&d.rig, 0, 1, OTA_STATE_PENDING);
    assert_int_equal(esp_https_ota(&config),
                     ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_int_equal(d.rig.web.open_cnt, 0);
    device_close(&d);
}

/* --- decryption ----------------------------------------------------------- */

struct cipher {
    size_t first_len;
    int calls;
    int fail_at; /* this call fails, 0: none */
};

static esp_err_t decrypt(decrypt_cb_arg_t *args, void *user_ctx)
{
    struct cipher *c = user_ctx;

    if (c->calls++ == 0)
        c->first_len = args->data_in_len;
    if (c->calls == c->fail_at)
        return ESP_ERR_INVALID_MAC;
    if (c->calls == 2)
        return ESP_ERR_NOT_FINISHED; /* "nothing yet" must not lose bytes */
    args->data_out = malloc(args->data_in_len);
    args->data_out_len = args->data_in_len;
    for (size_t i = 0; i < args->data_in_len; i++)
        args->data_out[i] = (char)(args->data_in[i] ^ 0x5A);
    return ESP_OK;
}

static void encrypt(struct rig *r)
{
    for (uint32_t i = 0; i < r->image_len; i++)
        r->image[i] ^= 0x5A;
}

static void test_decrypt(void **state)
{
    static const struct {
        int fail_at;
        esp_err_t want;
    } rows[] = { { 1, ESP_FAIL }, { 3, ESP_ERR_INVALID_MAC } };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct device d;
        struct cipher c = { .fail_at = rows[i].fail_at };
        esp_https_ota_config_t config = { .http_config = &http,
                                          .decrypt_cb = decrypt,
                                          .decrypt_user_ctx = &c };

        device_open(&d);
        encrypt(&d.rig);
        assert_int_equal(esp_https_ota(&config), rows[i].want);
        assert_int_equal(c.first_len, 1024);
        assert_int_equal(rig_boots(&d.rig), 0);
        device_close(&d);
    }
}

static esp_err_t decrypt_all(decrypt_cb_arg_t *args, void *user_ctx)
{
    struct cipher *c = user_ctx;

    c->calls = 5; /* past the one that holds back */
    return decrypt(args, user_ctx);
}

static void test_decrypt_good(void **state)
{
    struct device d;
    struct cipher c = { .calls = 0 };
    esp_https_ota_config_t config = { .http_config = &http,
                                      .decrypt_cb = decrypt_all,
                                      .decrypt_user_ctx = &c };
    esp_https_ota_handle_t h;
    esp_app_desc_t desc;

    (void)state;
    device_open(&d);
    encrypt(&d.rig);
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
    assert_int_equal(esp_https_ota_get_img_desc(h, &desc),
                     ESP_ERR_NOT_SUPPORTED);
    while (esp_https_ota_perform(h) == GOING_ON)
        ;
    assert_int_equal(esp_https_ota_finish(h), ESP_OK);
    assert_int_equal(rig_boots(&d.rig), 1);
    config.ota_resumption = true;
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_ERR_NOT_SUPPORTED);
    device_close(&d);
}

/* --- memory --------------------------------------------------------------- */

static void test_no_memory(void **state)
{
    uint32_t n = 0;
    bool ran_out = true;

    (void)state;
    while (ran_out) {
        struct device d;
        esp_https_ota_config_t config = { .http_config = &http };
        uint32_t start;
        esp_err_t err;

        device_open(&d);
        start = d.rig.heap.alloc_cnt;
        d.rig.heap.fail_at = start + ++n;
        err = esp_https_ota(&config);
        ran_out = d.rig.heap.alloc_cnt >= start + n;
        assert_int_equal(rig_boots(&d.rig), err ? 0 : 1);
        if (!ran_out)
            assert_int_equal(err, ESP_OK);
        device_close(&d);
    }
    assert_true(n > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_shot),
        cmocka_unit_test(test_shots),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_nulls),
        cmocka_unit_test(test_finish_unused),
        cmocka_unit_test(test_finish_early),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_init_cb),
        cmocka_unit_test(test_bulk_and_partial),
        cmocka_unit_test(test_resumption),
        cmocka_unit_test(test_staging),
        cmocka_unit_test(test_unconfirmed),
        cmocka_unit_test(test_decrypt),
        cmocka_unit_test(test_decrypt_good),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
