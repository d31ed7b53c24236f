/* image/identity.h - what tells one release from another before its end is
 * known: for the list of images that failed. */
#ifndef IMAGE_IDENTITY_H
#define IMAGE_IDENTITY_H

#include "base/err.h"
#include "base/span.h"
#include "image/image.h"

/* head: an application image's first IMG_HEAD_LEN bytes. The SHA-256 of its ELF
 * file, from the description; of these bytes where that is blank (all 0x00 or
 * all 0xFF). ESP_ERR_NOT_FOUND: there is no image with a description. */
MUST_CHECK esp_err_t img_identity(struct span head, uint8_t out[SHA256_LEN]);

#endif
