/* base/be.h - big-endian numbers at any alignment. */
#ifndef BASE_BE_H
#define BASE_BE_H

#include <stdint.h>

static inline uint32_t be32_get(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

#endif
