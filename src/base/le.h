/* base/le.h - little-endian numbers at any alignment. Those of 32 bits are
 * called: where loads must be aligned they are ten instructions each. */
#ifndef BASE_LE_H
#define BASE_LE_H

#include <stdint.h>

static inline uint16_t le16_get(const uint8_t *p)
{
    return (uint16_t)(p[0] | (uint16_t)p[1] << 8);
}

uint32_t le32_get(const uint8_t *p);

static inline void le16_put(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

void le32_put(uint8_t *p, uint32_t v);

#endif
