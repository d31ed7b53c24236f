/* crypto/sha256_lib.h - SHA-256 by Mbed TLS's own hash functions, not by its
 * md or PSA layers: those allocate, and would bring every hash of the library
 * into the bootloader.
 *
 * The functions called here return an error for an accelerator that fails;
 * the software ones cannot fail. */
#ifndef CRYPTO_SHA256_LIB_H
#define CRYPTO_SHA256_LIB_H

#include <stdlib.h>

#include <mbedtls/sha256.h>

#include "crypto/sha256.h"

/* A digest that was not computed must not look like one. */
static inline void sha256_lib_must(int ret)
{
    if (ret != 0)
        abort();
}

static inline void sha256_lib_init(mbedtls_sha256_context *c)
{
    mbedtls_sha256_init(c);
    sha256_lib_must(mbedtls_sha256_starts(c, 0));
}

static inline void sha256_lib_update(mbedtls_sha256_context *c,
                                     const void *data, size_t len)
{
    sha256_lib_must(mbedtls_sha256_update(c, data, len));
}

static inline void sha256_lib_final(mbedtls_sha256_context *c,
                                    uint8_t out[SHA256_LEN])
{
    sha256_lib_must(mbedtls_sha256_finish(c, out));
    mbedtls_sha256_free(c);
}

#endif
