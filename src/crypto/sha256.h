/* crypto/sha256.h - SHA-256 (FIPS 180-4).
 *
 * The back end is the file that is built: sha256_mbedtls.c, sha256_cpu.c (the
 * processor's own instructions where it has them, else the library's), or
 * sha256_small.c (a bootloader's). The context holds no pointer: it may be
 * copied with sha256_clone() at any time, which is how one pass yields both
 * the appended digest and the signed one. Cannot fail. */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32

struct sha256 {
    uint64_t opaque[18]; /* room for the back end, checked where it is used */
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t len);
/* May be called once; s must be initialised again before reuse. */
void sha256_final(struct sha256 *s, uint8_t out[SHA256_LEN]);
void sha256_clone(struct sha256 *dst, const struct sha256 *src);

#endif
