/* sum.c - the checksum's XOR, 64 bytes at a time where a word has 64 bits. */
#include "image/check_parts.h"

static uint64_t word_at(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

uint32_t img_sum(const uint8_t *p, size_t len)
{
    uint64_t a = 0, b = 0;

    for (; sizeof(size_t) == sizeof(a) && len >= 64; p += 64, len -= 64) {
        a ^= word_at(p) ^ word_at(p + 8) ^ word_at(p + 16) ^ word_at(p + 24);
        b ^= word_at(p + 32) ^ word_at(p + 40) ^ word_at(p + 48) ^
             word_at(p + 56);
    }
    a ^= b;
    for (; len > 0; p++, len--)
        a ^= *p;
    return (uint32_t)(a ^ a >> 32);
}
