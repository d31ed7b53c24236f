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

enum ota_log_type { OTA_LOG_CHANGE = 1 };

struct ota_log_entry {
    uint32_t gen;
    uint8_t type;   /* enum ota_log_type, or a later version's */
    uint8_t target; /* record that changes */
    bool open;      /* the done word is not 0 */
    uint32_t old_seq;
    struct ota_rec rec;
};

/* false: not an entry, or a torn one. */
bool ota_log_parse(const uint8_t window[OTA_LOG_ENTRY_LEN],
                   struct ota_log_entry *out);
/* The body of a change; the done word is programmed apart. */
void ota_log_pack(const struct ota_log_entry *e, uint8_t out[OTA_LOG_BODY_LEN]);

struct ota_scan {
    struct ota_rec raw[2];
    uint32_t next_off[2];
    uint32_t gen;                /* highest that counts, of any type */
    struct ota_log_entry newest; /* the newest change; gen 0: none */
    uint32_t newest_off;
};

void ota_scan_begin(struct ota_scan *s);
/* off: from the start of the partition; each multiple of 64 below OTADATA_LEN
 * once, in any order. */
void ota_scan_feed(struct ota_scan *s, uint32_t off,
                   const uint8_t window[OTA_LOG_ENTRY_LEN]);
void ota_scan_end(const struct ota_scan *s, struct otadata *out);

#endif
