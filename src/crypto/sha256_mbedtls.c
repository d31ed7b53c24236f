/* SHA-256 by Mbed TLS alone: for processors without instructions of their own
 * for it, and for those that no file here knows. */
#include <assert.h>
#include <string.h>

#include "crypto/sha256_lib.h"

static_assert(sizeof(mbedtls_sha256_context) <= sizeof(struct sha256),
              "struct sha256 is too small for this back end");
static_assert(_Alignof(mbedtls_sha256_context) <= _Alignof(struct sha256),
              "struct sha256 is aligned too little for this back end");

static mbedtls_sha256_context *ctx_of(struct sha256 *s)
{
    return (mbedtls_sha256_context *)(void *)s->opaque;
}

void sha256_init(struct sha256 *s)
{
    sha256_lib_init(ctx_of(s));
}

void sha256_update(struct sha256 *s, const void *data, size_t len)
{
    sha256_lib_update(ctx_of(s), data, len);
}

void sha256_final(struct sha256 *s, uint8_t out[SHA256_LEN])
{
    sha256_lib_final(ctx_of(s), out);
}

void sha256_clone(struct sha256 *dst, const struct sha256 *src)
{
    memcpy(dst, src, sizeof(*dst));
}
