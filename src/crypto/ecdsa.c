/* ECDSA, the verifying half (FIPS 186-4, 6.4.2).
 *
 * What is wrong is collected in one word; every step is taken whatever was
 * found before. The last comparison needs no inversion: the x of (X : Y : Z)
 * is r modulo n exactly if X is r * Z or (r + n) * Z, the latter where r + n
 * is below p. Then it is made once more, with an inversion, so that neither a
 * mistake nor a skipped instruction in one of the two is enough. */
#include <string.h>

#include "base/be.h"
#include "crypto/ct.h"
#include "crypto/ec.h"
#include "crypto/sig.h"

#define ALL 0xFFFFFFFFu

/* 0: not zero and below the order. */
static uint32_t out_of_range(const struct ec_curve *c, const uint32_t *x)
{
    return words_above(x, c->n, c->words) |
           (ct_flag(words_any(x, c->words)) ^ 1);
}

/* The digest as a number, its first byte the highest, reduced. */
static void load_digest(const struct mont *n, uint32_t *out,
                        const uint8_t *digest)
{
    for (uint32_t i = n->words; i-- > 0; digest += 4)
        out[i] = be32_get(digest);
    words_reduce(out, n->m, n->words, 0);
}

/* 1 / a in Montgomery's form, by Fermat: a^(n - 2). The last word of n, the
 * order or the field, is above 1. */
static void invert(const struct mont *n, uint32_t *out, const uint32_t *a)
{
    uint32_t base[EC_MAX_WORDS], r2[EC_MAX_WORDS];
    uint32_t one[EC_MAX_WORDS] = { 1 };

    mont_r2(n, r2);
    mont_mul(n, base, a, r2);
    mont_mul(n, out, one, r2);
    for (uint32_t i = 32 * n->words; i-- > 0;) {
        uint32_t word = n->m[i / 32] - (i < 32 ? 2 : 0);

        mont_mul(n, out, out, out);
        if (word >> i % 32 & 1)
            mont_mul(n, out, out, base);
    }
}

/* u = e / s and v = r / s modulo the order. */
/* lint-ok: function, what the formula names */
static void scalars(const struct mont *n, uint32_t *u, uint32_t *v,
                    const uint32_t *rs, const uint8_t *digest)
{
    load_digest(n, u, digest);
    invert(n, v, rs + n->words);
    mont_mul(n, u, u, v);
    mont_mul(n, v, v, rs);
}

/* 0: x * Z is X. */
static uint32_t differs(const struct ec *e, const struct ec_point *p,
                        const uint32_t *x)
{
    uint32_t xz[EC_MAX_WORDS];

    mont_mul(&e->field, xz, x, e->r2);
    mont_mul(&e->field, xz, xz, p->c[2]);
    return ct_diff(xz, p->c[0], 4 * e->field.words);
}

static uint32_t wrong_x(const struct ec *e, const struct ec_point *p,
                        const uint32_t *r)
{
    const struct ec_curve *c = e->curve;
    uint32_t more[EC_MAX_WORDS];
    uint32_t over = words_add(more, r, c->n, ALL, c->words) |
                    words_above(more, c->p, c->words);

    return (ct_flag(differs(e, p, r)) & ct_flag(differs(e, p, more) | over)) |
           (ct_flag(words_any(p->c[2], c->words)) ^ 1);
}

/* The same question, asked without that code: x itself, by an inversion, and
 * reduced. Not 0: it is another number. */
static uint32_t wrong_affine(const struct ec *e, const struct ec_point *p,
                             const uint32_t *r)
{
    uint32_t x[EC_MAX_WORDS];
    const struct ec_curve *c = e->curve;

    /* 1 / (Z * R) in Montgomery's form is 1 / Z out of it. */
    invert(&e->field, x, p->c[2]);
    mont_mul(&e->field, x, x, p->c[0]);
    words_reduce(x, c->n, c->words, 0);
    return (uint32_t)memcmp(x, r, 4 * c->words);
}

static enum verdict verify(const struct ec_curve *c, const uint8_t *xy,
                           const uint8_t *rs_bytes, const uint8_t *digest)
{
    uint32_t num[2 * EC_MAX_WORDS], u[EC_MAX_WORDS], v[EC_MAX_WORDS];
    struct ec_point p[4]; /* the sum; generator, public key, both */
    struct ec e;
    struct mont n; /* modulo the order; works where e does */
    uint32_t wrong, again;

    ec_init(&e, c);
    words_load(num, xy, 2 * c->words);
    wrong = ec_load(&e, &p[2], num, num + c->words);
    words_load(num, rs_bytes, 2 * c->words);
    wrong |= out_of_range(c, num) | out_of_range(c, num + c->words);
    mont_init(&n, c->n, c->words, e.tmp);
    scalars(&n, u, v, num, digest);
    ec_combine(&e, p, u, v);
    again = wrong;
    wrong |= wrong_x(&e, &p[0], num);
    again |= wrong_affine(&e, &p[0], num);
    return ct_agree(wrong, again);
}

enum verdict sig_p256(const uint8_t xy[SIG_P256_LEN],
                      const uint8_t rs[SIG_P256_LEN], const uint8_t digest[32])
{
    return verify(&ec_p256, xy, rs, digest);
}

enum verdict sig_p384(const uint8_t xy[SIG_P384_LEN],
                      const uint8_t rs[SIG_P384_LEN], const uint8_t digest[48])
{
    return POL_P384_BUILT ? verify(&ec_p384, xy, rs, digest) : VERDICT_REJECT;
}
