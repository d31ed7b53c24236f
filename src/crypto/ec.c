/* Points of a curve. The addition is the complete one of Renes, Costello and
 * Batina for a = -3 (Complete addition formulas for prime order elliptic
 * curves, 2016, algorithm 4), written down as a table of its steps. It costs
 * some multiplications more than formulas with exceptions and saves every
 * question about when those apply. */
#include "crypto/ec.h"

#include "crypto/ct.h"

enum op { MUL, ADD, SUB };
enum reg { /* the operands, the result, and what lies between */
           X1,
           Y1,
           Z1,
           X2,
           Y2,
           Z2,
           B,
           X3,
           Y3,
           Z3,
           T0,
           T1,
           T2,
           T3,
           T4,
           REGS
};
#define OWN_REGS (REGS - X3)

static const struct {
    uint8_t op, out, a, b;
} steps[] = {
    { MUL, T0, X1, X2 }, { MUL, T1, Y1, Y2 }, { MUL, T2, Z1, Z2 },
    { ADD, T3, X1, Y1 }, { ADD, T4, X2, Y2 }, { MUL, T3, T3, T4 },
    { ADD, T4, T0, T1 }, { SUB, T3, T3, T4 }, { ADD, T4, Y1, Z1 },
    { ADD, X3, Y2, Z2 }, { MUL, T4, T4, X3 }, { ADD, X3, T1, T2 },
    { SUB, T4, T4, X3 }, { ADD, X3, X1, Z1 }, { ADD, Y3, X2, Z2 },
    { MUL, X3, X3, Y3 }, { ADD, Y3, T0, T2 }, { SUB, Y3, X3, Y3 },
    { MUL, Z3, B, T2 },  { SUB, X3, Y3, Z3 }, { ADD, Z3, X3, X3 },
    { ADD, X3, X3, Z3 }, { SUB, Z3, T1, X3 }, { ADD, X3, T1, X3 },
    { MUL, Y3, B, Y3 },  { ADD, T1, T2, T2 }, { ADD, T2, T1, T2 },
    { SUB, Y3, Y3, T2 }, { SUB, Y3, Y3, T0 }, { ADD, T1, Y3, Y3 },
    { ADD, Y3, T1, Y3 }, { ADD, T1, T0, T0 }, { ADD, T0, T1, T0 },
    { SUB, T0, T0, T2 }, { MUL, T1, T4, Y3 }, { MUL, T2, T0, Y3 },
    { MUL, Y3, X3, Z3 }, { ADD, Y3, Y3, T2 }, { MUL, X3, T3, X3 },
    { SUB, X3, X3, T1 }, { MUL, Z3, T4, Z3 }, { MUL, T1, T3, T0 },
    { ADD, Z3, Z3, T1 },
};

static void words_copy(uint32_t *out, const uint32_t *in, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++)
        out[i] = in[i];
}

void ec_add(const struct ec *e, struct ec_point *out, const struct ec_point *a,
            const struct ec_point *b)
{
    uint32_t own[OWN_REGS][EC_MAX_WORDS];
    const uint32_t *reg[REGS] = { a->c[0], a->c[1], a->c[2], b->c[0],
                                  b->c[1], b->c[2], e->b };

    for (uint32_t i = 0; i < OWN_REGS; i++)
        reg[X3 + i] = own[i];
    for (uint32_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        uint32_t *to = own[steps[i].out - X3];
        const uint32_t *x = reg[steps[i].a], *y = reg[steps[i].b];

        if (steps[i].op == MUL)
            mont_mul(&e->field, to, x, y);
        else if (steps[i].op == ADD)
            mont_add(&e->field, to, x, y);
        else
            mont_sub(&e->field, to, x, y);
    }
    for (uint32_t i = 0; i < 3; i++)
        words_copy(out->c[i], own[i], e->curve->words);
}

void ec_init(struct ec *e, const struct ec_curve *curve)
{
    e->curve = curve;
    mont_init(&e->field, curve->p, curve->words, e->tmp);
    mont_r2(&e->field, e->r2);
    mont_mul(&e->field, e->b, curve->b, e->r2);
}

/* (0 : 1 : 0), or with z 1 the 1 of a point that has finite coordinates. */
static void set_one(const struct ec *e, uint32_t *out)
{
    uint32_t one[EC_MAX_WORDS] = { 1 };

    mont_mul(&e->field, out, one, e->r2);
}

/* x^3 - 3 x + b - y^2 is zero on the curve: (x^2 - 3) x + b - y^2. */
static uint32_t off_curve(const struct ec *e, const struct ec_point *q)
{
    const struct mont *f = &e->field;
    uint32_t left[EC_MAX_WORDS], right[EC_MAX_WORDS];
    uint32_t diff = 0;

    mont_mul(f, left, q->c[0], q->c[0]);
    for (int i = 0; i < 3; i++)
        mont_sub(f, left, left, q->c[2]);
    mont_mul(f, left, left, q->c[0]);
    mont_add(f, left, left, e->b);
    mont_mul(f, right, q->c[1], q->c[1]);
    mont_sub(f, left, left, right);
    for (uint32_t i = 0; i < f->words; i++)
        diff |= left[i];
    return diff;
}

uint32_t ec_load(const struct ec *e, struct ec_point *out, const uint32_t *x,
                 const uint32_t *y)
{
    const struct mont *f = &e->field;
    uint32_t scratch[EC_MAX_WORDS];
    uint32_t below = words_sub(scratch, x, f->m, 0xFFFFFFFFu, f->words) &
                     words_sub(scratch, y, f->m, 0xFFFFFFFFu, f->words);

    mont_mul(f, out->c[0], x, e->r2);
    mont_mul(f, out->c[1], y, e->r2);
    set_one(e, out->c[2]);
    return off_curve(e, out) | (below ^ 1);
}

/* Both multiples at once, from the highest bit: double, then add what the two
 * bits ask for. */
/* lint-ok: function, the terms of one sum */
void ec_combine(const struct ec *e, struct ec_point *out, const uint32_t *u,
                const uint32_t *v, const struct ec_point *q)
{
    struct ec_point sum[3]; /* the generator, q, both */

    (void)ec_load(e, &sum[0], e->curve->gx, e->curve->gy);
    sum[1] = *q;
    ec_add(e, &sum[2], &sum[0], q);
    *out = (struct ec_point){ .c = { { 0 } } };
    set_one(e, out->c[1]);
    for (uint32_t i = 32 * e->curve->words; i-- > 0;) {
        uint32_t pick = (u[i / 32] >> i % 32 & 1) | (v[i / 32] >> i % 32 & 1)
                                                        << 1;

        ec_add(e, out, out, out);
        if (pick)
            ec_add(e, out, out, &sum[pick - 1]);
    }
}
