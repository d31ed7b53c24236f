/* otadata/otadata.h - the two boot records, their log, one transaction.
 *
 * Format of the records: reference 3.1; of the log that stands in the bytes of
 * each sector that the reference ignores: docs/decisions/ (otadata log).
 *
 * Guarantee: whatever operation the power is cut in, otadata_read() afterwards
 * shows the old record or the new one, never neither; no sector is erased
 * unless its sibling holds the newest open intent naming it.
 * Pure:   otadata_parse, otadata_rec_*, otadata_activate_plan.
 * Memory: allocates nothing, reads flash 64 bytes at a time. */
#ifndef OTADATA_OTADATA_H
#define OTADATA_OTADATA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "port/flash.h"

#define OTADATA_SECTOR 0x1000u
#define OTADATA_LEN 0x2000u
#define OTADATA_REC_LEN 32u
#define OTADATA_SEQ_NONE 0xFFFFFFFFu

enum ota_state {
    OTA_STATE_NEW = 0,
    OTA_STATE_PENDING = 1,
    OTA_STATE_VALID = 2,
    OTA_STATE_INVALID = 3,
    OTA_STATE_ABORTED = 4
};
#define OTA_STATE_UNDEFINED 0xFFFFFFFFu

struct ota_rec {
    uint32_t seq;
    uint8_t label[20];
    uint32_t state; /* enum ota_state, or OTA_STATE_UNDEFINED, or garbage */
    uint32_t crc;   /* over seq only */
};

uint32_t ota_rec_crc(uint32_t seq);
bool ota_rec_crc_ok(const struct ota_rec *r);
/* The reference's predicates, exactly (3.1): never to be chosen / usable. */
bool ota_rec_invalid(const struct ota_rec *r);
bool ota_rec_valid(const struct ota_rec *r);
bool ota_rec_blank(const struct ota_rec *r);
void ota_rec_parse(const uint8_t bytes[OTADATA_REC_LEN], struct ota_rec *out);
void ota_rec_pack(const struct ota_rec *r, uint8_t out[OTADATA_REC_LEN]);
/* Index of the record the reference calls active, or OTA_REC_NONE. */
#define OTA_REC_NONE 2u
uint32_t ota_active_idx(const struct ota_rec rec[2]);
/* Slot that a sequence number names; slot_cnt > 0. */
uint32_t ota_seq_slot(uint32_t seq, uint32_t slot_cnt);
/* "NEW", "PENDING_VERIFY", "VALID", "INVALID", "ABORTED", "UNDEFINED",
 * "state 0x.." is given as "UNKNOWN". */
const char *ota_state_name(uint32_t state);

/* What the two sectors say, an unfinished change counted as done. */
struct otadata {
    struct ota_rec rec[2]; /* what to decide on */
    struct ota_rec raw[2]; /* what the first 32 bytes of each sector say */
    bool redo_open;        /* a change was cut: redo it before any other */
    uint32_t redo_idx;     /* the record it was changing */
    uint32_t gen;          /* highest generation in both logs */
    uint32_t free_cnt[2];  /* free log entries by sector */
    /* more fields are private to otadata */
    uint32_t next_off[2]; /* of a free entry, from the sector's start */
    bool void_open;       /* an open intent that another tool overtook */
    uint32_t open_off;    /* of the open or void intent, from the start */
};

/* Entries kept for the bootloader's marks: with fewer, activation moves
 * house. */
#define OTADATA_LOG_RESERVE 8u

/* Pure. ESP_ERR_INVALID_SIZE: fewer than OTADATA_LEN bytes. */
MUST_CHECK esp_err_t otadata_parse(struct span bytes, struct otadata *out);

/* Where the otadata partition is. */
struct otadata_place {
    const struct port_flash *flash; /* borrowed */
    uint32_t off;
};

/* ESP_ERR_INVALID_SIZE: len < OTADATA_LEN; else errors of the flash. Never
 * writes. */
MUST_CHECK esp_err_t otadata_read(const struct otadata_place *at, uint32_t len,
                                  struct otadata *out);

/* Finishes a change that was cut and closes an intent that became void;
 * writes nothing when neither is there. Reads *o afresh.
 * ESP_ERR_NOT_SUPPORTED: the flash does not have sectors of 4096 bytes
 * and a program unit of 1, 2, 4, 8 or 16;
 * ESP_ERR_FLASH_OP_FAIL: read-back differed; else errors of the flash. After
 * an error *o still says what to decide on. */
MUST_CHECK esp_err_t otadata_redo(const struct otadata_place *at,
                                  struct otadata *o);

/* Replaces record idx by *rec under an intent, and reads *o afresh. Redoes an
 * open change first; writes nothing when the record reads so already. A *rec
 * of nothing but 0xFF leaves the record blank. With no free log entry it does
 * as the reference: erase, write (the only case in which a cut may lose the
 * record). Errors: those of otadata_redo(); ESP_ERR_INVALID_ARG: idx > 1. */
MUST_CHECK esp_err_t otadata_change(const struct otadata_place *at,
                                    struct otadata *o, uint32_t idx,
                                    const struct ota_rec *rec);

/* What making a slot the boot target takes. Pure. */
struct otadata_activation {
    bool move_house; /* step 1: rec[house_idx] := house_rec, the running
                              slot's record with its next higher sequence */
    uint32_t house_idx;
    struct ota_rec house_rec;
    uint32_t target_idx; /* then rec[target_idx] := target_rec */
    struct ota_rec target_rec;
};

struct otadata_request {
    uint32_t slot; /* to be booted next */
    uint32_t slot_cnt;
    bool running_is_slot; /* false: factory or test runs */
    uint32_t running_slot;
    uint32_t state; /* of the new record: NEW or UNDEFINED */
};

/* ESP_ERR_INVALID_ARG: slot >= slot_cnt, or running_slot is. A usable record of
 * the running slot is never overwritten by another slot's: it moves first. */
MUST_CHECK esp_err_t otadata_activate_plan(const struct otadata *o,
                                           const struct otadata_request *req,
                                           struct otadata_activation *out);
MUST_CHECK esp_err_t otadata_activate(const struct otadata_place *at,
                                      struct otadata *o,
                                      const struct otadata_request *req);

#endif
