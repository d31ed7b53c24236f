/* Signed images: the fields that one scheme has, V1, sizes, and the choice of
 * keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/le.h"
#include "fixture.h"
#include "sig_bench.h"
#include "signer.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* --- what only one scheme has --------------------------------------------- */

static void put(struct bench *b, uint32_t off, uint8_t value)
{
    bench_block(b, 0)[off] = value;
    signer_seal(bench_block(b, 0));
}

static void rsa_hash_id(struct bench *b)
{
    put(b, 2, 1);
}

static void rsa_e(struct bench *b)
{
    le32_put(bench_block(b, 0) + 420, 3);
    signer_seal(bench_block(b, 0));
}

static void rsa_even(struct bench *b)
{
    put(b, 36, bench_block(b, 0)[36] & 0xFE);
}

static void rsa_short(struct bench *b)
{
    put(b, 36 + 383, bench_block(b, 0)[36 + 383] & 0x7F);
}

static void rsa_mdash(struct bench *b)
{
    put(b, 808, bench_block(b, 0)[808] ^ 1);
}

static void rsa_r(struct bench *b)
{
    put(b, 424, bench_block(b, 0)[424] ^ 1);
}

static void curve_none(struct bench *b)
{
    put(b, 36, 0);
}

static void curve_wide(struct bench *b)
{
    put(b, 36, 3);
}

static void curve_small(struct bench *b)
{
    put(b, 36, 1);
}

static void curve_unknown(struct bench *b)
{
    put(b, 36, 4);
}

static void small_after_empty(struct bench *b)
{
    curve_small(b);
    memcpy(bench_block(b, 1), bench_block(b, 0), IMG_SIG_V2_LEN);
    memset(bench_block(b, 0), 0xFF, IMG_SIG_V2_LEN);
}

static void hash_wide(struct bench *b)
{
    put(b, 2, 1);
}

static void hash_unknown(struct bench *b)
{
    put(b, 2, 2);
}

static void p256_rest(struct bench *b)
{
    put(b, 165, 1);
}

static void p256_rest_end(struct bench *b)
{
    put(b, 1195, 1);
}

static void p384_curve(struct bench *b)
{
    put(b, 52, 2);
}

static void p384_hash(struct bench *b)
{
    put(b, 2, 0);
}

static void p384_rest(struct bench *b)
{
    put(b, 245, 1);
}

static void test_fields_of_a_scheme(void **state)
{
    static const struct {
        enum img_scheme scheme;
        struct row row;
    } rows[] = {
        { IMG_SCHEME_RSA3072,
          { "a hash id", "0--", rsa_hash_id, IMG_SIG_BLOCK } },
        { IMG_SCHEME_RSA3072,
          { "an exponent of 3", "0--", rsa_e, IMG_SIG_BLOCK } },
        { IMG_SCHEME_RSA3072,
          { "an even modulus", "0--", rsa_even, IMG_SIG_BLOCK } },
        { IMG_SCHEME_RSA3072,
          { "a modulus of 3071 bits", "0--", rsa_short, IMG_SIG_BLOCK } },
        { IMG_SCHEME_RSA3072,
          { "another helper number", "0--", rsa_mdash, IMG_SIG_KEY } },
        { IMG_SCHEME_RSA3072,
          { "another helper number", "0--", rsa_r, IMG_SIG_KEY } },
        { IMG_SCHEME_ECDSA256,
          { "no curve", "0--", curve_none, IMG_SIG_BLOCK } },
        { IMG_SCHEME_ECDSA256,
          { "an unknown curve", "0--", curve_unknown, IMG_SIG_BLOCK } },
        { IMG_SCHEME_ECDSA256,
          { "P-384 with SHA-256", "0--", curve_wide, IMG_SIG_BLOCK } },
        { IMG_SCHEME_ECDSA256,
          { "P-192", "0--", curve_small, IMG_SIG_SCHEME } },
        { IMG_SCHEME_ECDSA256,
          { "P-192 after an empty block", "0--", small_after_empty,
            IMG_SIG_ORDER } },
        { IMG_SCHEME_ECDSA256,
          { "P-256 with SHA-384", "0--", hash_wide, IMG_SIG_BLOCK } },
        { IMG_SCHEME_ECDSA256,
          { "an unknown hash", "0--", hash_unknown, IMG_SIG_BLOCK } },
        { IMG_SCHEME_ECDSA256,
          { "data behind s", "0--", p256_rest, IMG_SIG_BLOCK } },
        { IMG_SCHEME_ECDSA256,
          { "data before the CRC", "0--", p256_rest_end, IMG_SIG_BLOCK } },
        { IMG_SCHEME_ECDSA384,
          { "P-256 with SHA-384", "0--", p384_curve, IMG_SIG_BLOCK } },
        { IMG_SCHEME_ECDSA384,
          { "P-384 said to be SHA-256", "0--", p384_hash, IMG_SIG_BLOCK } },
        { IMG_SCHEME_ECDSA384,
          { "data behind s", "0--", p384_rest, IMG_SIG_BLOCK } },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++)
        bench_run(&rows[i].row, rows[i].scheme);
}

/* --- V1 ------------------------------------------------------------------- */

static uint8_t *v1(struct bench *b)
{
    return b->file + b->image_len;
}

static void v1_version(struct bench *b)
{
    v1(b)[0] = 1;
}

static void v1_bit(struct bench *b)
{
    v1(b)[67] ^= 1;
}

static void v1_zero(struct bench *b)
{
    memset(v1(b), 0, IMG_SIG_V1_LEN);
}

static void v1_zero_r(struct bench *b)
{
    memset(v1(b) + 4, 0, 32);
}

static void v1_high(struct bench *b)
{
    memset(v1(b) + 4, 0xFF, 64);
}

static void v1_copied(struct bench *b)
{
    uint8_t *other = malloc(FILE_LEN);

    memcpy(other, b->file, FILE_LEN);
    other[20] ^= 1;
    signer_v1(0, other, b->image_len, v1(b));
    free(other);
}

static void v1_unsigned(struct bench *b)
{
    memset(v1(b), 0xFF, IMG_SIG_V1_LEN);
}

static void v1_aligned(struct bench *b)
{
    uint32_t off = img_sig_off(IMG_SCHEME_RSA3072, b->image_len);

    memcpy(b->file + off, v1(b), IMG_SIG_V1_LEN);
    v1_unsigned(b);
    b->len = off + IMG_SIG_V1_LEN;
}

static void v1_is_v2(struct bench *b)
{
    uint32_t off = img_sig_off(IMG_SCHEME_RSA3072, b->image_len);

    v1_unsigned(b);
    signer_block(IMG_SCHEME_ECDSA256, 0, b->file, off, b->file + off);
    b->len = off + 4096;
}

static void v1_other_id(struct bench *b)
{
    b->keys.key[0].id[0] ^= 1;
}

static void v1_short(struct bench *b)
{
    b->len = b->image_len + 67;
}

static void test_v1(void **state)
{
    static const struct row rows[] = {
        { "signed by the trusted key", "0--", NULL, GOOD },
        { "signed by the third of four", "200/4", NULL, GOOD },
        { "only 0xFF behind the block", "0--", bench_padding_after_sector,
          GOOD },
        { "nothing follows", "0--", bench_no_sector, IMG_SIG_ABSENT },
        { "an erased block", "0--", v1_unsigned, IMG_SIG_ABSENT },
        { "a byte is missing", "0--", v1_short, IMG_SIG_SHORT },
        { "a version that is not 0", "0--", v1_version, IMG_SIG_BLOCK },
        { "one bit of the signature", "0--", v1_bit, IMG_SIG_BAD },
        { "a block of zeros", "0--", v1_zero, IMG_SIG_BAD },
        { "r is zero", "0--", v1_zero_r, IMG_SIG_BAD },
        { "r and s above the order", "0--", v1_high, IMG_SIG_BAD },
        { "a block copied from another image", "0--", v1_copied, IMG_SIG_BAD },
        { "the image changed after it was signed", "0--", bench_image_changed,
          IMG_SIG_BAD },
        { "an unknown key", "100", NULL, IMG_SIG_BAD },
        { "a revoked key", "0--/2", bench_revoke_first, IMG_SIG_REVOKED },
        { "a revoked key, and there is no other", "0--", bench_revoke_first,
          IMG_SIG_REVOKED },
        { "the block in the next sector", "0--", v1_aligned, IMG_SIG_ABSENT },
        { "a V2 sector instead", "0--", v1_is_v2, IMG_SIG_ABSENT },
        { "data behind the block", "0--", bench_byte_after_sector, TRAILING },
        { "one image carries one signature", "0--/2", bench_need_two,
          IMG_SIG_NO_KEYS },
        { "a key whose id is not its own", "0--", v1_other_id,
          IMG_SIG_NO_KEYS },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++)
        bench_run(&rows[i], IMG_SCHEME_V1);
}

/* --- sizes, and when the answer comes ------------------------------------- */

static void test_the_signature_has_to_fit(void **state)
{
    static const enum img_scheme schemes[] = { IMG_SCHEME_V1,
                                               IMG_SCHEME_ECDSA256 };
    static const struct row row = { "fits", "0--", NULL, GOOD };
    struct bench *b = malloc(sizeof(*b));

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct img_rules rules = { .keys = &b->keys };
        struct img_receipt r;
        struct img_check c;

        bench_make(b, schemes[i], &row);
        rules.cap_len = b->len;
        assert_int_equal(fix_check(&rules, b->file, b->len, 0, &c, &r), ESP_OK);
        rules.cap_len = b->len - 1;
        assert_int_not_equal(fix_check(&rules, b->file, b->len, 0, &c, &r),
                             ESP_OK);
        assert_int_equal(c.fault.kind, IMG_FAULT_TOO_LARGE);
        assert_int_equal(c.fault.got, b->len);
        assert_true(c.fed_len < b->image_len); /* before the last segment */
    }
    free(b);
}

/* Nobody needs to download an image to learn that the device has no keys. */
static void test_no_keys_is_said_at_once(void **state)
{
    static const struct row row = { "signed", "0--", NULL, GOOD };
    struct bench *b = malloc(sizeof(*b));
    struct img_rules rules = { .keys = img_keys_for(true, NULL) };
    struct img_check c;

    (void)state;
    bench_make(b, IMG_SCHEME_ECDSA256, &row);
    img_check_open(&c, &rules);
    assert_int_equal(img_check_feed(&c, b->file, IMG_HEADER_LEN),
                     ESP_ERR_IMAGE_INVALID);
    assert_int_equal(c.fault.seg, IMG_SIG_NO_KEYS);
    free(b);
}

/* A damaged block ends the download with that block. */
static void test_damage_is_said_at_once(void **state)
{
    static const struct row row = { "signed", "0--", NULL, GOOD };
    struct bench *b = malloc(sizeof(*b));
    struct img_rules rules = { .keys = &b->keys };
    struct img_check c;

    (void)state;
    bench_make(b, IMG_SCHEME_ECDSA256, &row);
    bench_block(b, 0)[1196] ^= 1;
    img_check_open(&c, &rules);
    assert_int_equal(
        img_check_feed(&c, b->file, b->sig_off + IMG_SIG_V2_LEN - 1), ESP_OK);
    assert_int_equal(
        img_check_feed(&c, bench_block(b, 0) + IMG_SIG_V2_LEN - 1, 1),
        ESP_ERR_IMAGE_INVALID);
    free(b);
}

static void test_where_signatures_are(void **state)
{
    static const struct {
        uint32_t image_len, off;
    } rows[] = { { 0, 0 },       { 1, 4096 },    { 4095, 4096 },
                 { 4096, 4096 }, { 4097, 8192 }, { 8192, 8192 } };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        for (int s = IMG_SCHEME_RSA3072; s <= IMG_SCHEME_ECDSA384; s++)
            assert_int_equal(img_sig_off((enum img_scheme)s, rows[i].image_len),
                             rows[i].off);
        assert_int_equal(img_sig_off(IMG_SCHEME_V1, rows[i].image_len),
                         rows[i].image_len);
        assert_int_equal(img_sig_off(IMG_SCHEME_NONE, rows[i].image_len),
                         rows[i].image_len);
    }
    assert_int_equal(img_sig_len(IMG_SCHEME_NONE), 0);
    assert_int_equal(img_sig_len(IMG_SCHEME_V1), 68);
    assert_int_equal(img_sig_len(IMG_SCHEME_ECDSA384), 4096);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(img_scheme_name(IMG_SCHEME_NONE), "none");
    assert_string_equal(img_scheme_name(IMG_SCHEME_V1), "v1");
    assert_string_equal(img_scheme_name(IMG_SCHEME_ECDSA384), "ecdsa384");
    assert_string_equal(img_scheme_name((enum img_scheme)5), "unknown");
}

static void test_keys_for(void **state)
{
    struct img_keys keys;

    (void)state;
    signer_trust(IMG_SCHEME_V1, 2, &keys);
    assert_null(img_keys_for(false, &keys));
    assert_null(img_keys_for(false, NULL));
    assert_ptr_equal(img_keys_for(true, &keys), &keys);
    keys.need = 0;
    assert_int_equal(img_keys_for(true, &keys)->cnt, 0);
    assert_int_equal(img_keys_for(true, NULL)->cnt, 0);
}

/* A receipt of an image that nobody asked a signature of says so. */
static void test_unsigned_by_choice(void **state)
{
    static const struct row row = { "signed", "0--", NULL, GOOD };
    struct bench *b = malloc(sizeof(*b));
    struct img_receipt r;
    struct img_check c;

    (void)state;
    bench_make(b, IMG_SCHEME_ECDSA256, &row);
    assert_int_equal(fix_check(&fix_file_rules, b->file, b->len, 0, &c, &r),
                     ESP_OK);
    assert_int_equal(r.is_signed, VERDICT_REJECT);
    assert_int_equal(r.len, b->image_len);
    free(b);
}

/* An image without an appended digest is signed like any other. */
static void test_image_without_digest(void **state)
{
    struct fix_spec spec = fix_app;
    struct bench *b = malloc(sizeof(*b));
    struct img_rules rules = { .keys = &b->keys };
    struct img_receipt r;
    struct img_check c;

    (void)state;
    spec.no_hash = true;
    b->scheme = IMG_SCHEME_ECDSA256;
    b->image_len = (uint32_t)fix_pack(&spec, b->file);
    memset(b->file + b->image_len, 0xFF, FILE_LEN - b->image_len);
    b->sig_off = 4096;
    bench_sign(b, 0, '0');
    signer_trust(b->scheme, 1, &b->keys);
    assert_int_equal(fix_check(&rules, b->file, 8192, 0, &c, &r), ESP_OK);
    b->file[100] ^= 1;
    fix_seal(b->file);
    assert_int_not_equal(fix_check(&rules, b->file, 8192, 0, &c, &r), ESP_OK);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_of_a_scheme),
        cmocka_unit_test(test_v1),
        cmocka_unit_test(test_the_signature_has_to_fit),
        cmocka_unit_test(test_no_keys_is_said_at_once),
        cmocka_unit_test(test_damage_is_said_at_once),
        cmocka_unit_test(test_where_signatures_are),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_keys_for),
        cmocka_unit_test(test_unsigned_by_choice),
        cmocka_unit_test(test_image_without_digest),
    };

    return cmocka_run_group_tests(tests, signer_setup, signer_teardown);
}
