/* blocks.c - see blocks.h. */
#include "base/blocks.h"

#include <string.h>

void blocks_feed(struct blocks *b, blocks_fn fn, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len > 0) {
        size_t at = b->len % BLOCKS_LEN;
        size_t n = len < BLOCKS_LEN - at ? len : BLOCKS_LEN - at;

        memcpy(b->block + at, p, n);
        b->len += (uint32_t)n;
        p += n;
        len -= n;
        if (at + n == BLOCKS_LEN)
            fn(b->h, b->block);
    }
}

void blocks_end(struct blocks *b, blocks_fn fn, unsigned swap)
{
    uint32_t bits[2] = { b->len << 3, b->len >> 29 };
    uint8_t tail[sizeof(bits)], byte = 0x80;

    do {
        blocks_feed(b, fn, &byte, 1);
        byte = 0;
    } while (b->len % BLOCKS_LEN != BLOCKS_LEN - sizeof(tail));
    for (unsigned i = 0; i < sizeof(tail); i++)
        tail[i ^ swap] = (uint8_t)(bits[i / 4] >> 8 * (i % 4));
    blocks_feed(b, fn, tail, sizeof(tail));
}
