/* otadata/log.c - parse the log and decide what the two sectors say.
 *
 * Only the change with the highest generation counts. If it is open, neither
 * the record nor the log of the sector it names is believed: a half-done erase
 * leaves bytes that may look right. See docs/decisions/0010-otadata-log.md. */
#include "otadata/log.h"

#include <string.h>

#include "base/crc32.h"
#include "base/le.h"

#define MAGIC 0x4C50u
#define TYPE_OFF 2u
#define TARGET_OFF 3u
#define GEN_OFF 4u
#define OLD_SEQ_OFF 8u
#define CRC_OFF 12u
#define REC_OFF 16u

static uint32_t entry_crc(const uint8_t *entry)
{
    uint32_t crc = crc32_le(0, entry, CRC_OFF);
    return crc32_le(crc, entry + REC_OFF, OTADATA_REC_LEN);
}

static bool window_blank(const uint8_t *window)
{
    for (size_t i = 0; i < OTA_LOG_ENTRY_LEN; i++)
        if (window[i] != 0xFF)
            return false;
    return true;
}

bool ota_log_parse(const uint8_t window[OTA_LOG_ENTRY_LEN],
                   struct ota_log_entry *out)
{
    if (le16_get(window) != MAGIC ||
        le32_get(window + CRC_OFF) != entry_crc(window))
        return false;
    out->type = window[TYPE_OFF];
    out->target = window[TARGET_OFF];
    out->gen = le32_get(window + GEN_OFF);
    out->old_seq = le32_get(window + OLD_SEQ_OFF);
    out->open = le32_get(window + OTA_LOG_DONE_OFF) != 0;
    ota_rec_parse(window + REC_OFF, &out->rec);
    return out->gen != 0 && out->gen <= OTA_LOG_GEN_MAX;
}

void ota_log_pack(const struct ota_log_entry *e, uint8_t out[OTA_LOG_BODY_LEN])
{
    le16_put(out, MAGIC);
    out[TYPE_OFF] = e->type;
    out[TARGET_OFF] = e->target;
    le32_put(out + GEN_OFF, e->gen);
    le32_put(out + OLD_SEQ_OFF, e->old_seq);
    ota_rec_pack(&e->rec, out + REC_OFF);
    le32_put(out + CRC_OFF, entry_crc(out));
}

void ota_scan_begin(struct ota_scan *s)
{
    memset(s, 0, sizeof(*s));
    s->next_off[0] = OTA_LOG_OFF;
    s->next_off[1] = OTA_LOG_OFF;
}

static void scan_entry(struct ota_scan *s, uint32_t off, const uint8_t *window)
{
    struct ota_log_entry e;
    if (!ota_log_parse(window, &e))
        return;
    if (e.gen > s->gen)
        s->gen = e.gen;
    /* An intent never stands in the sector that it lets be erased. */
    if (e.type == OTA_LOG_CHANGE && e.gen > s->newest.gen &&
        e.target == 1 - off / OTADATA_SECTOR) {
        s->newest = e;
        s->newest_off = off;
    }
}

void ota_scan_feed(struct ota_scan *s, uint32_t off,
                   const uint8_t window[OTA_LOG_ENTRY_LEN])
{
    uint32_t sector = off / OTADATA_SECTOR;
    uint32_t in_sector = off % OTADATA_SECTOR;
    if (in_sector == 0) {
        ota_rec_parse(window, &s->raw[sector]);
        return;
    }
    if (window_blank(window))
        return;
    if (in_sector + OTA_LOG_ENTRY_LEN > s->next_off[sector])
        s->next_off[sector] = in_sector + OTA_LOG_ENTRY_LEN;
    scan_entry(s, off, window);
}

/* A record that neither side of the change can have left there. */
static bool rec_foreign(const struct ota_rec *raw,
                        const struct ota_log_entry *intent)
{
    return ota_rec_crc_ok(raw) && raw->seq != OTADATA_SEQ_NONE &&
           raw->seq != intent->old_seq && raw->seq != intent->rec.seq;
}

void ota_scan_end(const struct ota_scan *s, struct otadata *out)
{
    memset(out, 0, sizeof(*out));
    for (uint32_t i = 0; i < 2; i++) {
        out->raw[i] = s->raw[i];
        out->rec[i] = s->raw[i];
        out->next_off[i] = s->next_off[i];
        out->free_cnt[i] =
            s->gen >= OTA_LOG_GEN_MAX
                ? 0
                : (OTADATA_SECTOR - s->next_off[i]) / OTA_LOG_ENTRY_LEN;
    }
    out->gen = s->gen;
    out->open_off = s->newest_off;
    if (s->newest.gen == 0 || !s->newest.open)
        return;
    uint32_t idx = s->newest.target;
    if (rec_foreign(&s->raw[idx], &s->newest)) {
        out->void_open = true;
        return;
    }
    out->redo_open = true;
    out->redo_idx = idx;
    out->rec[idx] = s->newest.rec;
}
