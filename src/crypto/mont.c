/* Montgomery's multiplication, word by word (the CIOS method of Koc, Acar and
 * Kaliski): each word of b adds a * word, then as many times the modulus as
 * makes the lowest word zero, which is dropped. The running sum stays below
 * 2 * m * 2^32, so one word more than the modulus holds it, with a carry. */
#include "crypto/mont.h"

#include <string.h>

#include "base/le.h"

#define ALL 0xFFFFFFFFu

/* lint-ok: function, numbers are runs of words */
uint32_t words_add(uint32_t *out, const uint32_t *a, const uint32_t *b,
                   uint32_t mask, uint32_t words)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < words; i++) {
        sum += (uint64_t)a[i] + (b[i] & mask);
        out[i] = (uint32_t)sum;
        sum >>= 32;
    }
    return (uint32_t)sum;
}

/* lint-ok: function, numbers are runs of words */
uint32_t words_sub(uint32_t *out, const uint32_t *a, const uint32_t *b,
                   uint32_t mask, uint32_t words)
{
    uint32_t borrow = 0;

    for (uint32_t i = 0; i < words; i++) {
        uint64_t diff = (uint64_t)a[i] - (b[i] & mask) - borrow;

        out[i] = (uint32_t)diff;
        borrow = (uint32_t)(diff >> 63);
    }
    return borrow;
}

void words_load(uint32_t *out, const uint8_t *bytes, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++)
        out[i] = le32_get(bytes + 4 * i);
}

uint32_t words_any(const uint32_t *a, uint32_t words)
{
    uint32_t any = 0;

    while (words-- > 0)
        any |= *a++;
    return any;
}

uint32_t words_above(const uint32_t *a, const uint32_t *b, uint32_t words)
{
    uint32_t borrow = 0;

    for (uint32_t i = 0; i < words; i++)
        borrow = (uint32_t)(((uint64_t)a[i] - b[i] - borrow) >> 63);
    return borrow ^ 1;
}

void words_reduce(uint32_t *a, const uint32_t *m, uint32_t words, uint32_t top)
{
    uint32_t below = words_sub(a, a, m, ALL, words) - top;

    (void)words_add(a, a, m, 0u - below, words);
}

void mont_add(const struct mont *f, uint32_t *out, const uint32_t *a,
              const uint32_t *b)
{
    uint32_t top = words_add(out, a, b, ALL, f->words);

    words_reduce(out, f->m, f->words, top);
}

void mont_sub(const struct mont *f, uint32_t *out, const uint32_t *a,
              const uint32_t *b)
{
    uint32_t below = words_sub(out, a, b, ALL, f->words);

    (void)words_add(out, out, f->m, 0u - below, f->words);
}

/* sum += x * y, one word more than x has; returns the carry out of it. */
static uint32_t add_product(const struct mont *f, uint32_t *sum,
                            const uint32_t *x, uint32_t y)
{
    uint64_t acc = 0;

    for (uint32_t i = 0; i < f->words; i++) {
        acc += (uint64_t)x[i] * y + sum[i];
        sum[i] = (uint32_t)acc;
        acc >>= 32;
    }
    acc += sum[f->words];
    sum[f->words] = (uint32_t)acc;
    return (uint32_t)(acc >> 32);
}

void mont_mul(const struct mont *f, uint32_t *out, const uint32_t *a,
              const uint32_t *b)
{
    uint32_t *sum = f->tmp;

    memset(sum, 0, 4 * f->words + 4);
    for (uint32_t i = 0; i < f->words; i++) {
        uint32_t carry = add_product(f, sum, a, b[i]);

        carry += add_product(f, sum, f->m, sum[0] * f->m_inv);
        for (uint32_t k = 0; k < f->words; k++)
            sum[k] = sum[k + 1];
        sum[f->words] = carry;
    }
    memcpy(out, sum, 4 * f->words);
    words_reduce(out, f->m, f->words, sum[f->words]);
}

/* Newton's iteration doubles the bits of 1 / m that are right: m itself is
 * right in three. */
void mont_init(struct mont *f, const uint32_t *m, uint32_t words, uint32_t *tmp)
{
    uint32_t inv = m[0];

    for (int i = 0; i < 4; i++)
        inv *= 2u - m[0] * inv;
    *f = (struct mont){ m, tmp, words, 0u - inv };
}

/* R mod m is R - m, because m is more than half of R; doubled once for each
 * bit of R. */
void mont_r2(const struct mont *f, uint32_t *out)
{
    memset(out, 0, 4 * f->words);
    (void)words_sub(out, out, f->m, ALL, f->words);
    for (uint32_t i = 0; i < 32 * f->words; i++)
        mont_add(f, out, out, out);
}
