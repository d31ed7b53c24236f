#include "crypto/ct.h"

#include <stdint.h>

bool ct_eq(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *pa = a;
    const volatile uint8_t *pb = b;
    uint8_t diff = 0;

    for (size_t i = 0; i < len; i++)
        diff = (uint8_t)(diff | (pa[i] ^ pb[i]));
    return diff == 0;
}

/* Writes through a volatile pointer are side effects that have to happen. */
void ct_wipe(void *p, size_t len)
{
    volatile uint8_t *q = p;

    for (size_t i = 0; i < len; i++)
        q[i] = 0;
}
