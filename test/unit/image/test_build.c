/* Packing: what is written is what the format says, and the verifier and its
 * naive twin accept it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/le.h"
#include "fixture.h"
#include "image/build.h"
#include "image/chip.h"
#include "naive.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define OUT_LEN (512u * 1024u)

static uint8_t *out;

static int setup(void **state)
{
    (void)state;
    out = malloc(OUT_LEN);
    return out ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(out);
    return 0;
}

/* The fields are zero before, so that their terminators are there. */
static void text(char *field, const char *value)
{
    memcpy(field, value, strlen(value));
}

static struct img_build app_of(uint16_t chip_id,
                               const struct img_build_seg *segs, uint32_t cnt)
{
    struct img_build in = {
        .header = { .chip_id = chip_id,
                    .spi_mode = 2,
                    .spi_size = 2,
                    .hash_appended = 1 },
        .desc = { .secure_version = 4, .mmu_page_log2 = 16 },
        .segs = segs,
        .seg_cnt = cnt,
    };

    text(in.desc.version, "1.0.0");
    text(in.desc.project, "demo");
    return in;
}

/* Packs, and lets both verifiers judge. */
static struct img_info pack(const struct img_build *in, uint32_t *len)
{
    struct img_rules rules = { .kind = in->kind,
                               .place = IMG_PLACE_FILE,
                               .chip_id = in->header.chip_id };
    struct diag d = DIAG_NONE;
    struct img_receipt r;
    struct img_check c;

    assert_int_equal(img_build(in, out, OUT_LEN, len, &d), ESP_OK);
    assert_int_equal(fix_check(&rules, out, *len, 0, &c, &r), ESP_OK);
    assert_int_equal(c.info.image_len, *len);
    assert_true(naive_accepts(out, *len, in->kind, IMG_PLACE_FILE));
    return c.info;
}

/* Reference 1.11, made of its fields. */
static void test_vector(void **state)
{
    static const uint8_t head[] = { 0xe9, 0x01, 0x02, 0x20, 0x00, 0x00, 0x08,
                                    0x40, 0xee, 0x00, 0x00, 0x00, 0x00, 0x00,
                                    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                    0x00, 0x00, 0x01, 0x20, 0x00, 0x40, 0x3f,
                                    0x00, 0x01, 0x00, 0x00 };
    static const uint8_t digest[] = { 0xf3, 0xa4, 0xbb, 0x02, 0x35, 0x03, 0xa4,
                                      0xd6, 0xf1, 0x50, 0x84, 0x4e, 0x64, 0x72,
                                      0xc2, 0x5c, 0x48, 0x6c, 0x42, 0x1b, 0xb9,
                                      0x06, 0xec, 0xe8, 0x2a, 0x75, 0xc5, 0x93,
                                      0xca, 0x1b, 0x21, 0x10 };
    uint8_t desc[IMG_APP_DESC_LEN] = { 0x32, 0x54, 0xcd, 0xab };
    struct img_build_seg seg = { 0x3F400020, { desc, sizeof(desc) } };
    struct img_build in = app_of(0, &seg, 1);
    uint32_t len;

    (void)state;
    in.header.entry_addr = 0x40080000;
    in.desc.secure_version = 0;
    in.desc.spi_mode = 3;
    text(in.desc.time, "12:00:00");
    text(in.desc.date, "Jan  1 2026");
    text(in.desc.idf_ver, "v6.2-dev");
    (void)pack(&in, &len);
    assert_int_equal(len, 336);
    assert_memory_equal(out, head, sizeof(head));
    assert_int_equal(out[303], 0x99);
    assert_memory_equal(out + 304, digest, sizeof(digest));
}

/* A device on Linux: the description, then the program, byte for byte. */
static void test_linux(void **state)
{
    uint8_t elf[1001];
    struct img_build_seg seg = { 0, { elf, sizeof(elf) } };
    struct img_build in = app_of(IMG_CHIP_LINUX, &seg, 1);
    struct img_info info;
    uint32_t len;

    (void)state;
    memset(elf, 0x7F, sizeof(elf));
    info = pack(&in, &len);
    assert_int_equal(info.header.seg_cnt, 2);
    assert_int_equal(info.header.entry_addr, 0);
    assert_int_equal(info.segs[0].len, IMG_APP_DESC_LEN);
    assert_int_equal(info.segs[0].load_addr, 0);
    assert_int_equal(info.segs[1].load_addr, 0);
    assert_int_equal(info.segs[1].len, 1004);
    assert_memory_equal(out + info.segs[1].off, elf, sizeof(elf));
    assert_int_equal(le32_get(out + info.segs[1].off + 1000), 0x7F);
    assert_string_equal(info.desc.project, "demo");
    assert_int_equal(info.desc.secure_version, 4);
}

static void test_bootloader(void **state)
{
    uint8_t code[50] = { 1, 2, 3 };
    struct img_build_seg seg = { 0x40080000, { code, sizeof(code) } };
    struct img_build in = app_of(0, &seg, 1);
    struct img_info info;
    uint32_t len;

    (void)state;
    in.kind = IMG_KIND_BOOTLOADER;
    in.boot_desc.version = 5;
    text(in.boot_desc.idf_ver, "v6.2-dev");
    info = pack(&in, &len);
    assert_true(info.boot_desc.present);
    assert_int_equal(info.boot_desc.version, 5);
    assert_string_equal(info.boot_desc.idf_ver, "v6.2-dev");
    assert_int_equal(info.segs[0].len, IMG_BOOT_DESC_LEN);
    assert_memory_equal(out + info.segs[1].off, code, sizeof(code));
}

static void test_without_hash(void **state)
{
    uint8_t data[16] = { 9 };
    struct img_build_seg seg = { 0x3FFB0000, { data, sizeof(data) } };
    struct img_build in = app_of(0, &seg, 1);
    uint32_t len, with_len;

    (void)state;
    (void)pack(&in, &with_len);
    in.header.hash_appended = 0;
    (void)pack(&in, &len);
    assert_int_equal(len, with_len - SHA256_LEN);
}

/* --- real chips ----------------------------------------------------------- */

struct want {
    uint32_t load_addr, len, off;
};

struct layout_row {
    const char *claim;
    uint16_t chip_id;
    struct {
        uint32_t load_addr, len;
        bool desc;
    } in[6];
    struct want want[8];
};

static const struct layout_row layouts[] = {
    { "a description of its own stays unloaded, and data keeps its address",
      0,
      { { 0x3FFB0000, 10, false } },
      { { 0, 256, 32 }, { 0x3FFB0000, 12, 296 } } },
    { "the segment with the description comes first",
      0,
      { { 0x40080000, 64, false }, { 0x3F400020, 300, true } },
      { { 0x3F400020, 300, 32 }, { 0x40080000, 64, 340 } } },
    { "the gap before code is filled with a piece of a RAM segment",
      0,
      { { 0x3F400020, 512, true },
        { 0x400D0020, 4096, false },
        { 0x3FFB0000, 0x18000, false } },
      { { 0x3F400020, 512, 32 },
        { 0x3FFB0000, 0xFDF0, 0x228 },
        { 0x400D0020, 4096, 0x10020 },
        { 0x3FFBFDF0, 0x18000 - 0xFDF0, 0x11028 } } },
    { "RAM segments too small for the gap are used up, then zeros",
      0,
      { { 0x3F400020, 512, true },
        { 0x3FFB0000, 100, false },
        { 0x3FFC0000, 200, false },
        { 0x400D0020, 64, false } },
      { { 0x3F400020, 512, 32 },
        { 0x3FFB0000, 100, 0x228 },
        { 0x3FFC0000, 200, 0x294 },
        { 0, 0xFCB4, 0x364 },
        { 0x400D0020, 64, 0x10020 } } },
    { "a RAM segment that leaves less than a header is cut for it",
      0,
      { { 0x3F400020, 512, true },
        { 0x3FFB0000, 0xFDEC, false },
        { 0x400D0020, 64, false } },
      { { 0x3F400020, 512, 32 },
        { 0x3FFB0000, 0xFDE8, 0x228 },
        { 0, 0, 0x10018 },
        { 0x400D0020, 64, 0x10020 },
        { 0x3FFBFDE8, 4, 0x10068 } } },
    { "an ESP32 segment that ends just past a page is drawn out",
      0,
      { { 0x3F400020, 0xFFE4, true } },
      { { 0x3F400020, 0x10004, 32 } } },
    { "no other chip needs that",
      5,
      { { 0x3C000020, 0xFFE4, true } },
      { { 0x3C000020, 0xFFE4, 32 } } },
    { "code before data by address, the description still first",
      13,
      { { 0x42000020, 64, false }, { 0x420C0020, 256, true } },
      { { 0x420C0020, 256, 32 },
        { 0, 0xFEF0, 0x128 },
        { 0x42000020, 64, 0x10020 } } },
    { "a chip without an MMU keeps the order",
      IMG_CHIP_QEMU_VIRT_RV32,
      { { 0x80200000, 8, false }, { 0x80100000, 8, false } },
      { { 0, 256, 32 }, { 0x80200000, 8, 296 }, { 0x80100000, 8, 312 } } },
    { "a description in RAM comes first, and comes once",
      IMG_CHIP_QEMU_VIRT_RV32,
      { { 0x80200000, 8, false }, { 0x80100000, 300, true } },
      { { 0x80100000, 300, 32 }, { 0x80200000, 8, 340 } } },
    { "empty segments vanish",
      0,
      { { 0x3FFB0000, 8, false }, { 0x3F400020, 0, false } },
      { { 0, 256, 32 }, { 0x3FFB0000, 8, 296 } } },
};

static uint32_t fill_segs(const struct layout_row *row,
                          struct img_build_seg *segs, uint8_t *bytes)
{
    uint32_t cnt = 0, rnd = 5;

    for (size_t i = 0; i < CNT(row->in); i++) {
        uint32_t len = row->in[i].len;

        if (!len && !row->in[i].load_addr)
            continue;
        for (uint32_t k = 0; k < len; k++)
            bytes[k] = (uint8_t)fix_rand(&rnd);
        if (row->in[i].desc)
            le32_put(bytes, IMG_APP_DESC_MAGIC);
        segs[cnt++] =
            (struct img_build_seg){ row->in[i].load_addr, { bytes, len } };
        bytes += len;
    }
    return cnt;
}

/* Every byte of every input lies, once, where its address says. */
static void assert_placed(const struct img_info *info,
                          const struct img_build_seg *seg, size_t skip_len)
{
    for (size_t k = skip_len; k < seg->data.len; k++) {
        uint32_t addr = seg->load_addr + (uint32_t)k;
        unsigned found = 0;

        for (uint32_t i = 0; i < info->header.seg_cnt; i++) {
            const struct img_segment *s = &info->segs[i];

            if (addr - s->load_addr < s->len) {
                assert_int_equal(out[s->off + addr - s->load_addr],
                                 seg->data.ptr[k]);
                found++;
            }
        }
        assert_int_equal(found, 1);
    }
}

static void test_layouts(void **state)
{
    uint8_t *bytes = malloc(OUT_LEN);

    (void)state;
    for (size_t i = 0; i < CNT(layouts); i++) {
        const struct layout_row *row = &layouts[i];
        struct img_build_seg segs[6];
        uint32_t len, cnt = fill_segs(row, segs, bytes);
        struct img_build in = app_of(row->chip_id, segs, cnt);
        struct img_info info;

        print_message("# %s\n", row->claim);
        info = pack(&in, &len);
        for (uint32_t k = 0; k < info.header.seg_cnt; k++)
            print_message(
                "#   0x%08x %6u at 0x%x\n", (unsigned)info.segs[k].load_addr,
                (unsigned)info.segs[k].len, (unsigned)info.segs[k].off);
        for (uint32_t k = 0; k < info.header.seg_cnt; k++) {
            assert_int_equal(info.segs[k].load_addr, row->want[k].load_addr);
            assert_int_equal(info.segs[k].len, row->want[k].len);
            assert_int_equal(info.segs[k].off, row->want[k].off);
        }
        assert_int_equal(row->want[info.header.seg_cnt].len, 0);
        for (uint32_t k = 0; k < cnt; k++)
            assert_placed(&info, &segs[k],
                          row->in[k].desc ? IMG_APP_DESC_LEN : 0);
    }
    free(bytes);
}

/* Fields that have no name survive; those that have one are replaced. */
static void test_desc_is_overlaid(void **state)
{
    uint8_t bytes[300];
    struct img_build_seg seg = { 0x3F400020, { bytes, sizeof(bytes) } };
    struct img_build in = app_of(0, &seg, 1);
    uint32_t len;

    (void)state;
    memset(bytes, 0x5A, sizeof(bytes));
    le32_put(bytes, IMG_APP_DESC_MAGIC);
    (void)pack(&in, &len);
    assert_int_equal(out[32 + 8], 0x5A);
    assert_int_equal(out[32 + 255], 0x5A);
    assert_string_equal((char *)out + 32 + 16, "1.0.0");
    assert_int_equal(out[32 + 47], 0);
    assert_int_equal(out[32 + 256], 0x5A);
    assert_int_equal(bytes[16], 0x5A); /* the input was not touched */
}

static void test_size_query(void **state)
{
    uint8_t data[64] = { 0 };
    struct img_build_seg seg = { 0x3FFB0000, { data, sizeof(data) } };
    struct img_build in = app_of(0, &seg, 1);
    struct diag d = DIAG_NONE;
    uint32_t len, asked;

    (void)state;
    (void)pack(&in, &len);
    assert_int_equal(img_build(&in, NULL, 0, &asked, &d), ESP_ERR_INVALID_SIZE);
    assert_int_equal(asked, len);
    out[len - 1] = 0x77;
    assert_int_equal(img_build(&in, out, len - 1, &asked, &d),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(out[len - 1], 0x77);
}

static esp_err_t full(void *ctx, const void *data, size_t len)
{
    uint32_t *left = ctx;

    (void)data;
    (void)len;
    return (*left)-- == 0 ? ESP_ERR_NO_MEM : ESP_OK;
}

static void test_sink_errors(void **state)
{
    uint8_t data[61] = { 0 };
    struct img_build_seg seg = { 0x3FFB0000, { data, sizeof(data) } };
    struct img_build in = app_of(0, &seg, 1);
    struct img_layout plan;
    uint32_t calls = 0;

    (void)state;
    assert_int_equal(img_build_plan(&in, &plan, NULL), ESP_OK);
    for (uint32_t n = 0;; n++) {
        uint32_t left = n;
        struct img_sink sink = { &left, full };

        if (img_build_write(&in, &plan, &sink) == ESP_OK)
            break;
        calls++;
    }
    assert_in_range(calls, 6, 20);
}

static const struct {
    const char *claim;
    uint32_t cnt;
    uint32_t addr[17], len;
    esp_err_t err;
    const char *word;
} refusals[] = {
    { "an address that is not a multiple of 4",
      1,
      { 0x3FFB0002 },
      8,
      ESP_ERR_INVALID_ARG,
      "0x3ffb0002" },
    { "mapped segments in one page",
      2,
      { 0x3F400020, 0x3F400120 },
      16,
      ESP_ERR_INVALID_ARG,
      "share a flash page" },
    { "mapped segments that overlap",
      2,
      { 0x3F400020, 0x3F410020 },
      70000,
      ESP_ERR_INVALID_ARG,
      "0x3f410020" },
    { "seventeen segments",
      16,
      { 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xA0, 0xB0, 0xC0,
        0xD0, 0xE0, 0xF0, 0x100 },
      4,
      ESP_ERR_INVALID_SIZE,
      "more than 16" },
    { "a segment of 16 MiB",
      1,
      { 0x3FFB0000 },
      IMG_MAX_LEN,
      ESP_ERR_INVALID_SIZE,
      "16777216" },
    { "an image of more than 16 MiB",
      2,
      { 0x3FFB0000, 0x40080000 },
      IMG_MAX_LEN - 4,
      ESP_ERR_INVALID_SIZE,
      "larger than" },
};

static void test_refusals(void **state)
{
    static uint8_t data[300 * 1024];
    (void)state;
    for (size_t i = 0; i < CNT(refusals); i++) {
        struct img_build_seg segs[17];
        struct img_build in = app_of(0, segs, refusals[i].cnt);
        struct diag d = DIAG_NONE;
        struct img_layout plan;

        print_message("# %s\n", refusals[i].claim);
        for (uint32_t k = 0; k < refusals[i].cnt; k++)
            segs[k] = (struct img_build_seg){ refusals[i].addr[k],
                                              { data, refusals[i].len } };
        assert_int_equal(img_build_plan(&in, &plan, &d), refusals[i].err);
        assert_int_equal(d.stage, DIAG_STAGE_IMAGE);
        assert_non_null(strstr(d.text, refusals[i].word));
    }
}

/* A description that no page offset of 32 could carry is refused by name. */
static void test_desc_off_page(void **state)
{
    uint8_t bytes[256] = { 0x32, 0x54, 0xcd, 0xab };
    struct img_build_seg seg = { 0x3F400100, { bytes, sizeof(bytes) } };
    struct img_build in = app_of(0, &seg, 1);
    struct diag d = DIAG_NONE;
    struct img_layout plan;

    (void)state;
    assert_int_equal(img_build_plan(&in, &plan, &d), ESP_ERR_INVALID_ARG);
    assert_non_null(strstr(d.text, "32 bytes into"));
}

/* Random segments for every chip: whatever is packed is accepted. */
static void test_random(void **state)
{
    uint8_t *bytes = malloc(OUT_LEN);
    uint32_t rnd = 11, built = 0;

    (void)state;
    for (int round = 0; round < 400; round++) {
        const struct img_chip *chip = img_chip_at(fix_rand(&rnd) % 16);
        struct layout_row row = { .chip_id = chip->id };
        struct img_build_seg segs[6];

        for (uint32_t k = 0; k < fix_rand(&rnd) % 6 + 1; k++) {
            uint32_t page = fix_rand(&rnd) % 8 * 0x20000;

            row.in[k].len = fix_rand(&rnd) % 6000 + 1;
            row.in[k].load_addr = 0x3FFB0000 + page / 2;
            if (chip->mapped[0].start_addr && fix_rand(&rnd) % 2)
                row.in[k].load_addr = chip->mapped[0].start_addr + page + 0x20;
        }
        uint32_t len, cnt = fill_segs(&row, segs, bytes);
        struct img_build in = app_of(chip->id, segs, cnt);
        struct img_layout plan;
        in.desc.mmu_page_log2 = (uint8_t)(13 + fix_rand(&rnd) % 4);
        if (img_build_plan(&in, &plan, NULL) != ESP_OK)
            continue;
        if (plan.image_len > OUT_LEN)
            continue;
        (void)pack(&in, &len);
        built++;
    }
    assert_in_range(built, 200, 400);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector),
        cmocka_unit_test(test_linux),
        cmocka_unit_test(test_bootloader),
        cmocka_unit_test(test_without_hash),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_desc_is_overlaid),
        cmocka_unit_test(test_size_query),
        cmocka_unit_test(test_sink_errors),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_desc_off_page),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
