/* sum_small.c - the checksum's XOR in few bytes of code. */
#include "image/check_parts.h"

uint32_t img_sum(const uint8_t *p, size_t len)
{
    uint32_t sum = 0;

    while (len-- > 0)
        sum ^= *p++;
    return sum;
}
