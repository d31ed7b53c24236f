/* SHA-384 by Mbed TLS's own hash functions; see sha256_mbedtls.c. */
#include "crypto/sha384.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/sha512.h>

static_assert(sizeof(mbedtls_sha512_context) <= sizeof(struct sha384),
              "struct sha384 is too small for this back end");
static_assert(_Alignof(mbedtls_sha512_context) <= _Alignof(struct sha384),
              "struct sha384 is aligned too little for this back end");

static mbedtls_sha512_context *ctx_of(struct sha384 *s)
{
    return (mbedtls_sha512_context *)(void *)s->opaque;
}

/* A digest that was not computed must not look like one. */
static void must(int ret)
{
    if (ret != 0)
        abort();
}

void sha384_init(struct sha384 *s)
{
    mbedtls_sha512_init(ctx_of(s));
    must(mbedtls_sha512_starts(ctx_of(s), 1));
}

void sha384_update(struct sha384 *s, const void *data, size_t len)
{
    must(mbedtls_sha512_update(ctx_of(s), data, len));
}

void sha384_final(struct sha384 *s, uint8_t out[SHA384_LEN])
{
    must(mbedtls_sha512_finish(ctx_of(s), out));
    mbedtls_sha512_free(ctx_of(s));
}

void sha384_clone(struct sha384 *dst, const struct sha384 *src)
{
    memcpy(dst, src, sizeof(*dst));
}
