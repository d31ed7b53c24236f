/* What is kept of a download, as text and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "update/known.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define LONG "a validator that goes on and on "
#define GOOD "1\t" HEX "\tota_1\t4096\t" HEX "\t\"tag\"\tSun, 01"

static void test_there_and_back(void **state)
{
    struct upd_known k = { .image_len = UINT32_MAX,
                           .slot = "ota_1",
                           .etag = "W/\"a b\"",
                           .last_modified = "" };
    struct upd_known back;
    char text[UPD_KNOWN_TEXT_LEN];

    (void)state;
    for (unsigned i = 0; i < SHA256_LEN; i++)
        k.url[i] = k.print[SHA256_LEN - 1 - i] = (uint8_t)(i * 37);
    assert_true(upd_known_format(&k, text));
    assert_int_equal(upd_known_parse(span_str(text), &back), ESP_OK);
    assert_memory_equal(&k, &back, sizeof(k));
}

static void test_the_longest_fits(void **state)
{
    struct upd_known k = { .image_len = UINT32_MAX };
    char text[UPD_KNOWN_TEXT_LEN];

    (void)state;
    memset(k.slot, 's', sizeof(k.slot) - 1);
    memset(k.etag, 'e', sizeof(k.etag) - 1);
    memset(k.last_modified, 'm', sizeof(k.last_modified) - 1);
    assert_true(upd_known_format(&k, text));
}

/* A tab parts the fields, and may stand in one of a server's. */
static void test_what_is_not_kept(void **state)
{
    struct upd_known k = { .image_len = 1 };
    char *const fields[] = { k.slot, k.etag, k.last_modified };
    char text[UPD_KNOWN_TEXT_LEN];

    (void)state;
    for (size_t i = 0; i < CNT(fields); i++) {
        assert_true(upd_known_format(&k, text));
        strcpy(fields[i], "a\tb");
        assert_false(upd_known_format(&k, text));
        strcpy(fields[i], "");
    }
}

static void test_texts(void **state)
{
    static const struct {
        const char *claim, *in;
        bool good;
    } rows[] = {
        { "good", GOOD, true },
        { "no validator", "1\t" HEX "\tota_1\t4096\t" HEX "\t\t", true },
        { "a later format", "2\t" HEX "\tota_1\t4096\t" HEX "\tt\tm", false },
        { "a field less", "1\t" HEX "\tota_1\t4096\t" HEX "\tt", false },
        { "a field more", GOOD "\t", false },
        { "half a hash", "1\t0001\tota_1\t4096\t" HEX "\tt\tm", false },
        { "no hash", "1\tg" HEX "\tota_1\t4096\t" HEX "\tt\tm", false },
        { "half a byte of a hash more",
          "1\t0" HEX "\tota_1\t4096\t" HEX "\tt\tm", false },
        { "a hash in capitals",
          "1\t000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
          "\tota_1\t4096\t" HEX "\tt\tm",
          false },
        { "no second hash", "1\t" HEX "\tota_1\t4096\t\tt\tm", false },
        { "a tag too long",
          "1\t" HEX "\tota_1\t4096\t" HEX "\t" LONG LONG LONG LONG "\tm",
          false },
        { "a date too long", "1\t" HEX "\tota_1\t4096\t" HEX "\tt\t" LONG LONG,
          false },
        { "a length of ages",
          "1\t" HEX "\tota_1\t99999999999999999999\t" HEX "\tt\tm", false },
        { "no length", "1\t" HEX "\tota_1\t\t" HEX "\tt\tm", false },
        { "a length too much", "1\t" HEX "\tota_1\t4294967296\t" HEX "\tt\tm",
          false },
        { "a length below none", "1\t" HEX "\tota_1\t-1\t" HEX "\tt\tm",
          false },
        { "a label too long",
          "1\t" HEX "\t12345678901234567\t4096\t" HEX "\tt\tm", false },
        { "what may not stand in a field: a line end",
          "1\t" HEX "\tota_1\t4096\t" HEX "\t\"t\r\nA: b\"\tm", false },
        { "what may not stand in a field: a control character",
          "1\t" HEX "\tota_1\t4096\t" HEX "\t\"t\001\"\tm", false },
        { "nothing", "", false },
    };
    struct upd_known k;

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        print_message("# %s\n", rows[i].claim);
        assert_int_equal(upd_known_parse(span_str(rows[i].in), &k),
                         rows[i].good ? ESP_OK : ESP_ERR_INVALID_RESPONSE);
    }
    assert_int_equal(upd_known_parse(span_str(GOOD), &k), ESP_OK);
    assert_string_equal(k.slot, "ota_1");
    assert_int_equal(k.image_len, 4096);
    assert_string_equal(k.etag, "\"tag\"");
    assert_string_equal(k.last_modified, "Sun, 01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_kept),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_the_longest_fits),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
