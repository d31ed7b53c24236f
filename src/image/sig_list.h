/* image/sig_list.h - which signature blocks follow an image. Recognises,
 * verifies nothing. Pure, allocates nothing. Layout: signatures.md 5.2, 5.3. */
#ifndef IMAGE_SIG_LIST_H
#define IMAGE_SIG_LIST_H

#include "base/span.h"

#define IMG_SIG_MAX 3u
#define IMG_SIG_V1_LEN 68u
#define IMG_SIG_V2_LEN 1216u /* one block; a sector holds three */
#define IMG_SIG_SECTOR_LEN 4096u

struct img_sig {
    const char *scheme; /* "v1-ecdsa256", "v2-rsa3072", "v2-ecdsa384", ... */
    uint32_t off;       /* from the start of the image */
};

/* file: the image and all that follows; image_len: with the appended digest.
 * Returns how many blocks were found. */
uint32_t img_sig_list(struct span file, uint32_t image_len,
                      struct img_sig out[IMG_SIG_MAX]);

#endif
