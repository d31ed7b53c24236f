/* Numbers and sizes as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/num.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define KEPT 0xA5A5A5A5u /* what *out holds when it was not set */

struct row {
    const char *text;
    esp_err_t err;
    uint64_t want;
};

static void test_u64(void **state)
{
    static const struct row rows[] = {
        { "0", ESP_OK, 0 },
        { "00", ESP_OK, 0 },
        { "18446744073709551615", ESP_OK, UINT64_MAX },
        { "18446744073709551616", ESP_ERR_INVALID_SIZE, 0 },
        { "99999999999999999999999", ESP_ERR_INVALID_SIZE, 0 },
        { "0xffffffffffffffff", ESP_OK, UINT64_MAX },
        { "0x10000000000000000", ESP_ERR_INVALID_SIZE, 0 },
        { "99999999999999999999999x", ESP_ERR_INVALID_ARG, 0 },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        uint64_t got = KEPT;

        print_message("# %s\n", rows[i].text);
        assert_int_equal(num_parse_u64(span_str(rows[i].text), &got),
                         rows[i].err);
        assert_int_equal(got, rows[i].err ? KEPT : rows[i].want);
    }
}

static void test_u32(void **state)
{
    static const struct row rows[] = {
        { "0", ESP_OK, 0 },
        { "10", ESP_OK, 10 },
        { "010", ESP_OK, 10 },
        { "4294967295", ESP_OK, 4294967295u },
        { "4294967296", ESP_ERR_INVALID_SIZE, 0 },
        { "0x0", ESP_OK, 0 },
        { "0xdeadBEEF", ESP_OK, 0xdeadbeef },
        { "0X1f", ESP_OK, 0x1f },
        { "0xAaFf0099", ESP_OK, 0xaaff0099 },
        { "0x/", ESP_ERR_INVALID_ARG, 0 },
        { "0x:", ESP_ERR_INVALID_ARG, 0 },
        { "0x@", ESP_ERR_INVALID_ARG, 0 },
        { "0x`", ESP_ERR_INVALID_ARG, 0 },
        { "0x100000000", ESP_ERR_INVALID_SIZE, 0 },
        { "", ESP_ERR_INVALID_ARG, 0 },
        { "0x", ESP_ERR_INVALID_ARG, 0 },
        { "x1", ESP_ERR_INVALID_ARG, 0 },
        { "-1", ESP_ERR_INVALID_ARG, 0 },
        { "+1", ESP_ERR_INVALID_ARG, 0 },
        { " 1", ESP_ERR_INVALID_ARG, 0 },
        { "1 ", ESP_ERR_INVALID_ARG, 0 },
        { "1.0", ESP_ERR_INVALID_ARG, 0 },
        { "1a", ESP_ERR_INVALID_ARG, 0 },
        { "0x1g", ESP_ERR_INVALID_ARG, 0 },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        uint32_t got = KEPT;

        print_message("# '%s'\n", rows[i].text);
        assert_int_equal(num_parse_u32(span_str(rows[i].text), &got),
                         rows[i].err);
        assert_int_equal(got, rows[i].err ? KEPT : rows[i].want);
    }
}

static void test_size(void **state)
{
    static const struct row rows[] = {
        { "123", ESP_OK, 123 },
        { "0x10", ESP_OK, 16 },
        { "0x1B", ESP_OK, 0x1b },
        { "4K", ESP_OK, 4096 },
        { "4k", ESP_OK, 4096 },
        { "1500K", ESP_OK, 1536000 },
        { "4M", ESP_OK, 4u << 20 },
        { "4MB", ESP_OK, 4u << 20 },
        { "64KB", ESP_OK, 65536 },
        { "64kb", ESP_OK, 65536 },
        { "0x10K", ESP_OK, 16384 },
        { "4095M", ESP_OK, 4095u << 20 },
        { "4096M", ESP_ERR_INVALID_SIZE, 0 },
        { "4294967296", ESP_ERR_INVALID_SIZE, 0 },
        { "", ESP_ERR_INVALID_ARG, 0 },
        { "K", ESP_ERR_INVALID_ARG, 0 },
        { "MB", ESP_ERR_INVALID_ARG, 0 },
        { "4B", ESP_ERR_INVALID_ARG, 0 },
        { "4KM", ESP_ERR_INVALID_ARG, 0 },
        { "4 M", ESP_ERR_INVALID_ARG, 0 },
        { "1.5M", ESP_ERR_INVALID_ARG, 0 },
        { "-4K", ESP_ERR_INVALID_ARG, 0 },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        uint32_t got = KEPT;

        print_message("# '%s'\n", rows[i].text);
        assert_int_equal(num_parse_size(span_str(rows[i].text), &got),
                         rows[i].err);
        assert_int_equal(got, rows[i].err ? KEPT : rows[i].want);
    }
}

static void test_hex(void **state)
{
    static const struct {
        const char *claim;
        const char *text;
        esp_err_t err;
    } rows[] = {
        { "both cases", "0aF19c", ESP_OK },
        { "a digit short", "0aF19", ESP_ERR_INVALID_SIZE },
        { "a byte short", "0aF1", ESP_ERR_INVALID_SIZE },
        { "a byte long", "0aF19c00", ESP_ERR_INVALID_SIZE },
        { "not a digit", "0aF19g", ESP_ERR_INVALID_ARG },
        { "a prefix is not a digit", "0x0aF1", ESP_ERR_INVALID_ARG },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        uint8_t got[3] = { 1, 2, 3 };

        print_message("# %s\n", rows[i].claim);
        assert_int_equal(num_parse_hex(span_str(rows[i].text), got, 3),
                         rows[i].err);
        assert_memory_equal(got, rows[i].err ? "\1\2\3" : "\x0a\xf1\x9c", 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u64),
        cmocka_unit_test(test_u32),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_hex),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
