/* crypto/sha384.h - SHA-384 (FIPS 180-4); as crypto/sha256.h in everything. */
#ifndef CRYPTO_SHA384_H
#define CRYPTO_SHA384_H

#include <stddef.h>
#include <stdint.h>

#define SHA384_LEN 48

struct sha384 {
    uint64_t opaque[28]; /* room for the back end, checked where it is used */
};

void sha384_init(struct sha384 *s);
void sha384_update(struct sha384 *s, const void *data, size_t len);
/* May be called once; s must be initialised again before reuse. */
void sha384_final(struct sha384 *s, uint8_t out[SHA384_LEN]);
void sha384_clone(struct sha384 *dst, const struct sha384 *src);

#endif
