/* image/sig_list.h - which signature blocks follow an image, for people who
 * look at a file. A block of V2 holds its key, so it can be told whether it is
 * right by that key; whether anybody should trust that key is not known here.
 * Pure, allocates nothing. Layout: signatures.md 5.2, 5.3. */
#ifndef IMAGE_SIG_LIST_H
#define IMAGE_SIG_LIST_H

#include <stdbool.h>

#include "base/span.h"
#include "base/verdict.h"
#include "image/sig_block.h"

#define IMG_SIG_MAX (1u + IMG_SIG_V2_CNT) /* a V1 block, and a sector's */

struct img_sig_found {
    const char *scheme; /* "v1-ecdsa256", "v2-rsa3072", "v2-ecdsa384", ...,
                           "v2-damaged" */
    uint32_t off;       /* from the start of the image */
    bool has_key;
    uint8_t id[SHA256_LEN]; /* has_key */
    enum verdict right;     /* has_key */
};

/* file: the image and all that follows; image_len: with the appended digest.
 * Returns how many blocks were found. */
uint32_t img_sig_list(struct span file, uint32_t image_len,
                      struct img_sig_found out[IMG_SIG_MAX]);

#endif
