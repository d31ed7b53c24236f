/* base/blocks.h - what MD5 and SHA-256 have in common: bytes are gathered into
 * blocks of 64, and the last one is padded with 0x80, zeros and the length in
 * bits. At most 4 GiB. */
#ifndef BASE_BLOCKS_H
#define BASE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#define BLOCKS_LEN 64u

struct blocks {
    uint32_t len; /* bytes so far */
    uint32_t h[8];
    uint8_t block[BLOCKS_LEN];
};

/* Works one block into the state. */
typedef void (*blocks_fn)(uint32_t *h, const uint8_t *block);

void blocks_feed(struct blocks *b, blocks_fn fn, const void *data, size_t len);
/* swap: the byte of the length in position n is the n ^ swap lowest one: 0
 * MD5, 7 SHA-256. */
void blocks_end(struct blocks *b, blocks_fn fn, unsigned swap);

#endif
