/* update/checkpoint.h - how far a download got, as bytes that a store keeps.
 * Pure.
 *
 * A checkpoint says: of the file F at the address A, the first off bytes are
 * in this slot, and their digest is D. F is named by its validators, so that
 * the server is asked for the rest of that file and no other; D is computed
 * again from flash, so that nothing that a checkpoint says is taken on trust.
 * The head is in it, because a slot that is not finished does not have it. Of
 * a file that is transformed, off counts what it became, and the checkpoint
 * names the file's own head, on which that hangs. */
#ifndef UPDATE_CHECKPOINT_H
#define UPDATE_CHECKPOINT_H

#include "base/span.h"
#include "crypto/sha256.h"
#include "part/part.h"
#include "slot/slot.h"
#include "update/decide.h"
#include "update/update.h"

#define UPD_CHECKPOINT_KEY "resume"
#define UPD_CHECKPOINT_TEXT_LEN 512u /* with its NUL */

struct upd_checkpoint {
    /* The address asked first: all of it but the query, and the query, which
     * in signed URLs changes with the signature. */
    uint8_t place[SHA256_LEN / 2], query[SHA256_LEN / 2];
    uint32_t slot_off, slot_len;
    uint32_t off;
    struct upd_file file;
    uint8_t digest[SHA256_LEN];
    uint8_t head[SLOT_HEAD_LEN];
    uint32_t skip_len; /* bytes of the file before those of the image */
    uint8_t mark[UPD_MARK_LEN]; /* of the stage's head; zeros: no stage */
};

/* Of the file only the length and the stronger validator are kept. */
void upd_checkpoint_format(const struct upd_checkpoint *c,
                           char out[UPD_CHECKPOINT_TEXT_LEN]);
/* ESP_ERR_INVALID_CRC, ESP_ERR_INVALID_VERSION, ESP_ERR_INVALID_SIZE: this
 * text is none. */
MUST_CHECK esp_err_t upd_checkpoint_parse(struct span in,
                                          struct upd_checkpoint *out);

/* May a session go on with it? wanted: its address and slot; sector_len of
 * the flash, cap_len of the slot. NULL: yes; else why not, in words. */
const char *upd_checkpoint_refuse(const struct upd_checkpoint *c,
                                  const struct upd_checkpoint *wanted,
                                  uint32_t sector_len, uint32_t cap_len);

#endif
