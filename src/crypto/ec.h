/* crypto/ec.h - points of the curves y^2 = x^3 - 3 x + b of prime order.
 *
 * For verification only: nothing is secret. One formula adds any two points,
 * equal, opposite and infinite ones too, so no input needs a case of its own.
 * Coordinates are in Montgomery's form; allocates nothing. */
#ifndef CRYPTO_EC_H
#define CRYPTO_EC_H

#include <stdint.h>

#include "base/policy.h"
#include "crypto/mont.h"

#define EC_MAX_WORDS (POL_P384_BUILT ? 12u : 8u)

/* All numbers have `words` words, the lowest first. */
struct ec_curve {
    uint32_t words;
    const uint32_t *p;  /* the field */
    const uint32_t *n;  /* the order */
    const uint32_t *b;  /* of the equation */
    const uint32_t *gx; /* the generator */
    const uint32_t *gy;
};
extern const struct ec_curve ec_p256, ec_p384;

/* (X : Y : Z) is the point (X / Z, Y / Z); Z = 0: infinity. */
struct ec_point {
    uint32_t c[3][EC_MAX_WORDS];
};

/* A curve being worked on. May not be moved. */
struct ec {
    const struct ec_curve *curve;
    struct mont field;
    uint32_t tmp[EC_MAX_WORDS + 1];
    uint32_t r2[EC_MAX_WORDS], b[EC_MAX_WORDS];
};

void ec_init(struct ec *e, const struct ec_curve *curve);

/* From coordinates that are not in Montgomery's form. Returns 0 if they are
 * below p and on the curve, else any other number; *out is set all the same. */
uint32_t ec_load(const struct ec *e, struct ec_point *out, const uint32_t *x,
                 const uint32_t *y);
/* out may be a or b. */
void ec_add(const struct ec *e, struct ec_point *out, const struct ec_point *a,
            const struct ec_point *b);
/* p[0] = u * generator + v * p[2]; the others become the generator, as it was,
 * and the sum of the two. */
void ec_combine(const struct ec *e, struct ec_point p[4], const uint32_t *u,
                const uint32_t *v);

#endif
