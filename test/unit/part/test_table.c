/* The binary partition table against the reference's bytes, and damaged
 * ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/le.h"
#include "part/part.h"
#include "part/rules.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define FLASH_LEN 0x400000u

/* The table two_ota as the reference's tool writes it. */
static const char two_ota_hex[] =
    "aa50010200900000004000006e76730000000000000000000000000000000000"
    "aa50010000d00000002000006f74616461746100000000000000000000000000"
    "aa50010100f00000001000007068795f696e6974000000000000000000000000"
    "aa5000000000010000001000666163746f727900000000000000000000000000"
    "aa50001000001100000010006f74615f30000000000000000000000000000000"
    "aa50001100002100000010006f74615f31000000000000000000000000000000"
    "ebebffffffffffffffffffffffffffffbf25822c0fa6d8641bd930251e06b4c4";

#define ROW_CNT 6u
#define MD5_AT (ROW_CNT * PART_ROW_LEN)

static void two_ota(uint8_t out[PART_TABLE_MAX_LEN])
{
    memset(out, 0xFF, PART_TABLE_MAX_LEN);
    for (size_t i = 0; two_ota_hex[2 * i]; i++) {
        unsigned byte;

        assert_int_equal(sscanf(two_ota_hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

static void test_parse_reference(void **state)
{
    uint8_t bytes[PART_TABLE_MAX_LEN];
    uint8_t again[PART_TABLE_MAX_LEN];
    struct part_table t;

    (void)state;
    two_ota(bytes);
    assert_int_equal(
        part_table_parse(span_of(bytes, sizeof(bytes)), FLASH_LEN, &t), ESP_OK);
    assert_int_equal(t.cnt, ROW_CNT);
    assert_true(t.has_md5);
    assert_string_equal(t.entries[1].label, "otadata");
    assert_int_equal(t.entries[1].type, PART_TYPE_DATA);
    assert_int_equal(t.entries[1].subtype, PART_DATA_OTA);
    assert_int_equal(t.entries[5].off, 0x210000);
    assert_int_equal(t.entries[5].len, 0x100000);
    assert_int_equal(t.entries[5].flags, 0);
    part_table_pack(&t, again);
    assert_memory_equal(bytes, again, sizeof(bytes));
    assert_int_equal(
        part_table_explain(span_of(bytes, sizeof(bytes)), FLASH_LEN, NULL),
        ESP_OK);
}

/* Each row changes two_ota in one place. */
struct bad {
    const char *claim;
    uint32_t at; /* these bytes ... */
    const char *by;
    uint32_t by_len;
    uint32_t len; /* of the input; 0: PART_TABLE_MAX_LEN */
    esp_err_t err;
    const char *says; /* the explanation has these words */
};

#define FF8 "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
#define FF32 FF8 FF8 FF8 FF8

static const struct bad bads[] = {
    { "nothing at all", 0, "", 0, 1, ESP_ERR_INVALID_STATE, "cut off" },
    { "a blank sector", 0, FF32 FF32, 64, 0, ESP_ERR_INVALID_STATE,
      "starts with an end mark" },
    { "a first row that is none", 0, "PK", 2, 0, ESP_ERR_INVALID_STATE,
      "row 1 starts with 0x4b50" },
    { "garbage between rows", 64, "\0\0", 2, 0, ESP_ERR_INVALID_STATE,
      "row 3 starts with 0x0000" },
    { "half an end mark", MD5_AT + 32, "\xFF\xFF\x00\xFF", 4, 0,
      ESP_ERR_INVALID_STATE, "row 8 starts with 0xffff" },
    { "three quarters of one", MD5_AT + 32, "\xFF\xFF\xFF\x00", 4, 0,
      ESP_ERR_INVALID_STATE, "row 8 starts with 0xffff" },
    { "a bit of a row flipped", 12, "o", 1, 0, ESP_ERR_INVALID_STATE,
      "row 7: the MD5 of the 6 rows" },
    { "a bit of the MD5 flipped", MD5_AT + 16, "\xBE", 1, 0,
      ESP_ERR_INVALID_STATE, "row 7: the MD5" },
    { "a row past the flash", 4, "\x00\x00\x40\x00\x01\x00\x00\x00", 8, 0,
      ESP_ERR_INVALID_SIZE, "row 1 (nvs): 0x1 bytes at 0x400000" },
    { "a row that begins past the flash", 4, "\x00\x10\x40\x00\x00\x00\x00\x00",
      8, 0, ESP_ERR_INVALID_SIZE, "row 1 (nvs): 0x0 bytes at 0x401000" },
    { "a row whose end wraps", 4, "\x00\xF0\x3F\x00\x00\x20\xC0\xFF", 8, 0,
      ESP_ERR_INVALID_SIZE, "row 1 (nvs): 0xffc02000 bytes" },
    { "no end mark: the input ends before it", 0, "\xAA", 1, MD5_AT + 32,
      ESP_ERR_INVALID_STATE, "cut off" },
    { "an end mark cut short", 0, "\xAA", 1, MD5_AT + 63, ESP_ERR_INVALID_STATE,
      "cut off" },
};

static void test_parse_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(bads); i++) {
        const struct bad *b = &bads[i];
        uint8_t bytes[PART_TABLE_MAX_LEN];
        struct part_table t;
        struct diag d = DIAG_NONE;
        struct span in = span_of(bytes, b->len ? b->len : PART_TABLE_MAX_LEN);

        print_message("# %s\n", b->claim);
        two_ota(bytes);
        memcpy(bytes + b->at, b->by, b->by_len);
        memset(&t, 0xA5, sizeof(t));
        assert_int_equal(part_table_parse(in, FLASH_LEN, &t), b->err);
        assert_int_equal(t.cnt, 0);
        assert_int_equal(part_table_explain(in, FLASH_LEN, &d), b->err);
        print_message("#   %s\n", d.text);
        assert_non_null(strstr(d.text, b->says));
    }
}

static void test_second_md5_row(void **state)
{
    uint8_t bytes[PART_TABLE_MAX_LEN];
    struct diag d = DIAG_NONE;
    struct part_table t;
    struct span in = span_of(bytes, sizeof(bytes));

    (void)state;
    two_ota(bytes);
    memcpy(bytes + MD5_AT + 32, bytes + MD5_AT, 32);
    assert_int_equal(part_table_parse(in, 0, &t), ESP_ERR_INVALID_STATE);
    assert_int_equal(part_table_explain(in, 0, &d), ESP_ERR_INVALID_STATE);
    assert_non_null(strstr(d.text, "row 8: the MD5"));
}

/* What the reference accepts as well (2.5). */
static void test_parse_lenient(void **state)
{
    uint8_t bytes[PART_TABLE_MAX_LEN];
    struct part_table t;
    struct span in = span_of(bytes, sizeof(bytes));

    (void)state;
    two_ota(bytes);
    memset(bytes + MD5_AT, 0xFF, 32);
    assert_int_equal(part_table_parse(in, FLASH_LEN, &t), ESP_OK);
    assert_false(t.has_md5);

    two_ota(bytes);
    memcpy(bytes + MD5_AT + 32, bytes, 32);
    assert_int_equal(part_table_parse(in, FLASH_LEN, &t), ESP_OK);
    assert_int_equal(t.cnt, ROW_CNT + 1);

    two_ota(bytes);
    memset(bytes + MD5_AT + 36, 0, 28);
    assert_int_equal(part_table_parse(in, FLASH_LEN, &t), ESP_OK);

    two_ota(bytes);
    assert_int_equal(part_table_parse(in, 0x310000, &t), ESP_OK);
    assert_int_equal(part_table_parse(in, 0x30FFFF, &t), ESP_ERR_INVALID_SIZE);
    assert_int_equal(part_table_parse(in, 0, &t), ESP_OK);
}

/* 4 GiB is the limit where the flash is not known. */
static void test_parse_without_flash(void **state)
{
    uint8_t bytes[2 * PART_ROW_LEN];
    struct part_table t;
    struct span in = span_of(bytes, sizeof(bytes));

    (void)state;
    memset(bytes, 0xFF, sizeof(bytes));
    memset(bytes, 0, PART_ROW_LEN);
    le16_put(bytes, 0x50AA);
    le32_put(bytes + 4, 0xFFFFF000u);
    le32_put(bytes + 8, 0x1000);
    assert_int_equal(part_table_parse(in, 0, &t), ESP_OK);
    le32_put(bytes + 8, 0x1001);
    assert_int_equal(part_table_parse(in, 0, &t), ESP_ERR_INVALID_SIZE);
}

/* --- full tables ---------------------------------------------------------- */

static void fill(struct part_table *t, uint32_t cnt)
{
    memset(t, 0, sizeof(*t));
    t->cnt = cnt;
    for (uint32_t i = 0; i < cnt; i++) {
        struct part_entry *e = &t->entries[i];

        e->type = 0x40;
        e->subtype = (uint8_t)i;
        e->off = 0x9000 + i * 0x1000;
        e->len = 0x1000;
        snprintf(e->label, sizeof(e->label), "p%u", (unsigned)i);
    }
}

static void test_full_tables(void **state)
{
    uint8_t bytes[PART_TABLE_MAX_LEN];
    struct part_table in, out;

    (void)state;
    fill(&in, 94);
    part_table_pack(&in, bytes);
    assert_int_equal(part_table_parse(span_of(bytes, sizeof(bytes)), 0, &out),
                     ESP_OK);
    assert_int_equal(out.cnt, 94);
    assert_true(out.has_md5);

    fill(&in, 95);
    part_table_pack(&in, bytes);
    assert_int_equal(part_table_parse(span_of(bytes, sizeof(bytes)), 0, &out),
                     ESP_OK);
    assert_int_equal(out.cnt, 95);
    assert_false(out.has_md5);

    memcpy(bytes + 95 * PART_ROW_LEN, bytes, PART_ROW_LEN);
    assert_int_equal(part_table_parse(span_of(bytes, sizeof(bytes)), 0, &out),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(out.cnt, 0);
}

/* An end mark behind the 0xC00 bytes of a table does not count. */
static void test_end_mark_too_late(void **state)
{
    uint8_t bytes[PART_TABLE_MAX_LEN + PART_ROW_LEN];
    struct part_table t;
    struct diag d = DIAG_NONE;

    (void)state;
    fill(&t, 95);
    part_table_pack(&t, bytes);
    memcpy(bytes + 95 * PART_ROW_LEN, bytes, PART_ROW_LEN);
    memset(bytes + PART_TABLE_MAX_LEN, 0xFF, PART_ROW_LEN);
    assert_int_equal(part_table_parse(span_of(bytes, sizeof(bytes)), 0, &t),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(part_table_explain(span_of(bytes, sizeof(bytes)), 0, &d),
                     ESP_ERR_INVALID_STATE);
    assert_non_null(strstr(d.text, "in the first 0xc00 bytes"));
    d = (struct diag)DIAG_NONE;
    assert_int_equal(
        part_table_explain(span_of(bytes, PART_TABLE_MAX_LEN), 0, &d),
        ESP_ERR_INVALID_STATE);
    assert_non_null(strstr(d.text, "in the first 0xc00 bytes"));
}

/* --- rows and finding ----------------------------------------------------- */

static void test_row_label(void **state)
{
    uint8_t row[PART_ROW_LEN] = { 0xAA, 0x50, 0x41, 0x07 };
    struct part_entry e;

    (void)state;
    memcpy(row + 12, "sixteen bytes!!!", 16);
    memcpy(row + 28, "\x03\x00\x00\x80", 4);
    assert_int_equal(part_row_parse(row, &e), ESP_OK);
    assert_string_equal(e.label, "sixteen bytes!!!");
    assert_int_equal(e.type, 0x41);
    assert_int_equal(e.subtype, 0x07);
    assert_int_equal(e.flags, 0x80000003u);
    memcpy(row + 12, "ab\0garbage", 10);
    assert_int_equal(part_row_parse(row, &e), ESP_OK);
    assert_memory_equal(e.label, "ab\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17);
    row[0] = 0xEB;
    assert_int_equal(part_row_parse(row, &e), ESP_ERR_NOT_FOUND);
}

static void test_find(void **state)
{
    uint8_t bytes[PART_TABLE_MAX_LEN];
    struct part_table t;

    (void)state;
    two_ota(bytes);
    assert_int_equal(part_table_parse(span_of(bytes, sizeof(bytes)), 0, &t),
                     ESP_OK);
    assert_ptr_equal(part_find(&t, PART_TYPE_DATA, PART_DATA_OTA, NULL),
                     &t.entries[1]);
    assert_ptr_equal(part_find(&t, PART_TYPE_DATA, PART_DATA_OTA, "otadata"),
                     &t.entries[1]);
    assert_null(part_find(&t, PART_TYPE_DATA, PART_DATA_OTA, "otadat"));
    assert_null(part_find(&t, PART_TYPE_APP, PART_APP_TEST, NULL));
    assert_ptr_equal(part_find_label(&t, "ota_1"), &t.entries[5]);
    assert_null(part_find_label(&t, "OTA_1"));
    assert_null(part_find_label(&t, ""));
}

/* Slots count from ota_0 to the first gap, wherever the rows are. */
static void test_ota_cnt(void **state)
{
    static const struct {
        const char *claim;
        uint8_t subtypes[4];
        uint32_t want;
    } rows[] = {
        { "no slot", { 0, 0x20, 0x30, 0x31 }, 0 },
        { "two", { 0, 0x10, 0x11, 0x20 }, 2 },
        { "in any order", { 0x12, 0x11, 0x10, 0 }, 3 },
        { "a gap ends them", { 0x10, 0x12, 0x13, 0 }, 1 },
        { "without ota_0 there is none", { 0x11, 0x12, 0, 0x20 }, 0 },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct part_table t;

        print_message("# %s\n", rows[i].claim);
        fill(&t, 4);
        for (size_t k = 0; k < 4; k++) {
            t.entries[k].type = PART_TYPE_APP;
            t.entries[k].subtype = rows[i].subtypes[k];
        }
        assert_int_equal(part_ota_cnt(&t), rows[i].want);
        assert_null(part_ota(&t, rows[i].want));
    }
}

static void test_sixteen_slots(void **state)
{
    struct part_table t;

    (void)state;
    fill(&t, 18);
    for (uint32_t i = 0; i < 18; i++) {
        t.entries[i].type = PART_TYPE_APP;
        t.entries[i].subtype = (uint8_t)(PART_APP_OTA_0 + i);
    }
    assert_int_equal(part_ota_cnt(&t), 16);
    assert_ptr_equal(part_ota(&t, 15), &t.entries[15]);
    assert_null(part_ota(&t, 16)); /* 0x20 is the test application */
    assert_null(part_ota(&t, UINT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_reference),
        cmocka_unit_test(test_parse_bad),
        cmocka_unit_test(test_second_md5_row),
        cmocka_unit_test(test_parse_lenient),
        cmocka_unit_test(test_parse_without_flash),
        cmocka_unit_test(test_full_tables),
        cmocka_unit_test(test_end_mark_too_late),
        cmocka_unit_test(test_row_label),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_ota_cnt),
        cmocka_unit_test(test_sixteen_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
