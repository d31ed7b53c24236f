/* ECDSA against Mbed TLS: what it signs is right, each bit of it matters, and
 * the cases that a formula could forget. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/ec.h"
#include "crypto/sig.h"
#include "oracle.h"

#define SEED 0x9E3779B97F4A7C15ull
#define LEN 48u

struct curve {
    mbedtls_ecp_group_id id;
    enum verdict (*verify)(const uint8_t *, const uint8_t *, const uint8_t *);
};
static const struct curve curves[] = {
    { MBEDTLS_ECP_DP_SECP256R1, sig_p256 },
    { MBEDTLS_ECP_DP_SECP384R1, sig_p384 },
};

/* A key, a digest and its signature, to be spoiled. */
struct bag {
    const struct curve *curve;
    struct oracle_ec key;
    uint64_t seed;
    uint8_t xy[2 * LEN], rs[2 * LEN], digest[LEN];
};

static void bag_open(struct bag *b, const struct curve *curve)
{
    b->curve = curve;
    b->seed = SEED;
    oracle_ec_make(&b->key, curve->id, &b->seed);
    oracle_ec_public(&b->key, b->xy);
    oracle_rng(&b->seed, b->digest, sizeof(b->digest));
    oracle_ec_sign(&b->key, b->digest, b->rs, &b->seed);
}

static enum verdict ask(const struct bag *b)
{
    return b->curve->verify(b->xy, b->rs, b->digest);
}

#define assert_verdict(bag, want) assert_int_equal(ask(bag), want)

static void test_what_is_signed_is_right(void **state)
{
    (void)state;
    for (int c = 0; c < 2; c++) {
        struct bag b;

        bag_open(&b, &curves[c]);
        for (int i = 0; i < 40; i++) {
            oracle_rng(&b.seed, b.digest, b.key.len);
            oracle_ec_sign(&b.key, b.digest, b.rs, &b.seed);
            assert_verdict(&b, VERDICT_ACCEPT);
        }
        oracle_ec_free(&b.key);
    }
}

/* X, Y, r or s of another key or signature. */
static uint8_t *make_part(struct bag *b, uint32_t part)
{
    uint32_t len = b->key.len;

    oracle_rng(&b->seed, b->digest, len);
    if (part < 2) {
        oracle_ec_free(&b->key);
        oracle_ec_make(&b->key, b->curve->id, &b->seed);
        oracle_ec_public(&b->key, b->xy);
        return b->xy + part * len;
    }
    oracle_ec_sign(&b->key, b->digest, b->rs, &b->seed);
    return b->rs + (part - 2) * len;
}

static void find_short(struct bag *b, uint32_t part)
{
    uint32_t len = b->key.len;
    uint8_t *number;

    do
        number = make_part(b, part);
    while (number[len - 1] != 0);
    if (part < 2)
        oracle_ec_sign(&b->key, b->digest, b->rs, &b->seed);
    assert_verdict(b, VERDICT_ACCEPT);
    number[len - 1] = 1;
    assert_verdict(b, VERDICT_REJECT);
    number[len - 1] = 0;
}

/* Numbers that are shorter than their field: X, Y, r and s, each found once. */
static void test_leading_zeros(void **state)
{
    int curve_cnt = getenv("PORTA_DEEP") ? 2 : 1; /* P-384 takes its time */

    (void)state;
    for (int c = 0; c < curve_cnt; c++) {
        struct bag b;

        bag_open(&b, &curves[c]);
        for (uint32_t part = 0; part < 4; part++)
            find_short(&b, part);
        oracle_ec_free(&b.key);
    }
}

static void flip_all(struct bag *b, uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        uint8_t bit = (uint8_t)(1u << i % 8);

        bytes[i] ^= bit;
        assert_verdict(b, VERDICT_REJECT);
        assert_false(oracle_ec_verify(&b->key, b->xy, b->rs, b->digest));
        bytes[i] ^= bit;
    }
}

static void test_each_byte_matters(void **state)
{
    (void)state;
    for (int c = 0; c < 2; c++) {
        struct bag b;

        bag_open(&b, &curves[c]);
        flip_all(&b, b.xy, 2 * b.key.len);
        flip_all(&b, b.rs, 2 * b.key.len);
        flip_all(&b, b.digest, b.key.len);
        assert_verdict(&b, VERDICT_ACCEPT);
        oracle_ec_free(&b.key);
    }
}

/* Points are refused for what they are, whatever a signature says. */
static void test_points(void **state)
{
    static const struct ec_curve *const of[] = { &ec_p256, &ec_p384 };
    uint32_t num[2 * EC_MAX_WORDS];
    struct ec_point point;
    struct bag b;
    struct ec e;

    (void)state;
    for (int c = 0; c < 2; c++) {
        uint32_t words = of[c]->words;

        bag_open(&b, &curves[c]);
        ec_init(&e, of[c]);
        words_load(num, b.xy, 2 * words);
        assert_int_equal(ec_load(&e, &point, num, num + words), 0);
        for (uint32_t bit = 0; bit < 64 * words; bit++) {
            num[bit / 32] ^= 1u << bit % 32;
            assert_int_not_equal(ec_load(&e, &point, num, num + words), 0);
            num[bit / 32] ^= 1u << bit % 32;
        }
        assert_int_equal(ec_load(&e, &point, of[c]->gx, of[c]->gy), 0);
        assert_int_not_equal(ec_load(&e, &point, of[c]->p, of[c]->gy), 0);
        assert_int_not_equal(ec_load(&e, &point, of[c]->gx, of[c]->p), 0);
        oracle_ec_free(&b.key);
    }
}

/* --- numbers at the edges ------------------------------------------------- */

/* What a part of the input becomes. */
enum edge {
    EDGE_KEEP,
    EDGE_ZERO,
    EDGE_ONE,
    EDGE_ORDER,
    EDGE_ORDER_MORE,
    EDGE_ALL_ONES,
    EDGE_FIELD,
    EDGE_NEGATED /* order - it: as good as it for s */
};

static void write_mpi(const mbedtls_mpi *x, uint8_t *out, uint32_t len)
{
    assert_int_equal(mbedtls_mpi_write_binary_le(x, out, len), 0);
}

static void set_edge(const struct bag *b, uint8_t *at, enum edge edge)
{
    uint32_t len = b->key.len;
    mbedtls_mpi x;

    mbedtls_mpi_init(&x);
    if (edge == EDGE_ZERO || edge == EDGE_ONE)
        memset(at, 0, len);
    if (edge == EDGE_ALL_ONES)
        memset(at, 0xFF, len);
    if (edge == EDGE_ONE)
        at[0] = 1;
    if (edge == EDGE_ORDER || edge == EDGE_ORDER_MORE)
        write_mpi(&b->key.grp.N, at, len);
    if (edge == EDGE_ORDER_MORE)
        at[0]++;
    if (edge == EDGE_FIELD)
        write_mpi(&b->key.grp.P, at, len);
    if (edge == EDGE_NEGATED) {
        assert_int_equal(mbedtls_mpi_read_binary_le(&x, at, len), 0);
        assert_int_equal(mbedtls_mpi_sub_mpi(&x, &b->key.grp.N, &x), 0);
        write_mpi(&x, at, len);
    }
    mbedtls_mpi_free(&x);
}

static void test_edges(void **state)
{
    static const struct {
        const char *claim;
        enum edge x, y, r, s;
        enum verdict want;
    } rows[] = {
        { "untouched", 0, 0, 0, 0, VERDICT_ACCEPT },
        { "the other s of the same signature", 0, 0, 0, EDGE_NEGATED,
          VERDICT_ACCEPT },
        { "the other r is another point", 0, 0, EDGE_NEGATED, 0,
          VERDICT_REJECT },
        { "r is zero", 0, 0, EDGE_ZERO, 0, VERDICT_REJECT },
        { "s is zero", 0, 0, 0, EDGE_ZERO, VERDICT_REJECT },
        { "both are zero", 0, 0, EDGE_ZERO, EDGE_ZERO, VERDICT_REJECT },
        { "both are one", 0, 0, EDGE_ONE, EDGE_ONE, VERDICT_REJECT },
        { "r is the order", 0, 0, EDGE_ORDER, 0, VERDICT_REJECT },
        { "s is the order", 0, 0, 0, EDGE_ORDER, VERDICT_REJECT },
        { "both are the order", 0, 0, EDGE_ORDER, EDGE_ORDER, VERDICT_REJECT },
        { "r is above the order", 0, 0, EDGE_ORDER_MORE, 0, VERDICT_REJECT },
        { "s is above the order", 0, 0, 0, EDGE_ORDER_MORE, VERDICT_REJECT },
        { "an erased signature", 0, 0, EDGE_ALL_ONES, EDGE_ALL_ONES,
          VERDICT_REJECT },
        { "the key is (0, 0)", EDGE_ZERO, EDGE_ZERO, 0, 0, VERDICT_REJECT },
        { "the key is (0, 0), all is zero", EDGE_ZERO, EDGE_ZERO, EDGE_ZERO,
          EDGE_ZERO, VERDICT_REJECT },
        { "the key is off the curve", EDGE_ONE, EDGE_ONE, 0, 0,
          VERDICT_REJECT },
        { "x is the field's prime", EDGE_FIELD, 0, 0, 0, VERDICT_REJECT },
        { "y is the field's prime", 0, EDGE_FIELD, 0, 0, VERDICT_REJECT },
        { "an erased key", EDGE_ALL_ONES, EDGE_ALL_ONES, 0, 0, VERDICT_REJECT },
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        struct bag b;
        uint32_t len;

        bag_open(&b, &curves[i % 2]);
        len = b.key.len;
        set_edge(&b, b.xy, rows[i / 2].x);
        set_edge(&b, b.xy + len, rows[i / 2].y);
        set_edge(&b, b.rs, rows[i / 2].r);
        set_edge(&b, b.rs + len, rows[i / 2].s);
        if (ask(&b) != rows[i / 2].want)
            fail_msg("%s, curve %d", rows[i / 2].claim, (int)(i % 2));
        oracle_ec_free(&b.key);
    }
}

/* --- points that formulas could trip over --------------------------------- */

static void must(int ret)
{
    assert_int_equal(ret, 0);
}

static void set_key(struct bag *b, const mbedtls_mpi *d)
{
    must(mbedtls_mpi_copy(&b->key.d, d));
    must(mbedtls_ecp_mul(&b->key.grp, &b->key.q, d, &b->key.grp.G, oracle_rng,
                         &b->seed));
    oracle_ec_public(&b->key, b->xy);
}

/* Keys 1, 2, order - 1, order - 2: the key is the generator, its double, or
 * their opposites, so the table holds equal, opposite and infinite points. */
static void test_keys_next_to_the_generator(void **state)
{
    static const int keys[] = { 1, 2, 3, -1, -2, -3 };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(keys) / sizeof(keys[0]); i++) {
        struct bag b;
        mbedtls_mpi d;

        bag_open(&b, &curves[i % 2]);
        mbedtls_mpi_init(&d);
        must(mbedtls_mpi_lset(&d, keys[i / 2]));
        if (keys[i / 2] < 0)
            must(mbedtls_mpi_add_mpi(&d, &d, &b.key.grp.N));
        set_key(&b, &d);
        for (int n = 0; n < 5; n++) {
            oracle_rng(&b.seed, b.digest, b.key.len);
            oracle_ec_sign(&b.key, b.digest, b.rs, &b.seed);
            assert_verdict(&b, VERDICT_ACCEPT);
            b.rs[1] ^= 1;
            assert_verdict(&b, VERDICT_REJECT);
        }
        mbedtls_mpi_free(&d);
        oracle_ec_free(&b.key);
    }
}

/* r = -e / d makes u * G + v * Q infinite, whatever s is. No x: refused. */
static void test_infinity_is_no_answer(void **state)
{
    (void)state;
    for (int c = 0; c < 2; c++) {
        struct bag b;
        mbedtls_mpi e, r;

        bag_open(&b, &curves[c]);
        mbedtls_mpi_init(&e);
        mbedtls_mpi_init(&r);
        must(mbedtls_mpi_read_binary(&e, b.digest, b.key.len));
        must(mbedtls_mpi_inv_mod(&r, &b.key.d, &b.key.grp.N));
        must(mbedtls_mpi_mul_mpi(&r, &r, &e));
        must(mbedtls_mpi_mod_mpi(&r, &r, &b.key.grp.N));
        must(mbedtls_mpi_sub_mpi(&r, &b.key.grp.N, &r));
        write_mpi(&r, b.rs, b.key.len);
        assert_verdict(&b, VERDICT_REJECT);
        mbedtls_mpi_free(&e);
        mbedtls_mpi_free(&r);
        oracle_ec_free(&b.key);
    }
}

/* A digest of zeros, one of ones (above the order): e is reduced, not cut. */
static void test_digests_at_the_edges(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct bag b;

        bag_open(&b, &curves[i % 2]);
        memset(b.digest, i < 2 ? 0 : 0xFF, sizeof(b.digest));
        oracle_ec_sign(&b.key, b.digest, b.rs, &b.seed);
        assert_verdict(&b, VERDICT_ACCEPT);
        b.digest[b.key.len - 1] ^= 1;
        assert_verdict(&b, VERDICT_REJECT);
        oracle_ec_free(&b.key);
    }
}

/* The y of x on the curve, if there is one: (p + 1) / 4 is the root's power
 * for both primes. */
static int find_y(const mbedtls_ecp_group *g, const mbedtls_mpi *x,
                  mbedtls_mpi *y)
{
    mbedtls_mpi t, k;
    int differ;

    mbedtls_mpi_init(&t);
    mbedtls_mpi_init(&k);
    must(mbedtls_mpi_mul_mpi(&t, x, x));
    must(mbedtls_mpi_sub_int(&t, &t, 3));
    must(mbedtls_mpi_mul_mpi(&t, &t, x));
    must(mbedtls_mpi_add_mpi(&t, &t, &g->B));
    must(mbedtls_mpi_mod_mpi(&t, &t, &g->P));
    must(mbedtls_mpi_add_int(&k, &g->P, 1));
    must(mbedtls_mpi_shift_r(&k, 2));
    must(mbedtls_mpi_exp_mod(y, &t, &k, &g->P, NULL));
    must(mbedtls_mpi_mul_mpi(&k, y, y));
    must(mbedtls_mpi_mod_mpi(&k, &k, &g->P));
    differ = mbedtls_mpi_cmp_mpi(&k, &t);
    mbedtls_mpi_free(&t);
    mbedtls_mpi_free(&k);
    return differ;
}

/* The point with the lowest x at or above the order has r = x - order. For
 * s = 1 the key is (R - e * G) / r. */
static void set_x_above_order(struct bag *b)
{
    mbedtls_ecp_group *g = &b->key.grp;
    mbedtls_ecp_point point;
    mbedtls_mpi r, inv, u;

    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&inv);
    mbedtls_mpi_init(&u);
    must(mbedtls_mpi_copy(&point.MBEDTLS_PRIVATE(X), &g->N));
    do {
        must(mbedtls_mpi_add_int(&point.MBEDTLS_PRIVATE(X),
                                 &point.MBEDTLS_PRIVATE(X), 1));
    } while (find_y(g, &point.MBEDTLS_PRIVATE(X), &point.MBEDTLS_PRIVATE(Y)));
    must(mbedtls_mpi_lset(&point.MBEDTLS_PRIVATE(Z), 1));
    must(mbedtls_mpi_sub_mpi(&r, &point.MBEDTLS_PRIVATE(X), &g->N));
    must(mbedtls_mpi_inv_mod(&inv, &r, &g->N));
    must(mbedtls_mpi_read_binary(&u, b->digest, b->key.len));
    must(mbedtls_mpi_mul_mpi(&u, &u, &inv));
    must(mbedtls_mpi_mod_mpi(&u, &u, &g->N));
    must(mbedtls_mpi_sub_mpi(&u, &g->N, &u));
    must(mbedtls_ecp_muladd(g, &b->key.q, &inv, &point, &u, &g->G));
    oracle_ec_public(&b->key, b->xy);
    write_mpi(&r, b->rs, b->key.len);
    set_edge(b, b->rs + b->key.len, EDGE_ONE);
    mbedtls_ecp_point_free(&point);
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&inv);
    mbedtls_mpi_free(&u);
}

static void shift(const struct bag *b, uint8_t *at, int sign)
{
    mbedtls_mpi x;

    mbedtls_mpi_init(&x);
    must(mbedtls_mpi_read_binary_le(&x, at, b->key.len));
    must(sign > 0 ? mbedtls_mpi_add_mpi(&x, &x, &b->key.grp.N)
                  : mbedtls_mpi_sub_mpi(&x, &x, &b->key.grp.N));
    write_mpi(&x, at, b->key.len);
    mbedtls_mpi_free(&x);
}

static void add_order(const struct bag *b, uint8_t *at)
{
    shift(b, at, 1);
}

static void sub_order(const struct bag *b, uint8_t *at)
{
    shift(b, at, -1);
}

static void test_x_above_the_order(void **state)
{
    (void)state;
    for (int c = 0; c < 2; c++) {
        struct bag b;

        bag_open(&b, &curves[c]);
        set_x_above_order(&b);
        assert_true(oracle_ec_verify(&b.key, b.xy, b.rs, b.digest));
        assert_verdict(&b, VERDICT_ACCEPT);
        b.digest[0] ^= 1;
        assert_verdict(&b, VERDICT_REJECT);
        b.digest[0] ^= 1;
        /* r and s have one form: that of the signature, plus the order, has
         * the same remainder and is not it. */
        add_order(&b, b.rs);
        assert_verdict(&b, VERDICT_REJECT);
        assert_false(oracle_ec_verify(&b.key, b.xy, b.rs, b.digest));
        sub_order(&b, b.rs);
        add_order(&b, b.rs + b.key.len);
        assert_verdict(&b, VERDICT_REJECT);
        sub_order(&b, b.rs + b.key.len);
        assert_verdict(&b, VERDICT_ACCEPT);
        oracle_ec_free(&b.key);
    }
}

/* r below p - n, where r + n is a candidate too, and r at the top, where
 * r + n has one bit more than there is room for: neither is taken for good. */
static void test_candidates_that_are_wrong(void **state)
{
    (void)state;
    for (int c = 0; c < 2; c++) {
        struct bag b;

        bag_open(&b, &curves[c]);
        for (uint8_t r = 1; r < 8; r++) {
            set_edge(&b, b.rs, EDGE_ZERO);
            b.rs[0] = r;
            assert_int_equal(ask(&b) == VERDICT_ACCEPT,
                             oracle_ec_verify(&b.key, b.xy, b.rs, b.digest));
            set_edge(&b, b.rs, EDGE_ORDER);
            b.rs[0] = (uint8_t)(b.rs[0] - r);
            assert_int_equal(ask(&b) == VERDICT_ACCEPT,
                             oracle_ec_verify(&b.key, b.xy, b.rs, b.digest));
        }
        oracle_ec_free(&b.key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_signed_is_right),
        cmocka_unit_test(test_leading_zeros),
        cmocka_unit_test(test_each_byte_matters),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_keys_next_to_the_generator),
        cmocka_unit_test(test_infinity_is_no_answer),
        cmocka_unit_test(test_digests_at_the_edges),
        cmocka_unit_test(test_x_above_the_order),
        cmocka_unit_test(test_candidates_that_are_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
