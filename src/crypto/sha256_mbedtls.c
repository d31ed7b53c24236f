/* SHA-256 by Mbed TLS's own hash functions, not by its md or PSA layers: those
 * allocate, and would bring every hash of the library into the bootloader.
 *
 * The functions called here return an error for an accelerator that fails;
 * the software ones cannot fail. */
#include "crypto/sha256.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/sha256.h>

static_assert(sizeof(mbedtls_sha256_context) <= sizeof(struct sha256),
              "struct sha256 is too small for this back end");
static_assert(_Alignof(mbedtls_sha256_context) <= _Alignof(struct sha256),
              "struct sha256 is aligned too little for this back end");

static mbedtls_sha256_context *ctx_of(struct sha256 *s)
{
    return (mbedtls_sha256_context *)(void *)s->opaque;
}

/* A digest that was not computed must not look like one. */
static void must(int ret)
{
    if (ret != 0)
        abort();
}

void sha256_init(struct sha256 *s)
{
    mbedtls_sha256_init(ctx_of(s));
    must(mbedtls_sha256_starts(ctx_of(s), 0));
}

void sha256_update(struct sha256 *s, const void *data, size_t len)
{
    must(mbedtls_sha256_update(ctx_of(s), data, len));
}

void sha256_final(struct sha256 *s, uint8_t out[SHA256_LEN])
{
    must(mbedtls_sha256_finish(ctx_of(s), out));
    mbedtls_sha256_free(ctx_of(s));
}

void sha256_clone(struct sha256 *dst, const struct sha256 *src)
{
    memcpy(dst, src, sizeof(*dst));
}
