/* witness.h - what the reference's bootloader would boot.
 *
 * Written from reference 3.1 and 3.2 alone, without the product's code: it
 * reads the first 32 bytes of each otadata sector and nothing else of them,
 * and knows no log. */
#ifndef TORTURE_WITNESS_H
#define TORTURE_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

#define WITNESS_FACTORY 16
#define WITNESS_TEST 17
#define WITNESS_NONE 18

struct witness {
    const uint8_t *rec[2]; /* 32 bytes each, as read */
    bool rollback;
    uint32_t slot_cnt;
    bool has_factory;
    void *ctx;
    /* Does the image of this choice verify? */
    bool (*good)(void *ctx, uint32_t choice);
};

uint32_t witness_boots(const struct witness *w);
bool witness_rec_sound(const uint8_t rec[32]);

#endif
