/* A processor without instructions for SHA-256, for src/crypto/sha256_cpu.c. */
#include <stdlib.h>

#include "crypto/sha256_cpu.h"

bool sha256_cpu_has(void)
{
    return false;
}

/* A real one would end with an illegal instruction. */
void sha256_cpu_blocks(uint32_t state[8], const uint8_t *data, size_t cnt)
{
    (void)state;
    (void)data;
    (void)cnt;
    abort();
}
