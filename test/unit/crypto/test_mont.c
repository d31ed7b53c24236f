/* Every operation of crypto/mont.h against big numbers of Mbed TLS: random
 * ones, and the ones next to zero, the modulus and a carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/mont.h"
#include "oracle.h"

#define WORDS_MAX 96u

static void must(int ret)
{
    assert_int_equal(ret, 0);
}

/* Words are little-endian bytes on the machines that run this. */
static void get(mbedtls_mpi *x, const uint32_t *words, uint32_t cnt)
{
    uint8_t bytes[4 * WORDS_MAX];

    for (uint32_t i = 0; i < 4 * cnt; i++)
        bytes[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
    must(mbedtls_mpi_read_binary_le(x, bytes, 4 * cnt));
}

static void put(const mbedtls_mpi *x, uint32_t *words, uint32_t cnt)
{
    uint8_t bytes[4 * WORDS_MAX];

    must(mbedtls_mpi_write_binary_le(x, bytes, 4 * cnt));
    words_load(words, bytes, cnt);
}

struct rig {
    struct mont f;
    uint32_t m[WORDS_MAX], tmp[WORDS_MAX + 1];
    mbedtls_mpi mod, r; /* 2^(32 * words) */
};

static void rig_open(struct rig *g, uint32_t words, uint64_t *seed,
                     uint32_t fill)
{
    for (uint32_t i = 0; i < words; i++) {
        g->m[i] = fill;
        if (fill == 0)
            oracle_rng(seed, (unsigned char *)&g->m[i], 4);
    }
    g->m[0] |= 1;
    g->m[words - 1] |= 0x80000000u;
    mont_init(&g->f, g->m, words, g->tmp);
    mbedtls_mpi_init(&g->mod);
    mbedtls_mpi_init(&g->r);
    get(&g->mod, g->m, words);
    must(mbedtls_mpi_lset(&g->r, 1));
    must(mbedtls_mpi_shift_l(&g->r, 32 * words));
}

static void rig_close(struct rig *g)
{
    mbedtls_mpi_free(&g->mod);
    mbedtls_mpi_free(&g->r);
}

/* A number below the modulus: zero, one, the two highest, and others. */
static void pick(const struct rig *g, uint32_t *out, int which, uint64_t *seed)
{
    mbedtls_mpi x;

    mbedtls_mpi_init(&x);
    if (which < 2)
        must(mbedtls_mpi_lset(&x, which));
    else if (which < 4)
        must(mbedtls_mpi_sub_int(&x, &g->mod, which - 1));
    else
        must(mbedtls_mpi_fill_random(&x, 4 * g->f.words, oracle_rng, seed));
    must(mbedtls_mpi_mod_mpi(&x, &x, &g->mod));
    put(&x, out, g->f.words);
    mbedtls_mpi_free(&x);
}

static void expect(const struct rig *g, const mbedtls_mpi *want,
                   const uint32_t *got)
{
    uint32_t words[WORDS_MAX];
    mbedtls_mpi x;

    mbedtls_mpi_init(&x);
    must(mbedtls_mpi_mod_mpi(&x, want, &g->mod));
    put(&x, words, g->f.words);
    assert_memory_equal(got, words, 4 * g->f.words);
    mbedtls_mpi_free(&x);
}

static void check_pair(struct rig *g, const uint32_t *a, const uint32_t *b)
{
    uint32_t out[WORDS_MAX];
    mbedtls_mpi x, y, t;

    mbedtls_mpi_init(&x);
    mbedtls_mpi_init(&y);
    mbedtls_mpi_init(&t);
    get(&x, a, g->f.words);
    get(&y, b, g->f.words);
    must(mbedtls_mpi_add_mpi(&t, &x, &y));
    mont_add(&g->f, out, a, b);
    expect(g, &t, out);
    must(mbedtls_mpi_sub_mpi(&t, &x, &y));
    mont_sub(&g->f, out, a, b);
    expect(g, &t, out);
    must(mbedtls_mpi_inv_mod(&t, &g->r, &g->mod));
    must(mbedtls_mpi_mul_mpi(&t, &t, &x));
    must(mbedtls_mpi_mul_mpi(&t, &t, &y));
    mont_mul(&g->f, out, a, b);
    expect(g, &t, out);
    memcpy(out, a, sizeof(out[0]) * g->f.words); /* in place, both ways */
    mont_mul(&g->f, out, out, b);
    expect(g, &t, out);
    memcpy(out, b, sizeof(out[0]) * g->f.words);
    mont_mul(&g->f, out, a, out);
    expect(g, &t, out);
    mbedtls_mpi_free(&x);
    mbedtls_mpi_free(&y);
    mbedtls_mpi_free(&t);
}

static void check_r2(struct rig *g)
{
    uint32_t out[WORDS_MAX];
    mbedtls_mpi t;

    mbedtls_mpi_init(&t);
    must(mbedtls_mpi_mul_mpi(&t, &g->r, &g->r));
    mont_r2(&g->f, out);
    expect(g, &t, out);
    mbedtls_mpi_free(&t);
}

static void test_all_operations(void **state)
{
    static const uint32_t sizes[] = { 1, 2, 8, 12, 96 };
    static const uint32_t fills[] = { 0, 0xFFFFFFFF, 1, 0x80000000 };
    uint64_t seed = 0xB7E151628AED2A6Bull;

    (void)state;
    for (size_t i = 0; i < 5 * 4; i++) {
        uint32_t a[WORDS_MAX], b[WORDS_MAX];
        struct rig g;

        rig_open(&g, sizes[i / 4], &seed, fills[i % 4]);
        check_r2(&g);
        for (int n = 0; n < 64; n++) {
            pick(&g, a, n / 8, &seed);
            pick(&g, b, n % 8, &seed);
            check_pair(&g, a, b);
        }
        rig_close(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
