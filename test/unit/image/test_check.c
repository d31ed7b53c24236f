/* The verifier: every fault by a row, and every split of the bytes. Damage is
 * test_damage.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/le.h"
#include "fixture.h"
#include "image/text.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define APP IMG_KIND_APP
#define BOOT IMG_KIND_BOOTLOADER
#define SLOT IMG_PLACE_SLOT
#define WIRE IMG_PLACE_WIRE

/* Written over the bytes at off when len > 0. */
struct patch {
    uint32_t off, len, val;
};

struct row {
    const char *claim;
    struct fix_spec spec; /* seg_cnt 0: fix_app */
    struct patch patch[2];
    bool seal; /* make checksum and digest right after patching */
    struct img_rules rules;
    uint32_t cut_len;  /* feed only so many bytes, 0: all */
    uint32_t tail_len; /* zero bytes fed after the image */
    struct img_fault want;
    esp_err_t err;
};

/* Layout of fix_app: header 0, segment headers 24, 304, 332, data 32, 312,
 * 340, end 352, checksum 367, digest 368, length 400. */
#define SEG1_HEADER 304
#define APP_END 400
#define APP_SUM 367

static const struct row rows[] = {
    { .claim = "an image without a fault is accepted" },
    { .claim = "an erased slot has no image",
      .patch = { { 0, 1, 0xFF } },
      .want = { IMG_FAULT_MAGIC, 0, 0xFF, 0xE9 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "an image of another chip is refused as the reference does",
      .rules = { .chip_id = 9 },
      .want = { IMG_FAULT_CHIP, 0, 0, 9 },
      .err = ESP_FAIL },
    { .claim = "the chip is told before the segment count",
      .patch = { { 1, 1, 17 } },
      .rules = { .chip_id = 9 },
      .want = { IMG_FAULT_CHIP, 0, 0, 9 },
      .err = ESP_FAIL },
    { .claim = "the id that the reference calls invalid matches no chip",
      .patch = { { 12, 2, 0xFFFF } },
      .rules = { .chip_id = 0 },
      .want = { IMG_FAULT_CHIP, 0, 0xFFFF, 0 },
      .err = ESP_FAIL },
    { .claim = "a device older than the image allows is refused",
      .patch = { { 15, 2, 301 } },
      .rules = { .any_chip = true, .check_rev = true, .chip_rev = 300 },
      .want = { IMG_FAULT_REV_LOW, 0, 300, 301 },
      .err = ESP_FAIL },
    { .claim = "a device newer than the image allows is refused",
      .patch = { { 17, 2, 199 } },
      .rules = { .any_chip = true, .check_rev = true, .chip_rev = 200 },
      .want = { IMG_FAULT_REV_HIGH, 0, 200, 199 },
      .err = ESP_FAIL },
    { .claim = "a bootloader has no newest device",
      .spec = { .seg_cnt = 1, .no_desc = true, .segs = { { 0x3FFF0010, 64 } } },
      .patch = { { 17, 2, 199 } },
      .seal = true,
      .rules = { .kind = BOOT,
                 .any_chip = true,
                 .check_rev = true,
                 .chip_rev = 200 } },
    { .claim = "the revision limits themselves are inside",
      .patch = { { 15, 2, 200 }, { 17, 2, 200 } },
      .seal = true,
      .rules = { .any_chip = true, .check_rev = true, .chip_rev = 200 } },
    { .claim = "0xFFFF is no upper limit",
      .patch = { { 17, 2, 0xFFFF } },
      .seal = true,
      .rules = { .any_chip = true, .check_rev = true, .chip_rev = 900 } },
    { .claim = "0 is no upper limit either",
      .patch = { { 17, 2, 0 } },
      .rules = { .any_chip = true, .check_rev = true, .chip_rev = 900 } },
    { .claim = "the legacy minimum revision is not read",
      .patch = { { 14, 1, 99 } },
      .seal = true,
      .rules = { .any_chip = true, .check_rev = true } },
    { .claim = "revisions are compared only when asked",
      .patch = { { 15, 2, 301 } },
      .seal = true },
    { .claim = "17 segments are too many",
      .patch = { { 1, 1, 17 } },
      .want = { IMG_FAULT_SEG_CNT, 0, 17, 16 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "no segment is too few",
      .patch = { { 1, 1, 0 } },
      .want = { IMG_FAULT_SEG_CNT, 0, 0, 16 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "16 segments are allowed",
      .spec = { .seg_cnt = 16, .segs = { { 0x3F400020, 256 } } } },
    { .claim = "hash_appended 2 is refused",
      .patch = { { 23, 1, 2 } },
      .want = { IMG_FAULT_HASH_FLAG, 0, 2, 1 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "a length that is not a multiple of 4 is refused",
      .patch = { { SEG1_HEADER + 4, 4, 22 } },
      .want = { IMG_FAULT_SEG_LEN, 1, 22, IMG_MAX_LEN },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "a length of 16 MiB is refused",
      .patch = { { SEG1_HEADER + 4, 4, 0x1000000 } },
      .want = { IMG_FAULT_SEG_LEN, 1, 0x1000000, IMG_MAX_LEN },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "a length that would wrap an address is refused",
      .patch = { { SEG1_HEADER + 4, 4, 0xFFFFFFFC } },
      .want = { IMG_FAULT_SEG_LEN, 1, 0xFFFFFFFC, IMG_MAX_LEN },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "segments that add up to more than 16 MiB are refused",
      .patch = { { SEG1_HEADER + 4, 4, 0xFFFFF0 } },
      .want = { IMG_FAULT_TOO_LARGE, 1, 0x1000140 + 32, IMG_MAX_LEN },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "also when the slot has room for them",
      .patch = { { SEG1_HEADER + 4, 4, 0xFFFFF0 } },
      .rules = { .any_chip = true, .place = SLOT, .cap_len = 0x2000000 },
      .want = { IMG_FAULT_TOO_LARGE, 1, 0x1000140 + 32, IMG_MAX_LEN },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "a first segment without room for the description is refused",
      .patch = { { 28, 4, 252 } },
      .want = { IMG_FAULT_SEG_SHORT, 0, 252, 256 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "a bootloader's first segment may be short",
      .spec = { .seg_cnt = 2,
                .no_desc = true,
                .segs = { { 0x3FFF0010, 4 }, { 0x40080000, 64 } } },
      .rules = { .kind = BOOT, .any_chip = true } },
    { .claim = "a bootloader's first segment may be empty",
      .spec = { .seg_cnt = 2,
                .no_desc = true,
                .segs = { { 0x3FFF0010, 0 }, { 0x40080000, 64 } } },
      .rules = { .kind = BOOT, .any_chip = true } },
    { .claim = "segments after the first may be empty",
      .spec = { .seg_cnt = 3,
                .segs = { { 0x3F400020, 256 }, { 0, 0 }, { 0, 0 } } } },
    { .claim = "an ESP32 application without description is accepted",
      .patch = { { 32, 4, 0 } },
      .seal = true },
    { .claim = "a chip that reads its page size there needs a description",
      .spec = { .chip_id = 13,
                .seg_cnt = 1,
                .no_desc = true,
                .segs = { { 0x42000020, 256 } } },
      .patch = { { 32, 4, 0x11223344 } },
      .want = { IMG_FAULT_DESC_MAGIC, 0, 0x11223344, 0xABCD5432 },
      .err = ESP_FAIL },
    { .claim = "an image for linux needs a description",
      .spec = { .chip_id = 0xFFFF,
                .seg_cnt = 1,
                .no_desc = true,
                .segs = { { 0, 256 } } },
      .patch = { { 32, 4, 0 } },
      .want = { IMG_FAULT_DESC_MAGIC, 0, 0, 0xABCD5432 },
      .err = ESP_FAIL },
    { .claim = "the first segment must be mappable",
      .patch = { { 24, 4, 0x3F400024 } },
      .seal = true,
      .want = { IMG_FAULT_SEG_ALIGN, 0, 0x20, 0x24 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "a later mapped segment must be mappable",
      .patch = { { SEG1_HEADER, 4, 0x400D0020 } },
      .seal = true,
      .want = { IMG_FAULT_SEG_ALIGN, 1, 0x138, 0x20 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "a page of 8 KiB by the description is believed on a C6",
      .spec = { .chip_id = 13,
                .mmu_page_log2 = 13,
                .seg_cnt = 1,
                .segs = { { 0x42002020, 256 } } } },
    { .claim = "a page of 4 KiB is none of a C6, so the default holds",
      .spec = { .chip_id = 13,
                .mmu_page_log2 = 12,
                .seg_cnt = 1,
                .segs = { { 0x42002020, 256 } } },
      .want = { IMG_FAULT_SEG_ALIGN, 0, 0x20, 0x2020 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "an image larger than its slot is refused by its header",
      .rules = { .any_chip = true, .place = SLOT, .cap_len = 399 },
      .cut_len = 350,
      .want = { IMG_FAULT_TOO_LARGE, 2, 400, 399 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "an image that fills its slot is accepted",
      .rules = { .any_chip = true, .place = SLOT, .cap_len = 400 } },
    { .claim = "damage that only the digest sees is told as its own",
      .patch = { { 3, 1, 0x21 } },
      .want = { IMG_FAULT_HASH, 3, 0, 0 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "non-zero padding is found by the digest",
      .patch = { { APP_SUM - 1, 1, 1 } },
      .want = { IMG_FAULT_HASH, 3, 0, 0 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "a digest that is not required may be absent",
      .spec = { .no_hash = true,
                .seg_cnt = 1,
                .segs = { { 0x3F400020, 256 } } } },
    { .claim = "a digest that is required may not",
      .spec = { .no_hash = true,
                .seg_cnt = 1,
                .segs = { { 0x3F400020, 256 } } },
      .rules = { .any_chip = true, .require_hash = true },
      .want = { IMG_FAULT_HASH_ABSENT, 0, 0, 1 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "nothing at all is cut short",
      .cut_len = UINT32_MAX,
      .want = { IMG_FAULT_TRUNCATED, 0, 0, 0 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "inside the header nobody knows the length",
      .cut_len = 23,
      .want = { IMG_FAULT_TRUNCATED, 0, 23, 0 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "after the last segment header the exact length is known",
      .cut_len = 341,
      .want = { IMG_FAULT_TRUNCATED, 2, 341, 400 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "32 bytes after the end of a file are unexplained",
      .tail_len = 32,
      .want = { IMG_FAULT_TRAILING, 3, 32, 0 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "so they are on the wire",
      .rules = { .any_chip = true, .place = WIRE },
      .tail_len = 32,
      .want = { IMG_FAULT_TRAILING, 3, 32, 0 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "in a slot nobody asks",
      .rules = { .any_chip = true, .place = SLOT },
      .tail_len = 32 },
    { .claim = "68 bytes that start with a zero word are a V1 signature",
      .tail_len = 68 },
    { .claim = "69 are not",
      .tail_len = 69,
      .want = { IMG_FAULT_TRAILING, 3, 69, 0 },
      .err = ESP_ERR_IMAGE_INVALID },
    { .claim = "what follows the image counts towards the room",
      .rules = { .any_chip = true, .place = WIRE, .cap_len = 467 },
      .tail_len = 68,
      .want = { IMG_FAULT_TOO_LARGE, 3, 468, 467 },
      .err = ESP_ERR_IMAGE_INVALID },
};

/* Rows that leave the rules alone mean a file of any chip. */
static struct img_rules row_rules(const struct row *r)
{
    static const struct img_rules none;
    struct img_rules rules = r->rules;

    if (memcmp(&rules, &none, sizeof(none)) == 0 &&
        r->want.kind != IMG_FAULT_CHIP)
        return fix_file_rules;
    return rules;
}

static size_t row_image(const struct row *r, uint8_t *image)
{
    size_t len = fix_pack(r->spec.seg_cnt ? &r->spec : &fix_app, image);

    for (size_t i = 0; i < CNT(r->patch); i++)
        for (uint32_t k = 0; k < r->patch[i].len; k++)
            image[r->patch[i].off + k] = (uint8_t)(r->patch[i].val >> (8 * k));
    if (r->seal)
        fix_seal(image);
    if (r->cut_len)
        return r->cut_len == UINT32_MAX ? 0 : r->cut_len;
    return len + r->tail_len;
}

static void test_rows(void **state)
{
    uint8_t *image = malloc(FIX_MAX_LEN);

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        const struct row *r = &rows[i];
        struct img_rules rules = row_rules(r);
        struct img_receipt receipt;
        struct img_check c;
        size_t len = row_image(r, image);

        print_message("# %s\n", r->claim);
        assert_int_equal(fix_check(&rules, image, len, 0, &c, &receipt),
                         r->err);
        assert_int_equal(c.fault.kind, r->want.kind);
        assert_int_equal(c.fault.seg, r->want.seg);
        if (r->want.kind != IMG_FAULT_HASH) {
            assert_int_equal(c.fault.got, r->want.got);
            assert_int_equal(c.fault.want, r->want.want);
        }
        assert_int_equal(receipt.verdict,
                         r->err ? VERDICT_REJECT : VERDICT_ACCEPT);
        assert_false(receipt.bound);
    }
    free(image);
}

/* Whatever a fault says, it says it in a sentence of its own. */
static void test_rows_have_sentences(void **state)
{
    uint8_t *image = malloc(FIX_MAX_LEN);

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct img_rules rules = row_rules(&rows[i]);
        struct img_receipt receipt;
        struct img_check c;
        char text[320], small[8];

        (void)fix_check(&rules, image, row_image(&rows[i], image), 0, &c,
                        &receipt);
        assert_ptr_equal(img_fault_text(&c.fault, text, sizeof(text)), text);
        assert_true(strlen(text) > 10 && strlen(text) < 300);
        assert_true(text[strlen(text) - 1] != '.');
        img_fault_text(&c.fault, small, sizeof(small));
        assert_memory_equal(small, text, 7);
        assert_int_equal(small[7], 0);
    }
    free(image);
}

static void test_checksum_fault(void **state)
{
    static const struct {
        const char *claim;
        bool with_hash;
    } both[] = { { "with a digest behind it", true },
                 { "without one", false } };

    (void)state;
    for (size_t i = 0; i < CNT(both); i++) {
        struct fix_spec spec = fix_app;
        uint8_t image[1024 * 16];
        struct img_receipt receipt;
        struct img_check c;
        size_t len;

        print_message("# a wrong checksum is found %s\n", both[i].claim);
        spec.no_hash = !both[i].with_hash;
        len = fix_pack(&spec, image);
        image[APP_SUM] ^= 0x55;
        assert_int_equal(
            fix_check(&fix_file_rules, image, len, 0, &c, &receipt),
            ESP_ERR_IMAGE_INVALID);
        assert_int_equal(c.fault.kind, IMG_FAULT_CHECKSUM);
        assert_int_equal(c.fault.got, image[APP_SUM] ^ 0x55);
        assert_int_equal(c.fault.want, image[APP_SUM]);
        assert_false(c.info.checksum_ok);
        assert_false(c.info.hash_ok);
    }
}

/* Reference 1.11. */
static void test_vector(void **state)
{
    static const char file_sha256[] =
        "2696869a4d3bdd0be38081da529fda94b9f3bbee8d28d3736eb201ffac75cb88";
    static const struct fix_spec spec = { .seg_cnt = 1,
                                          .segs = { { 0x3F400020, 256 } } };
    uint8_t image[FIX_MAX_LEN], digest[SHA256_LEN];
    struct img_receipt receipt;
    struct img_check c;
    struct sha256 sha;
    char hex[65];
    size_t len = fix_pack(&spec, image);
    uint8_t *desc = image + IMG_APP_DESC_OFF;

    (void)state;
    memset(desc, 0, IMG_APP_DESC_LEN);
    le32_put(desc, IMG_APP_DESC_MAGIC);
    memcpy(desc + 16, "1.0.0", 5);
    memcpy(desc + 48, "demo", 4);
    memcpy(desc + 80, "12:00:00", 8);
    memcpy(desc + 96, "Jan  1 2026", 11);
    memcpy(desc + 112, "v6.2-dev", 8);
    desc[180] = 16;
    desc[181] = 3;
    fix_seal(image);
    assert_int_equal(len, 336);
    sha256_init(&sha);
    sha256_update(&sha, image, len);
    sha256_final(&sha, digest);
    for (size_t i = 0; i < SHA256_LEN; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(hex, file_sha256);
    assert_int_equal(fix_check(&fix_file_rules, image, len, 0, &c, &receipt),
                     ESP_OK);
    assert_int_equal(c.info.image_len, 336);
    assert_int_equal(c.info.checksum, 0x99);
    assert_int_equal(c.info.digest[0], 0xf3);
    assert_memory_equal(c.info.digest, image + 304, SHA256_LEN);
    assert_true(c.info.desc.present);
    assert_string_equal(c.info.desc.version, "1.0.0");
    assert_string_equal(c.info.desc.project, "demo");
    assert_string_equal(c.info.desc.time, "12:00:00");
    assert_string_equal(c.info.desc.date, "Jan  1 2026");
    assert_string_equal(c.info.desc.idf_ver, "v6.2-dev");
    assert_int_equal(c.info.desc.mmu_page_log2, 16);
    assert_int_equal(c.info.desc.spi_mode, 3);
    assert_int_equal(c.info.header.entry_addr, 0x40080000);
    assert_int_equal(c.info.header.spi_size, 2);
    assert_int_equal(c.info.header.spi_speed, 0);
}

static void test_boot_desc(void **state)
{
    static const struct fix_spec spec = { .seg_cnt = 1,
                                          .no_desc = true,
                                          .segs = { { 0x3FFF0010, 96 } } };
    static const struct img_rules rules = { .kind = BOOT, .any_chip = true };
    uint8_t image[FIX_MAX_LEN];
    struct img_receipt receipt;
    struct img_check c;
    size_t len = fix_pack(&spec, image);

    (void)state;
    memset(image + 32, 0, 80);
    image[32] = IMG_BOOT_DESC_MAGIC;
    image[35] = 3;
    le32_put(image + 36, 9);
    memcpy(image + 40, "v6.2-dev", 8);
    memset(image + 72, 'x', 24);
    fix_seal(image);
    assert_int_equal(fix_check(&rules, image, len, 7, &c, &receipt), ESP_OK);
    assert_true(c.info.boot_desc.present);
    assert_int_equal(c.info.boot_desc.version, 9);
    assert_string_equal(c.info.boot_desc.idf_ver, "v6.2-dev");
    assert_int_equal(strlen(c.info.boot_desc.date_time), 24);
    assert_int_equal(receipt.secure_version, 3);
}

/* --- splits --------------------------------------------------------------- */

static void assert_same(const struct img_check *a, const struct img_check *b)
{
    assert_memory_equal(&a->info.header, &b->info.header,
                        sizeof(a->info.header));
    assert_memory_equal(a->info.segs, b->info.segs, sizeof(a->info.segs));
    assert_memory_equal(&a->fault, &b->fault, sizeof(a->fault));
    assert_memory_equal(a->info.digest, b->info.digest, SHA256_LEN);
    assert_int_equal(a->info.image_len, b->info.image_len);
    assert_int_equal(a->info.checksum, b->info.checksum);
    assert_int_equal(a->info.hash_ok, b->info.hash_ok);
    assert_string_equal(a->info.desc.version, b->info.desc.version);
}

static void assert_same_receipt(const struct img_receipt *a,
                                const struct img_receipt *b)
{
    assert_int_equal(a->verdict, b->verdict);
    assert_int_equal(a->len, b->len);
    assert_int_equal(a->secure_version, b->secure_version);
    assert_memory_equal(a->digest, b->digest, SHA256_LEN);
}

static void test_splits(void **state)
{
    uint8_t *image = malloc(FIX_MAX_LEN);

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct img_rules rules = row_rules(&rows[i]);
        size_t len = row_image(&rows[i], image);
        struct img_receipt whole_r, split_r;
        struct img_check whole, split;
        esp_err_t err = fix_check(&rules, image, len, 0, &whole, &whole_r);

        for (size_t step = 1; step <= 40; step++) {
            assert_int_equal(
                fix_check(&rules, image, len, step, &split, &split_r), err);
            assert_same(&whole, &split);
            assert_same_receipt(&whole_r, &split_r);
        }
    }
    free(image);
}

/* Chunks of any size from buffers at any alignment. */
static void test_random_chunks(void **state)
{
    uint8_t image[FIX_MAX_LEN], chunk[512 + 8];
    struct fix_spec spec = fix_app;
    struct img_receipt whole_r, r;
    struct img_check whole, c;
    uint32_t rnd = 99;
    size_t len;

    (void)state;
    spec.segs[1].len = 9000;
    len = fix_pack(&spec, image);
    assert_int_equal(
        fix_check(&fix_file_rules, image, len, 0, &whole, &whole_r), ESP_OK);
    for (int round = 0; round < 300; round++) {
        img_check_open(&c, &fix_file_rules);
        for (size_t at = 0, n; at < len; at += n) {
            uint8_t *p = chunk + fix_rand(&rnd) % 8;

            n = fix_rand(&rnd) % 512;
            n = n < len - at ? n : len - at;
            memcpy(p, image + at, n);
            assert_int_equal(img_check_feed(&c, p, n), ESP_OK);
        }
        assert_int_equal(img_check_finish(&c, &r), ESP_OK);
        assert_same(&whole, &c);
        assert_same_receipt(&whole_r, &r);
    }
}

/* The need is a promise both ways: never 0 early, never more than there is. */
static void test_need(void **state)
{
    uint8_t image[FIX_MAX_LEN];
    size_t len = fix_pack(&fix_app, image);
    struct img_check c;

    (void)state;
    img_check_open(&c, &fix_file_rules);
    for (size_t at = 0; at < len; at++) {
        assert_true(img_check_need(&c) > 0);
        assert_true(img_check_need(&c) <= len - at);
        assert_int_equal(img_check_head_done(&c), at >= IMG_HEAD_LEN);
        if (at >= 340)
            assert_int_equal(img_check_need(&c), len - at);
        assert_int_equal(img_check_feed(&c, image + at, 1), ESP_OK);
    }
    assert_int_equal(img_check_need(&c), 0);
}

static void test_first_fault_sticks(void **state)
{
    uint8_t image[FIX_MAX_LEN];
    size_t len = fix_pack(&fix_app, image);
    struct img_rules rules = { .chip_id = 9 };
    struct img_receipt r = { .verdict = VERDICT_ACCEPT };
    struct img_check c;

    (void)state;
    img_check_open(&c, &rules);
    assert_int_equal(img_check_feed(&c, image, len), ESP_FAIL);
    assert_int_equal(img_check_feed(&c, image, len), ESP_FAIL);
    assert_int_equal(img_check_feed(&c, image, 0), ESP_FAIL);
    assert_int_equal(img_check_finish(&c, &r), ESP_FAIL);
    assert_int_equal(r.verdict, VERDICT_REJECT);
    assert_int_equal(c.fault.kind, IMG_FAULT_CHIP);
    assert_true(img_check_need(&c) > 0);
}

/* A check holds no pointer: a copy made anywhere goes on by itself. */
static void test_copy(void **state)
{
    uint8_t image[FIX_MAX_LEN];
    size_t len = fix_pack(&fix_app, image);
    struct img_receipt r;
    struct img_check c, copy;

    (void)state;
    for (size_t at = 0; at <= len; at++) {
        img_check_open(&c, &fix_file_rules);
        assert_int_equal(img_check_feed(&c, image, at), ESP_OK);
        memcpy(&copy, &c, sizeof(c));
        memset(&c, 0xA5, sizeof(c));
        assert_int_equal(img_check_feed(&copy, image + at, len - at), ESP_OK);
        assert_int_equal(img_check_finish(&copy, &r), ESP_OK);
        assert_memory_equal(r.digest, image + len - SHA256_LEN, SHA256_LEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_rows_have_sentences),
        cmocka_unit_test(test_checksum_fault),
        cmocka_unit_test(test_vector),
        cmocka_unit_test(test_boot_desc),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_random_chunks),
        cmocka_unit_test(test_need),
        cmocka_unit_test(test_first_fault_sticks),
        cmocka_unit_test(test_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
