/* esp_https_ota: what each configuration asks for, and which of the
 * reference's codes a failure has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_crt_bundle.h"
#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "image/build.h"
#include "porta/ota_control.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define GOING_ON ESP_ERR_HTTPS_OTA_IN_PROGRESS

static const esp_partition_t *part(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_ANY,
                                    ESP_PARTITION_SUBTYPE_ANY, label);
}

static esp_err_t perform(esp_https_ota_handle_t h)
{
    esp_err_t err;

    do {
        err = esp_https_ota_perform(h);
    } while (err == GOING_ON);
    return err;
}

/* --- configurations that are refused -------------------------------------- */

static esp_err_t decrypt(decrypt_cb_arg_t *args, void *user_ctx)
{
    (void)user_ctx;
    args->data_out = malloc(args->data_in_len);
    memcpy(args->data_out, args->data_in, args->data_in_len);
    args->data_out_len = args->data_in_len;
    return ESP_OK;
}

struct config_row {
    const char *claim;
    bool https_only; /* http: and updates without verification are refused */
    bool cert, global, bundle, decrypts;
    enum pol_decrypt decryption;
    bool alien_staging, alien_final;
    esp_err_t want;
};

static const struct config_row configs[] = {
    { .claim = "all that is needed", .want = ESP_OK },
    { .claim = "trust in a certificate does not allow http:",
      .https_only = true,
      .cert = true,
      .want = ESP_ERR_NOT_ALLOWED },
    { .claim = "nor does that in the store of the application",
      .https_only = true,
      .global = true,
      .want = ESP_ERR_NOT_ALLOWED },
    { .claim = "nor does that in the bundle",
      .https_only = true,
      .bundle = true,
      .want = ESP_ERR_NOT_ALLOWED },
    { .claim = "no trust at all",
      .https_only = true,
      .want = ESP_ERR_INVALID_ARG },
    { .claim = "a decryption that the project has switched off",
      .decrypts = true,
      .decryption = POL_DECRYPT_NEVER,
      .want = ESP_ERR_INVALID_ARG },
    { .claim = "an image in the clear, where it has to be encrypted",
      .decryption = POL_DECRYPT_MUST,
      .want = ESP_ERR_INVALID_ARG },
    { .claim = "decryption where it has to be",
      .decrypts = true,
      .decryption = POL_DECRYPT_MUST,
      .want = ESP_OK },
    { .claim = "no decryption where there is none",
      .decryption = POL_DECRYPT_NEVER,
      .want = ESP_OK },
    { .claim = "a slot that the table does not have",
      .alien_staging = true,
      .want = ESP_FAIL },
    { .claim = "a final partition that it does not have",
      .alien_final = true,
      .want = ESP_FAIL },
};

static void test_configs(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(configs); i++) {
        const struct config_row *row = &configs[i];
        esp_http_client_config_t http = {
            .url = RIG_URL,
            .cert_pem = row->cert ? "a certificate" : NULL,
            .use_global_ca_store = row->global,
            .crt_bundle_attach = row->bundle ? esp_crt_bundle_attach : NULL,
        };
        esp_https_ota_config_t config = { .http_config = &http,
                                          .decrypt_cb =
                                              row->decrypts ? decrypt : NULL };
        struct device d;
        esp_partition_t alien;

        print_message("# %s\n", row->claim);
        device_open(&d);
        d.rig.policy.allow_http = !row->https_only;
        d.rig.policy.decrypt_cb = row->decryption;
        alien = *part("ota_1");
        alien.size -= 4096;
        config.partition.staging = row->alien_staging ? &alien : NULL;
        config.partition.final = row->alien_final ? &alien : NULL;
        assert_int_equal(esp_https_ota(&config), row->want);
        assert_int_equal(rig_boots(&d.rig), row->want ? 0 : 1);
        assert_int_equal(d.rig.web.request_cnt > 0, !row->want);
        device_close(&d);
    }
}

static void test_no_slot(void **state)
{
    struct device d;
    esp_http_client_config_t http = { .url = RIG_URL };
    esp_https_ota_config_t config = { .http_config = &http };
    esp_https_ota_handle_t h;

    (void)state;
    device_open(&d);
    d.rig.parts.table.cnt = 1; /* the boot records */
    part_table_pack(&d.rig.parts.table, d.rig.flash.bytes + PART_TABLE_OFF);
    device_restart(&d, RIG_SLOT_0);
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_FAIL);
    assert_null(h);
    config.http_config = NULL;
    h = &d;
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_ERR_INVALID_ARG);
    assert_null(h);
    device_close(&d);
}

/* --- what is asked of the server ------------------------------------------ */

struct range_row {
    const char *claim;
    bool partial, resumption;
    int max_len;
    size_t written;
    const char *range;
    int size; /* esp_https_ota_get_image_size(), less the image's length */
};

static const struct range_row ranges[] = {
    { "all", false, false, 0, 0, "", 0 },
    { "parts of a usual length", true, false, 0, 0, "bytes=0-65535", 0 },
    { "parts of a given length", true, false, 8000, 0, "bytes=0-7999", 0 },
    { "what is not there yet, from a sector's start", false, true, 0, 5000,
      "bytes=4096-", -4096 },
    { "so little that it is fetched again", false, true, 0, 1023, "bytes=0-",
      0 },
    { "more than any image has", false, true, 0, (size_t)UINT32_MAX + 1,
      "bytes=0-", 0 },
    { "the rest, in parts", true, true, 8000, 4096, "bytes=4096-12095", 0 },
};

static void test_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(ranges); i++) {
        const struct range_row *row = &ranges[i];
        esp_http_client_config_t http = { .url = RIG_URL };
        esp_https_ota_config_t config = {
            .http_config = &http,
            .partial_http_download = row->partial,
            .max_http_request_size = row->max_len,
            .ota_resumption = row->resumption,
            .ota_image_bytes_written = row->written,
        };
        struct device d;
        esp_https_ota_handle_t h;

        print_message("# %s\n", row->claim);
        device_open(&d);
        /* As an earlier session left it. */
        memcpy(d.rig.flash.bytes + RIG_SLOT_1, d.rig.image, 4096);
        assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
        assert_string_equal(d.rig.web.ranges[0], row->range);
        assert_int_equal(esp_https_ota_get_image_size(h),
                         (int)d.rig.image_len + row->size);
        assert_int_equal(perform(h), ESP_OK);
        assert_int_equal(esp_https_ota_finish(h), ESP_OK);
        assert_int_equal(rig_boots(&d.rig), 1);
        device_close(&d);
    }
}

/* Begun over what is there, and ended before anything was fetched. */
static void test_finish_resumed(void **state)
{
    struct device d;
    esp_http_client_config_t http = { .url = RIG_URL };
    esp_https_ota_config_t config = { .http_config = &http,
                                      .ota_resumption = true,
                                      .ota_image_bytes_written = 8192 };
    esp_https_ota_handle_t h;

    (void)state;
    device_open(&d);
    memcpy(d.rig.flash.bytes + RIG_SLOT_1, d.rig.image, 8192);
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
    assert_int_equal(esp_https_ota_get_image_len_read(h), 8192);
    assert_int_equal(esp_https_ota_finish(h), ESP_OK);
    assert_int_equal(rig_boots(&d.rig), 0);
    assert_memory_equal(rig_bytes(&d.rig, RIG_SLOT_1), d.rig.image, 8192);
    device_close(&d);
}

static void test_unknown_length(void **state)
{
    struct device d;
    esp_http_client_config_t http = { .url = RIG_URL };
    esp_https_ota_config_t config = { .http_config = &http };
    esp_https_ota_handle_t h;

    (void)state;
    device_open(&d);
    d.rig.web.no_length = true;
    assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
    assert_int_equal(esp_https_ota_get_image_size(h), -1);
    assert_int_equal(perform(h), ESP_OK);
    assert_int_equal(esp_https_ota_finish(h), ESP_OK);
    assert_int_equal(rig_boots(&d.rig), 1);
    device_close(&d);
}

/* Data that fills its partition, and one byte more, of a server that does not
 * say how much it has. */
static void test_full_partition(void **state)
{
    static uint8_t data[RIG_BLOB_LEN + 1];

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct device d;
        esp_http_client_config_t http = { .url = RIG_URL };
        esp_https_ota_config_t config = { .http_config = &http,
                                          .bulk_flash_erase = i >= 2 };
        bool fits = i % 2 == 0;

        device_open(&d);
        memset(data, 0x5A, sizeof(data));
        rig_serve(&d.rig, data, sizeof(data) - fits);
        d.rig.web.no_length = true;
        config.partition.staging = part("blob");
        assert_int_equal(esp_https_ota(&config),
                         fits ? ESP_OK : ESP_ERR_INVALID_SIZE);
        assert_memory_equal(rig_bytes(&d.rig, RIG_BLOB), data, RIG_BLOB_LEN);
        assert_int_equal(rig_bytes(&d.rig, RIG_BLOB + RIG_BLOB_LEN)[0], 0xFF);
        device_close(&d);
    }
}

/* --- failures ------------------------------------------------------------- */

struct failure_row {
    const char *claim;
    struct web web;        /* what it is to do */
    uint32_t refuse_later; /* connections, once the first one is there */
    bool mute_later;
    int timeout_ms;
    uint32_t stall_ms;
    uint64_t least_ms; /* that it takes until it fails */
    esp_err_t begin, perform;
};

static const struct failure_row failures[] = {
    { .claim = "nobody takes the connection",
      .web = { .refuse_cnt = 99 },
      .begin = ESP_ERR_HTTP_CONNECT },
    { .claim = "nobody answers it",
      .web = { .mute_open = true },
      .begin = ESP_ERR_HTTP_CONNECT },
    { .claim = "a file that is not there",
      .web = { .status = 404 },
      .begin = ESP_FAIL },
    { .claim = "a part that nobody takes the connection for",
      .refuse_later = 99,
      .web = { .cut_at = 6000, .cut_cnt = 1 },
      .perform = ESP_FAIL },
    { .claim = "... or answers it",
      .mute_later = true,
      .web = { .cut_at = 6000, .cut_cnt = 1 },
      .perform = ESP_FAIL },
    { .claim = "silence, for a minute",
      .web = { .cut_at = 6000, .cut_cnt = 99, .cut_silent = true },
      .least_ms = 60000,
      .perform = ESP_FAIL },
    { .claim = "silence, for two of the waits that are asked for",
      .web = { .cut_at = 6000, .cut_cnt = 99, .cut_silent = true },
      .timeout_ms = 50000,
      .least_ms = 100000,
      .perform = ESP_FAIL },
    { .claim = "silence, for as long as the options say",
      .web = { .cut_at = 6000, .cut_cnt = 99, .cut_silent = true },
      .timeout_ms = 50000,
      .stall_ms = 120000,
      .least_ms = 120000,
      .perform = ESP_FAIL },
    { .claim = "another part than was asked for",
      .web = { .lie_range = 1 },
      .perform = ESP_FAIL },
};

static void misbehave(struct web *w, const struct web *how)
{
    w->refuse_cnt = how->refuse_cnt;
    w->mute_open = how->mute_open;
    w->status = how->status;
    w->cut_at = how->cut_at;
    w->cut_cnt = how->cut_cnt;
    w->cut_silent = how->cut_silent;
}

static void test_failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(failures); i++) {
        const struct failure_row *row = &failures[i];
        esp_http_client_config_t http = { .url = RIG_URL,
                                          .timeout_ms = row->timeout_ms };
        esp_https_ota_config_t config = { .http_config = &http,
                                          .partial_http_download = true,
                                          .max_http_request_size = 8000 };
        struct device d;
        esp_https_ota_handle_t h;
        uint64_t start_ms;

        print_message("# %s\n", row->claim);
        device_open(&d);
        porta_ota_set_options(
            &(porta_ota_options_t){ .stall_ms = row->stall_ms });
        misbehave(&d.rig.web, &row->web);
        start_ms = d.rig.sys.now_ms;
        assert_int_equal(esp_https_ota_begin(&config, &h), row->begin);
        d.rig.web.refuse_cnt = row->refuse_later;
        d.rig.web.mute_open = row->mute_later;
        d.rig.web.lie_range = row->web.lie_range;
        if (!row->begin) {
            assert_int_equal(perform(h), row->perform);
            assert_false(esp_https_ota_is_complete_data_received(h));
            assert_int_equal(esp_https_ota_abort(h), ESP_OK);
        }
        assert_true(d.rig.sys.now_ms - start_ms >= row->least_ms);
        assert_int_equal(rig_boots(&d.rig), 0);
        device_close(&d);
    }
}

/* A server that takes connections and then closes them. */
static esp_err_t hang_up(struct port_conn *conn, void *dst, size_t len,
                         uint64_t deadline_ms, size_t *done_len)
{
    (void)conn, (void)dst, (void)len, (void)deadline_ms;
    *done_len = 0;
    return ESP_OK;
}

static const struct {
    const char *claim, *url;
    bool later; /* not the first request, but one for a part */
    esp_err_t want;
} hang_ups[] = {
    { "instead of an answer", RIG_URL, false, ESP_FAIL },
    { "in the handshake", "https://server.test/fw.bin", false,
      ESP_ERR_HTTP_CONNECT },
    { "instead of the answer for a part", RIG_URL, true, ESP_FAIL },
    { "in the handshake for a part, to which it sent us", RIG_URL, true,
      ESP_FAIL },
};

static void test_hang_ups(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(hang_ups); i++) {
        esp_http_client_config_t http = { .url = hang_ups[i].url };
        esp_https_ota_config_t config = { .http_config = &http,
                                          .partial_http_download = true,
                                          .max_http_request_size = 8000 };
        struct device d;
        esp_https_ota_handle_t h;
        bool secure = strstr(hang_ups[i].claim, "handshake") != NULL;

        print_message("# %s\n", hang_ups[i].claim);
        device_open(&d);
        d.rig.policy.skip_cert_verify = true;
        if (!hang_ups[i].later)
            d.rig.web.port.recv = hang_up;
        assert_int_equal(esp_https_ota_begin(&config, &h),
                         hang_ups[i].later ? ESP_OK : hang_ups[i].want);
        if (hang_ups[i].later) {
            if (!secure)
                d.rig.web.port.recv = hang_up;
            d.rig.web.status = secure ? 302 : 0;
            d.rig.web.extra = "Location: https://server.test/part.bin\r\n";
            assert_int_equal(perform(h), hang_ups[i].want);
            assert_int_equal(esp_https_ota_abort(h), ESP_OK);
        }
        assert_int_equal(rig_boots(&d.rig), 0);
        device_close(&d);
    }
}

/* A client that is told to leave redirects alone belongs to the session now,
 * which follows them, but in no circle. */
static void test_round_and_round(void **state)
{
    struct device d;
    esp_http_client_config_t http = { .url = RIG_URL,
                                      .disable_auto_redirect = true };
    esp_https_ota_config_t config = { .http_config = &http };

    (void)state;
    device_open(&d);
    d.rig.web.status = 302;
    d.rig.web.extra = "Location: http://server.test/other.bin\r\n";
    assert_int_equal(esp_https_ota(&config), ESP_ERR_HTTP_MAX_REDIRECT);
    assert_int_equal(d.rig.web.request_cnt, 2);
    assert_int_equal(rig_boots(&d.rig), 0);
    device_close(&d);
}

/* --- descriptions --------------------------------------------------------- */

static uint8_t *make_bootloader(uint32_t *len)
{
    static const uint8_t body[3000];
    struct img_build_seg seg = { 0, span_of(body, sizeof(body)) };
    struct img_build in = { .kind = IMG_KIND_BOOTLOADER,
                            .segs = &seg,
                            .seg_cnt = 1 };
    uint8_t *out = malloc(8192);

    in.header.chip_id = RIG_CHIP;
    in.header.hash_appended = 1;
    in.header.max_rev = UINT16_MAX;
    strcpy(in.boot_desc.idf_ver, "v9");
    assert_int_equal(img_build(&in, out, 8192, len, NULL), ESP_OK);
    return out;
}

struct desc_row {
    const char *claim;
    bool bootloader; /* is served, and is to go to a partition of its type */
    bool ask_other;  /* for the description of the other kind */
    bool nowhere;    /* no buffer for it */
    int at;          /* of a byte that is wrong, -1: none is */
    esp_err_t want;
};

static const struct desc_row descs[] = {
    { "of an application", false, false, false, -1, ESP_OK },
    { "of a bootloader", true, false, false, -1, ESP_OK },
    { "an application is no bootloader", false, true, false, -1, ESP_FAIL },
    { "nor the other way round", true, true, false, -1, ESP_FAIL },
    { "with no place to put it", false, false, true, -1, ESP_ERR_INVALID_ARG },
    { "of what is for another chip", false, false, false, 12, ESP_OK },
    { "of what is no image", false, false, false, 0, ESP_FAIL },
    { "of an application that has none", false, false, false, 32, ESP_FAIL },
    { "of a bootloader that has none", true, false, false, 32, ESP_FAIL },
};

static void add_bootloader_place(struct device *d)
{
    struct part_table *t = &d->rig.parts.table;

    t->entries[t->cnt++] = (struct part_entry){ .type = PART_TYPE_BOOTLOADER,
                                                .subtype = PART_BOOTLOADER_OTA,
                                                .off = 0x54000,
                                                .len = 0x4000,
                                                .label = "boot2" };
    part_table_pack(t, d->rig.flash.bytes + PART_TABLE_OFF);
    device_restart(d, RIG_SLOT_0);
}

static esp_err_t ask(esp_https_ota_handle_t h, bool bootloader, bool nowhere)
{
    static esp_app_desc_t app;
    static esp_bootloader_desc_t boot;
    esp_err_t err;

    if (!bootloader) {
        err = esp_https_ota_get_img_desc(h, nowhere ? NULL : &app);
        if (!err)
            assert_string_equal(app.version, "2");
        return err;
    }
    err = esp_https_ota_get_bootloader_img_desc(h, nowhere ? NULL : &boot);
    if (!err)
        assert_string_equal(boot.idf_ver, "v9");
    return err;
}

static void test_descriptions(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(descs); i++) {
        const struct desc_row *row = &descs[i];
        esp_http_client_config_t http = { .url = RIG_URL };
        esp_https_ota_config_t config = { .http_config = &http };
        struct device d;
        esp_https_ota_handle_t h;
        uint8_t *file;
        uint32_t len;

        print_message("# %s\n", row->claim);
        device_open(&d);
        add_bootloader_place(&d);
        file = row->bootloader ? make_bootloader(&len)
                               : rig_make_image(&(struct rig_image){ 0 }, &len);
        if (row->at >= 0)
            file[row->at] ^= 1;
        rig_serve(&d.rig, file, len);
        config.partition.final = row->bootloader ? part("boot2") : NULL;
        config.partition.staging = part("ota_1");
        assert_int_equal(esp_https_ota_begin(&config, &h), ESP_OK);
        assert_int_equal(
            ask(h, row->bootloader != row->ask_other, row->nowhere), row->want);
        assert_int_equal(sim_flash_ops(&d.rig.flash), 0);
        assert_int_equal(esp_https_ota_abort(h), ESP_OK);
        device_close(&d);
        free(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configs),
        cmocka_unit_test(test_no_slot),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_finish_resumed),
        cmocka_unit_test(test_unknown_length),
        cmocka_unit_test(test_full_partition),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_hang_ups),
        cmocka_unit_test(test_round_and_round),
        cmocka_unit_test(test_descriptions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
