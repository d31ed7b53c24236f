/* SHA-256 in few bytes of code (FIPS 180-4), for boot paths. Rotations are
 * written one inside the other: one less each for the same sum. */
#include "crypto/sha256.h"

#include <string.h>

#include "base/be.h"
#include "base/blocks.h"
#include "crypto/sha256_k.h"

_Static_assert(sizeof(struct blocks) <= sizeof(struct sha256),
               "struct sha256 is too small for this back end");

static struct blocks *blocks_of(struct sha256 *s)
{
    return (struct blocks *)(void *)s->opaque;
}

static uint32_t ror(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

/* Rotations by a, a + b and a + b + c. */
static uint32_t sum(uint32_t x, unsigned a, unsigned b, unsigned c)
{
    return ror(ror(ror(x, c) ^ x, b) ^ x, a);
}

/* Rotations by a and a + b, and a shift. */
static uint32_t sigma(uint32_t x, unsigned a, unsigned b, unsigned shift)
{
    return ror(ror(x, b) ^ x, a) ^ x >> shift;
}

/* Each round two of the eight variables are new and the others take the next
 * name: v walks down, so that v[0] is always a. The schedule is made sixteen
 * words ahead. */
static void block_done(uint32_t *h, const uint8_t *block)
{
    uint32_t all[64 + 8], words[64 + 16];
    uint32_t *v = all + 64, *w = words;

    memcpy(v, h, 8 * sizeof(*v));
    for (unsigned i = 0; i < 16; i++)
        w[i] = be32_get(block + 4 * i);
    for (unsigned i = 0; i < 64; i++, w++) {
        uint32_t a = v[0], b = v[1], c = v[2];
        uint32_t e = v[4], f = v[5], g = v[6];
        uint32_t t =
            v[7] + sum(e, 6, 5, 14) + (((f ^ g) & e) ^ g) + sha256_k[i] + *w;

        w[16] = w[0] + sigma(w[1], 7, 11, 3) + w[9] + sigma(w[14], 17, 2, 10);
        v[3] += t;
        *--v = t + sum(a, 2, 11, 9) + ((a & (b | c)) | (b & c));
    }
    for (unsigned i = 0; i < 8; i++)
        h[i] += v[i];
}

void sha256_init(struct sha256 *s)
{
    struct blocks *b = blocks_of(s);

    b->len = 0;
    memcpy(b->h, sha256_start, sizeof(b->h));
}

void sha256_update(struct sha256 *s, const void *data, size_t len)
{
    blocks_feed(blocks_of(s), block_done, data, len);
}

void sha256_final(struct sha256 *s, uint8_t out[SHA256_LEN])
{
    struct blocks *b = blocks_of(s);

    blocks_end(b, block_done, 7);
    for (unsigned i = 0; i < SHA256_LEN; i++)
        out[i] = (uint8_t)(b->h[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_clone(struct sha256 *dst, const struct sha256 *src)
{
    memcpy(dst, src, sizeof(*dst));
}
