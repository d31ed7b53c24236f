/* crypto/ct.h - compare and wipe secrets. */
#ifndef CRYPTO_CT_H
#define CRYPTO_CT_H

#include <stdbool.h>
#include <stddef.h>

/* Time depends on len only. */
bool ct_eq(const void *a, const void *b, size_t len);
/* Not removed by the optimiser. */
void ct_wipe(void *p, size_t len);

#endif
