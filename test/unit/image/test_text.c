/* Chips and sentences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image/chip.h"
#include "image/text.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Reference 1.2. */
static void test_chips(void **state)
{
    static const struct {
        const char *name;
        uint16_t id;
        uint32_t bootloader_off;
    } rows[] = {
        { "esp32", 0x0000, 0x1000 }, { "esp32s2", 0x0002, 0x1000 },
        { "esp32c3", 0x0005, 0 },    { "esp32s3", 0x0009, 0 },
        { "esp32c2", 0x000C, 0 },    { "esp32c6", 0x000D, 0 },
        { "esp32h2", 0x0010, 0 },    { "esp32p4", 0x0012, 0x2000 },
        { "esp32c61", 0x0014, 0 },   { "esp32c5", 0x0017, 0x2000 },
        { "esp32h21", 0x0019, 0 },   { "esp32h4", 0x001C, 0x2000 },
        { "esp32e22", 31, 0x1000 },  { "esp32s31", 0x0020, 0x2000 },
        { "linux", 0xFFFF, 0x1000 }, { "qemu_virt_rv32", 0x7F01, 0x1000 },
    };
    char buf[16];

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        uint16_t id = 0x1234;

        print_message("# %s\n", rows[i].name);
        assert_true(img_chip_by_name(rows[i].name, &id));
        assert_int_equal(id, rows[i].id);
        assert_string_equal(img_chip_name(id, buf), rows[i].name);
        assert_int_equal(img_chip_bootloader_off(id), rows[i].bootloader_off);
    }
    assert_null(img_chip_at(CNT(rows)));
    assert_string_equal(img_chip_name(0x0abc, buf), "chip 0x0abc");
    assert_int_equal(img_chip_bootloader_off(0x0abc), 0x1000);
    uint16_t kept = 0x1234;
    assert_false(img_chip_by_name("esp33", &kept));
    assert_false(img_chip_by_name("", &kept));
    assert_int_equal(kept, 0x1234);
}

static void test_pages(void **state)
{
    static const struct {
        const char *claim;
        uint16_t chip_id;
        uint8_t log2;
        uint32_t want;
    } rows[] = {
        { "a fixed page is not what the description says", 0, 13, 0x10000 },
        { "an old image says nothing", 13, 0, 0x10000 },
        { "the smallest page", 13, 13, 0x2000 },
        { "a page below the smallest", 13, 12, 0x10000 },
        { "the C2 has no page of 8 KiB", 12, 13, 0x10000 },
        { "the C2 has one of 16 KiB", 12, 14, 0x4000 },
        { "a page above the largest", 13, 17, 0x10000 },
        { "more than partitions are aligned to", 32, 18, 0x10000 },
        { "a shift that would be undefined", 13, 255, 0x10000 },
        { "an unknown chip", 0x0abc, 13, 0x10000 },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        print_message("# %s\n", rows[i].claim);
        assert_int_equal(
            img_chip_page_len(img_chip_find(rows[i].chip_id), rows[i].log2),
            rows[i].want);
    }
}

static void test_mapped(void **state)
{
    static const struct {
        uint16_t chip_id;
        uint32_t addr;
        bool want;
    } rows[] = {
        { 0, 0x3F3FFFFF, false },   { 0, 0x3F400000, true },
        { 0, 0x3F7FFFFF, true },    { 0, 0x3F800000, false },
        { 0, 0x400CFFFF, false },   { 0, 0x400D0000, true },
        { 0, 0x403FFFFF, true },    { 0, 0x40400000, false },
        { 0x17, 0x43FFFFFF, true }, { 0x17, 0, false },
        { 0xFFFF, 0, false },       { 0x0abc, 0x42000020, false },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++)
        assert_int_equal(
            img_chip_is_mapped(img_chip_find(rows[i].chip_id), rows[i].addr),
            rows[i].want);
}

/* What a reader needs from a sentence: the numbers and a way out. */
static void test_sentences(void **state)
{
    static const struct {
        struct img_fault fault;
        const char *words[3];
    } rows[] = {
        { { IMG_FAULT_MAGIC, 0, 0x42, 0xE9 }, { "0x42", "0xe9", ".bin" } },
        { { IMG_FAULT_MAGIC, 0, 0xFF, 0xE9 }, { "0xff", "erased", "write" } },
        { { IMG_FAULT_MAGIC, 0, '<', 0xE9 }, { "0x3c", "web page", "URL" } },
        { { IMG_FAULT_MAGIC, 0, 0x7F, 0xE9 },
          { "ELF", "porta image create", "packed" } },
        { { IMG_FAULT_CHIP, 0, 9, 0 },
          { "for esp32s3", "is esp32;", "built for esp32" } },
        { { IMG_FAULT_CHIP, 0, 0xabc, 0xFFFF },
          { "chip 0x0abc", "linux", "get" } },
        { { IMG_FAULT_REV_LOW, 0, 300, 301 },
          { "at least v3.1", "is v3.0", "build it" } },
        { { IMG_FAULT_REV_HIGH, 0, 400, 399 },
          { "at most v3.99", "is v4.0", "build it" } },
        { { IMG_FAULT_SEG_CNT, 0, 17, 16 }, { "17", "1 to 16", "fetch" } },
        { { IMG_FAULT_SEG_LEN, 3, 22, 16777216 },
          { "segment 3", "22 bytes", "16777216" } },
        { { IMG_FAULT_SEG_SHORT, 0, 4, 256 },
          { "4 bytes", "256", "bootloader" } },
        { { IMG_FAULT_SEG_ALIGN, 1, 0x138, 0x20 },
          { "segment 1", "0x138", "0x20" } },
        { { IMG_FAULT_DESC_MAGIC, 0, 5, 0xABCD5432 },
          { "0x00000005", "0xabcd5432", "pack" } },
        { { IMG_FAULT_TOO_LARGE, 0, 2000000, 1048576 },
          { "2000000", "1048576", "partition" } },
        { { IMG_FAULT_CHECKSUM, 0, 0x12, 0x34 },
          { "0x12", "0x34", "damaged" } },
        { { IMG_FAULT_HASH, 0, 0, 0 }, { "SHA-256", "damaged", "fetch" } },
        { { IMG_FAULT_HASH_FLAG, 0, 7, 1 },
          { "hash_appended is 7", "0 nor 1", "fetch" } },
        { { IMG_FAULT_HASH_ABSENT, 0, 0, 1 },
          { "no appended SHA-256", "requires", "pack" } },
        { { IMG_FAULT_TRUNCATED, 0, 100, 400 },
          { "100 bytes", "400", "fetch" } },
        { { IMG_FAULT_TRUNCATED, 0, 10, 0 },
          { "10 bytes", "header", "fetch" } },
        { { IMG_FAULT_TRAILING, 0, 32, 0 },
          { "32 unexplained bytes", "signature", "fetch" } },
        { { IMG_FAULT_FLASH, 0, 8192, 0 }, { "8192", "read", "check" } },
        { { IMG_FAULT_NONE, 0, 0, 0 }, { "good", "image", "the" } },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        char text[320];

        img_fault_text(&rows[i].fault, text, sizeof(text));
        print_message("# %s\n", text);
        for (size_t k = 0; k < CNT(rows[i].words); k++)
            assert_non_null(strstr(text, rows[i].words[k]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chips),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_mapped),
        cmocka_unit_test(test_sentences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
