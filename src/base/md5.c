/* MD5 as RFC 1321 states it. */
#include "base/md5.h"

#include <string.h>

#include "base/le.h"

/* RFC 1321 section 3.4: floor(2^32 * |sin(i + 1)|). */
static const uint32_t md5_k[64] = {
    0xd76aa478u, 0xe8c7b756u, 0x242070dbu, 0xc1bdceeeu, 0xf57c0fafu,
    0x4787c62au, 0xa8304613u, 0xfd469501u, 0x698098d8u, 0x8b44f7afu,
    0xffff5bb1u, 0x895cd7beu, 0x6b901122u, 0xfd987193u, 0xa679438eu,
    0x49b40821u, 0xf61e2562u, 0xc040b340u, 0x265e5a51u, 0xe9b6c7aau,
    0xd62f105du, 0x02441453u, 0xd8a1e681u, 0xe7d3fbc8u, 0x21e1cde6u,
    0xc33707d6u, 0xf4d50d87u, 0x455a14edu, 0xa9e3e905u, 0xfcefa3f8u,
    0x676f02d9u, 0x8d2a4c8au, 0xfffa3942u, 0x8771f681u, 0x6d9d6122u,
    0xfde5380cu, 0xa4beea44u, 0x4bdecfa9u, 0xf6bb4b60u, 0xbebfbc70u,
    0x289b7ec6u, 0xeaa127fau, 0xd4ef3085u, 0x04881d05u, 0xd9d4d039u,
    0xe6db99e5u, 0x1fa27cf8u, 0xc4ac5665u, 0xf4292244u, 0x432aff97u,
    0xab9423a7u, 0xfc93a039u, 0x655b59c3u, 0x8f0ccc92u, 0xffeff47du,
    0x85845dd1u, 0x6fa87e4fu, 0xfe2ce6e0u, 0xa3014314u, 0x4e0811a1u,
    0xf7537e82u, 0xbd3af235u, 0x2ad7d2bbu, 0xeb86d391u,
};

/* Rotations of the four steps of each round. */
static const uint8_t md5_rot[4][4] = {
    { 7, 12, 17, 22 },
    { 5, 9, 14, 20 },
    { 4, 11, 16, 23 },
    { 6, 10, 15, 21 },
};

static uint32_t rotl(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

/* The auxiliary functions F, G, H, I, by round. */
static uint32_t md5_mix(unsigned round, uint32_t x, uint32_t y, uint32_t z)
{
    switch (round) {
    case 0:
        return (x & y) | (~x & z);
    case 1:
        return (x & z) | (y & ~z);
    case 2:
        return x ^ y ^ z;
    default:
        return y ^ (x | ~z);
    }
}

/* Which word of the block step i takes. */
static unsigned md5_word(unsigned i)
{
    static const uint8_t mul[4] = { 1, 5, 3, 7 };
    static const uint8_t add[4] = { 0, 1, 5, 0 };

    return (mul[i / 16] * i + add[i / 16]) % 16;
}

static void md5_block(uint32_t *h, const uint8_t *block)
{
    uint32_t v[4];

    memcpy(v, h, sizeof(v));
    for (unsigned i = 0; i < 64; i++) {
        uint32_t b = v[1], c = v[2], d = v[3];
        uint32_t sum = v[0] + md5_mix(i / 16, b, c, d) + md5_k[i] +
                       le32_get(block + 4 * md5_word(i));

        v[0] = d;
        v[3] = c;
        v[2] = b;
        v[1] = b + rotl(sum, md5_rot[i / 16][i % 4]);
    }
    for (unsigned i = 0; i < 4; i++)
        h[i] += v[i];
}

void md5_init(struct md5 *m)
{
    static const uint32_t start[4] = { 0x67452301u, 0xefcdab89u, 0x98badcfeu,
                                       0x10325476u };

    m->b.len = 0;
    memcpy(m->b.h, start, sizeof(start));
}

void md5_update(struct md5 *m, const void *data, size_t len)
{
    blocks_feed(&m->b, md5_block, data, len);
}

void md5_final(struct md5 *m, uint8_t out[16])
{
    blocks_end(&m->b, md5_block, 0);
    for (size_t i = 0; i < 4; i++)
        le32_put(out + 4 * i, m->b.h[i]);
}
