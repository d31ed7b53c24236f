/* The verifier against damage: every bit, every length, whatever may follow
 * an image, and a second verifier as the judge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "base/le.h"
#include "fixture.h"
#include "image/sig_list.h"
#include "naive.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define APP IMG_KIND_APP
#define BOOT IMG_KIND_BOOTLOADER
#define SLOT IMG_PLACE_SLOT
#define FILE_ IMG_PLACE_FILE

/* Layout of fix_app: header 0, segment headers 24, 304, 332, data 32, 312,
 * 340, end 352, checksum 367, digest 368, length 400. */
#define SEG1_HEADER 304
#define APP_END 400

static void test_every_length(void **state)
{
    uint8_t image[FIX_MAX_LEN];
    size_t len = fix_pack(&fix_app, image);
    struct img_receipt r;
    struct img_check c;

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(fix_check(&fix_file_rules, image, cut, 0, &c, &r),
                         ESP_ERR_IMAGE_INVALID);
        assert_int_equal(c.fault.kind, IMG_FAULT_TRUNCATED);
        assert_int_equal(c.fault.got, cut);
        assert_int_equal(r.verdict, VERDICT_REJECT);
    }
}

static bool accepts(const struct img_rules *rules, const uint8_t *image,
                    size_t len)
{
    struct img_receipt r;
    struct img_check c;

    return fix_check(rules, image, len, 0, &c, &r) == ESP_OK &&
           r.verdict == VERDICT_ACCEPT;
}

/* A file is damaged by any bit. In a slot one bit is not damage: clearing
 * hash_appended leaves a legal image without digest, and only a device that
 * requires the digest refuses it. */
static void test_every_bit(void **state)
{
    static const struct img_rules slot = { .any_chip = true, .place = SLOT };
    static const struct img_rules strict = { .any_chip = true,
                                             .place = SLOT,
                                             .require_hash = true };
    uint8_t image[FIX_MAX_LEN];
    size_t len = fix_pack(&fix_app, image);

    (void)state;
    for (size_t bit = 0; bit < len * 8; bit++) {
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(accepts(&fix_file_rules, image, len));
        assert_int_equal(accepts(&slot, image, len), bit == 23 * 8);
        assert_false(accepts(&strict, image, len));
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(accepts(&strict, image, len));
}

/* Without a digest the checksum guards the data, and these bytes are free:
 * most of the header, addresses, and the zeros before the checksum. */
static bool is_free_bit(size_t bit, size_t end)
{
    size_t byte = bit / 8;

    if (byte >= 2 && byte < 23) /* all but magic, count, digest flag */
        return true;
    return (byte >= 24 && byte < 28) || (byte >= 304 && byte < 308) ||
           (byte >= 332 && byte < 336) || (byte >= 352 && byte < end - 1);
}

static void test_every_bit_without_digest(void **state)
{
    struct fix_spec spec = fix_app;
    uint8_t image[FIX_MAX_LEN];
    size_t len;

    (void)state;
    spec.no_hash = true;
    len = fix_pack(&spec, image);
    for (size_t bit = 0; bit < len * 8; bit++) {
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (!is_free_bit(bit, len))
            assert_false(accepts(&fix_file_rules, image, len));
        assert_int_equal(accepts(&fix_file_rules, image, len),
                         naive_accepts(image, len, APP, FILE_));
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* --- after the image -------------------------------------------------------
 * A tail is pieces: so many bytes of one value, or a block's first bytes. */

struct tail_row {
    const char *claim;
    struct {
        uint32_t len;
        uint32_t first; /* little-endian, the rest is 0x5A; FF: all 0xFF */
    } part[3];
    enum img_fault_kind want;
};

#define FF 0xFFFFFFFFu
#define GAP (4096 - APP_END)

static const struct tail_row tail_rows[] = {
    { "padding of any length", { { 5000, FF } }, IMG_FAULT_NONE },
    { "a V1 block", { { 68, 0 } }, IMG_FAULT_NONE },
    { "a V1 block and padding", { { 68, 0 }, { 900, FF } }, IMG_FAULT_NONE },
    { "a V1 block too short", { { 67, 0 } }, IMG_FAULT_TRAILING },
    { "a V1 block with another version", { { 68, 1 } }, IMG_FAULT_TRAILING },
    { "a V1 block whose version has another byte set",
      { { 68, 0x100 } },
      IMG_FAULT_TRAILING },
    { "a V1 block not directly behind",
      { { 4, FF }, { 68, 0 } },
      IMG_FAULT_TRAILING },
    { "an RSA sector", { { GAP, FF }, { 4096, 0x02E7 } }, IMG_FAULT_NONE },
    { "an ECDSA sector and padding",
      { { GAP, FF }, { 4096, 0x03E7 }, { 4096, FF } },
      IMG_FAULT_NONE },
    { "a sector cut short",
      { { GAP, FF }, { 4095, 0x02E7 } },
      IMG_FAULT_TRUNCATED },
    { "a sector of an unknown version",
      { { GAP, FF }, { 4096, 0x04E7 } },
      IMG_FAULT_TRAILING },
    { "a sector at another offset",
      { { GAP - 4, FF }, { 4096, 0x02E7 } },
      IMG_FAULT_TRAILING },
    { "a sector one sector late",
      { { GAP + 4096, FF }, { 4096, 0x02E7 } },
      IMG_FAULT_TRAILING },
    { "a second sector",
      { { GAP, FF }, { 4096, 0x02E7 }, { 4096, 0x02E7 } },
      IMG_FAULT_TRAILING },
    { "text", { { 1, 'x' } }, IMG_FAULT_TRAILING },
};

static size_t tail_pack(const struct tail_row *row, uint8_t *at)
{
    size_t len = 0;

    for (size_t i = 0; i < CNT(row->part); i++) {
        uint32_t n = row->part[i].len;

        memset(at + len, row->part[i].first == FF ? 0xFF : 0x5A, n);
        for (uint32_t k = 0; k < n && k < 4; k++)
            at[len + k] = (uint8_t)(row->part[i].first >> (8 * k));
        len += n;
    }
    return len;
}

static void test_tails(void **state)
{
    static const size_t splits[] = { 0, 1, 3, 4096 };
    uint8_t *image = malloc(4 * FIX_MAX_LEN);
    size_t len = fix_pack(&fix_app, image);

    (void)state;
    for (size_t i = 0; i < CNT(tail_rows); i++) {
        size_t tail_len = tail_pack(&tail_rows[i], image + len);
        bool ok = tail_rows[i].want == IMG_FAULT_NONE;
        struct img_receipt r;
        struct img_check c;

        print_message("# %s\n", tail_rows[i].claim);
        for (size_t k = 0; k < CNT(splits); k++) {
            (void)fix_check(&fix_file_rules, image, len + tail_len, splits[k],
                            &c, &r);
            assert_int_equal(c.fault.kind, tail_rows[i].want);
            assert_int_equal(r.verdict, ok ? VERDICT_ACCEPT : VERDICT_REJECT);
        }
        if (tail_rows[i].want == IMG_FAULT_TRAILING)
            assert_int_equal(c.fault.got, tail_len);
        assert_int_equal(naive_accepts(image, len + tail_len, APP, FILE_), ok);
        if (ok)
            assert_int_equal(r.len, len);
    }
    free(image);
}

/* The file whose digest flag was cleared: its digest is what is left over. */
static void test_cleared_hash_flag(void **state)
{
    uint8_t image[FIX_MAX_LEN];
    size_t len = fix_pack(&fix_app, image);
    struct img_receipt r;
    struct img_check c;

    (void)state;
    image[23] = 0;
    assert_int_equal(fix_check(&fix_file_rules, image, len, 0, &c, &r),
                     ESP_ERR_IMAGE_INVALID);
    assert_int_equal(c.fault.kind, IMG_FAULT_TRAILING);
    assert_int_equal(c.fault.got, 32);
}

/* --- which signatures are there ------------------------------------------- */

static const struct {
    const char *claim;
    uint32_t off; /* of the block */
    uint8_t head[4];
    uint32_t curve_off;
    uint8_t curve;
    bool bad_crc;
    const char *want; /* NULL: none is listed */
} sig_rows[] = {
    { "RSA", 4096, { 0xE7, 2, 0, 0 }, 0, 0xE7, false, "v2-rsa3072" },
    { "P-192", 4096, { 0xE7, 3, 0, 0 }, 36, 1, false, "v2-other" },
    { "P-256", 4096, { 0xE7, 3, 0, 0 }, 36, 2, false, "v2-ecdsa256" },
    { "P-384", 4096, { 0xE7, 3, 1, 0 }, 52, 3, false, "v2-ecdsa384" },
    { "the third block",
      4096 + 2432,
      { 0xE7, 2, 0, 0 },
      0,
      0xE7,
      false,
      "v2-rsa3072" },
    { "a wrong CRC", 4096, { 0xE7, 2, 0, 0 }, 0, 0xE7, true, "v2-damaged" },
    { "no curve", 4096, { 0xE7, 3, 0, 0 }, 36, 0, false, "v2-damaged" },
    { "an unknown curve", 4096, { 0xE7, 3, 0, 0 }, 36, 3, false, "v2-damaged" },
    { "P-256 with SHA-384",
      4096,
      { 0xE7, 3, 1, 0 },
      52,
      2,
      false,
      "v2-damaged" },
    { "an unknown version",
      4096,
      { 0xE7, 4, 0, 0 },
      0,
      0xE7,
      false,
      "v2-damaged" },
    { "a block elsewhere", 4100, { 0xE7, 2, 0, 0 }, 0, 0xE7, false, NULL },
};

static void test_sig_list(void **state)
{
    uint8_t *file = malloc(8192);

    (void)state;
    for (size_t i = 0; i < CNT(sig_rows); i++) {
        uint8_t *block = file + sig_rows[i].off;
        struct span all = span_of(file, 8192);
        struct img_sig_found sigs[IMG_SIG_MAX];
        uint32_t cnt;

        print_message("# %s\n", sig_rows[i].claim);
        memset(file, 0xFF, 8192);
        memset(block, 0, IMG_SIG_V2_LEN);
        memcpy(block, sig_rows[i].head, 4);
        block[sig_rows[i].curve_off] = sig_rows[i].curve;
        if (block[1] == 2) { /* the numbers of an RSA key */
            block[36] = 1;
            block[36 + 383] = 0x80;
            le32_put(block + 420, 65537);
        }
        le32_put(block + 1196,
                 crc32_le(0, block, 1196) ^ (uint32_t)sig_rows[i].bad_crc);
        cnt = img_sig_list(all, APP_END, sigs);
        assert_int_equal(cnt, sig_rows[i].want != NULL);
        if (cnt) {
            assert_string_equal(sigs[0].scheme, sig_rows[i].want);
            assert_int_equal(sigs[0].off, sig_rows[i].off);
        }
        all.len--; /* an incomplete sector is none */
        assert_int_equal(img_sig_list(all, APP_END, sigs), 0);
    }
    free(file);
}

/* --- the second verifier as judge ----------------------------------------- */

/* Fields that the interesting decisions hang on. */
static void mutate(uint8_t *image, size_t len, uint32_t *rnd)
{
    static const uint16_t chips[] = { 0,  5,  9,      12,     13, 18,
                                      20, 32, 0x7F01, 0xFFFF, 77 };
    static const uint32_t addrs[] = { 0,          0x3F400020, 0x3F800000,
                                      0x400D0138, 0x400D0020, 0x42000020,
                                      0x42002020, 0x3C000020, 0x40000138 };
    static const uint8_t at[] = { 0, 1, 23, 212, 12, 35, 28, 29, 30, 31 };

    switch (fix_rand(rnd) % 6) {
    case 0:
        le16_put(image + 12, chips[fix_rand(rnd) % CNT(chips)]);
        break;
    case 1:
        le32_put(image + (fix_rand(rnd) % 2 ? 24 : SEG1_HEADER),
                 addrs[fix_rand(rnd) % CNT(addrs)]);
        break;
    case 2:
        image[212] = (uint8_t)(fix_rand(rnd) % 20); /* MMU page */
        break;
    case 3:
        le32_put(image + SEG1_HEADER + 4, fix_rand(rnd) % 32);
        break;
    case 4:
        image[at[fix_rand(rnd) % CNT(at)]] ^=
            (uint8_t)(1u << fix_rand(rnd) % 8);
        break;
    default:
        image[fix_rand(rnd) % len] = (uint8_t)fix_rand(rnd);
        break;
    }
}

static bool segments_fit(const uint8_t *image)
{
    size_t at = 24;

    for (unsigned i = 0; i < image[1]; i++) {
        if (at + 8 > FIX_MAX_LEN / 2)
            return false;
        uint32_t n = le32_get(image + at + 4);
        if (n > FIX_MAX_LEN / 2)
            return false;
        at += 8 + n;
    }
    return at < FIX_MAX_LEN / 2;
}

static void test_against_naive(void **state)
{
    uint8_t image[FIX_MAX_LEN];
    uint32_t rnd = 2026, good = 0;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        enum img_kind kind = fix_rand(&rnd) % 4 ? APP : BOOT;
        enum img_place place = fix_rand(&rnd) % 2 ? SLOT : FILE_;
        struct img_rules rules = { .kind = kind,
                                   .place = place,
                                   .any_chip = true };
        size_t len = fix_pack(&fix_app, image);

        for (uint32_t n = fix_rand(&rnd) % 4; n > 0; n--)
            mutate(image, len, &rnd);
        if (fix_rand(&rnd) % 4 && segments_fit(image))
            fix_seal(image);
        if (fix_rand(&rnd) % 8 == 0)
            len -= fix_rand(&rnd) % len;
        bool want = naive_accepts(image, len, kind, place);
        assert_int_equal(accepts(&rules, image, len), want);
        good += want;
    }
    /* A judge that says no to everything would prove nothing. */
    assert_in_range(good, 2000, 18000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_every_bit_without_digest),
        cmocka_unit_test(test_tails),
        cmocka_unit_test(test_cleared_hash_flag),
        cmocka_unit_test(test_sig_list),
        cmocka_unit_test(test_against_naive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
