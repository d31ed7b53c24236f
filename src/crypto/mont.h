/* crypto/mont.h - arithmetic modulo an odd number, in Montgomery's form.
 *
 * Numbers are arrays of 32-bit words, the lowest word first, as many as the
 * modulus has; every operand is below the modulus, and so is every result. x
 * stands in Montgomery's form as x * R, R = 2^(32 * words): mont_mul() of two
 * such numbers is such a number again. Nothing here is secret and no time is
 * kept constant; that no result decides a branch is for the reader and against
 * faults. Results may be the operands. Allocates nothing, cannot fail. */
#ifndef CRYPTO_MONT_H
#define CRYPTO_MONT_H

#include <stdint.h>

/* The modulus m has its highest bit set. Everything is borrowed. */
struct mont {
    const uint32_t *m;
    uint32_t *tmp; /* words + 1 words of room */
    uint32_t words;
    uint32_t m_inv; /* -1 / m mod 2^32 */
};

/* lint-ok: function, the field, and where it works */
void mont_init(struct mont *f, const uint32_t *m, uint32_t words,
               uint32_t *tmp);

void mont_add(const struct mont *f, uint32_t *out, const uint32_t *a,
              const uint32_t *b);
void mont_sub(const struct mont *f, uint32_t *out, const uint32_t *a,
              const uint32_t *b);
/* a * b / R: of two numbers in the form a number in the form, and where one
 * of them is not, neither is the result. */
void mont_mul(const struct mont *f, uint32_t *out, const uint32_t *a,
              const uint32_t *b);

/* R^2, which takes a number into Montgomery's form: mont_mul(x, R^2). */
void mont_r2(const struct mont *f, uint32_t *out);

/* out = a + (b & mask), out = a - (b & mask): the carry, the borrow. */
uint32_t words_add(uint32_t *out, const uint32_t *a, const uint32_t *b,
                   uint32_t mask, uint32_t words);
uint32_t words_sub(uint32_t *out, const uint32_t *a, const uint32_t *b,
                   uint32_t mask, uint32_t words);
/* 0: a is below b, else 1. */
uint32_t words_above(const uint32_t *a, const uint32_t *b, uint32_t words);
/* 0: all of them are. */
uint32_t words_any(const uint32_t *a, uint32_t words);
/* a -= m unless that is below zero; a has `top` as one more word and is below
 * 2 * m. */
void words_reduce(uint32_t *a, const uint32_t *m, uint32_t words, uint32_t top);
/* From bytes, the lowest first. */
void words_load(uint32_t *out, const uint8_t *bytes, uint32_t words);

#endif
