/* slot/slot.h - write one firmware image into one partition.
 *
 * Guarantee: until slot_commit() returns ESP_OK the slot holds no image that a
 * bootloader would start, whatever happens, power loss at any flash operation
 * included: the first program unit, which holds the magic byte, stays in RAM
 * and is programmed last. (Only with opts.hold_head; the esp_ota_write() path
 * writes in order and calls slot_spoil() instead when verification fails.)
 * Each sector is erased once and programmed in pieces as long as the buffer,
 * each read back and compared. Nothing is erased before the buffer was full,
 * unless by slot_erase_step().
 * Order:  slot_open, slot_write..., slot_flush, then slot_commit or
 *         slot_close. slot_close() alone leaves an unbootable slot.
 * Memory: allocates nothing; the buffers are the caller's.
 * With opts.behind erases and programs are done beside the caller, who goes on
 * with the next bytes. slot_flush(), slot_commit() and slot_close() wait for
 * them, and so does slot_settle(); a failure is told by a later call.
 * Threads: one user at a time. */
#ifndef SLOT_SLOT_H
#define SLOT_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/image.h"
#include "part/part.h"
#include "slot/behind.h"

#define SLOT_HEAD_LEN 16u /* held back: one program unit of encrypted flash */

struct slot_opts {
    uint8_t *buf;       /* lives until slot_close() */
    bool hold_head;     /* see above; false for data partitions */
    uint32_t start_off; /* continue here, a multiple of the sector; 0: new */
    struct slot_behind *behind; /* NULL: each call does its work itself */
    /* Of buf: a sector is a multiple of it, and it is one of prog_len and
     * SLOT_HEAD_LEN. 0: erase_len. */
    uint32_t buf_len;
};

struct slot {
    struct part_dev *dev; /* borrowed until slot_close() */
    uint32_t sector_len;
    uint32_t fill_len;            /* bytes waiting in the buffer */
    uint32_t done_off;            /* all below is programmed, compared */
    uint32_t erased_off;          /* all below was erased by this session */
    uint8_t *buf;                 /* the one that is being filled */
    uint32_t buf_idx;             /* 0: opts.buf */
    esp_err_t err;                /* first failure; it sticks */
    uint32_t fail_off;            /* of a flash operation: where */
    uint32_t erase_cnt, prog_cnt; /* what it cost */
    bool flushed;
    uint8_t head[SLOT_HEAD_LEN];
    struct part_entry entry; /* a copy: the partition written */
    struct slot_opts opts;
};
#define SLOT_CLOSED \
    {               \
        .dev = NULL \
    }

/* ESP_ERR_INVALID_SIZE: the partition is no multiple of a sector, or
 * start_off is not, or buf_len does not fit. ESP_ERR_NOT_SUPPORTED: the flash
 * programs in units that SLOT_HEAD_LEN is no multiple of. Nothing is written.
 * A session that continues with hold_head and finds no head in flash needs it
 * through slot_set_head(). */
MUST_CHECK esp_err_t slot_open(struct slot *s, struct part_dev *dev,
                               const struct part_entry *entry,
                               const struct slot_opts *opts);

/* Appends; data is not kept. ESP_ERR_INVALID_SIZE: the image would outgrow the
 * partition (nothing of this call was written). ESP_ERR_FLASH_OP_FAIL:
 * read-back differed. After any error every later call returns it. */
MUST_CHECK esp_err_t slot_write(struct slot *s, const void *data, size_t len);

/* The same without a copy: where the next bytes belong, then how many were put
 * there. *len is 0 when the partition is full, else at least 1. Bytes past
 * the advance are not kept. */
MUST_CHECK esp_err_t slot_reserve(struct slot *s, void **ptr, size_t *len);
MUST_CHECK esp_err_t slot_advance(struct slot *s, size_t len);

/* Bytes taken so far, programmed or waiting. */
uint32_t slot_taken(const struct slot *s);

/* The buffer has moved, with what waits in it. Without opts.behind. */
void slot_set_buf(struct slot *s, uint8_t *buf);

/* The held head of a session that continues: the first SLOT_HEAD_LEN bytes of
 * the image, programmed by slot_commit(). */
void slot_set_head(struct slot *s, const uint8_t head[SLOT_HEAD_LEN]);

/* Erases at most one further sector, below limit_off. *more is false when
 * nothing is left to erase. Used for bulk erase and for erasing ahead. */
MUST_CHECK esp_err_t slot_erase_step(struct slot *s, uint32_t limit_off,
                                     bool *more);

/* Waits for what is done beside the caller. ESP_OK: all below slot_taken() less
 * what waits in the buffer is programmed and compared. */
MUST_CHECK esp_err_t slot_settle(struct slot *s);

/* Programs what waits in the buffer, padded with 0xFF to the program unit.
 * The last call before slot_commit(): nothing can be written after it. */
MUST_CHECK esp_err_t slot_flush(struct slot *s);

/* Makes the image readable: programs the held head. Takes the receipt of the
 * check that saw exactly these bytes, binds it to the partition and its write
 * generation. ESP_ERR_OTA_VALIDATE_FAILED: the receipt does not accept or
 * covers more than was written; ESP_ERR_INVALID_STATE: not flushed. */
MUST_CHECK esp_err_t slot_commit(struct slot *s, struct img_receipt *receipt);

/* Makes whatever image the partition starts with unbootable by clearing its
 * magic byte; erases the first sector only where the flash cannot program a
 * unit twice. Writes nothing when there is no magic byte. */
MUST_CHECK esp_err_t slot_spoil(struct part_dev *dev,
                                const struct part_entry *entry);

void slot_close(struct slot *s); /* idempotent */

#endif
