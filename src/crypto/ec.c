/* Points of a curve. The addition is the complete one of Renes, Costello and
 * Batina for a = -3 (Complete addition formulas for prime order elliptic
 * curves, 2016, algorithm 4), written down as a table of its steps. It costs
 * some multiplications more than formulas with exceptions and saves every
 * question about when those apply. */
#include "crypto/ec.h"

#include <string.h>

enum op { MUL, ADD, SUB };
enum reg { /* two points, the curve's b, and what is computed */
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

/* Two bytes a step. None is 0: no step writes X1. */
#define STEP(op, out, a, b) (uint16_t)(op | out << 4 | a << 8 | b << 12)
#define END 0u

static const uint16_t addition[] = {
    STEP(MUL, T0, X1, X2), STEP(MUL, T1, Y1, Y2),
    STEP(MUL, T2, Z1, Z2), STEP(ADD, T3, X1, Y1),
    STEP(ADD, T4, X2, Y2), STEP(MUL, T3, T3, T4),
    STEP(ADD, T4, T0, T1), STEP(SUB, T3, T3, T4),
    STEP(ADD, T4, Y1, Z1), STEP(ADD, X3, Y2, Z2),
    STEP(MUL, T4, T4, X3), STEP(ADD, X3, T1, T2),
    STEP(SUB, T4, T4, X3), STEP(ADD, X3, X1, Z1),
    STEP(ADD, Y3, X2, Z2), STEP(MUL, X3, X3, Y3),
    STEP(ADD, Y3, T0, T2), STEP(SUB, Y3, X3, Y3),
    STEP(MUL, Z3, B, T2),  STEP(SUB, X3, Y3, Z3),
    STEP(ADD, Z3, X3, X3), STEP(ADD, X3, X3, Z3),
    STEP(SUB, Z3, T1, X3), STEP(ADD, X3, T1, X3),
    STEP(MUL, Y3, B, Y3),  STEP(ADD, T1, T2, T2),
    STEP(ADD, T2, T1, T2), STEP(SUB, Y3, Y3, T2),
    STEP(SUB, Y3, Y3, T0), STEP(ADD, T1, Y3, Y3),
    STEP(ADD, Y3, T1, Y3), STEP(ADD, T1, T0, T0),
    STEP(ADD, T0, T1, T0), STEP(SUB, T0, T0, T2),
    STEP(MUL, T1, T4, Y3), STEP(MUL, T2, T0, Y3),
    STEP(MUL, Y3, X3, Z3), STEP(ADD, Y3, Y3, T2),
    STEP(MUL, X3, T3, X3), STEP(SUB, X3, X3, T1),
    STEP(MUL, Z3, T4, Z3), STEP(MUL, T1, T3, T0),
    STEP(ADD, Z3, Z3, T1), END
};

/* (x^2 - 3) x + b - y^2, which is zero on the curve; z is 1. */
static const uint16_t equation[] = {
    STEP(MUL, X3, X1, X1), STEP(SUB, X3, X3, Z1), STEP(SUB, X3, X3, Z1),
    STEP(SUB, X3, X3, Z1), STEP(MUL, X3, X3, X1), STEP(ADD, X3, X3, B),
    STEP(MUL, Y3, Y1, Y1), STEP(SUB, X3, X3, Y3), END
};

/* lint-ok: function, two points and what is done with them */
static void run(const struct ec *e, const uint16_t *step, struct ec_point *out,
                const struct ec_point *a, const struct ec_point *b)
{
    uint32_t own[OWN_REGS][EC_MAX_WORDS];
    const uint32_t *reg[REGS] = { a->c[0], a->c[1], a->c[2], b->c[0],
                                  b->c[1], b->c[2], e->b };

    for (uint32_t i = 0; i < OWN_REGS; i++)
        reg[X3 + i] = own[i];
    for (; *step != END; step++) {
        uint32_t *to = own[(*step >> 4 & 15) - X3];
        const uint32_t *x = reg[*step >> 8 & 15], *y = reg[*step >> 12];

        if ((*step & 15) == MUL)
            mont_mul(&e->field, to, x, y);
        else if ((*step & 15) == ADD)
            mont_add(&e->field, to, x, y);
        else
            mont_sub(&e->field, to, x, y);
    }
    for (uint32_t i = 0; i < 3; i++)
        memcpy(out->c[i], own[i], 4 * e->curve->words);
}

void ec_add(const struct ec *e, struct ec_point *out, const struct ec_point *a,
            const struct ec_point *b)
{
    run(e, addition, out, a, b);
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

uint32_t ec_load(const struct ec *e, struct ec_point *out, const uint32_t *x,
                 const uint32_t *y)
{
    const struct mont *f = &e->field;
    struct ec_point left;
    uint32_t above =
        words_above(x, f->m, f->words) | words_above(y, f->m, f->words);

    mont_mul(f, out->c[0], x, e->r2);
    mont_mul(f, out->c[1], y, e->r2);
    set_one(e, out->c[2]);
    run(e, equation, &left, out, out);
    return words_any(left.c[0], f->words) | above;
}

/* Both multiples at once, from the highest bit: double, then add what the two
 * bits ask for, whose index they are. */
void ec_combine(const struct ec *e, struct ec_point p[4], const uint32_t *u,
                const uint32_t *v)
{
    (void)ec_load(e, &p[1], e->curve->gx, e->curve->gy);
    ec_add(e, &p[3], &p[1], &p[2]);
    p[0] = (struct ec_point){ .c = { { 0 } } };
    set_one(e, p[0].c[1]);
    for (uint32_t i = 32 * e->curve->words; i-- > 0;) {
        uint32_t pick = (u[i / 32] >> i % 32 & 1) | (v[i / 32] >> i % 32 & 1)
                                                        << 1;

        ec_add(e, &p[0], &p[0], &p[0]);
        if (pick)
            ec_add(e, &p[0], &p[0], &p[pick]);
    }
}
