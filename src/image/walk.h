/* image/walk.h - feed an image that is already in flash to the verifier. */
#ifndef IMAGE_WALK_H
#define IMAGE_WALK_H

#include "image/image.h"
#include "port/flash.h"

/* Receives the bytes as they pass, in order, so that a boot loads a slot while
 * it is verified and reads it once. NULL: nobody listens. An error ends the
 * walk and is returned. */
struct img_sink {
    void *ctx;
    esp_err_t (*feed)(void *ctx, const void *data, size_t len);
};

/* Verifies the image at [off, off + len) of flash, reading exactly its bytes
 * once through buf (caller's, at least 256 bytes; 4096 is a good size).
 * rules->cap_len is taken as len. On ESP_OK *receipt is bound to the range,
 * with receipt->gen = gen. *check may be inspected afterwards (info, fault).
 * ESP_ERR_INVALID_ARG: len over IMG_MAX_LEN. Otherwise errors of
 * img_check_feed/finish, ESP_ERR_IMAGE_FLASH_FAIL or the sink's. */
/* lint-ok: function, one call walks a slot and has no state to keep */
MUST_CHECK esp_err_t img_check_flash(const struct port_flash *flash,
                                     uint32_t off, uint32_t len, uint32_t gen,
                                     const struct img_rules *rules,
                                     const struct img_sink *sink, void *buf,
                                     size_t buf_len, struct img_check *check,
                                     struct img_receipt *receipt);

#endif
