/* crypto/sha256_cpu.h - the processor's own instructions for SHA-256, where a
 * build has a file for that kind of processor (sha256_x86.c, sha256_arm.c). */
#ifndef CRYPTO_SHA256_CPU_H
#define CRYPTO_SHA256_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK_LEN 64u

/* Does this processor have them? Asked anew each time, which a virtual machine
 * may make slow. */
bool sha256_cpu_has(void);

/* The state after cnt further blocks. Only where sha256_cpu_has(). */
void sha256_cpu_blocks(uint32_t state[8], const uint8_t *data, size_t cnt);

#endif
