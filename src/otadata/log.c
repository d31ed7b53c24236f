/* otadata/log.c - parse the log and decide what the two sectors say.
 *
 * Only the change with the highest generation counts. If it is open, neither
 * the record nor the log of the sector it names is believed: a half-done erase
 * leaves bytes that may look right. See docs/decisions/0010-otadata-log.md. */
#include "otadata/log.h"

#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/le.h"
#include "base/policy.h"

#define MAGIC 0x4C50u
#define TYPE_OFF 2u
#define TARGET_OFF 3u
#define GEN_OFF 4u
#define OLD_SEQ_OFF 8u
#define CRC_OFF 12u
#define REC_OFF 16u /* the data: a record, an event, a digest */

static uint32_t entry_crc(const uint8_t *entry)
{
    uint32_t crc = crc32_le(0, entry, CRC_OFF);
    return crc32_le(crc, entry + REC_OFF, OTA_LOG_DATA_LEN);
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
    memcpy(out->data, window + REC_OFF, sizeof(out->data));
    return out->gen != 0 && out->gen <= OTA_LOG_GEN_MAX;
}

void ota_log_pack(const struct ota_log_entry *e, uint8_t out[OTA_LOG_BODY_LEN])
{
    le16_put(out, MAGIC);
    out[TYPE_OFF] = e->type;
    out[TARGET_OFF] = e->target;
    le32_put(out + GEN_OFF, e->gen);
    le32_put(out + OLD_SEQ_OFF, e->old_seq);
    memcpy(out + REC_OFF, e->data, sizeof(e->data));
    le32_put(out + CRC_OFF, entry_crc(out));
}

/* An event's 32 bytes. */
enum {
    EV_KIND = 0, /* and five more */
    EV_UP = 8,
    EV_CONDITIONS = 12,
    EV_TEXT = 16
};

void ota_event_parse(const struct ota_log_entry *e, struct ota_event *out)
{
    const uint8_t *d = e->data;
    out->seq = e->old_seq;
    out->rec_idx = e->target;
    memcpy(out->bytes, d + EV_KIND, sizeof(out->bytes));
    out->up_ms = le32_get(d + EV_UP);
    out->conditions = le32_get(d + EV_CONDITIONS);
    memcpy(out->text, d + EV_TEXT, sizeof(out->text));
}

void ota_event_pack(const struct ota_event *event, struct ota_log_entry *out)
{
    uint8_t *d = out->data;
    memset(out, 0, sizeof(*out));
    out->type = OTA_LOG_EVENT;
    out->target = event->rec_idx;
    out->old_seq = event->seq;
    memcpy(d + EV_KIND, event->bytes, sizeof(event->bytes));
    le32_put(d + EV_UP, event->up_ms);
    le32_put(d + EV_CONDITIONS, event->conditions);
    memcpy(d + EV_TEXT, event->text, sizeof(event->text));
}

/* --- scan ----------------------------------------------------------------- */

void ota_scan_begin(struct ota_scan *s, struct otadata *out)
{
    memset(s, 0, sizeof(*s));
    memset(out, 0, sizeof(*out));
    s->out = out;
    out->next_off[0] = OTA_LOG_OFF;
    out->next_off[1] = OTA_LOG_OFF;
}

/* The same entry may stand in both sectors: it was being carried over. */
static void note_live(struct ota_live *l, uint32_t gen, uint32_t off)
{
    if (gen < l->gen)
        return;
    if (gen > l->gen)
        memset(l, 0, sizeof(*l));
    l->gen = gen;
    l->off[off / OTADATA_SECTOR] = (uint16_t)off;
}

static void note_denied(struct ota_live *deny, uint32_t gen, uint32_t off)
{
    struct ota_live *l = deny;
    for (uint32_t i = 0; i < OTADATA_DENY_MAX; i++) {
        if (deny[i].gen == gen) {
            l = &deny[i];
            break;
        }
        if (deny[i].gen < l->gen)
            l = &deny[i];
    }
    note_live(l, gen, off);
}

static void scan_event(struct ota_scan *s, const struct ota_log_entry *e,
                       uint32_t off)
{
    bool started = e->data[EV_KIND] == OTA_EVENT_STARTED;
    note_live(&s->out->live[started ? OTA_LIVE_STARTED : OTA_LIVE_VERDICT],
              e->gen, off);
    if (!pol_trials() || e->gen <= s->event_gen)
        return;
    s->event_gen = e->gen;
    ota_event_parse(e, &s->out->event);
}

static void scan_entry(struct ota_scan *s, uint32_t off, const uint8_t *window)
{
    struct ota_live *live = s->out->live;
    struct ota_log_entry e;
    if (!ota_log_parse(window, &e))
        return;
    if (e.gen > s->out->gen)
        s->out->gen = e.gen;
    if (e.type == OTA_LOG_EVENT)
        scan_event(s, &e, off);
    if (e.type == OTA_LOG_DENY)
        note_denied(live + OTA_LIVE_DENY, e.gen, off);
    if (e.type == OTA_LOG_DENY_CLEAR)
        note_live(&live[OTA_LIVE_CLEARED], e.gen, off);
    /* An intent never stands in the sector that it lets be erased. */
    if (e.type == OTA_LOG_CHANGE && e.gen > s->newest.gen &&
        e.target == 1 - off / OTADATA_SECTOR) {
        s->newest = e;
        s->out->open_off = off;
    }
}

void ota_scan_feed(struct ota_scan *s, uint32_t off,
                   const uint8_t window[OTA_LOG_ENTRY_LEN])
{
    uint32_t sector = off / OTADATA_SECTOR;
    uint32_t in_sector = off % OTADATA_SECTOR;
    if (in_sector == 0) {
        ota_rec_parse(window, &s->out->raw[sector]);
        return;
    }
    if (bytes_are(window, OTA_LOG_ENTRY_LEN, 0xFF))
        return;
    if (in_sector + OTA_LOG_ENTRY_LEN > s->out->next_off[sector])
        s->out->next_off[sector] = in_sector + OTA_LOG_ENTRY_LEN;
    scan_entry(s, off, window);
}

/* A record that neither side of the change can have left there. */
static bool rec_foreign(const struct ota_rec *raw, uint32_t old_seq,
                        uint32_t new_seq)
{
    return ota_rec_crc_ok(raw) && raw->seq != OTADATA_SEQ_NONE &&
           raw->seq != old_seq && raw->seq != new_seq;
}

/* Drops what is older than min, and what stands nowhere but in the sector of
 * an open change: that one is not believed, and what lives was carried over
 * before the intent. */
static void live_prune(struct otadata *o, uint32_t k, uint32_t min)
{
    struct ota_live *l = &o->live[k];
    if (o->redo_open)
        l->off[o->redo_idx] = 0;
    if (l->gen < min || ota_live_off(l) == 0)
        memset(l, 0, sizeof(*l));
}

static void scan_change(const struct ota_scan *s, struct otadata *out)
{
    struct ota_rec rec;
    uint32_t idx = s->newest.target;
    if (s->newest.gen == 0 || !s->newest.open)
        return;
    ota_rec_parse(s->newest.data, &rec);
    if (rec_foreign(&out->raw[idx], s->newest.old_seq, rec.seq)) {
        out->void_open = true;
        return;
    }
    out->redo_open = true;
    out->redo_idx = idx;
    out->rec[idx] = rec;
}

void ota_scan_end(struct ota_scan *s)
{
    struct otadata *out = s->out;
    for (uint32_t i = 0; i < 2; i++) {
        out->rec[i] = out->raw[i];
        out->free_cnt[i] =
            out->gen >= OTA_LOG_GEN_MAX
                ? 0
                : (OTADATA_SECTOR - out->next_off[i]) / OTA_LOG_ENTRY_LEN;
    }
    scan_change(s, out);
    for (uint32_t k = 0; k < OTA_LIVE_CNT; k++)
        live_prune(out, k,
                   k == OTA_LIVE_STARTED ? out->live[OTA_LIVE_VERDICT].gen
                   : k >= OTA_LIVE_DENY  ? out->live[OTA_LIVE_CLEARED].gen
                                         : 0);
    if (pol_trials() && out->live[OTA_LIVE_STARTED].gen != s->event_gen &&
        out->live[OTA_LIVE_VERDICT].gen != s->event_gen)
        memset(&out->event, 0, sizeof(out->event));
}
