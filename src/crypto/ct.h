/* crypto/ct.h - compare and wipe secrets; compare without a branch. */
#ifndef CRYPTO_CT_H
#define CRYPTO_CT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/verdict.h"

/* Time depends on len only. */
bool ct_eq(const void *a, const void *b, size_t len);
/* Not removed by the optimiser. */
void ct_wipe(void *p, size_t len);

/* 0 if all len bytes are equal, else any other number. A loop that ends early
 * is told from one that compared everything. */
uint32_t ct_diff(const void *a, const void *b, size_t len);

/* 1 for any number but 0. */
static inline uint32_t ct_flag(uint32_t x)
{
    return (x | (0u - x)) >> 31;
}

/* ACCEPT if nothing is wrong. No branch: a fault has to hit a number. */
static inline enum verdict ct_verdict(uint32_t wrong)
{
    uint32_t differ = (uint32_t)VERDICT_ACCEPT ^ (uint32_t)VERDICT_REJECT;

    return (enum verdict)((uint32_t)VERDICT_ACCEPT ^
                          (differ & (0u - ct_flag(wrong))));
}

#endif
