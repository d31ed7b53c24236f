/* What an ELF file loads: elf_segments.c of the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/le.h"
#include "elf_segments.h"
#include "elf_symbols.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define ELF_LEN 4096u
#define DATA_OFF 2048u

struct ph {
    uint32_t type, off, addr, len;
};

static uint8_t elf[ELF_LEN];

static void make_elf(uint16_t machine, const struct ph *rows, uint32_t cnt)
{
    memset(elf, 0, sizeof(elf));
    memcpy(elf, "\177ELF\1\1\1", 7);
    le16_put(elf + 16, 2);
    le16_put(elf + 18, machine);
    le32_put(elf + 24, 0x40080400);
    le32_put(elf + 28, 52);
    le16_put(elf + 42, 32);
    le16_put(elf + 44, (uint16_t)cnt);
    for (uint32_t i = 0; i < cnt; i++) {
        uint8_t *p = elf + 52 + i * 32;

        le32_put(p, rows[i].type);
        le32_put(p + 4, rows[i].off);
        le32_put(p + 8, rows[i].addr);
        le32_put(p + 16, rows[i].len);
    }
    for (uint32_t i = DATA_OFF; i < ELF_LEN; i++)
        elf[i] = (uint8_t)(i * 7);
}

static void test_segments(void **state)
{
    static const struct {
        const char *claim;
        struct ph in[4];
        struct ph want[4]; /* type unused */
    } rows[] = {
        { "one segment is one segment",
          { { 1, 2048, 0x40080000, 100 } },
          { { 0, 2048, 0x40080000, 100 } } },
        { "notes and empty segments are none",
          { { 4, 2048, 0, 8 },
            { 1, 2048, 0x3FFB0000, 0 },
            { 1, 2100, 0x40080000, 4 } },
          { { 0, 2100, 0x40080000, 4 } } },
        { "neighbours in file and memory are one",
          { { 1, 2048, 0x3F400020, 256 }, { 1, 2304, 0x3F400120, 100 } },
          { { 0, 2048, 0x3F400020, 356 } } },
        { "a gap of alignment is carried along",
          { { 1, 2048, 0x3F400020, 250 }, { 1, 2304, 0x3F400120, 100 } },
          { { 0, 2048, 0x3F400020, 356 } } },
        { "neighbours in memory only stay two",
          { { 1, 2048, 0x3F400020, 256 }, { 1, 3000, 0x3F400120, 100 } },
          { { 0, 2048, 0x3F400020, 256 }, { 0, 3000, 0x3F400120, 100 } } },
        { "neighbours in the file only stay two",
          { { 1, 2048, 0x3F400020, 256 }, { 1, 2304, 0x40080000, 100 } },
          { { 0, 2048, 0x3F400020, 256 }, { 0, 2304, 0x40080000, 100 } } },
        { "a large gap is worth a segment",
          { { 1, 2048, 0x3F400020, 100 }, { 1, 2304, 0x3F400120, 100 } },
          { { 0, 2048, 0x3F400020, 100 }, { 0, 2304, 0x3F400120, 100 } } },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct elf_segments out;
        struct diag d = DIAG_NONE;
        uint32_t cnt = 0;

        print_message("# %s\n", rows[i].claim);
        make_elf(94, rows[i].in, 4);
        assert_int_equal(elf_segments_read(span_of(elf, ELF_LEN),
                                           img_chip_find(0), &out, &d),
                         ESP_OK);
        assert_int_equal(out.entry_addr, 0x40080400);
        for (; cnt < 4 && rows[i].want[cnt].len; cnt++) {
            assert_int_equal(out.segs[cnt].load_addr, rows[i].want[cnt].addr);
            assert_int_equal(out.segs[cnt].data.len, rows[i].want[cnt].len);
            assert_ptr_equal(out.segs[cnt].data.ptr,
                             elf + rows[i].want[cnt].off);
        }
        assert_int_equal(out.cnt, cnt);
    }
}

static void test_refusals(void **state)
{
    static const struct {
        const char *claim;
        uint32_t off, len, val; /* a patch */
        uint32_t elf_len;
        uint16_t chip_id;
        const char *word;
    } rows[] = {
        { "no ELF file", 0, 1, 0, ELF_LEN, 0, "0x7f" },
        { "nothing", 0, 0, 0, 0, 0, "0x7f" },
        { "a cut header", 0, 0, 0, 51, 0, "32-bit" },
        { "a 64-bit file", 4, 1, 2, ELF_LEN, 0, "32-bit" },
        { "a big-endian file", 5, 1, 2, ELF_LEN, 0, "little-endian" },
        { "a program for another processor", 0, 0, 0, ELF_LEN, 5,
          "machine 94" },
        { "rows of another size", 42, 2, 40, ELF_LEN, 0, "size" },
        { "a table that starts past the end", 28, 4, 0xFFFFFFF0, ELF_LEN, 0,
          "program headers" },
        { "a table that ends past the end", 44, 2, 200, ELF_LEN, 0,
          "program headers" },
        { "a segment past the end", 56, 4, 4090, ELF_LEN, 0, "segment" },
        { "a segment that wraps", 56, 4, 0xFFFFFFFC, ELF_LEN, 0, "segment" },
        { "a length that wraps", 68, 4, 0xFFFFFFFC, ELF_LEN, 0, "segment" },
        { "nothing to load", 52, 4, 6, ELF_LEN, 0, "nothing" },
    };
    static const struct ph row = { 1, 2048, 0x40080000, 100 };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct elf_segments out;
        struct diag d = DIAG_NONE;

        print_message("# %s\n", rows[i].claim);
        make_elf(94, &row, 1);
        for (uint32_t k = 0; k < rows[i].len; k++)
            elf[rows[i].off + k] = (uint8_t)(rows[i].val >> 8 * k);
        assert_int_equal(elf_segments_read(span_of(elf, rows[i].elf_len),
                                           img_chip_find(rows[i].chip_id), &out,
                                           &d),
                         ESP_ERR_INVALID_ARG);
        assert_non_null(strstr(d.text, rows[i].word));
    }
}

static void test_too_many(void **state)
{
    struct ph rows[17];
    struct elf_segments out;
    struct diag d = DIAG_NONE;

    (void)state;
    for (uint32_t i = 0; i < 17; i++)
        rows[i] = (struct ph){ 1, DATA_OFF + i * 4, 0x40080000 + i * 64, 4 };
    make_elf(94, rows, 17);
    assert_int_equal(
        elf_segments_read(span_of(elf, ELF_LEN), img_chip_find(0), &out, &d),
        ESP_ERR_INVALID_SIZE);
    assert_non_null(strstr(d.text, "more than 16"));
}

/* A file of 32 bits with two symbols: `here`, defined, and `away`. */
static void make_symbols(void)
{
    static const char names[] = "\0here\0away";
    uint8_t *sh = elf + 0x200;

    make_elf(94, NULL, 0);
    le32_put(elf + 32, 0x200);
    le16_put(elf + 46, 40);
    le16_put(elf + 48, 3);
    le32_put(sh + 40 + 4, 2); /* the table of symbols, its names in 2 */
    le32_put(sh + 40 + 16, 0x400);
    le32_put(sh + 40 + 20, 48);
    le32_put(sh + 40 + 24, 2);
    le32_put(sh + 80 + 4, 3);
    le32_put(sh + 80 + 16, 0x600);
    le32_put(sh + 80 + 20, sizeof(names));
    le32_put(elf + 0x410, 1);
    le16_put(elf + 0x410 + 14, 1);
    le32_put(elf + 0x420, 6);
    memcpy(elf + 0x600, names, sizeof(names));
}

static void test_symbols(void **state)
{
    (void)state;
    make_symbols();
    assert_true(elf_defines(span_of(elf, ELF_LEN), "here"));
    assert_false(elf_defines(span_of(elf, ELF_LEN), "away"));
    assert_false(elf_defines(span_of(elf, ELF_LEN), "her"));
    assert_false(elf_defines(span_of(elf, ELF_LEN), "ere2"));
    for (size_t len = 0; len < ELF_LEN; len++)
        assert_int_equal(elf_defines(span_of(elf, len), "here"),
                         len >= 0x600 + 11);
    elf[5] = 2; /* big-endian */
    assert_false(elf_defines(span_of(elf, ELF_LEN), "here"));
    make_symbols();
    memset(elf + 0x200 + 40 + 16, 0xFF, 8); /* outside of the file */
    assert_false(elf_defines(span_of(elf, ELF_LEN), "here"));
    make_symbols();
    le32_put(elf + 0x200 + 40 + 24, 9); /* no such section */
    assert_false(elf_defines(span_of(elf, ELF_LEN), "here"));
}

/* A file of 64 bits: this program. */
static void test_own_symbols(void **state)
{
    struct span own;
    uint8_t *bytes = malloc(1u << 26);
    FILE *f = fopen("/proc/self/exe", "rb");

    (void)state;
    if (!f)
        skip();
    assert_non_null(bytes);
    own = span_of(bytes, fread(bytes, 1, 1u << 26, f));
    fclose(f);
    assert_true(elf_defines(own, "elf_defines"));
    assert_true(elf_defines(own, "main"));
    assert_false(elf_defines(own, "esp_https_ota"));
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_too_many),    cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_own_symbols),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
