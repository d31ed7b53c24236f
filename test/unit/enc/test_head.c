/* The head of an encrypted image: the bytes of the format, and wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/enc/world.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* A head in which each byte of a field says which field it is of. */
static void make(uint8_t out[ENC_HEAD_LEN])
{
    static const uint8_t magic[] = { 0xcf, 0xb6, 0x88, 0x07 };
    static const uint8_t len[] = { 0x10, 0x20, 0x30, 0x00 };

    memset(out, 0, ENC_HEAD_LEN);
    memcpy(out, magic, 4);
    memset(out + 4, 'K', 384);
    memset(out + 388, 'I', 16);
    memcpy(out + 404, len, 4);
    memset(out + 408, 'T', 16);
}

static void test_bytes(void **state)
{
    uint8_t raw[ENC_HEAD_LEN], again[ENC_HEAD_LEN], want[ENC_WRAPPED_LEN];
    struct enc_head h;

    (void)state;
    make(raw);
    assert_int_equal(enc_head_parse(span_of(raw, sizeof(raw)), &h), ESP_OK);
    assert_int_equal(h.body_len, 0x302010);
    memset(want, 'K', sizeof(want));
    assert_memory_equal(h.wrapped, want, sizeof(want));
    memset(want, 'I', sizeof(want));
    assert_memory_equal(h.iv, want, sizeof(h.iv));
    memset(want, 'T', sizeof(want));
    assert_memory_equal(h.tag, want, sizeof(h.tag));
    enc_head_pack(&h, again);
    assert_memory_equal(again, raw, sizeof(raw));
    raw[424] = raw[511] = 1; /* reserved, ignored */
    assert_int_equal(enc_head_parse(span_of(raw, sizeof(raw)), &h), ESP_OK);
}

struct row {
    const char *claim;
    size_t len;
    uint16_t at; /* this byte... */
    uint8_t becomes;
    esp_err_t want;
};

static const struct row rows[] = {
    { "whole", 512, 0, 0xcf, ESP_OK },
    { "more than a head", 600, 0, 0xcf, ESP_OK },
    { "a byte short", 511, 0, 0xcf, ESP_ERR_INVALID_SIZE },
    { "nothing", 0, 0, 0xcf, ESP_ERR_INVALID_SIZE },
    { "less than the magic number", 3, 0, 0xcf, ESP_ERR_INVALID_SIZE },
    { "magic, byte 0", 512, 0, 0x07, ESP_ERR_NOT_FOUND },
    { "magic, byte 3", 512, 3, 0x06, ESP_ERR_NOT_FOUND },
    { "wrong and short", 4, 1, 0, ESP_ERR_NOT_FOUND },
};

static void test_rows(void **state)
{
    uint8_t raw[600] = { 0 };
    struct enc_head h;

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        make(raw);
        raw[rows[i].at] = rows[i].becomes;
        if (enc_head_parse(span_of(raw, rows[i].len), &h) != rows[i].want)
            fail_msg("%s", rows[i].claim);
    }
    make(raw);
    memset(raw + 404, 0, 4);
    assert_int_equal(enc_head_parse(span_of(raw, 512), &h),
                     ESP_ERR_INVALID_SIZE);
}

static void test_scheme(void **state)
{
    static const struct {
        const char *file;
        enum enc_scheme want;
        const char *name;
    } files[] = { { "rsa3072.bin", ENC_SCHEME_RSA3072, "RSA-3072" },
                  { "ecies256.bin", ENC_SCHEME_ECIES256, "ECIES-P256" } };

    (void)state;
    for (size_t i = 0; i < CNT(files); i++) {
        struct enc_head h;
        size_t len;
        uint8_t *bytes = world_file(files[i].file, &len);

        assert_true(enc_is_encrypted(span_of(bytes, len)));
        assert_int_equal(enc_head_parse(span_of(bytes, len), &h), ESP_OK);
        assert_int_equal(h.body_len, 1000);
        assert_int_equal(len, 1512);
        assert_int_equal(enc_head_scheme(&h), files[i].want);
        assert_string_equal(enc_scheme_name(files[i].want), files[i].name);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_scheme),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
