/* The processor's instructions against Mbed TLS's code, in one program: random
 * bytes, in random pieces, from random addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/sha256.h>

#include "crypto/sha256.h"
#include "crypto/sha256_cpu.h"

#define RUNS 3000u
#define MAX_LEN 1500u
#define SKIPPED 77

static uint64_t seed = 20240801;

static uint32_t rnd(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % below;
}

static void by_pieces(const uint8_t *p, size_t len, uint8_t out[SHA256_LEN])
{
    struct sha256 s, spare;
    uint8_t unused[SHA256_LEN];

    sha256_init(&s);
    while (len > 0) {
        size_t n = 1 + rnd(rnd(2) ? 70 : 400);
        if (n > len)
            n = len;
        sha256_update(&s, p, n);
        p += n;
        len -= n;
        /* A clone that ends changes nothing for the other. */
        sha256_clone(&spare, &s);
        sha256_final(&spare, unused);
    }
    sha256_final(&s, out);
}

static void test_same_as_library(void **state)
{
    static uint8_t bytes[MAX_LEN + 64];
    uint8_t want[SHA256_LEN], got[SHA256_LEN];

    (void)state;
    for (unsigned run = 0; run < RUNS; run++) {
        size_t len = rnd(MAX_LEN + 1), at = rnd(64);

        for (size_t i = 0; i < len; i++)
            bytes[at + i] = (uint8_t)rnd(256);
        assert_int_equal(mbedtls_sha256(bytes + at, len, want, 0), 0);
        by_pieces(bytes + at, len, got);
        assert_memory_equal(got, want, sizeof(want));
    }
}

/* Several blocks at once are the same as one after the other. */
static void test_blocks_at_once(void **state)
{
    uint8_t bytes[7 * SHA256_BLOCK_LEN];
    uint32_t one[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, all[8];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)rnd(256);
    memcpy(all, one, sizeof(all));
    for (size_t i = 0; i < 7; i++)
        sha256_cpu_blocks(one, bytes + i * SHA256_BLOCK_LEN, 1);
    sha256_cpu_blocks(all, bytes, 7);
    assert_memory_equal(all, one, sizeof(one));
    sha256_cpu_blocks(all, bytes, 0);
    assert_memory_equal(all, one, sizeof(one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_library),
        cmocka_unit_test(test_blocks_at_once),
    };

    if (!sha256_cpu_has()) {
        puts("skipped: this processor, or what emulates it, has no "
             "instructions for SHA-256");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
