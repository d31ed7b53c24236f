/* The built-in tables against digests of what the reference's tool writes, and
 * every one of them through text and binary and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/sha256.h"
#include "part/csv.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct part_rules usual = { 0 };
static const struct part_rules beyond = { .table_off = 0xFFFFE000u };

static void hex(const uint8_t *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void file_sha256(const struct part_table *t, char out[65])
{
    uint8_t bytes[PART_TABLE_MAX_LEN];
    uint8_t digest[SHA256_LEN];
    struct sha256 s;

    part_table_pack(t, bytes);
    sha256_init(&s);
    sha256_update(&s, bytes, sizeof(bytes));
    sha256_final(&s, digest);
    hex(digest, sizeof(digest), out);
}

static void md5_row(const struct part_table *t, char out[33])
{
    uint8_t bytes[PART_TABLE_MAX_LEN];

    part_table_pack(t, bytes);
    hex(bytes + t->cnt * PART_ROW_LEN + 16, 16, out);
}

static void test_digests(void **state)
{
    static const struct {
        const char *name;
        const char *md5;
        const char *sha256;
    } rows[] = {
        { "singleapp", "f4ad4f4538564b5d7435b62c75b69524",
          "7f00b6c042a89b15b0cac534f82ed988caf29278ff5700b0c511eb1b5bb7c820" },
        { "singleapp_large", "0423598fe5287e6762f955efc9f5f382",
          "5295e8c42d6fb5f95e4e8a185932c6191d27cfc5078322475347e40e71af815a" },
        { "two_ota", "bf25822c0fa6d8641bd930251e06b4c4",
          "d1c0e9d02fa9d26cd2e1984e7b5dd20157204f501ddc83ce82229e5f3175ee8b" },
        { "two_ota_large", "37f38b32a34f7412f158930062441178",
          "41d8ef7960bf03647249e26ca1ace2b8d35f317a87f6c2ff5bc9f4bdbdbf602b" },
        { "two_ota_coredump", "fbe521772f97e9bf34513e42f6167757",
          "7255f503b6ff44cf4d9ded4634279d2e7fd67f5fe9693228f65d089e5e1725a5" },
        { "two_ota_encr_nvs", "76d509eedec6b9850fadba48faf3a90c",
          "0ae0abb93d54ada2268764212d09b9a55ddf7718eb062f499b5413c4e4052cf2" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct part_table t;
        char got[65];

        print_message("# %s\n", rows[i].name);
        assert_int_equal(part_builtin(rows[i].name, &usual, &t), ESP_OK);
        md5_row(&t, got);
        assert_string_equal(got, rows[i].md5);
        file_sha256(&t, got);
        assert_string_equal(got, rows[i].sha256);
    }
}

/* The table of the brief: no factory, emulated fuses by number. */
static void test_brief(void **state)
{
    static const char text[] =
        "# Name,   Type, SubType, Offset,   Size, Flags\n"
        "nvs,      data, nvs,     ,        0x4000,\n"
        "otadata,  data, ota,     ,        0x2000,\n"
        "phy_init, data, phy,     ,        0x1000,\n"
        "emul_efuse, data, 5,     ,        0x2000,\n"
        "ota_0,    app,  ota_0,   ,        1M,\n"
        "ota_1,    app,  ota_1,   ,        1M,\n";
    static const uint8_t want[6][12] = {
        { 0xAA, 0x50, 1, 2, 0, 0x90, 0, 0, 0, 0x40, 0, 0 },
        { 0xAA, 0x50, 1, 0, 0, 0xD0, 0, 0, 0, 0x20, 0, 0 },
        { 0xAA, 0x50, 1, 1, 0, 0xF0, 0, 0, 0, 0x10, 0, 0 },
        { 0xAA, 0x50, 1, 5, 0, 0, 1, 0, 0, 0x20, 0, 0 },
        { 0xAA, 0x50, 0, 0x10, 0, 0, 2, 0, 0, 0, 0x10, 0 },
        { 0xAA, 0x50, 0, 0x11, 0, 0, 0x12, 0, 0, 0, 0x10, 0 },
    };
    struct part_csv_opts opts = { .rules.flash_len = 0x400000 };
    uint8_t bytes[PART_TABLE_MAX_LEN];
    struct part_table t;
    char sha[65];

    (void)state;
    assert_int_equal(part_csv_parse(span_str(text), &opts, &t, NULL), ESP_OK);
    assert_int_equal(t.cnt, CNT(want));
    part_table_pack(&t, bytes);
    for (size_t i = 0; i < CNT(want); i++)
        assert_memory_equal(bytes + i * PART_ROW_LEN, want[i], 12);
    file_sha256(&t, sha);
    assert_string_equal(
        sha,
        "9b0956acc1295b1f8d6f950d4dd9b14a0af10efdc75c44d398bbc6c71bd3e8dd");
}

static void test_round_trips(void **state)
{
    static const uint32_t table_offs[] = { 0, 0x8000, 0xD000, 0x10000 };

    (void)state;
    for (size_t i = 0; part_builtin_name(i); i++) {
        for (size_t k = 0; k < CNT(table_offs); k++) {
            struct part_csv_opts opts = { .rules.table_off = table_offs[k],
                                          .rules.at_zero = true };
            struct part_table t, from_text, from_binary;
            uint8_t bytes[PART_TABLE_MAX_LEN];
            char text[PART_CSV_MAX_LEN];
            char again[PART_CSV_MAX_LEN];
            struct diag d = DIAG_NONE;

            print_message("# %s at 0x%x\n", part_builtin_name(i),
                          (unsigned)table_offs[k]);
            assert_int_equal(
                part_builtin(part_builtin_name(i), &opts.rules, &t), ESP_OK);
            assert_int_equal(part_check(&t, &opts.rules, NULL, &d), ESP_OK);
            part_csv_write(&t, text);
            assert_int_equal(
                part_csv_parse(span_str(text), &opts, &from_text, &d), ESP_OK);
            part_table_pack(&from_text, bytes);
            assert_int_equal(part_table_parse(span_of(bytes, sizeof(bytes)), 0,
                                              &from_binary),
                             ESP_OK);
            part_csv_write(&from_binary, again);
            assert_string_equal(text, again);
            assert_memory_equal(&from_binary, &t, sizeof(t));
        }
    }
}

/* Reference 2.4, where it states no digest: the last row of each. */
static void test_last_rows(void **state)
{
    static const struct {
        const char *name;
        struct part_entry want;
    } rows[] = {
        { "singleapp_coredump", { 1, 3, 0x110000, 0x10000, 0, "coredump" } },
        { "singleapp_large_coredump",
          { 1, 3, 0x187000, 0x10000, 0, "coredump" } },
        { "singleapp_encr_nvs", { 1, 4, 0x110000, 0x1000, 1, "nvs_key" } },
        { "singleapp_large_encr_nvs",
          { 1, 4, 0x187000, 0x1000, 1, "nvs_key" } },
        { "two_ota_encr_nvs", { 1, 4, 0x310000, 0x1000, 1, "nvs_key" } },
        { "two_ota_large", { 0, 0x11, 0x1D0000, 0x1A9000, 0, "ota_1" } },
        { "singleapp_tee", { 1, 1, 0x1E6000, 0x1000, 0, "phy_init" } },
        { "two_ota_tee", { 1, 1, 0x3A8000, 0x1000, 0, "phy_init" } },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct part_table t;
        const struct part_entry *e;

        print_message("# %s\n", rows[i].name);
        assert_int_equal(part_builtin(rows[i].name, &usual, &t), ESP_OK);
        e = &t.entries[t.cnt - 1];
        assert_int_equal(e->type, rows[i].want.type);
        assert_int_equal(e->subtype, rows[i].want.subtype);
        assert_int_equal(e->off, rows[i].want.off);
        assert_int_equal(e->len, rows[i].want.len);
        assert_int_equal(e->flags, rows[i].want.flags);
        assert_string_equal(e->label, rows[i].want.label);
    }
}

static void test_names(void **state)
{
    struct part_table t;

    (void)state;
    assert_int_equal(part_builtin("three_ota", &usual, &t), ESP_ERR_NOT_FOUND);
    assert_int_equal(t.cnt, 0);
    assert_int_equal(part_builtin("", &usual, &t), ESP_ERR_NOT_FOUND);
    assert_int_equal(part_builtin("two_ota", &beyond, &t),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(t.cnt, 0);
    assert_null(part_builtin_name(12));
    assert_non_null(part_builtin_name(11));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests),     cmocka_unit_test(test_brief),
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_last_rows),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
