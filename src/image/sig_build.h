/* image/sig_build.h - write signature blocks. Not linked by a bootloader. Pure;
 * the signature itself is made by whoever has the key. */
#ifndef IMAGE_SIG_BUILD_H
#define IMAGE_SIG_BUILD_H

#include "base/err.h"
#include "base/span.h"
#include "crypto/sha384.h"
#include "image/sig_block.h"

/* What a signature of the scheme is made over: the digest of content and of
 * the 0xFF up to the signature's place. Returns the digest's length. */
uint32_t img_sig_digest(enum img_scheme scheme, struct span content,
                        uint8_t out[SHA384_LEN]);

/* A V2 block. fields: the key as in a block (n, e, 2^6144 mod n, -1 / n mod
 * 2^32; or curve, X, Y); sig: little-endian. */
void img_block_pack(enum img_scheme scheme, const uint8_t *fields,
                    const uint8_t *digest, const uint8_t *sig,
                    uint8_t out[IMG_SIG_V2_LEN]);
/* A V1 block of r and s, little-endian. */
void img_block_pack_v1(const uint8_t rs[64], uint8_t out[IMG_SIG_V1_LEN]);

/* Where in a sector of blocks over a digest another one belongs: *idx.
 * ESP_ERR_NO_MEM: all three are taken; ESP_ERR_INVALID_STATE: a block is
 * damaged, of another scheme or for another digest; ESP_ERR_INVALID_ARG: the
 * key has signed already. */
MUST_CHECK esp_err_t img_sector_room(const uint8_t *sector,
                                     enum img_scheme scheme,
                                     const uint8_t *digest, const uint8_t *id,
                                     uint32_t *idx);

#endif
