/* esp_https_ota with a callback that decrypts: one as applications write it,
 * on esp_encrypted_img; one that holds back as it likes; and the library's
 * own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/crypt_device.h"

#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "nvs_flash.h"
#include "porta/ota_control.h"
#include "porta/ota_decrypt.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define GOING_ON ESP_ERR_HTTPS_OTA_IN_PROGRESS

static const esp_http_client_config_t http = { .url = RIG_URL };

/* --- as the reference's example has it ------------------------------------ */

static esp_err_t plain_cb(decrypt_cb_arg_t *args, void *user_ctx)
{
    pre_enc_decrypt_arg_t p = { .data_in = args->data_in,
                                .data_in_len = args->data_in_len };
    esp_err_t err = esp_encrypted_img_decrypt_data(user_ctx, &p);

    if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED) {
        free(p.data_out);
        return err;
    }
    args->data_out = p.data_out;
    args->data_out_len = p.data_out_len;
    return ESP_OK;
}

/* The example's steps. *steps: stop after so many, -1: never. */
static esp_err_t run_example(struct crypt_device *c, decrypt_cb_t cb,
                             const esp_http_client_config_t *conf, int steps)
{
    esp_decrypt_handle_t h = esp_encrypted_img_decrypt_start(&c->cfg);
    esp_https_ota_config_t config = { .http_config = conf,
                                      .decrypt_cb = cb,
                                      .decrypt_user_ctx = h,
                                      .enc_img_header_size = 512 };
    esp_https_ota_handle_t ota;
    esp_err_t err;

    if (!h)
        return ESP_ERR_NO_MEM;
    err = esp_https_ota_begin(&config, &ota);
    if (err) {
        (void)esp_encrypted_img_decrypt_abort(h);
        return err;
    }
    do {
        err = steps == 0 ? ESP_ERR_NOT_FINISHED : esp_https_ota_perform(ota);
        steps--;
    } while (err == GOING_ON);
    if (!err && esp_https_ota_is_complete_data_received(ota)) {
        err = esp_encrypted_img_decrypt_end(h);
        if (!err)
            return esp_https_ota_finish(ota);
    }
    (void)esp_https_ota_abort(ota);
    /* Ended or not, the example does this. */
    (void)esp_encrypted_img_decrypt_abort(h);
    return err;
}

static const decrypt_cb_t cbs[] = { plain_cb, porta_ota_decrypt };

static void test_example(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(cbs); i++) {
        struct crypt_device c;

        crypt_device_open(&c);
        assert_int_equal(run_example(&c, cbs[i], &http, -1), ESP_OK);
        assert_int_equal(rig_boots(&c.d.rig), 1);
        assert_memory_equal(rig_bytes(&c.d.rig, RIG_SLOT_1), c.d.rig.image,
                            c.d.rig.image_len);
        crypt_device_check(&c);
        crypt_device_close(&c);
    }
}

/* However the network cuts it up. */
static void test_pieces(void **state)
{
    static const struct {
        int buffer_size;
        size_t max_recv;
        bool partial;
    } rows[] = { { 1, 1, false },    { 1, 0, false },     { 17, 0, false },
                 { 512, 13, false }, { 1000, 7, false },  { 1024, 1024, false },
                 { 4096, 0, false }, { 65536, 0, false }, { 0, 0, true } };

    (void)state;
    for (size_t i = 0; i < 2 * CNT(rows); i++) {
        esp_http_client_config_t conf = { .url = RIG_URL,
                                          .buffer_size =
                                              rows[i / 2].buffer_size };
        struct crypt_device c;

        crypt_device_open(&c);
        c.d.rig.web.max_recv = rows[i / 2].max_recv;
        assert_int_equal(run_example(&c, cbs[i % 2], &conf, -1), ESP_OK);
        assert_int_equal(rig_boots(&c.d.rig), 1);
        crypt_device_check(&c);
        crypt_device_close(&c);
    }
}

/* Given up at any point: nothing is left, and nothing boots. */
static void test_abort(void **state)
{
    (void)state;
    for (int steps = 0; steps < 24; steps += 1 + steps / 8) {
        for (size_t i = 0; i < CNT(cbs); i++) {
            esp_http_client_config_t conf = { .url = RIG_URL,
                                              .buffer_size = 1024 };
            struct crypt_device c;
            esp_err_t err;

            crypt_device_open(&c);
            err = run_example(&c, cbs[i], &conf, steps);
            assert_int_equal(rig_boots(&c.d.rig), err ? 0 : 1);
            crypt_device_check(&c);
            crypt_device_close(&c);
        }
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(cbs); i++) {
        bool ran_out = true;
        uint32_t n;

        for (n = 1; ran_out; n += n < 16 ? 1 : n / 4) {
            struct crypt_device c;
            struct sim_heap *heap = &c.d.rig.heap;
            uint32_t start;
            esp_err_t err;

            crypt_device_open(&c);
            start = heap->alloc_cnt;
            heap->fail_at = start + n;
            err = run_example(&c, cbs[i], &http, -1);
            ran_out = heap->alloc_cnt >= start + n;
            assert_true(ran_out || err == ESP_OK);
            assert_int_equal(rig_boots(&c.d.rig), err ? 0 : 1);
            crypt_device_check(&c);
            crypt_device_close(&c);
        }
        assert_true(n > 50);
    }
}

/* --- a callback that holds back ------------------------------------------- */

struct holder {
    const uint8_t *image; /* what it hands out, whatever comes in */
    size_t in_len, out_len;
    size_t lag; /* so many bytes behind what came */
    size_t total;
};

static esp_err_t hold_cb(decrypt_cb_arg_t *args, void *user_ctx)
{
    struct holder *h = user_ctx;
    size_t up_to;

    h->in_len += args->data_in_len;
    up_to = h->in_len > h->lag ? h->in_len - h->lag : 0;
    if (h->in_len == h->total)
        up_to = h->total;
    if (up_to == h->out_len)
        return h->in_len % 2 ? ESP_OK : ESP_ERR_NOT_FINISHED;
    args->data_out_len = up_to - h->out_len;
    args->data_out = malloc(args->data_out_len);
    memcpy(args->data_out, h->image + h->out_len, args->data_out_len);
    h->out_len = up_to;
    return ESP_OK;
}

/* "Nothing yet" is no failure, at any place; the reference gives up there. */
static void test_lag(void **state)
{
    static const size_t lags[] = { 0,    1,    300,  1023,  1024,
                                   1025, 4096, 9000, 20000, 1u << 20 };

    (void)state;
    for (size_t i = 0; i < CNT(lags); i++) {
        struct device d;
        struct holder h = { .lag = lags[i] };
        esp_https_ota_config_t config = { .http_config = &http,
                                          .decrypt_cb = hold_cb,
                                          .decrypt_user_ctx = &h };

        device_open(&d);
        h.image = d.rig.image;
        h.total = d.rig.image_len;
        assert_int_equal(esp_https_ota(&config), ESP_OK);
        assert_int_equal(h.out_len, d.rig.image_len);
        assert_int_equal(rig_boots(&d.rig), 1);
        device_close(&d);
    }
}

/* --- the library's own ---------------------------------------------------- */

/* The tag is compared before anything can boot, whether one asks or not. */
static void test_own_tag(void **state)
{
    (void)state;
    for (int damage = 0; damage < 2; damage++) {
        struct crypt_device c;
        esp_decrypt_handle_t h;
        esp_https_ota_config_t config = { .http_config = &http,
                                          .decrypt_cb = porta_ota_decrypt };

        crypt_device_open(&c);
        h = crypt_start(&c);
        config.decrypt_user_ctx = h;
        c.file[408] ^= damage;
        assert_int_equal(esp_https_ota(&config),
                         damage ? ESP_ERR_INVALID_MAC : ESP_OK);
        assert_int_equal(rig_boots(&c.d.rig), damage ? 0 : 1);
        assert_int_equal(esp_encrypted_img_decrypt_end(h),
                         damage ? ESP_FAIL : ESP_OK);
        crypt_device_check(&c);
        crypt_device_close(&c);
    }
}

static void test_own_desc(void **state)
{
    struct crypt_device c;
    esp_decrypt_handle_t h;
    esp_https_ota_config_t config = { .http_config = &http,
                                      .ota_resumption = true,
                                      .decrypt_cb = porta_ota_decrypt };
    esp_https_ota_handle_t ota;
    esp_app_desc_t desc;

    (void)state;
    crypt_device_open(&c);
    h = crypt_start(&c);
    config.decrypt_user_ctx = h;
    assert_int_equal(esp_https_ota_begin(&config, &ota), ESP_OK);
    assert_int_equal(esp_https_ota_get_img_desc(ota, &desc), ESP_OK);
    assert_string_equal(desc.version, "2");
    assert_int_equal(esp_https_ota_get_image_size(ota), c.d.rig.image_len);
    assert_int_equal(c.d.rig.flash.count.erases, 0);
    assert_int_equal(esp_https_ota_abort(ota), ESP_OK);
    assert_int_equal(esp_encrypted_img_decrypt_abort(h), ESP_OK);
    crypt_device_check(&c);
    crypt_device_close(&c);
}

static void on_result(void *ctx, const porta_ota_result_t *result)
{
    *(porta_ota_result_t *)ctx = *result;
}

static void keep(struct crypt_device *c, porta_ota_result_t *last)
{
    const esp_partition_t *nvs = NULL;

    porta_ota_set_options(&(porta_ota_options_t){
        .keep = true, .on_result = on_result, .ctx = last });
    assert_int_equal(esp_partition_register_external(
                         NULL, 0x54000, 0x4000, "nvs", ESP_PARTITION_TYPE_DATA,
                         ESP_PARTITION_SUBTYPE_DATA_NVS, &nvs),
                     ESP_OK);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    c->d.rig.web.etag = "\"a\"";
}

/* A download that broke goes on in the next session, with a new handle, as
 * after a reset; with a callback of one's own it starts again. */
static void test_own_goes_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(cbs); i++) {
        bool own = cbs[i] == porta_ota_decrypt;
        porta_ota_result_t last;
        struct crypt_device c;

        crypt_device_open(&c);
        keep(&c, &last);
        c.d.rig.web.cut_at = 10000;
        c.d.rig.web.cut_cnt = 1;
        assert_int_equal(run_example(&c, cbs[i], &http, -1), ESP_FAIL);
        assert_int_equal(last.checkpoints, own ? 1 : 0);
        assert_int_equal(run_example(&c, cbs[i], &http, -1), ESP_OK);
        assert_int_equal(last.resumed_from, own ? 8192 : 0);
        assert_int_equal(last.received_len,
                         own ? c.file_len - 8192 : c.file_len);
        assert_int_equal(rig_boots(&c.d.rig), 1);
        assert_memory_equal(rig_bytes(&c.d.rig, RIG_SLOT_1), c.d.rig.image,
                            c.d.rig.image_len);
        crypt_device_close(&c);
    }
}

/* One after the other with the same handle; never two at a time. */
static void test_own_sessions(void **state)
{
    struct crypt_device c;
    esp_decrypt_handle_t h;
    esp_https_ota_config_t config = { .http_config = &http,
                                      .decrypt_cb = porta_ota_decrypt };
    pre_enc_decrypt_arg_t args = { .data_in = "x", .data_in_len = 1 };
    esp_https_ota_handle_t ota, other;

    (void)state;
    crypt_device_open(&c);
    assert_int_equal(esp_https_ota_begin(&config, &ota), ESP_ERR_INVALID_ARG);
    h = crypt_start(&c);
    config.decrypt_user_ctx = h;
    c.d.rig.web.cut_at = 5000;
    c.d.rig.web.cut_cnt = 1;
    assert_int_equal(esp_https_ota(&config), ESP_FAIL);
    assert_int_equal(esp_https_ota_begin(&config, &ota), ESP_OK);
    assert_int_equal(esp_https_ota_begin(&config, &other),
                     ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(esp_encrypted_img_decrypt_data(h, &args),
                     ESP_ERR_INVALID_ARG);
    while (esp_https_ota_perform(ota) == GOING_ON)
        ;
    assert_int_equal(esp_https_ota_finish(ota), ESP_OK);
    assert_int_equal(rig_boots(&c.d.rig), 1);
    assert_int_equal(esp_encrypted_img_decrypt_end(h), ESP_OK);
    crypt_device_check(&c);
    crypt_device_close(&c);
}

/* The handle ends in the middle of its session, which goes on without it. */
static void test_own_ends_early(void **state)
{
    (void)state;
    for (int abort = 0; abort < 2; abort++) {
        struct crypt_device c;
        esp_decrypt_handle_t h;
        esp_https_ota_config_t config = { .http_config = &http,
                                          .decrypt_cb = porta_ota_decrypt };
        esp_https_ota_handle_t ota;

        crypt_device_open(&c);
        h = crypt_start(&c);
        config.decrypt_user_ctx = h;
        assert_int_equal(esp_https_ota_begin(&config, &ota), ESP_OK);
        assert_int_equal(esp_https_ota_perform(ota), GOING_ON);
        if (abort)
            assert_int_equal(esp_encrypted_img_decrypt_abort(h), ESP_OK);
        else
            assert_int_equal(esp_encrypted_img_decrypt_end(h), ESP_FAIL);
        while (esp_https_ota_perform(ota) == GOING_ON)
            ;
        (void)esp_https_ota_finish(ota);
        /* Who ended it asked for the tag too early, and got a no. */
        assert_int_equal(rig_boots(&c.d.rig), abort);
        crypt_device_check(&c);
        crypt_device_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_abort),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_lag),
        cmocka_unit_test(test_own_tag),
        cmocka_unit_test(test_own_desc),
        cmocka_unit_test(test_own_goes_on),
        cmocka_unit_test(test_own_sessions),
        cmocka_unit_test(test_own_ends_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
