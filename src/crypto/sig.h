/* crypto/sig.h - is this signature right? Verification only.
 *
 * The answer is computed, not branched to: it starts from all differences that
 * were found and is ACCEPT only if there are none, so that no single wrong
 * branch makes one. Numbers are little-endian, as in signature blocks (V2);
 * digests as they are hashed. Every input is checked: ranges, the point on the
 * curve, each byte of the padding. Nothing is allocated; stack: docs/decisions
 * 0011. */
#ifndef CRYPTO_SIG_H
#define CRYPTO_SIG_H

#include <stdint.h>

#include "base/verdict.h"

#define SIG_P256_LEN 64u /* X and Y, or r and s */
#define SIG_P384_LEN 96u
#define SIG_RSA_LEN 384u /* n, or a signature */

/* ECDSA (FIPS 186-4, 6.4) over a SHA-256, a SHA-384 digest. */
enum verdict sig_p256(const uint8_t xy[SIG_P256_LEN],
                      const uint8_t rs[SIG_P256_LEN], const uint8_t digest[32]);
enum verdict sig_p384(const uint8_t xy[SIG_P384_LEN],
                      const uint8_t rs[SIG_P384_LEN], const uint8_t digest[48]);

/* RSASSA-PSS (RFC 8017, 8.1.2) with 3072 bits, e = 65537, SHA-256, MGF1 with
 * SHA-256 and 32 bytes of salt. */
enum verdict sig_rsa3072(const uint8_t n[SIG_RSA_LEN],
                         const uint8_t sig[SIG_RSA_LEN],
                         const uint8_t digest[32]);

#endif
