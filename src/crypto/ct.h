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

/* 1 for any number but 0. Written so that no compiler sees a comparison in it
 * and makes an instruction with a condition, which one fault inverts. */
static inline uint32_t ct_flag(uint32_t x)
{
    return ((x >> 16 | (x & 0xFFFF)) + 0xFFFF) >> 16;
}

/* ACCEPT if nothing is wrong. No branch: a fault has to hit a number. */
enum verdict ct_verdict(uint32_t wrong);

/* ACCEPT if nothing is wrong by either of two findings. The second opinion is
 * an ordinary comparison: it shares no instruction with ct_verdict(), so that
 * a fault in one of the two leaves the other. */
enum verdict ct_agree(uint32_t wrong, uint32_t again);

#endif
