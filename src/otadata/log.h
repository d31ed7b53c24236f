/* otadata/log.h - the log of announced changes: bytes and what they mean.
 *
 * Format and protocol: docs/decisions/0010-otadata-log.md. Pure; the scan is
 * fed both sectors in windows of 64 bytes, so that nobody holds 8 KiB. */
#ifndef OTADATA_LOG_H
#define OTADATA_LOG_H

#include "otadata/otadata.h"

#define OTA_LOG_OFF 64u /* of the first entry, in its sector */
#define OTA_LOG_ENTRY_LEN 64u
#define OTA_LOG_BODY_LEN 48u /* programmed as the intent */
#define OTA_LOG_DONE_OFF 48u /* of the done word, in the entry */
#define OTA_LOG_MAX_UNIT 16u /* largest program unit that the layout bears */
#define OTA_LOG_GEN_MAX 0xFFFFFFFEu

#define OTA_LOG_DATA_LEN 32u

enum ota_log_type {
    OTA_LOG_CHANGE = 1,
    OTA_LOG_EVENT = 2,
    OTA_LOG_DENY = 3,
    OTA_LOG_DENY_CLEAR = 4
};

struct ota_log_entry {
    uint32_t gen;
    uint8_t type;     /* enum ota_log_type, or a later version's */
    uint8_t target;   /* record that changes, or that the event is about */
    bool open;        /* the done word is not 0 */
    uint32_t old_seq; /* of an event: the record's */
    uint8_t data[OTA_LOG_DATA_LEN]; /* the new record, the event, the digest */
};

/* false: not an entry, or a torn one. */
bool ota_log_parse(const uint8_t window[OTA_LOG_ENTRY_LEN],
                   struct ota_log_entry *out);
/* The body of a change; the done word is programmed apart. */
void ota_log_pack(const struct ota_log_entry *e, uint8_t out[OTA_LOG_BODY_LEN]);

/* Of a build without events none is parsed, but all are carried over. */
void ota_event_parse(const struct ota_log_entry *e, struct ota_event *out);
void ota_event_pack(const struct ota_event *event, struct ota_log_entry *out);

struct ota_scan {
    struct otadata *out;
    uint32_t event_gen;
    struct ota_log_entry newest; /* the newest change; gen 0: none */
};

/* For change.c and deny.c: appends to the log in a sector, and reads *o
 * afresh. e->gen is filled in. ESP_ERR_NO_MEM: only the places kept for
 * changes, and for a digest those kept for events, are left. */
MUST_CHECK esp_err_t ota_log_append(const struct otadata_place *at,
                                    struct otadata *o, uint32_t sector,
                                    struct ota_log_entry *e);
/* Where the entry stands, from the start; either place is good. */
static inline uint32_t ota_live_off(const struct ota_live *l)
{
    return l->off[0] ? l->off[0] : l->off[1];
}

void ota_scan_begin(struct ota_scan *s, struct otadata *out);
/* off: from the start of the partition; each multiple of 64 below OTADATA_LEN
 * once, in any order. */
void ota_scan_feed(struct ota_scan *s, uint32_t off,
                   const uint8_t window[OTA_LOG_ENTRY_LEN]);
void ota_scan_end(struct ota_scan *s);

#endif
