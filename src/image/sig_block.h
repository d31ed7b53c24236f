/* image/sig_block.h - the bytes of a signature block (reference signatures.md
 * 5.2, 5.3): span in, struct out. Pure, verifies nothing.
 *
 * Stricter than the reference where a byte has one value only: what is said to
 * be zero is zero, e is 65537, a modulus has 3072 bits. */
#ifndef IMAGE_SIG_BLOCK_H
#define IMAGE_SIG_BLOCK_H

#include <stdint.h>

#include "crypto/sha256.h"

#define IMG_SIG_V1_LEN 68u
#define IMG_SIG_V2_LEN 1216u /* one block */
#define IMG_SIG_V2_CNT 3u    /* in a sector; the rest of it is 0xFF */
#define IMG_SIG_SECTOR_LEN 4096u

enum img_scheme {
    IMG_SCHEME_NONE = 0,
    IMG_SCHEME_V1,       /* ECDSA P-256, block without a key */
    IMG_SCHEME_RSA3072,  /* V2 */
    IMG_SCHEME_ECDSA256, /* V2 */
    IMG_SCHEME_ECDSA384  /* V2 */
};

enum img_block_kind {
    IMG_BLOCK_BAD = 0,
    IMG_BLOCK_ERASED, /* only 0xFF */
    IMG_BLOCK_OTHER,  /* of a curve, or a scheme, that is not in this build */
    IMG_BLOCK_GOOD
};

/* Pointers into the bytes that were parsed. Numbers are little-endian. */
struct img_block {
    enum img_scheme scheme;
    const uint8_t *digest; /* of the image, as the signer saw it */
    uint32_t digest_len;
    const uint8_t *key;     /* n, or X and Y */
    const uint8_t *sig;     /* s, or r and s */
    uint8_t id[SHA256_LEN]; /* of the key */
};

/* *out is set only for GOOD. */
enum img_block_kind img_block_parse(const uint8_t bytes[IMG_SIG_V2_LEN],
                                    struct img_block *out);

/* The 64 bytes of r and s, little-endian, of a V1 block. ERASED, BAD: its
 * version is not 0; GOOD. */
enum img_block_kind img_block_parse_v1(const uint8_t bytes[IMG_SIG_V1_LEN],
                                       uint8_t rs[64]);

/* The id of a P-256 key: that of its V2 block, for V1 as well. */
void img_key_id_p256(const uint8_t xy[64], uint8_t id[SHA256_LEN]);

/* Where a signature of the scheme starts, and how long it is. */
uint32_t img_sig_off(enum img_scheme scheme, uint32_t image_len);
uint32_t img_sig_len(enum img_scheme scheme);

/* "v1", "rsa3072", ...; "none". */
const char *img_scheme_name(enum img_scheme scheme);

#endif
