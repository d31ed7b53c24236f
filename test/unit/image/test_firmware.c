/* Real firmware, built and signed by the chip maker's tools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "image/sig_list.h"
#include "naive.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct file {
    uint8_t *ptr;
    size_t len;
};

/* NULL: the data is not here, and the test is skipped. */
static struct file load(const char *name)
{
    const char *dir = getenv("PORTA_TEST_DATA");
    struct file f = { NULL, 0 };
    char path[1024];
    FILE *in;

    if (!dir) {
        print_message("# PORTA_TEST_DATA is not set\n");
        skip();
    }
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    f.len = (size_t)ftell(in);
    rewind(in);
    f.ptr = malloc(f.len);
    assert_non_null(f.ptr);
    assert_int_equal(fread(f.ptr, 1, f.len, in), f.len);
    fclose(in);
    return f;
}

static const struct {
    const char *name;
    uint16_t chip_id;
    uint8_t seg_cnt;
    const char *project, *version;
} images[] = {
    { "firmware/advanced_https_ota-esp32-v5.5.bin", 0, 6, "advanced_https_ota",
      "v5.5-dev-1460-gea06535ab28-dirt" },
    { "firmware/advanced_https_ota-esp32-2020.bin", 0, 6, "advanced_https_ota",
      "2" },
    { "firmware/simple_ota-esp32-a.bin", 0, 6, "simple_ota",
      "qa-test-full-v5.5-20250430-300-" },
    { "firmware/simple_ota-esp32-b.bin", 0, 6, "simple_ota",
      "qa-test-full-v5.5-20250430-300-" },
    { "firmware/simple_ota-esp32c6.bin", 13, 5, "simple_ota",
      "v5.5-dev-110-g765fe330ea2" },
    { "firmware/user_app-esp32c3.bin", 5, 5, "user_app", "7b0258d-dirty" },
};

static void test_images(void **state)
{
    static const size_t splits[] = { 0, 1, 33, 1460, 4096, 16384 };

    (void)state;
    for (size_t i = 0; i < CNT(images); i++) {
        struct file f = load(images[i].name);
        struct img_rules rules = { .place = IMG_PLACE_FILE,
                                   .chip_id = images[i].chip_id,
                                   .require_hash = true };
        struct img_receipt r;
        struct img_check c;

        print_message("# %s\n", images[i].name);
        for (size_t k = 0; k < CNT(splits); k++) {
            assert_int_equal(fix_check(&rules, f.ptr, f.len, splits[k], &c, &r),
                             ESP_OK);
            assert_int_equal(r.verdict, VERDICT_ACCEPT);
            assert_int_equal(r.len, f.len);
        }
        assert_int_equal(c.info.header.seg_cnt, images[i].seg_cnt);
        assert_string_equal(c.info.desc.project, images[i].project);
        assert_string_equal(c.info.desc.version, images[i].version);
        assert_true(naive_accepts(f.ptr, f.len, IMG_KIND_APP, IMG_PLACE_FILE));
        rules.chip_id = 9;
        assert_int_equal(fix_check(&rules, f.ptr, f.len, 0, &c, &r), ESP_FAIL);
        free(f.ptr);
    }
}

/* One bit, in the file's own place, must be seen. */
static void flip(struct file *f, size_t byte, unsigned bit)
{
    struct img_receipt r;
    struct img_check c;

    f->ptr[byte] ^= (uint8_t)(1u << bit);
    assert_int_not_equal(fix_check(&fix_file_rules, f->ptr, f->len, 0, &c, &r),
                         ESP_OK);
    assert_int_equal(r.verdict, VERDICT_REJECT);
    f->ptr[byte] ^= (uint8_t)(1u << bit);
}

static void flip_region(struct file *f, size_t off, size_t len, size_t samples)
{
    for (size_t i = 0; i < samples; i++) {
        size_t byte = off + (samples > 1 ? i * (len - 1) / (samples - 1) : 0);

        flip(f, byte, (unsigned)(byte + i) % 8);
    }
}

static void test_one_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(images); i++) {
        struct file f = load(images[i].name);
        struct img_receipt r;
        struct img_check c;

        print_message("# %s\n", images[i].name);
        assert_int_equal(fix_check(&fix_file_rules, f.ptr, f.len, 0, &c, &r),
                         ESP_OK);
        for (unsigned bit = 0; bit < 8; bit++)
            flip(&f, 23, bit); /* hash_appended */
        flip_region(&f, 0, IMG_HEADER_LEN, IMG_HEADER_LEN);
        for (uint32_t s = 0; s < c.info.header.seg_cnt; s++) {
            flip_region(&f, c.info.segs[s].off - 8, 8, 8);
            flip_region(&f, c.info.segs[s].off, c.info.segs[s].len, 5);
        }
        flip_region(&f, f.len - 48, 16, 4); /* padding and checksum */
        flip_region(&f, f.len - 32, 32, 8);
        free(f.ptr);
    }
}

static void test_cut_short(void **state)
{
    struct file f = load(images[0].name);
    struct img_receipt r;
    struct img_check c;

    (void)state;
    for (size_t k = 1; k < 12; k++) {
        size_t len = f.len - (f.len >> k);

        assert_int_equal(fix_check(&fix_file_rules, f.ptr, len, 0, &c, &r),
                         ESP_ERR_IMAGE_INVALID);
        assert_int_equal(c.fault.kind, IMG_FAULT_TRUNCATED);
        assert_int_equal(c.fault.got, len);
        assert_in_range(c.fault.want, len + 1, f.len);
    }
    free(f.ptr);
}

/* Bootloaders with every kind of signature, and one with padding alone. */
static void test_signed(void **state)
{
    static const struct {
        const char *name, *scheme;
        uint32_t image_len, sig_off;
    } rows[] = {
        { "signed/bootloader_signed.bin", "v1-ecdsa256", 21696, 21696 },
        { "signed/bootloader_signed_v2_rsa.bin", "v2-rsa3072", 30480, 32768 },
        { "signed/bootloader_signed_v2_ecdsa256.bin", "v2-ecdsa256", 30480,
          32768 },
        { "signed/bootloader_signed_v2_ecdsa384.bin", "v2-ecdsa384", 30480,
          32768 },
        { "signed/bootloader_unsigned_v2.bin", NULL, 30480, 0 },
    };
    const struct img_rules rules = { .kind = IMG_KIND_BOOTLOADER,
                                     .place = IMG_PLACE_FILE };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct file f = load(rows[i].name);
        struct img_sig_found sigs[IMG_SIG_MAX];
        struct img_receipt r;
        struct img_check c;
        uint32_t cnt;

        print_message("# %s\n", rows[i].name);
        assert_int_equal(fix_check(&rules, f.ptr, f.len, 1000, &c, &r), ESP_OK);
        assert_int_equal(c.info.image_len, rows[i].image_len);
        assert_true(
            naive_accepts(f.ptr, f.len, IMG_KIND_BOOTLOADER, IMG_PLACE_FILE));
        cnt = img_sig_list(span_of(f.ptr, f.len), c.info.image_len, sigs);
        assert_int_equal(cnt, rows[i].scheme ? 1 : 0);
        if (cnt) {
            assert_string_equal(sigs[0].scheme, rows[i].scheme);
            assert_int_equal(sigs[0].off, rows[i].sig_off);
            /* A V1 block has neither key nor check value. */
            assert_int_equal(sigs[0].has_key, i > 0);
            assert_int_equal(sigs[0].right == VERDICT_ACCEPT, i > 0);
            f.ptr[rows[i].sig_off + 1] ^= 1;
            cnt = img_sig_list(span_of(f.ptr, f.len), c.info.image_len, sigs);
            assert_int_equal(cnt, i > 0);
            if (cnt)
                assert_string_equal(sigs[0].scheme, "v2-damaged");
            f.ptr[rows[i].sig_off + 1] ^= 1;
        }
        assert_int_equal(fix_check(&fix_file_rules, f.ptr, f.len, 0, &c, &r),
                         ESP_ERR_IMAGE_INVALID);
        assert_int_equal(c.fault.kind, IMG_FAULT_SEG_SHORT);
        free(f.ptr);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_one_bit),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
