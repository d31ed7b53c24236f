/* RSA-PSS against Mbed TLS, and messages that only the key's owner can make
 * and that are none of PSS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/sha256.h"
#include "crypto/sig.h"
#include "oracle.h"

#define LEN 384
#define BLOCK_LEN 351

static struct {
    mbedtls_rsa_context key;
    uint64_t seed;
    uint8_t n[LEN], sig[LEN], digest[32];
} g;

static int setup(void **state)
{
    (void)state;
    g.seed = 0x243F6A8885A308D3ull;
    oracle_rsa_make(&g.key, &g.seed);
    oracle_rsa_public(&g.key, g.n);
    oracle_rng(&g.seed, g.digest, sizeof(g.digest));
    oracle_rsa_sign(&g.key, g.digest, 32, g.sig, &g.seed);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mbedtls_rsa_free(&g.key);
    return 0;
}

static void test_what_is_signed_is_right(void **state)
{
    uint8_t digest[32], sig[LEN];

    (void)state;
    for (int i = 0; i < 10; i++) {
        oracle_rng(&g.seed, digest, sizeof(digest));
        oracle_rsa_sign(&g.key, digest, 32, sig, &g.seed);
        assert_int_equal(sig_rsa3072(g.n, sig, digest), VERDICT_ACCEPT);
    }
}

static void flip_all(uint8_t *bytes, uint32_t len, uint32_t step)
{
    for (uint32_t i = 0; i < len; i += step) {
        uint8_t bit = (uint8_t)(1u << i % 8);

        bytes[i] ^= bit;
        assert_int_equal(sig_rsa3072(g.n, g.sig, g.digest), VERDICT_REJECT);
        bytes[i] ^= bit;
    }
}

static void test_each_byte_matters(void **state)
{
    (void)state;
    flip_all(g.n, LEN, 3);
    flip_all(g.sig, LEN, 3);
    flip_all(g.digest, sizeof(g.digest), 1);
    assert_int_equal(sig_rsa3072(g.n, g.sig, g.digest), VERDICT_ACCEPT);
}

static void test_salt_has_one_length(void **state)
{
    static const int salts[] = { 0, 31, 33, 64, 318 };
    uint8_t sig[LEN];

    (void)state;
    for (size_t i = 0; i < sizeof(salts) / sizeof(salts[0]); i++) {
        oracle_rsa_sign(&g.key, g.digest, salts[i], sig, &g.seed);
        assert_int_equal(sig_rsa3072(g.n, sig, g.digest), VERDICT_REJECT);
    }
}

/* --- messages of our own -------------------------------------------------- */

static void mgf1(uint8_t *block, const uint8_t *hash)
{
    for (uint32_t i = 0; i < BLOCK_LEN; i++) {
        uint8_t counter[4] = { 0, 0, 0, (uint8_t)(i / 32) }, mask[32];
        struct sha256 s;

        sha256_init(&s);
        sha256_update(&s, hash, 32);
        sha256_update(&s, counter, 4);
        sha256_final(&s, mask);
        block[i] ^= mask[i % 32];
    }
}

/* One byte of the plain message is changed: of the block before it is masked,
 * or of the rest after the hash was made. */
struct change {
    const char *claim;
    uint32_t at;
    uint8_t value;
    bool masked; /* after the mask */
    enum verdict want;
};

static void make_message(const struct change *c, uint8_t salt, uint8_t em[LEN])
{
    uint8_t zeros[8] = { 0 };
    struct sha256 s;

    memset(em, 0, LEN);
    em[318] = 1;
    memset(em + 319, salt, 32);
    sha256_init(&s);
    sha256_update(&s, zeros, sizeof(zeros));
    sha256_update(&s, g.digest, 32);
    sha256_update(&s, em + 319, 32);
    sha256_final(&s, em + BLOCK_LEN);
    em[LEN - 1] = 0xBC;
    if (!c->masked)
        em[c->at] ^= c->value;
    mgf1(em, em + BLOCK_LEN);
    em[0] &= 0x7F;
    if (c->masked)
        em[c->at] ^= c->value;
}

static void test_messages(void **state)
{
    static const struct change rows[] = {
        { "the message as it is", 0, 0, false, VERDICT_ACCEPT },
        { "another trailer", LEN - 1, 1, false, VERDICT_REJECT },
        { "padding that is not zero at its start", 0, 0x40, false,
          VERDICT_REJECT },
        { "padding that is not zero at its end", 317, 1, false,
          VERDICT_REJECT },
        { "no mark before the salt", 318, 1, false, VERDICT_REJECT },
        { "another mark before the salt", 318, 3, false, VERDICT_REJECT },
        { "another salt", 320, 1, false, VERDICT_REJECT },
        { "another hash", BLOCK_LEN, 1, false, VERDICT_REJECT },
        { "the bit above the message is one", 0, 0x80, true, VERDICT_REJECT },
        { "a mask with one bit wrong", 100, 1, true, VERDICT_REJECT },
    };
    uint8_t em[LEN], sig[LEN];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t salt = 0;

        do { /* a message above the modulus cannot be signed as such */
            make_message(&rows[i], salt++, em);
        } while ((em[0] & 0x80) && em[0] >= g.n[LEN - 1]);
        oracle_rsa_raw(&g.key, em, sig, &g.seed);
        if (sig_rsa3072(g.n, sig, g.digest) != rows[i].want)
            fail_msg("%s", rows[i].claim);
    }
}

/* --- numbers at the edges ------------------------------------------------- */

/* out = a + b, as far as there is room: the carry. */
static unsigned add(uint8_t *out, const uint8_t *a, const uint8_t *b)
{
    unsigned carry = 0;

    for (int i = 0; i < LEN; i++) {
        carry += (unsigned)a[i] + b[i];
        out[i] = (uint8_t)carry;
        carry >>= 8;
    }
    return carry;
}

static void test_edges(void **state)
{
    uint8_t sig[LEN] = { 0 }, n[LEN];

    (void)state;
    assert_int_equal(sig_rsa3072(g.n, sig, g.digest), VERDICT_REJECT);
    sig[0] = 1;
    assert_int_equal(sig_rsa3072(g.n, sig, g.digest), VERDICT_REJECT);
    assert_int_equal(sig_rsa3072(g.n, g.n, g.digest), VERDICT_REJECT);
    memcpy(sig, g.n, LEN);
    sig[0]--;
    assert_int_equal(sig_rsa3072(g.n, sig, g.digest), VERDICT_REJECT);
    memset(n, 0, LEN);
    assert_int_equal(sig_rsa3072(n, g.sig, g.digest), VERDICT_REJECT);
    memset(n, 0xFF, LEN);
    assert_int_equal(sig_rsa3072(n, g.sig, g.digest), VERDICT_REJECT);
    memcpy(n, g.n, LEN);
    n[0] ^= 1; /* even */
    assert_int_equal(sig_rsa3072(n, g.sig, g.digest), VERDICT_REJECT);
}

/* The same signature plus the modulus has the same power; it is another
 * string of bytes for the same image and refused (RFC 8017, 5.2.2, step 1). */
static void test_signature_is_below_the_modulus(void **state)
{
    uint8_t sig[LEN], more[LEN], digest[32];
    unsigned carry;

    (void)state;
    do {
        oracle_rng(&g.seed, digest, sizeof(digest));
        oracle_rsa_sign(&g.key, digest, 32, sig, &g.seed);
        carry = add(more, sig, g.n);
    } while (carry);
    assert_int_equal(sig_rsa3072(g.n, sig, digest), VERDICT_ACCEPT);
    assert_int_equal(sig_rsa3072(g.n, more, digest), VERDICT_REJECT);
}

/* One in 256 signatures is a byte shorter than the modulus. */
static void test_leading_zeros(void **state)
{
    uint8_t sig[LEN], digest[32];

    (void)state;
    do {
        oracle_rng(&g.seed, digest, sizeof(digest));
        oracle_rsa_sign(&g.key, digest, 32, sig, &g.seed);
    } while (sig[LEN - 1] != 0);
    assert_int_equal(sig_rsa3072(g.n, sig, digest), VERDICT_ACCEPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_signed_is_right),
        cmocka_unit_test(test_each_byte_matters),
        cmocka_unit_test(test_salt_has_one_length),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_leading_zeros),
        cmocka_unit_test(test_signature_is_below_the_modulus),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
