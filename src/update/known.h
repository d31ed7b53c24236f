/* update/known.h - what is known of the file that the running image came from:
 * where it was, and the validators that its server gave. Pure.
 *
 * As text, the fields are parted by tabs: version of this format, hash of the
 * URL, slot, length and fingerprint of the image, ETag, Last-Modified. */
#ifndef UPDATE_KNOWN_H
#define UPDATE_KNOWN_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "crypto/sha256.h"
#include "http/head.h"
#include "part/part.h"

struct upd_known {
    uint8_t url[SHA256_LEN];
    char slot[PART_LABEL_LEN + 1];
    uint32_t image_len;
    uint8_t print[SHA256_LEN];
    char etag[sizeof(((struct http_head *)0)->etag)];
    char last_modified[sizeof(((struct http_head *)0)->last_modified)];
};

#define UPD_KNOWN_TEXT_LEN 400u

/* False: a field has a tab or a line end in it, and is not to be kept. */
MUST_CHECK bool upd_known_format(const struct upd_known *k,
                                 char out[UPD_KNOWN_TEXT_LEN]);
/* ESP_ERR_INVALID_RESPONSE: not such a text. */
MUST_CHECK esp_err_t upd_known_parse(struct span text, struct upd_known *out);

#endif
