/* esp_encrypted_img by itself: keys, pieces, and every way to the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/crypt_device.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* --- keys ----------------------------------------------------------------- */

static char *read_file(const char *name, size_t *len)
{
    const char *source = getenv("PORTA_SOURCE");
    char path[1024], *text = calloc(1, 8192);
    FILE *f;

    assert_non_null(source);
    snprintf(path, sizeof(path), "%s/test/vectors/encrypted/%s", source, name);
    f = fopen(path, "rb");
    assert_non_null(f);
    *len = fread(text, 1, 8191, f);
    fclose(f);
    return text;
}

static esp_err_t fuse_2(int id, uint8_t key[32])
{
    if (id != 2)
        return ESP_ERR_NOT_FOUND;
    memcpy(key, crypt_hmac(), 32);
    return ESP_OK;
}

static void check_start(struct crypt_device *c, const char *claim,
                        esp_decrypt_cfg_t cfg, bool want)
{
    esp_decrypt_handle_t h = esp_encrypted_img_decrypt_start(&cfg);

    if ((h != NULL) != want)
        fail_msg("%s", claim);
    if (h)
        assert_int_equal(esp_encrypted_img_decrypt_abort(h), ESP_OK);
    crypt_device_check(c);
}

static void test_start(void **state)
{
    size_t rsa_len, ec_len, pub_len;
    char *rsa = read_file("rsa3072.pem", &rsa_len);
    char *ec = read_file("ecies256.pem", &ec_len);
    char *pub = read_file("ecies256.pub.pem", &pub_len);
    struct crypt_device c;

    (void)state;
    crypt_device_open(&c);
    assert_null(esp_encrypted_img_decrypt_start(NULL));
    check_start(&c, "RSA, the NUL counted",
                (esp_decrypt_cfg_t){ .rsa_priv_key = rsa,
                                     .rsa_priv_key_len = rsa_len + 1 },
                true);
    check_start(
        &c, "RSA, by the name it once had, the NUL not counted",
        (esp_decrypt_cfg_t){ .rsa_pub_key = rsa, .rsa_pub_key_len = rsa_len },
        true);
    check_start(&c, "P-256",
                (esp_decrypt_cfg_t){ .ecies_priv_key = ec,
                                     .ecies_priv_key_len = ec_len + 1 },
                true);
    check_start(&c, "P-256 where RSA belongs",
                (esp_decrypt_cfg_t){ .rsa_priv_key = ec,
                                     .rsa_priv_key_len = ec_len + 1 },
                false);
    check_start(&c, "RSA where P-256 belongs",
                (esp_decrypt_cfg_t){ .ecies_priv_key = rsa,
                                     .ecies_priv_key_len = rsa_len + 1 },
                false);
    check_start(&c, "a public key",
                (esp_decrypt_cfg_t){ .ecies_priv_key = pub,
                                     .ecies_priv_key_len = pub_len + 1 },
                false);
    check_start(&c, "half a key",
                (esp_decrypt_cfg_t){ .rsa_priv_key = rsa,
                                     .rsa_priv_key_len = rsa_len / 2 },
                false);
    check_start(&c, "no length", (esp_decrypt_cfg_t){ .rsa_priv_key = rsa },
                false);
    check_start(&c, "a peripheral", (esp_decrypt_cfg_t){ .ds_data = rsa },
                false);
    check_start(&c, "no fuses", (esp_decrypt_cfg_t){ .hmac_key_id = 2 }, false);
    free(rsa);
    free(ec);
    free(pub);
    crypt_device_close(&c);
}

static void test_fuse_key(void **state)
{
    static const struct {
        int id;
        bool want;
    } rows[] = {
        { 2, true }, { 0, false }, { 5, false }, { 6, false }, { -1, false }
    };
    struct crypt_device c;

    (void)state;
    crypt_device_open(&c);
    c.d.boot.hmac_key = fuse_2;
    device_restart(&c.d, RIG_SLOT_0);
    c.heap_len = c.d.rig.heap.cur_len;
    for (size_t i = 0; i < CNT(rows); i++)
        check_start(&c, "fuse",
                    (esp_decrypt_cfg_t){ .hmac_key_id = rows[i].id },
                    rows[i].want);
    crypt_device_close(&c);
}

static void test_public_key(void **state)
{
    struct crypt_device c;
    esp_decrypt_handle_t h;
    uint8_t *pem;
    size_t len;

    (void)state;
    crypt_device_open(&c);
    h = crypt_start(&c);
    assert_int_equal(esp_encrypted_img_export_public_key(h, &pem, &len),
                     ESP_OK);
    assert_int_equal(len, strlen((char *)pem));
    assert_non_null(strstr((char *)pem, "BEGIN PUBLIC KEY"));
    free(pem);
    assert_int_equal(esp_encrypted_img_export_public_key(h, NULL, &len),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_export_public_key(h, &pem, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_export_public_key(NULL, &pem, &len),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_decrypt_abort(h), ESP_OK);
    assert_int_equal(esp_encrypted_img_get_header_size(), 512);
    crypt_device_close(&c);
}

/* --- pieces --------------------------------------------------------------- */

struct poured {
    uint8_t bytes[70000];
    size_t len;
    esp_err_t last; /* of the last piece */
};

/* In pieces of step bytes, 0: of random lengths. */
static void pour(esp_decrypt_handle_t h, const uint8_t *file, size_t len,
                 size_t step, struct poured *p)
{
    uint64_t seed = len;

    p->len = 0;
    p->last = ESP_ERR_NOT_FINISHED;
    for (size_t at = 0; at < len && p->last == ESP_ERR_NOT_FINISHED;) {
        size_t n = step ? step : (size_t)(sim_rng_next(&seed) % 3000);
        pre_enc_decrypt_arg_t args = { .data_in = (const char *)file + at };

        args.data_in_len = n < len - at ? n : len - at;
        p->last = esp_encrypted_img_decrypt_data(h, &args);
        at += args.data_in_len;
        if (p->last == ESP_ERR_NOT_FINISHED)
            assert_int_equal(args.data_out_len % 16, 0);
        assert_int_equal(args.data_out != NULL, args.data_out_len > 0);
        if (args.data_out)
            memcpy(p->bytes + p->len, args.data_out, args.data_out_len);
        p->len += args.data_out_len;
        free(args.data_out);
        assert_int_equal(esp_encrypted_img_is_complete_data_received(h),
                         p->last == ESP_OK);
    }
}

static void test_pieces(void **state)
{
    static const size_t steps[] = { 1,   2,   3,    15,   16,   17,    33, 511,
                                    512, 513, 1000, 1024, 4096, 65536, 0 };
    static struct poured p;
    struct crypt_device c;

    (void)state;
    crypt_device_open(&c);
    for (size_t i = 0; i < CNT(steps); i++) {
        esp_decrypt_handle_t h = crypt_start(&c);

        assert_false(esp_encrypted_img_is_complete_data_received(h));
        pour(h, c.file, c.file_len, steps[i], &p);
        assert_int_equal(p.last, ESP_OK);
        assert_int_equal(p.len, c.d.rig.image_len);
        assert_memory_equal(p.bytes, c.d.rig.image, p.len);
        assert_int_equal(esp_encrypted_img_decrypt_end(h), ESP_OK);
        crypt_device_check(&c);
    }
    crypt_device_close(&c);
}

static void test_nulls(void **state)
{
    pre_enc_decrypt_arg_t args = { .data_in = "x", .data_in_len = 1 };
    pre_enc_decrypt_arg_t none = { .data_in = "", .data_in_len = 0 };
    pre_enc_decrypt_arg_t null = { .data_in = NULL };
    struct crypt_device c;
    esp_decrypt_handle_t h;

    (void)state;
    crypt_device_open(&c);
    h = crypt_start(&c);
    assert_int_equal(esp_encrypted_img_decrypt_data(NULL, &args),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_decrypt_data(h, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_decrypt_data(h, &null),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_decrypt_data(h, &none),
                     ESP_ERR_NOT_FINISHED);
    assert_int_equal(esp_encrypted_img_decrypt_end(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_decrypt_abort(NULL),
                     ESP_ERR_INVALID_ARG);
    assert_false(esp_encrypted_img_is_complete_data_received(NULL));
    assert_int_equal(esp_encrypted_img_decrypt_abort(h), ESP_OK);
    /* Gone, and no crash. */
    assert_int_equal(esp_encrypted_img_decrypt_abort(h), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_decrypt_end(h), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_decrypt_data(h, &args),
                     ESP_ERR_INVALID_ARG);
    crypt_device_check(&c);
    /* What is left when the device stops goes with it. */
    (void)crypt_start(&c);
    crypt_device_close(&c);
}

/* --- what is wrong -------------------------------------------------------- */

struct wrong {
    const char *claim;
    uint32_t at;  /* flipped; UINT32_MAX: the last byte; 0: none */
    int32_t more; /* bytes behind the end, or fewer */
    esp_err_t data, end;
};
static const struct wrong wrongs[] = {
    { "nothing wrong", 0, 0, ESP_OK, ESP_OK },
    { "magic", 2, 0, ESP_FAIL, ESP_FAIL },
    { "the point", 10, 0, ESP_FAIL, ESP_FAIL },
    { "the salt", 80, 0, ESP_OK, ESP_FAIL },
    { "the IV", 388, 0, ESP_OK, ESP_FAIL },
    { "the tag", 408, 0, ESP_OK, ESP_FAIL },
    { "reserved bytes", 511, 0, ESP_OK, ESP_OK },
    { "the first byte", 512, 0, ESP_OK, ESP_FAIL },
    { "the last byte", UINT32_MAX, 0, ESP_OK, ESP_FAIL },
    { "cut in the head", 0, -20600, ESP_ERR_NOT_FINISHED, ESP_FAIL },
    { "cut by a byte", 0, -1, ESP_ERR_NOT_FINISHED, ESP_FAIL },
};

static void test_wrong(void **state)
{
    static struct poured p;
    struct crypt_device c;

    (void)state;
    crypt_device_open(&c);
    for (size_t i = 0; i < CNT(wrongs); i++) {
        const struct wrong *w = &wrongs[i];
        size_t at = w->at == UINT32_MAX ? c.file_len - 1 : w->at;
        esp_decrypt_handle_t h = crypt_start(&c);

        c.file[at] ^= w->at != 0;
        pour(h, c.file, (size_t)((int64_t)c.file_len + w->more), 1000, &p);
        c.file[at] ^= w->at != 0;
        if (p.last != w->data)
            fail_msg("%s: data says 0x%x", w->claim, (unsigned)p.last);
        if (esp_encrypted_img_decrypt_end(h) != w->end)
            fail_msg("%s: end", w->claim);
        crypt_device_check(&c);
    }
    crypt_device_close(&c);
}

static void test_trailing(void **state)
{
    pre_enc_decrypt_arg_t args = { .data_in = "x", .data_in_len = 1 };
    static struct poured p;
    struct crypt_device c;
    esp_decrypt_handle_t h;

    (void)state;
    crypt_device_open(&c);
    h = crypt_start(&c);
    pour(h, c.file, c.file_len, 4096, &p);
    assert_int_equal(p.last, ESP_OK);
    assert_int_equal(esp_encrypted_img_decrypt_data(h, &args), ESP_FAIL);
    assert_null(args.data_out);
    assert_int_equal(esp_encrypted_img_decrypt_end(h), ESP_FAIL);
    crypt_device_close(&c);
}

static void test_no_memory(void **state)
{
    struct crypt_device c;
    bool ran_out = true;

    (void)state;
    crypt_device_open(&c);
    for (uint32_t n = 1; ran_out; n += n < 30 ? 1 : n / 6) {
        struct sim_heap *heap = &c.d.rig.heap;
        uint32_t start = heap->alloc_cnt;
        static struct poured p;
        esp_decrypt_handle_t h;

        heap->fail_at = start + n;
        h = esp_encrypted_img_decrypt_start(&c.cfg);
        if (h) {
            pour(h, c.file, c.file_len, 4096, &p);
            assert_true(p.last == ESP_OK || p.last == ESP_ERR_NO_MEM);
            assert_int_equal(esp_encrypted_img_decrypt_end(h),
                             p.last == ESP_OK ? ESP_OK : ESP_FAIL);
        }
        ran_out = heap->alloc_cnt >= start + n;
        assert_true(ran_out || (h && p.last == ESP_OK));
        crypt_device_check(&c);
    }
    crypt_device_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),      cmocka_unit_test(test_fuse_key),
        cmocka_unit_test(test_public_key), cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_nulls),      cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_trailing),   cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
