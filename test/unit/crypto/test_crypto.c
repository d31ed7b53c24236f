/* Hashes against published vectors; comparing and wiping in constant time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/ct.h"
#include "crypto/sha256.h"
#include "crypto/sha384.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void final_hex(struct sha256 *s, char out[65])
{
    uint8_t digest[SHA256_LEN];

    sha256_final(s, digest);
    for (size_t i = 0; i < SHA256_LEN; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* The examples that NIST publishes for FIPS 180-4. */
static void test_sha256_vectors(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        { "",
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", ABC },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
          "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
    };
    char got[65];

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        size_t len = strlen(rows[i].text);

        for (size_t cut = 0; cut <= len; cut++) {
            struct sha256 s;

            sha256_init(&s);
            sha256_update(&s, rows[i].text, cut);
            sha256_update(&s, rows[i].text + cut, len - cut);
            final_hex(&s, got);
            assert_string_equal(got, rows[i].want);
        }
    }
}

static void test_sha256_million(void **state)
{
    struct sha256 s;
    char buf[1000];
    char got[65];

    (void)state;
    memset(buf, 'a', sizeof(buf));
    sha256_init(&s);
    for (int i = 0; i < 1000; i++)
        sha256_update(&s, buf, sizeof(buf));
    final_hex(&s, got);
    assert_string_equal(
        got,
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Both go on from the same point, and neither disturbs the other. */
static void test_sha256_clone(void **state)
{
    struct sha256 a, b;
    char got[65];

    (void)state;
    sha256_init(&a);
    sha256_update(&a, "ab", 2);
    sha256_clone(&b, &a);
    sha256_update(&a, "c", 1);
    final_hex(&a, got);
    assert_string_equal(got, ABC);
    sha256_update(&b, "x", 1);
    final_hex(&b, got);
    assert_string_equal(
        got,
        "b2bdab4230154046ad0b7dfa830a9260caa5bd6ae230e582a2244ab4bf0b4ca5");
}

static void test_sha256_no_bytes(void **state)
{
    struct sha256 s;
    char got[65];

    (void)state;
    sha256_init(&s);
    sha256_update(&s, NULL, 0);
    sha256_update(&s, "abc", 3);
    sha256_update(&s, NULL, 0);
    final_hex(&s, got);
    assert_string_equal(got, ABC);
}

/* The same for SHA-384, cut anywhere, and cloned at the cut. */
static void test_sha384(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        { "", "38b060a751ac96384cd9327eb1b1e36a21fdb71114be0743"
              "4c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b" },
        { "abc", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
                 "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7" },
        { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
          "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
          "09330c33f71147e83d192fc782cd1b4753111b173b3b05d2"
          "2fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        size_t len = strlen(rows[i].text);

        for (size_t cut = 0; cut <= len; cut++) {
            uint8_t digest[SHA384_LEN];
            char got[2 * SHA384_LEN + 1];
            struct sha384 s, other;

            sha384_init(&s);
            sha384_update(&s, rows[i].text, cut);
            sha384_clone(&other, &s);
            sha384_update(&s, "x", 1);
            sha384_final(&s, digest);
            sha384_update(&other, rows[i].text + cut, len - cut);
            sha384_final(&other, digest);
            for (size_t n = 0; n < SHA384_LEN; n++)
                snprintf(got + 2 * n, 3, "%02x", digest[n]);
            assert_string_equal(got, rows[i].want);
        }
    }
}

static void test_ct_eq(void **state)
{
    uint8_t a[33];
    uint8_t b[33];

    (void)state;
    memset(a, 0x5A, sizeof(a));
    memcpy(b, a, sizeof(b));
    assert_true(ct_eq(a, b, sizeof(a)));
    assert_true(ct_eq(a, b, 0));
    for (size_t i = 0; i < sizeof(a); i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            b[i] ^= (uint8_t)(1u << bit);
            assert_false(ct_eq(a, b, sizeof(a)));
            assert_true(ct_eq(a, b, i));
            b[i] ^= (uint8_t)(1u << bit);
        }
    }
}

static void test_ct_diff(void **state)
{
    uint8_t a[33] = { 0 }, b[33] = { 0 };

    (void)state;
    assert_int_equal(ct_diff(a, b, sizeof(a)), 0);
    for (size_t i = 0; i < 8 * sizeof(a); i++) {
        b[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_not_equal(ct_diff(a, b, sizeof(a)), 0);
        assert_int_equal(ct_diff(a, b, i / 8), 0);
        b[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

static void test_ct_verdict(void **state)
{
    (void)state;
    assert_int_equal(ct_flag(0), 0);
    assert_int_equal(ct_verdict(0), VERDICT_ACCEPT);
    for (int i = 0; i < 32; i++) {
        assert_int_equal(ct_flag(1u << i), 1);
        assert_int_equal(ct_verdict(1u << i), VERDICT_REJECT);
        assert_int_equal(ct_verdict(0u - (1u << i)), VERDICT_REJECT);
    }
}

static void test_ct_agree(void **state)
{
    static const uint32_t wrongs[] = { 1, 2, 0x10000, 0x80000000, 0xFFFFFFFF };

    (void)state;
    assert_int_equal(ct_agree(0, 0), VERDICT_ACCEPT);
    for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
        assert_int_equal(ct_agree(wrongs[i], wrongs[i]), VERDICT_REJECT);
        assert_int_not_equal(ct_agree(wrongs[i], 0), VERDICT_ACCEPT);
        assert_int_not_equal(ct_agree(0, wrongs[i]), VERDICT_ACCEPT);
    }
}

/* Every bit, and every carry of the sum in it. */
static void test_ct_flag(void **state)
{
    (void)state;
    assert_int_equal(ct_flag(0), 0);
    for (uint32_t bit = 0; bit < 32; bit++) {
        assert_int_equal(ct_flag(1u << bit), 1);
        assert_int_equal(ct_flag(0u - (1u << bit)), 1);
        assert_int_equal(ct_flag((1u << bit) - 1), bit > 0);
    }
}

static void test_ct_wipe(void **state)
{
    uint8_t buf[8];

    (void)state;
    memset(buf, 0xEE, sizeof(buf));
    ct_wipe(buf + 1, 6);
    assert_memory_equal(buf, "\xEE\0\0\0\0\0\0\xEE", 8);
    ct_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_vectors),
        cmocka_unit_test(test_sha256_million),
        cmocka_unit_test(test_sha256_clone),
        cmocka_unit_test(test_sha256_no_bytes),
        cmocka_unit_test(test_sha384),
        cmocka_unit_test(test_ct_eq),
        cmocka_unit_test(test_ct_diff),
        cmocka_unit_test(test_ct_verdict),
        cmocka_unit_test(test_ct_agree),
        cmocka_unit_test(test_ct_flag),
        cmocka_unit_test(test_ct_wipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
