/* SHA-256 in few bytes of code (FIPS 180-4), for boot paths. The 16 words of
 * the schedule are made while they are used. */
#include "crypto/sha256.h"

#include <string.h>

#include "crypto/sha256_k.h"

#define BLOCK_LEN 64u

struct ctx {
    uint64_t len;
    uint32_t h[8];
    uint8_t block[BLOCK_LEN];
};
_Static_assert(sizeof(struct ctx) <= sizeof(struct sha256),
               "struct sha256 is too small for this back end");

static struct ctx *ctx_of(struct sha256 *s)
{
    return (struct ctx *)(void *)s->opaque;
}

static uint32_t ror(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static uint32_t sigma(uint32_t x, unsigned a, unsigned b, unsigned shift)
{
    return ror(x, a) ^ ror(x, b) ^ x >> shift;
}

static uint32_t word(uint32_t w[16], const uint8_t *block, unsigned i)
{
    const uint8_t *p = block + 4 * (i % 16);

    if (i < 16)
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
               (uint32_t)p[2] << 8 | p[3];
    else
        w[i % 16] += sigma(w[(i + 1) % 16], 7, 18, 3) + w[(i + 9) % 16] +
                     sigma(w[(i + 14) % 16], 17, 19, 10);
    return w[i % 16];
}

/* The eight variables stay where they are and take each other's names. */
static void block_done(uint32_t h[8], const uint8_t *block)
{
    uint32_t v[8], w[16];

    memcpy(v, h, sizeof(v));
    for (unsigned i = 0; i < 64; i++) {
        uint32_t a = v[(0 - i) % 8], b = v[(1 - i) % 8], c = v[(2 - i) % 8];
        uint32_t e = v[(4 - i) % 8], f = v[(5 - i) % 8], g = v[(6 - i) % 8];
        uint32_t t = v[(7 - i) % 8] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
                     ((e & f) ^ (~e & g)) + sha256_k[i] + word(w, block, i);

        v[(3 - i) % 8] += t;
        v[(7 - i) % 8] = t + (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
                         ((a & b) ^ (a & c) ^ (b & c));
    }
    for (unsigned i = 0; i < 8; i++)
        h[i] += v[i];
}

void sha256_init(struct sha256 *s)
{
    static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                       0xa54ff53a, 0x510e527f, 0x9b05688c,
                                       0x1f83d9ab, 0x5be0cd19 };
    struct ctx *c = ctx_of(s);

    c->len = 0;
    memcpy(c->h, start, sizeof(start));
}

void sha256_update(struct sha256 *s, const void *data, size_t len)
{
    struct ctx *c = ctx_of(s);
    const uint8_t *p = data;

    while (len > 0) {
        size_t at = (size_t)(c->len % BLOCK_LEN);
        size_t n = len < BLOCK_LEN - at ? len : BLOCK_LEN - at;

        memcpy(c->block + at, p, n);
        c->len += n;
        p += n;
        len -= n;
        if (at + n == BLOCK_LEN)
            block_done(c->h, c->block);
    }
}

void sha256_final(struct sha256 *s, uint8_t out[SHA256_LEN])
{
    struct ctx *c = ctx_of(s);
    uint64_t bits = c->len * 8;
    uint8_t tail[8], byte = 0x80;

    do {
        sha256_update(s, &byte, 1);
        byte = 0;
    } while (c->len % BLOCK_LEN != BLOCK_LEN - sizeof(tail));
    for (unsigned i = 0; i < sizeof(tail); i++)
        tail[i] = (uint8_t)(bits >> (56 - 8 * i));
    sha256_update(s, tail, sizeof(tail));
    for (unsigned i = 0; i < SHA256_LEN; i++)
        out[i] = (uint8_t)(c->h[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_clone(struct sha256 *dst, const struct sha256 *src)
{
    memcpy(dst, src, sizeof(*dst));
}
