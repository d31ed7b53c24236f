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

/* --- what else the log knows ---------------------------------------------- */

/* One thing that happened to a program on trial. */
enum ota_event_kind {
    OTA_EVENT_NONE = 0,
    OTA_EVENT_STARTED = 1, /* the trial goes on: one more start */
    OTA_EVENT_CONFIRMED = 2,
    OTA_EVENT_GIVEN_UP = 3
};
enum ota_event_who {
    OTA_BY_NOBODY = 0,
    OTA_BY_BOOTLOADER = 1,
    OTA_BY_APP = 2,    /* the program said so */
    OTA_BY_POLICY = 3, /* its confirmation policy did */
    OTA_BY_TOOL = 4    /* somebody at a computer */
};
enum ota_event_why {
    OTA_WHY_NONE = 0,
    OTA_WHY_RESET = 1,     /* its starts are used up */
    OTA_WHY_IMAGE_BAD = 2, /* its image does not verify */
    OTA_WHY_CALL = 3,      /* asked for, no reason given */
    OTA_WHY_MET = 4,       /* all conditions were met */
    OTA_WHY_DEADLINE = 5,  /* they were not in time */
    OTA_WHY_STARTS = 6,    /* ... nor in as many starts as allowed */
    OTA_WHY_CONDITION = 7, /* one of them was reported to fail */
    OTA_WHY_CALLBACK = 8,  /* the application's callback decided */
    OTA_WHY_TOO_OLD = 9    /* its secure version is below the fuses' */
};
#define OTA_EVENT_TEXT_LEN 16u
struct ota_event {
    uint32_t seq;    /* of the record */
    uint8_t rec_idx; /* of the record */
    union {
        struct {
            uint8_t kind, who, why;
            uint8_t reset_reason; /* enum port_reset_reason of the last one */
            uint8_t charged; /* resets that count against the trial's budget */
            uint8_t power;   /* resets by power that were excused */
        };
        uint8_t bytes[6]; /* in the order in which they are stored */
    };
    uint32_t up_ms;      /* since the program's start; UINT32_MAX: unknown */
    uint32_t conditions; /* bit mask: met, or the one that failed */
    char text[OTA_EVENT_TEXT_LEN]; /* the program's words; NUL unless full */
};

/* "started", "bootloader"; "unknown" for what a later version wrote. */
const char *ota_event_kind_name(uint8_t kind);
const char *ota_event_who_name(uint8_t who);
/* A sentence without its subject: "it was asked for". */
const char *ota_event_why_text(uint8_t why);

/* An entry that outlives its sector: where it stands, 0 where it does not. */
struct ota_live {
    uint32_t gen; /* 0: there is none */
    uint16_t off[2];
};
#define OTADATA_DENY_MAX 8u
#define OTADATA_DIGEST_LEN 32u
enum {
    OTA_LIVE_STARTED, /* newest start, newer than any verdict */
    OTA_LIVE_VERDICT, /* newest CONFIRMED or GIVEN_UP */
    OTA_LIVE_CLEARED, /* denied digests older than this are forgotten */
    OTA_LIVE_DENY,    /* OTADATA_DENY_MAX of them */
    OTA_LIVE_CNT = OTA_LIVE_DENY + OTADATA_DENY_MAX
};

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
    struct ota_live live[OTA_LIVE_CNT];
    struct ota_event event; /* the newest of all; kind NONE: there is none */
};

/* With fewer free entries activation moves house. A trial takes at most
 * 3 changes, OTADATA_STARTS_MAX starts and a verdict; what is left then has
 * room for an intent and for all that a move carries over. */
#define OTADATA_STARTS_MAX 16u
#define OTADATA_LOG_KEEP 4u /* for changes; nothing else takes them */
#define OTADATA_LOG_RESERVE \
    (OTADATA_STARTS_MAX + OTADATA_LOG_KEEP + OTA_LIVE_CNT + 2u)

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

/* Appends an event to the log of its record's sibling, and reads *o afresh.
 * Redoes an open change first. ESP_ERR_NO_MEM: only the places kept for
 * changes are left; else errors of otadata_redo(). */
MUST_CHECK esp_err_t otadata_note(const struct otadata_place *at,
                                  struct otadata *o,
                                  const struct ota_event *event);

/* The newest verdict, kind NONE if there is none. */
MUST_CHECK esp_err_t otadata_verdict(const struct otadata_place *at,
                                     const struct otadata *o,
                                     struct ota_event *out);

/* Digests of images that failed here, the newest OTADATA_DENY_MAX. idx counts
 * from the newest; ESP_ERR_NOT_FOUND: no so many. */
MUST_CHECK esp_err_t otadata_deny_get(const struct otadata_place *at,
                                      const struct otadata *o, uint32_t idx,
                                      uint8_t digest[OTADATA_DIGEST_LEN]);
/* *denied is true, too, when there is an error. */
MUST_CHECK esp_err_t otadata_deny_has(const struct otadata_place *at,
                                      const struct otadata *o,
                                      const uint8_t digest[OTADATA_DIGEST_LEN],
                                      bool *denied);
/* Writes nothing when it is there. ESP_ERR_NO_MEM: the logs are full; the next
 * activation makes room. */
MUST_CHECK esp_err_t otadata_deny_add(const struct otadata_place *at,
                                      struct otadata *o,
                                      const uint8_t digest[OTADATA_DIGEST_LEN]);
/* The same for what record idx gave up. Once learnt it is not learnt again: the
 * slot may hold another image by then. Writes nothing when it was, or when the
 * list was emptied since. */
MUST_CHECK esp_err_t
otadata_deny_learn(const struct otadata_place *at, struct otadata *o,
                   const uint8_t digest[OTADATA_DIGEST_LEN], uint32_t idx);
MUST_CHECK esp_err_t otadata_deny_learnt(const struct otadata_place *at,
                                         const struct otadata *o, uint32_t idx,
                                         bool *learnt);
MUST_CHECK esp_err_t otadata_deny_clear(const struct otadata_place *at,
                                        struct otadata *o);

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
