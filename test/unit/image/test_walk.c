/* Images that are already in flash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "image/walk.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SLOT_OFF 4096u
#define SLOT_LEN 8192u
#define FLASH_LEN (SLOT_OFF + SLOT_LEN)
#define FAIL_NONE UINT32_MAX

/* A flash that notes which bytes were read, and fails at one of them. */
struct fake {
    uint8_t bytes[FLASH_LEN];
    uint8_t reads[FLASH_LEN];
    uint32_t fail_off;
};

static esp_err_t fake_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    struct fake *f = ctx;

    if (len > FLASH_LEN || off > FLASH_LEN - len)
        return ESP_ERR_INVALID_SIZE;
    for (size_t i = 0; i < len; i++) {
        if (off + i == f->fail_off)
            return ESP_FAIL;
        f->reads[off + i]++;
    }
    memcpy(dst, f->bytes + off, len);
    return ESP_OK;
}

static esp_err_t no_prog(void *ctx, uint32_t off, const void *src, size_t len)
{
    (void)ctx;
    (void)off;
    (void)src;
    (void)len;
    return ESP_FAIL;
}

static esp_err_t no_erase(void *ctx, uint32_t off)
{
    (void)ctx;
    (void)off;
    return ESP_FAIL;
}

struct seen {
    uint8_t bytes[FLASH_LEN];
    uint32_t len, fail_at;
};

static esp_err_t seen_feed(void *ctx, const void *data, size_t len)
{
    struct seen *s = ctx;

    if (s->len >= s->fail_at)
        return ESP_ERR_NO_MEM;
    memcpy(s->bytes + s->len, data, len);
    s->len += (uint32_t)len;
    return ESP_OK;
}

static struct fake fake;
static struct port_flash flash;
static size_t image_len;

static int setup(void **state)
{
    uint8_t image[FIX_MAX_LEN];
    struct fix_spec spec = fix_app;

    (void)state;
    spec.segs[1].len = 5000;
    image_len = fix_pack(&spec, image);
    memset(&fake, 0, sizeof(fake));
    memset(fake.bytes, 0xFF, sizeof(fake.bytes));
    memcpy(fake.bytes + SLOT_OFF, image, image_len);
    memset(fake.bytes + SLOT_OFF + image_len, 0x3C, 100); /* older bytes */
    fake.fail_off = FAIL_NONE;
    flash = (struct port_flash){ .ctx = &fake,
                                 .size_len = FLASH_LEN,
                                 .erase_len = 4096,
                                 .prog_len = 1,
                                 .page_len = 256,
                                 .read = fake_read,
                                 .prog = no_prog,
                                 .erase = no_erase };
    return 0;
}

static esp_err_t walk(uint32_t off, uint32_t len, const struct img_sink *sink,
                      size_t buf_len, struct img_check *c,
                      struct img_receipt *r)
{
    static const struct img_rules rules = { .chip_id = 0 };
    uint8_t buf[4096];

    return img_check_flash(&flash, off, len, 77, &rules, sink, buf, buf_len, c,
                           r);
}

static void test_reads_the_image_once(void **state)
{
    static const size_t buf_lens[] = { 256, 257, 1024, 4096 };

    for (size_t i = 0; i < CNT(buf_lens); i++) {
        struct seen seen = { .fail_at = UINT32_MAX };
        struct img_sink sink = { &seen, seen_feed };
        struct img_receipt r;
        struct img_check c;

        setup(state);
        assert_int_equal(walk(SLOT_OFF, SLOT_LEN, &sink, buf_lens[i], &c, &r),
                         ESP_OK);
        assert_int_equal(r.verdict, VERDICT_ACCEPT);
        assert_true(r.bound);
        assert_int_equal(r.off, SLOT_OFF);
        assert_int_equal(r.len, image_len);
        assert_int_equal(r.gen, 77);
        assert_int_equal(r.secure_version, 7);
        assert_int_equal(seen.len, image_len);
        assert_memory_equal(seen.bytes, fake.bytes + SLOT_OFF, image_len);
        for (uint32_t off = 0; off < FLASH_LEN; off++)
            assert_int_equal(fake.reads[off],
                             off >= SLOT_OFF && off < SLOT_OFF + image_len);
    }
}

static void test_refusals(void **state)
{
    static const struct {
        const char *claim;
        uint32_t off, len, fail_off;
        size_t buf_len;
        esp_err_t err;
        enum img_fault_kind kind;
    } rows[] = {
        { "a slot that is too small", SLOT_OFF, 5000, FAIL_NONE, 4096,
          ESP_ERR_IMAGE_INVALID, IMG_FAULT_TOO_LARGE },
        { "a range shorter than a header", SLOT_OFF, 20, FAIL_NONE, 4096,
          ESP_ERR_IMAGE_INVALID, IMG_FAULT_TRUNCATED },
        { "a range of a header alone", SLOT_OFF, 24, FAIL_NONE, 4096,
          ESP_ERR_IMAGE_INVALID, IMG_FAULT_TOO_LARGE },
        { "an erased place", 0, 4096, FAIL_NONE, 4096, ESP_ERR_IMAGE_INVALID,
          IMG_FAULT_MAGIC },
        { "no range", SLOT_OFF, 0, FAIL_NONE, 4096, ESP_ERR_INVALID_ARG,
          IMG_FAULT_NONE },
        { "a range over 16 MiB", SLOT_OFF, IMG_MAX_LEN + 1, FAIL_NONE, 4096,
          ESP_ERR_INVALID_ARG, IMG_FAULT_NONE },
        { "a range past 4 GiB", 0xFFFFF000, 8192, FAIL_NONE, 4096,
          ESP_ERR_INVALID_ARG, IMG_FAULT_NONE },
        { "a buffer that is too small", SLOT_OFF, SLOT_LEN, FAIL_NONE, 255,
          ESP_ERR_INVALID_ARG, IMG_FAULT_NONE },
        { "flash that cannot be read", SLOT_OFF, SLOT_LEN, SLOT_OFF + 4200,
          1024, ESP_ERR_IMAGE_FLASH_FAIL, IMG_FAULT_FLASH },
        { "a range past the flash", FLASH_LEN, 4096, FAIL_NONE, 4096,
          ESP_ERR_IMAGE_FLASH_FAIL, IMG_FAULT_FLASH },
    };

    for (size_t i = 0; i < CNT(rows); i++) {
        struct img_receipt r = { .verdict = VERDICT_ACCEPT, .bound = true };
        struct img_check c;

        print_message("# %s\n", rows[i].claim);
        setup(state);
        fake.fail_off = rows[i].fail_off;
        assert_int_equal(
            walk(rows[i].off, rows[i].len, NULL, rows[i].buf_len, &c, &r),
            rows[i].err);
        assert_int_equal(c.fault.kind, rows[i].kind);
        assert_int_equal(r.verdict, VERDICT_REJECT);
        assert_false(r.bound);
        if (rows[i].kind != IMG_FAULT_NONE) { /* also when asked again */
            assert_int_equal(img_check_finish(&c, &r), rows[i].err);
            assert_int_equal(r.verdict, VERDICT_REJECT);
        }
        for (uint32_t off = 0; off < FLASH_LEN; off++)
            assert_true(!fake.reads[off] || off - rows[i].off < rows[i].len);
    }
}

static void test_sink_ends_the_walk(void **state)
{
    struct seen seen = { .fail_at = 4096 };
    struct img_sink sink = { &seen, seen_feed };
    struct img_receipt r;
    struct img_check c;

    (void)state;
    assert_int_equal(walk(SLOT_OFF, SLOT_LEN, &sink, 1024, &c, &r),
                     ESP_ERR_NO_MEM);
    assert_int_equal(r.verdict, VERDICT_REJECT);
}

/* Damage is found in flash as anywhere; the sink never sees a chunk that the
 * verifier refused. */
static void test_damage(void **state)
{
    struct seen seen = { .fail_at = UINT32_MAX };
    struct img_sink sink = { &seen, seen_feed };
    struct img_receipt r;
    struct img_check c;

    (void)state;
    fake.bytes[SLOT_OFF + 3000] ^= 4;
    assert_int_equal(walk(SLOT_OFF, SLOT_LEN, &sink, 4096, &c, &r),
                     ESP_ERR_IMAGE_INVALID);
    assert_int_equal(c.fault.kind, IMG_FAULT_CHECKSUM);
    assert_true(seen.len < image_len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reads_the_image_once, setup),
        cmocka_unit_test_setup(test_refusals, setup),
        cmocka_unit_test_setup(test_sink_ends_the_walk, setup),
        cmocka_unit_test_setup(test_damage, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
