/* Signed images of V2: what a device accepts and, row by row, what it refuses
 * and with which words; for each of the three schemes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fixture.h"
#include "sig_bench.h"
#include "signer.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* --- ways to spoil it ----------------------------------------------------- */

static void only_padding(struct bench *b)
{
    b->len = b->sig_off;
}

static void one_byte_less(struct bench *b)
{
    b->len--;
}

static void one_block_less(struct bench *b)
{
    b->len = b->sig_off + 10;
}

static void wrong_crc(struct bench *b)
{
    bench_block(b, 0)[1196] ^= 1;
}

static void wrong_magic(struct bench *b)
{
    bench_block(b, 0)[0] = 0xE6;
    signer_seal(bench_block(b, 0));
}

static void wrong_version(struct bench *b)
{
    bench_block(b, 0)[1] = 4;
    signer_seal(bench_block(b, 0));
}

static void reserved_byte(struct bench *b)
{
    bench_block(b, 0)[3] = 1;
    signer_seal(bench_block(b, 0));
}

static void behind_crc(struct bench *b)
{
    bench_block(b, 0)[1215] = 1;
}

static void first_byte_only(struct bench *b)
{
    memset(bench_block(b, 0), 0xFF, IMG_SIG_V2_LEN);
    bench_block(b, 0)[0] = 0xE7;
}

/* It looks empty as far as its first byte goes. */
static void first_byte_erased(struct bench *b)
{
    bench_block(b, 0)[0] = 0xFF;
    signer_seal(bench_block(b, 0));
}

static void last_byte_not_erased(struct bench *b)
{
    bench_block(b, 1)[IMG_SIG_V2_LEN - 1] = 0xFE;
}

static void wrong_digest(struct bench *b)
{
    bench_block(b, 0)[4] ^= 1;
    signer_seal(bench_block(b, 0));
}

/* The same key signed another image; its block is put under this one. */
static void copied(struct bench *b)
{
    uint8_t *other = malloc(FILE_LEN);

    memcpy(other, b->file, FILE_LEN);
    other[20] ^= 1;
    signer_block(b->scheme, 0, other, b->sig_off, bench_block(b, 0));
    free(other);
}

/* ... and says that it was made for this one. */
static void copied_and_patched(struct bench *b)
{
    uint32_t len = b->scheme == IMG_SCHEME_ECDSA384 ? 48 : 32;
    uint8_t digest[48];

    memcpy(digest, bench_block(b, 0) + 4, len);
    copied(b);
    memcpy(bench_block(b, 0) + 4, digest, len);
    signer_seal(bench_block(b, 0));
}

static uint8_t *sig_of(struct bench *b)
{
    uint32_t off = b->scheme == IMG_SCHEME_RSA3072    ? 812
                   : b->scheme == IMG_SCHEME_ECDSA256 ? 101
                                                      : 149;
    return bench_block(b, 0) + off;
}

static uint32_t sig_len(const struct bench *b)
{
    return b->scheme == IMG_SCHEME_RSA3072    ? 384
           : b->scheme == IMG_SCHEME_ECDSA256 ? 64
                                              : 96;
}

static void sig_bit(struct bench *b)
{
    sig_of(b)[sig_len(b) - 1] ^= 1;
    signer_seal(bench_block(b, 0));
}

static void revoked_bit(struct bench *b)
{
    sig_bit(b);
    bench_revoke_first(b);
}

static void sig_zero(struct bench *b)
{
    memset(sig_of(b), 0, sig_len(b));
    signer_seal(bench_block(b, 0));
}

static void sig_low(struct bench *b)
{
    sig_zero(b);
    sig_of(b)[0] = sig_of(b)[sig_len(b) / 2] = 1;
    signer_seal(bench_block(b, 0));
}

static void sig_high(struct bench *b)
{
    memset(sig_of(b), 0xFF, sig_len(b));
    signer_seal(bench_block(b, 0));
}

/* Key 0 is named, key 1 has signed. */
static void other_signer(struct bench *b)
{
    uint8_t made[IMG_SIG_V2_LEN];
    size_t off = (size_t)(sig_of(b) - bench_block(b, 0));

    signer_block(b->scheme, 1, b->file, b->sig_off, made);
    memcpy(sig_of(b), made + off, sig_len(b));
    signer_seal(bench_block(b, 0));
}

static void other_scheme(struct bench *b)
{
    enum img_scheme other = b->scheme == IMG_SCHEME_RSA3072
                                ? IMG_SCHEME_ECDSA256
                                : IMG_SCHEME_RSA3072;

    signer_block(other, 0, b->file, b->sig_off, bench_block(b, 0));
}

/* What is neither of the two verdicts is no trust. */
static void trust_decays(struct bench *b)
{
    b->keys.key[0].trust = (enum verdict)1;
}

static void need_three(struct bench *b)
{
    b->keys.need = 3;
}

static void need_two_revoke_first(struct bench *b)
{
    bench_need_two(b);
    bench_revoke_first(b);
}

static void sector_later(struct bench *b)
{
    memmove(bench_block(b, 0) + 4096, bench_block(b, 0), 4096);
    memset(bench_block(b, 0), 0xFF, 4096);
    b->len += 4096;
}

static void sector_unaligned(struct bench *b)
{
    memmove(b->file + b->image_len, bench_block(b, 0), 4096);
    b->len = b->image_len + 4096;
    memset(b->file + b->len, 0xFF, FILE_LEN - b->len);
    if (b->len < b->sig_off + 4096)
        b->len = b->sig_off + 4096;
}

/* Signed as it is, so that nothing but the rule refuses it. */
static void padding_zero(struct bench *b)
{
    b->file[b->sig_off - 1] = 0;
    bench_sign(b, 0, '0');
}

static void padding_first(struct bench *b)
{
    b->file[b->image_len] = 0xFE;
    bench_sign(b, 0, '0');
}

static void byte_after_blocks(struct bench *b)
{
    b->file[b->sig_off + 3 * IMG_SIG_V2_LEN] = 0;
}

static void last_byte_of_sector(struct bench *b)
{
    b->file[b->sig_off + 4095] = 0;
}

static void second_sector(struct bench *b)
{
    memcpy(bench_block(b, 0) + 4096, bench_block(b, 0), 4096);
    b->len += 4096;
}

static void no_keys(struct bench *b)
{
    b->keys.cnt = 0;
}

static void no_need(struct bench *b)
{
    b->keys.need = 0;
}

static void need_too_much(struct bench *b)
{
    b->keys.need = b->keys.cnt + 1;
}

static void key_twice(struct bench *b)
{
    b->keys.key[1] = b->keys.key[0];
    b->keys.need = 2;
}

static void no_scheme(struct bench *b)
{
    b->keys.scheme = IMG_SCHEME_NONE;
}

static void unknown_scheme(struct bench *b)
{
    b->keys.scheme = (enum img_scheme)5;
}

/* --- V2 ------------------------------------------------------------------- */

static const struct row v2_rows[] = {
    { "signed by the trusted key", "0--", NULL, GOOD },
    { "signed by the second trusted key", "1--/2", NULL, GOOD },
    { "an unknown key before the trusted one", "10-", NULL, GOOD },
    { "an unknown key after the trusted one", "01-", NULL, GOOD },
    { "only 0xFF behind the sector", "0--", bench_padding_after_sector, GOOD },

    { "unsigned, nothing follows", "---", bench_no_sector, IMG_SIG_ABSENT },
    { "unsigned, padded", "---", only_padding, IMG_SIG_ABSENT },
    { "an erased sector", "---", NULL, IMG_SIG_ABSENT },
    { "the sector's last byte is missing", "0--", one_byte_less,
      IMG_SIG_SHORT },
    { "the sector ends in its first block", "0--", one_block_less,
      IMG_SIG_SHORT },

    { "a wrong CRC", "0--", wrong_crc, IMG_SIG_BLOCK },
    { "a wrong magic byte", "0--", wrong_magic, IMG_SIG_BLOCK },
    { "an unknown version", "0--", wrong_version, IMG_SIG_BLOCK },
    { "a reserved byte is set", "0--", reserved_byte, IMG_SIG_BLOCK },
    { "data behind the CRC", "0--", behind_crc, IMG_SIG_BLOCK },
    { "only the first byte of a block", "0--", first_byte_only, IMG_SIG_BLOCK },

    { "a block whose first byte is erased", "0--", first_byte_erased,
      IMG_SIG_BLOCK },
    { "an empty block with one bit that is not", "0--", last_byte_not_erased,
      IMG_SIG_BLOCK },

    { "a wrong digest in the block", "0--", wrong_digest, IMG_SIG_DIGEST },
    { "a block copied from another image", "0--", copied, IMG_SIG_DIGEST },
    { "... with this image's digest in it", "0--", copied_and_patched,
      IMG_SIG_BAD },
    { "the image changed after it was signed", "0--", bench_image_changed,
      IMG_SIG_DIGEST },

    { "one bit of the signature", "0--", sig_bit, IMG_SIG_BAD },
    { "a signature of zeros", "0--", sig_zero, IMG_SIG_BAD },
    { "a signature of ones", "0--", sig_low, IMG_SIG_BAD },
    { "a signature above the order", "0--", sig_high, IMG_SIG_BAD },
    { "another trusted key made it", "0--/2", other_signer, IMG_SIG_BAD },
    { "a bad signature beside a good one", "01-/2", sig_bit, IMG_SIG_BAD },

    { "an unknown key", "1--", NULL, IMG_SIG_KEY },
    { "a revoked key", "0--/2", bench_revoke_first, IMG_SIG_REVOKED },
    { "trust that is no verdict", "0--", trust_decays, IMG_SIG_REVOKED },
    { "a revoked key beside a trusted one", "01-/2", bench_revoke_first, GOOD },
    { "a revoked key's bad signature beside a good one", "01-/2", revoked_bit,
      GOOD },
    { "a key of another scheme", "0--", other_scheme, IMG_SIG_SCHEME },

    { "a block after an empty one", "-0-", NULL, IMG_SIG_ORDER },
    { "a block after a good and an empty one", "0-0", NULL, IMG_SIG_ORDER },
    { "the sector one sector later", "0--", sector_later, IMG_SIG_ABSENT },
    { "the sector right behind the image", "0--", sector_unaligned, GAP },
    { "padding that is not 0xFF, signed", "0--", padding_zero, GAP },
    { "padding whose first byte is not 0xFF, signed", "0--", padding_first,
      GAP },
    { "data behind the blocks", "0--", byte_after_blocks, IMG_SIG_REST },
    { "the sector's last byte is set", "0--", last_byte_of_sector,
      IMG_SIG_REST },
    { "data behind the sector", "0--", bench_byte_after_sector, TRAILING },
    { "a second sector", "0--", second_sector, TRAILING },

    { "two of three are enough when two are needed", "01-/2", bench_need_two,
      GOOD },
    { "the same key in every block counts once", "000/2", bench_need_two,
      IMG_SIG_FEW },
    { "one of two that are needed", "0--/2", bench_need_two, IMG_SIG_FEW },
    { "two that are needed, one of them revoked", "01-/2",
      need_two_revoke_first, IMG_SIG_FEW },
    { "more keys than are needed", "01-/2", NULL, GOOD },
    { "the same key twice is one good key", "00-", NULL, GOOD },

    { "a set without keys", "0--", no_keys, IMG_SIG_NO_KEYS },
    { "a set that needs no signature", "0--", no_need, IMG_SIG_NO_KEYS },
    { "a set that needs more than it has", "0--", need_too_much,
      IMG_SIG_NO_KEYS },
    { "a set with one key twice", "00-/2", key_twice, IMG_SIG_NO_KEYS },
    { "a set without a scheme", "0--", no_scheme, IMG_SIG_NO_KEYS },
    { "a set of a scheme to come", "0--", unknown_scheme, IMG_SIG_NO_KEYS },
};

static void test_v2(void **state)
{
    static const enum img_scheme schemes[] = { IMG_SCHEME_RSA3072,
                                               IMG_SCHEME_ECDSA256,
                                               IMG_SCHEME_ECDSA384 };

    (void)state;
    for (size_t i = 0; i < CNT(v2_rows); i++)
        for (size_t s = 0; s < CNT(schemes); s++)
            bench_run(&v2_rows[i], schemes[s]);
}

static void test_three_of_three(void **state)
{
    static const struct row rows[] = {
        { "three of three", "201/3", need_three, GOOD },
        { "two of three, one of them twice", "202/3", need_three, IMG_SIG_FEW },
        { "three, one of them unknown", "203/3", need_three, IMG_SIG_FEW },
        { "the last of eight would do", "3--/4", NULL, GOOD },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        bench_run(&rows[i], IMG_SCHEME_ECDSA256);
        bench_run(&rows[i], IMG_SCHEME_ECDSA384);
    }
}

/* Signers are counted twice, so that one count alone lets nobody in; each has
 * to count a key once. */
static void test_both_counts(void **state)
{
    static const struct {
        struct row row;
        uint32_t need, missing, have;
    } rows[] = {
        { { "one key in every block", "000/2", NULL, 0 }, 2, 1, 1 },
        { { "one key twice, then another", "110/3", NULL, 0 }, 3, 1, 2 },
        { { "one key before and behind another", "010/3", NULL, 0 }, 3, 1, 2 },
        { { "a stranger in every block", "333/2", NULL, 0 }, 2, 2, 0 },
        { { "a revoked key twice", "001/2", bench_revoke_first, 0 }, 2, 1, 1 },
        { { "a bad signature first", "011/3", sig_bit, 0 }, 3, 3, 0 },
    };
    struct bench *b = malloc(sizeof(*b));

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct img_sig s;

        print_message("# %s\n", rows[i].row.claim);
        bench_make(b, IMG_SCHEME_ECDSA256, &rows[i].row);
        b->keys.need = rows[i].need;
        img_sig_open(&s, &b->keys);
        img_sig_hash(&s, b->file, b->sig_off);
        (void)img_sig_feed(&s, bench_block(b, 0), IMG_SIG_SECTOR_LEN);
        assert_int_equal(s.missing, rows[i].missing);
        assert_int_equal(img_sig_finish(&s), VERDICT_REJECT);
        if (s.why == IMG_SIG_FEW)
            assert_int_equal(s.got, rows[i].have);
        else
            assert_int_equal(rows[i].have, 0);
    }
    free(b);
}

/* What is asked for the second time asks everything: one thing that is not as
 * it was is enough. */
static void test_it_holds_by_all_it_rests_on(void **state)
{
    static const struct row row = { "two of two", "01-/2", bench_need_two, 0 };
    struct bench *b = malloc(sizeof(*b));
    struct img_sig good;

    (void)state;
    bench_make(b, IMG_SCHEME_ECDSA256, &row);
    img_sig_open(&good, &b->keys);
    img_sig_hash(&good, b->file, b->sig_off);
    (void)img_sig_feed(&good, bench_block(b, 0), IMG_SIG_SECTOR_LEN);
    assert_int_equal(img_sig_finish(&good), VERDICT_ACCEPT);
    for (int i = 0; i < 7; i++) {
        struct img_sig s = good;
        struct img_keys keys = b->keys;

        s.keys = &keys;
        s.missing = i == 1 ? 1 : s.missing;
        s.signed_by[1] = i == 2 ? VERDICT_REJECT : s.signed_by[1];
        s.signed_by[0] = i == 3 ? (enum verdict)1 : s.signed_by[0];
        s.fed_len -= i == 4;
        s.why = i == 5 ? IMG_SIG_REST : s.why;
        keys.need = i == 6 ? 0 : keys.need;
        if ((img_sig_holds(&s) == VERDICT_ACCEPT) != (i == 0))
            fail_msg("what rests on field %d", i);
    }
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v2),
        cmocka_unit_test(test_three_of_three),
        cmocka_unit_test(test_both_counts),
        cmocka_unit_test(test_it_holds_by_all_it_rests_on),
    };

    return cmocka_run_group_tests(tests, signer_setup, signer_teardown);
}
