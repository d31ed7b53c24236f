/* Partition tables as CSV: good ones, bad ones and their sentences, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "part/csv.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define ENC PART_FLAG_ENCRYPTED
#define RO PART_FLAG_READONLY

static const char *env(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "APP_SIZE") == 0 ? "1M" : NULL;
}

static const struct part_word extras[] = {
    { PART_TYPE_APP, 0x33, "my_type1" },
    { PART_TYPE_DATA, 0x44, "bookmark" }, /* ends like a number of KiB */
};

static struct part_csv_opts options(void)
{
    return (struct part_csv_opts){
        .extra = extras,
        .extra_cnt = CNT(extras),
        .env = env,
    };
}

/* --- rows that are good: what the last one becomes ------------------------ */

struct good {
    const char *claim;
    const char *text;
    struct part_entry want;
};

#define NVS "nvs,data,nvs,,0x6000\n" /* 0x9000 to 0xF000 */

static const struct good goods[] = {
    { "words, automatic place", NVS, { 1, 2, 0x9000, 0x6000, 0, "nvs" } },
    { "words in capitals",
      "NVS,DATA,Nvs,,24K",
      { 1, 2, 0x9000, 0x6000, 0, "NVS" } },
    { "numbers", "x,0x40,254,0x20000,0x1", { 0x40, 254, 0x20000, 1, 0, "x" } },
    { "an application is placed at 64 KiB",
      NVS "f,app,factory,,1M",
      { 0, 0, 0x10000, 0x100000, 0, "f" } },
    { "data is placed at 4 KiB",
      "a,0x40,1,,0x10\nb,data,phy,,0x1000",
      { 1, 1, 0xA000, 0x1000, 0, "b" } },
    { "an explicit place",
      NVS "f,app,ota_15,0x110000,64K",
      { 0, 0x1F, 0x110000, 0x10000, 0, "f" } },
    { "explicit right behind the last one",
      NVS "p,data,phy,0xf000,4K",
      { 1, 1, 0xF000, 0x1000, 0, "p" } },
    { "a negative size is the end",
      NVS "f,app,factory,0x10000,-2M",
      { 0, 0, 0x10000, 0x1F0000, 0, "f" } },
    { "a negative size behind an automatic place",
      NVS "f,app,factory,,-0x20000",
      { 0, 0, 0x10000, 0x10000, 0, "f" } },
    { "no subtype is undefined",
      "d,data,,,4K",
      { 1, 6, 0x9000, 4096, 0, "d" } },
    { "no subtype of a type of one's own",
      "d,0x50,,,4K",
      { 0x50, 6, 0x9000, 4096, 0, "d" } },
    { "both flags",
      "d,data,fat,,4K,encrypted:readonly",
      { 1, 0x81, 0x9000, 4096, ENC | RO, "d" } },
    { "empty flags between colons",
      "d,data,fat,,4K,:readonly::",
      { 1, 0x81, 0x9000, 4096, RO, "d" } },
    { "further fields play no part",
      "d,data,fat,,4K,,junk,junk",
      { 1, 0x81, 0x9000, 4096, 0, "d" } },
    { "a name of 16 bytes",
      "sixteen bytes!!!,data,fat,,4K",
      { 1, 0x81, 0x9000, 4096, 0, "sixteen bytes!!!" } },
    { "a longer name is cut",
      "sixteen bytes!!!and more,data,fat,,4K",
      { 1, 0x81, 0x9000, 4096, 0, "sixteen bytes!!!" } },
    { "comments and empty lines",
      "# a,b\n\n   \n  # $NOPE\n" NVS "# end",
      { 1, 2, 0x9000, 0x6000, 0, "nvs" } },
    { "a variable",
      "f,app,factory,,$APP_SIZE",
      { 0, 0, 0x10000, 0x100000, 0, "f" } },
    { "a subtype that the project adds",
      "f,app,MY_TYPE1,,1M",
      { 0, 0x33, 0x10000, 0x100000, 0, "f" } },
    { "a word that ends like a size",
      "b,data,bookmark,,4K",
      { 1, 0x44, 0x9000, 4096, 0, "b" } },
    { "a small NVS that is only read",
      "n,data,nvs,,4K,readonly",
      { 1, 2, 0x9000, 0x1000, RO, "n" } },
    { "the last byte of 4 GiB",
      "x,0x40,0,0xfffff000,4K",
      { 0x40, 0, 0xFFFFF000u, 0x1000, 0, "x" } },
    { "the test application",
      NVS "t,app,test,,512K",
      { 0, 0x20, 0x10000, 0x80000, 0, "t" } },
};

static void assert_entry(const struct part_entry *got,
                         const struct part_entry *want)
{
    assert_int_equal(got->type, want->type);
    assert_int_equal(got->subtype, want->subtype);
    assert_int_equal(got->off, want->off);
    assert_int_equal(got->len, want->len);
    assert_int_equal(got->flags, want->flags);
    assert_string_equal(got->label, want->label);
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(goods); i++) {
        struct part_csv_opts opts = options();
        struct part_table t;
        struct diag d = DIAG_NONE;

        print_message("# %s\n", goods[i].claim);
        assert_int_equal(part_csv_parse(span_str(goods[i].text), &opts, &t, &d),
                         ESP_OK);
        assert_string_equal(d.text, "");
        assert_true(t.has_md5);
        assert_entry(&t.entries[t.cnt - 1], &goods[i].want);
    }
}

/* --- rows that are bad ---------------------------------------------------- */

struct bad {
    const char *claim;
    const char *text;
    const char *says; /* the sentence has these words */
};

static const struct bad bads[] = {
    { "no rows", "# nothing\n", "lists no partition" },
    { "an unknown variable", NVS "f,app,factory,,$NOPE",
      "line 2: the variable "
      "'NOPE'" },
    { "no type", "n", "line 1: the type is missing" },
    { "an unknown type", "n,date,nvs,,4K", "line 1: 'date' is no type" },
    { "a type past 254", "n,255,1,,4K", "the type 255 is out of range" },
    { "a negative type", "n,-1,1,,4K", "the type -1 is out of range" },
    { "a type beyond 4 GiB", "n,5000M,1,,4K", "the type 5000M is out of" },
    { "an application without subtype", "f,app,,,1M",
      "the subtype of an "
      "application" },
    { "an unknown subtype", "n,data,nvz,,4K",
      "'nvz' is no subtype of this "
      "type; known: ota, phy, nvs" },
    { "a subtype of another type", "n,data,factory,,4K", "'factory' is no" },
    { "a word for a type of one's own", "n,0x40,nvs,,4K",
      "'nvs' is no subtype of this type; known: numbers" },
    { "a subtype past 254", "n,data,0x100,,4K", "the subtype 0x100 is out" },
    { "a number that C would call octal", "n,data,nvs,,010",
      "the size '010' "
      "is no number" },
    { "a fraction", "n,data,nvs,,1.5M", "the size '1.5M' is no number" },
    { "no size", "n,data,nvs,0x9000", "line 1: the size is missing" },
    { "an offset that is none", "n,data,nvs,N/A,4K", "the offset 'N/A'" },
    { "a negative offset", "n,data,nvs,-4096,4K", "the offset -4096 is neg" },
    { "an offset beyond 4 GiB", "n,0x40,1,0x100000001,4K", "beyond 4 GiB" },
    { "a size beyond 4 GiB", "n,0x40,1,,4097M", "beyond 4 GiB" },
    { "an end beyond 4 GiB", "n,0x40,1,0xfffff000,8K", "pass 4 GiB" },
    { "an offset at 4 GiB", "n,0x40,1,4096M,0", "pass 4 GiB" },
    { "a size of 4 GiB", "n,0x40,1,,4096M", "pass 4 GiB" },
    { "an end before the start", NVS "f,app,factory,0x20000,-0x10000",
      "ends at 0x10000 but starts at 0x20000" },
    { "an offset inside the table", "n,data,nvs,0x8000,16K",
      "offset 0x8000 overlaps what is before it, up to 0x9000" },
    { "an offset inside the row before", NVS "p,data,phy,0xe000,4K",
      "line 2: the offset 0xe000 overlaps what is before it, up to 0xf000" },
    { "offsets that do not ascend",
      "a,data,phy,0x20000,4K\n\nb,data,fat,0x10000,4K",
      "line 3: the offset 0x10000 overlaps" },
    { "an unknown flag", "n,data,nvs,,24K,encrypt", "'encrypt' is no flag" },
    { "a flag with a blank", "n,data,nvs,,24K,encrypted :readonly",
      "'encrypted ' is no flag" },
    { "a control character in a name", "a\x1b[2J,data,nvs,,24K",
      "byte 2 of the name is the control character 0x1b" },
    { "a control character elsewhere", "a,data,\x1b[2J,,24K", "'?[2J' is no" },
    { "a bootloader without its offset", "b,bootloader,primary,N/A,N/A",
      "offset of the primary bootloader" },
    { "a recovery bootloader without its offset",
      "b,bootloader,recovery,N/A,N/A", "recovery bootloader is not known" },
    { "a bootloader's size without its offset", "b,bootloader,ota,,N/A",
      "offset of the primary bootloader" },
    /* the rules of part_check(), here with the number of the line */
    { "an application off 64 KiB", "f,app,factory,0x9000,64K",
      "line 1 (f): the offset 0x9000 is not a multiple of 0x10000; take "
      "0x10000" },
    { "data off 4 KiB", "\nd,data,fat,0x9800,4K", "line 2 (d): the offset" },
    { "an application's size", "f,app,factory,,0x10800", "0x10800" },
    { "two of one name", "a,data,fat,,4K\na,data,phy,,4K",
      "line 2 (a): line 1 (a) has this name already" },
    { "two of one name after the cut",
      "sixteen bytes!!!1,data,fat,,4K\nsixteen bytes!!!2,data,phy,,4K",
      "has this name already" },
    { "the whole name is in the sentence",
      "sixteen bytes!!!,data,fat,0x9800,4K", "line 1 (sixteen bytes!!!): " },
    { "two otadata", "a,data,ota,,8K\nb,data,ota,,8K",
      "line 2 (b): line 1 (a) is data/ota already" },
    { "two tee_ota", "a,data,tee_ota,,8K\nb,data,tee_ota,,8K",
      "is data/tee_ota already" },
    { "otadata of one sector", "a,data,ota,,4K",
      "0x2000 bytes, two sectors, "
      "not 0x1000" },
    { "tee_ota of three sectors", "a,data,tee_ota,,12K", "not 0x3000" },
    { "otadata that cannot be written", "a,data,ota,,8K,readonly",
      "data/ota partition is written" },
    { "a coredump that cannot be written", "a,data,coredump,,64K,readonly",
      "data/coredump partition is written" },
    { "an NVS that is too small", "n,data,nvs,,8K",
      "0x2000 bytes are too few" },
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(bads); i++) {
        struct part_csv_opts opts = options();
        struct part_table t;
        struct diag d = DIAG_NONE;
        esp_err_t err;

        print_message("# %s\n", bads[i].claim);
        err = part_csv_parse(span_str(bads[i].text), &opts, &t, &d);
        print_message("#   %s\n", d.text);
        assert_int_not_equal(err, ESP_OK);
        assert_int_equal(err, d.err);
        assert_non_null(strstr(d.text, bads[i].says));
        assert_int_equal(t.cnt, 0);
        assert_int_equal(
            part_csv_parse(span_str(bads[i].text), &opts, &t, NULL), err);
    }
}

static void test_long_line(void **state)
{
    struct part_csv_opts opts = options();
    struct part_table t;
    struct diag d = DIAG_NONE;
    char text[1200];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(part_csv_parse(span_str(text), &opts, &t, &d),
                     ESP_ERR_INVALID_SIZE);
    assert_non_null(strstr(d.text, "longer than 512"));
    text[0] = '#'; /* comments may be long */
    memcpy(text + 1000, "\nn,data,nvs,,24K", 17);
    assert_int_equal(part_csv_parse(span_str(text), &opts, &t, NULL), ESP_OK);
}

/* --- rules that depend on options ----------------------------------------- */

static void test_flash_len(void **state)
{
    struct part_csv_opts opts = options();
    struct span text = span_str(NVS "f,app,factory,,1M");
    struct part_table t;
    struct diag d = DIAG_NONE;

    (void)state;
    opts.rules.flash_len = 0x110000;
    assert_int_equal(part_csv_parse(text, &opts, &t, &d), ESP_OK);
    opts.rules.flash_len = 0x10FFFF;
    assert_int_equal(part_csv_parse(text, &opts, &t, &d), ESP_ERR_INVALID_SIZE);
    assert_non_null(strstr(d.text, "line 2 (f): it ends at 0x110000, past the "
                                   "flash of 0x10ffff"));
}

static void test_table_off(void **state)
{
    struct part_csv_opts opts = options();
    struct span text = span_str("nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000"
                                "\nphy_init,data,phy,,0x1000\n"
                                "emul_efuse,data,efuse,,0x2000\n"
                                "ota_0,app,ota_0,,1500K\nota_1,app,ota_1,,1500K"
                                "\n");
    static const uint32_t offs[] = { 0xE000,  0x12000, 0x14000,
                                     0x15000, 0x20000, 0x1A0000 };
    struct part_table t;

    (void)state;
    opts.rules.table_off = 0xD000;
    assert_int_equal(part_csv_parse(text, &opts, &t, NULL), ESP_OK);
    assert_int_equal(t.cnt, 6);
    for (size_t i = 0; i < CNT(offs); i++)
        assert_int_equal(t.entries[i].off, offs[i]);
}

static void test_secure_v1(void **state)
{
    struct part_csv_opts opts = options();
    struct part_table t;

    (void)state;
    assert_int_equal(
        part_csv_parse(span_str("f,app,factory,,0x11000"), &opts, &t, NULL),
        ESP_OK);
    opts.rules.secure_v1 = true;
    assert_int_equal(
        part_csv_parse(span_str("f,app,factory,,0x11000"), &opts, &t, NULL),
        ESP_ERR_INVALID_SIZE);
    assert_int_equal(
        part_csv_parse(span_str("f,app,factory,,0x20000"), &opts, &t, NULL),
        ESP_OK);
}

/* Bootloaders and tables take their places from the options. */
static void test_system_rows(void **state)
{
    static const char text[] =
        "b,bootloader,primary,N/A,N/A\n"
        "t,partition_table,primary,N/A,N/A\n" NVS "b2,bootloader,ota,,\n"
        "t2,partition_table,ota,,\n"
        "b3,bootloader,recovery,N/A,N/A\n";
    static const struct part_entry want[] = {
        { 2, 0, 0x1000, 0x7000, 0, "b" },   { 3, 0, 0x8000, 0x1000, 0, "t" },
        { 1, 2, 0x9000, 0x6000, 0, "nvs" }, { 2, 1, 0xF000, 0x7000, 0, "b2" },
        { 3, 1, 0x16000, 0x1000, 0, "t2" }, { 2, 2, 0x3F0000, 0x7000, 0, "b3" },
    };
    struct part_csv_opts opts = options();
    struct part_table t;
    struct diag d = DIAG_NONE;

    (void)state;
    opts.rules.has_boot_off = true;
    opts.rules.boot_off = 0x1000;
    opts.rules.has_recovery_off = true;
    opts.rules.recovery_off = 0x3F0000;
    assert_int_equal(part_csv_parse(span_str(text), &opts, &t, &d), ESP_OK);
    assert_int_equal(t.cnt, CNT(want));
    for (size_t i = 0; i < CNT(want); i++)
        assert_entry(&t.entries[i], &want[i]);
    opts.rules.boot_off = 0x8000;
    assert_int_equal(part_csv_parse(span_str(text), &opts, &t, &d),
                     ESP_ERR_INVALID_ARG);
    assert_non_null(strstr(d.text, "0x8000 is not below the partition table"));
}

/* --- limits and warnings -------------------------------------------------- */

static void test_row_limit(void **state)
{
    struct part_csv_opts opts = options();
    struct part_table t;
    struct diag d = DIAG_NONE;
    char text[4000];
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < 94; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "p%u,0x40,%u,,4K\n", i, i);
    assert_int_equal(part_csv_parse(span_str(text), &opts, &t, &d), ESP_OK);
    assert_int_equal(t.cnt, 94);
    snprintf(text + len, sizeof(text) - len, "last,0x40,99,,4K\n");
    assert_int_equal(part_csv_parse(span_str(text), &opts, &t, &d),
                     ESP_ERR_INVALID_SIZE);
    assert_non_null(strstr(d.text, "line 95: this is partition 95"));
}

struct heard {
    unsigned cnt;
    char last[200];
};

static void hear(void *ctx, const char *text)
{
    struct heard *h = ctx;

    h->cnt++;
    snprintf(h->last, sizeof(h->last), "%s", text);
}

static void test_warnings(void **state)
{
    static const struct {
        const char *claim;
        const char *text;
        const char *says; /* NULL: nothing */
    } rows[] = {
        { "names that fit", "nvs,data,nvs,,24K\nota_0,app,ota_0,,1M", NULL },
        { "a name that is another type", "app,data,nvs,,24K",
          "line 1 (app): its name is another type's" },
        { "a name that is another subtype", "ota_0,app,ota_1,,1M",
          "line 1 (ota_0): its name is another subtype's" },
        { "a subtype's name in another type", "nvs,0x40,2,,24K", "subtype" },
        { "a name that two types know and one fits", "ota,data,ota,,8K", NULL },
        { "a name that is cut", "seventeen bytes!!,data,fat,,4K",
          "line 1: the name 'seventeen bytes!!' has 17 bytes" },
        { "no bytes", "d,data,fat,,0", "line 1 (d): it has no bytes" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct part_csv_opts opts = options();
        struct heard h = { 0 };
        struct part_table t;

        print_message("# %s\n", rows[i].claim);
        opts.rules.warn = hear;
        opts.rules.warn_ctx = &h;
        assert_int_equal(
            part_csv_parse(span_str(rows[i].text), &opts, &t, NULL), ESP_OK);
        assert_int_equal(h.cnt, rows[i].says ? 1 : 0);
        if (rows[i].says)
            assert_non_null(strstr(h.last, rows[i].says));
    }
}

/* --- text out ------------------------------------------------------------- */

static void test_write(void **state)
{
    static const char want[] = "# ESP-IDF Partition Table\n"
                               "# Name, Type, SubType, Offset, Size, Flags\n"
                               "nvs,data,nvs,0x9000,24K,\n"
                               "keys,data,nvs_keys,0xf000,4K,encrypted\n"
                               "f,app,factory,0x10000,1M,\n"
                               "own,64,7,0x110000,0x18,readonly\n"
                               "odd,data,112,0x111000,1500K,"
                               "encrypted:readonly\n"
                               "none,data,fat,0x288000,0M,\n";
    struct part_csv_opts opts = options();
    struct part_table t, again;
    char text[PART_CSV_MAX_LEN];

    (void)state;
    assert_int_equal(part_csv_parse(span_str(want), &opts, &t, NULL), ESP_OK);
    assert_int_equal(part_csv_write(&t, text), strlen(want));
    assert_string_equal(text, want);
    assert_int_equal(part_csv_parse(span_str(text), &opts, &again, NULL),
                     ESP_OK);
    assert_memory_equal(&t, &again, sizeof(t));
}

static void test_write_odd_labels(void **state)
{
    static const struct {
        const char *label;
        const char *want;
    } rows[] = {
        { "a,b", "a?b," },        { "#a", "?a," },
        { "a#", "a#," },          { "$HOME", "?HOME," },
        { "a\x1b[1m", "a?[1m," }, { "\xFF\xC3\xA9", "?\xC3\xA9," },
    };
    struct part_table t = { .cnt = 1 };
    char text[PART_CSV_MAX_LEN];

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        snprintf(t.entries[0].label, sizeof(t.entries[0].label), "%s",
                 rows[i].label);
        part_csv_write(&t, text);
        assert_non_null(strstr(text, rows[i].want));
    }
}

/* The longest rows there can be. */
static void test_write_longest(void **state)
{
    struct part_table t = { .cnt = PART_MAX_ENTRIES };
    char text[PART_CSV_MAX_LEN];
    size_t len;

    (void)state;
    for (uint32_t i = 0; i < t.cnt; i++)
        t.entries[i] =
            (struct part_entry){ 3,          254, 0xFFFFFFFF,
                                 0xFFFFFFFF, 3,   "sixteen bytes!!!" };
    len = part_csv_write(&t, text);
    assert_int_equal(len, strlen(text));
    assert_true(len < sizeof(text));
    assert_int_equal(text[len - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_flash_len),
        cmocka_unit_test(test_table_off),
        cmocka_unit_test(test_secure_v1),
        cmocka_unit_test(test_system_rows),
        cmocka_unit_test(test_row_limit),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_odd_labels),
        cmocka_unit_test(test_write_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
