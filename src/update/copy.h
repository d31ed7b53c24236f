/* update/copy.h - from the staging partition to the final one, so that a power
 * cut leaves the old content, or one that is finished later.
 *
 * Before the final partition is touched the store is told what is to be
 * copied; the staged bytes stay as they are until it is done. Whoever finds
 * the note does all of it again. Pure, but for copy_run() and what calls it. */
#ifndef UPDATE_COPY_H
#define UPDATE_COPY_H

#include "base/span.h"
#include "crypto/sha256.h"
#include "image/image.h"
#include "part/part.h"
#include "slot/slot.h"

#define UPD_COPY_KEY "copy"
#define UPD_COPY_TEXT_LEN 256u /* with its NUL */

/* What is copied. Of the places only off and len are kept in a note. */
struct upd_copy {
    struct part_entry from, to;
    uint32_t len;
    uint8_t kind;  /* enum upd_kind */
    bool headless; /* the head is not in the staging partition */
    uint8_t head[SLOT_HEAD_LEN];
    uint8_t digest[SHA256_LEN]; /* of the bytes, head included */
};

void upd_copy_format(const struct upd_copy *c, char out[UPD_COPY_TEXT_LEN]);
/* ESP_ERR_INVALID_CRC, _VERSION, _SIZE: this text is none. */
MUST_CHECK esp_err_t upd_copy_parse(struct span in, struct upd_copy *out);

/* Of the buffer that a partition is written from. */
static inline uint32_t upd_buf_len(const struct part_dev *dev)
{
    uint32_t sector_len = dev->flash->erase_len;

    return sector_len < CFG_WRITE_LEN ? sector_len : CFG_WRITE_LEN;
}

/* Of what is staged. buf: upd_buf_len() bytes of room. */
MUST_CHECK esp_err_t upd_copy_digest(const struct part_dev *dev,
                                     const struct upd_copy *c, uint8_t *buf,
                                     uint8_t out[SHA256_LEN]);
/* Copies, and feeds what it copies to check unless that is NULL. to->opts are
 * set by whoever opened it; the head is left to slot_commit(). */
MUST_CHECK esp_err_t upd_copy_body(struct part_dev *dev,
                                   const struct upd_copy *c, struct slot *to,
                                   struct img_check *check);

#endif
