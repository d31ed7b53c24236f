/* otadata/change.c - the transaction that replaces one record, and the events
 * that are only appended.
 *
 * Invariant: no sector is erased unless its sibling holds the newest open
 * intent naming it; a full log is the one exception. Each step is read back
 * before the next one relies on it, and every operation starts from a fresh
 * read, so that a stale struct cannot steer an erase. The order is that of
 * docs/decisions/0010-otadata-log.md, "Changing record i". */
#include "otadata/log.h"

#include <string.h>

#define REC_CRC_OFF 28u

static uint32_t sector_off(const struct otadata_place *at, uint32_t idx)
{
    return at->off + idx * OTADATA_SECTOR;
}

/* Programs at most one entry's body and compares what the flash then holds. */
static esp_err_t prog_checked(const struct otadata_place *at, uint32_t off,
                              const uint8_t *data, size_t len)
{
    const struct port_flash *flash = at->flash;
    uint8_t back[OTA_LOG_BODY_LEN];
    esp_err_t err = flash->prog(flash->ctx, off, data, len);
    if (err)
        return err;
    err = flash->read(flash->ctx, off, back, len);
    if (err)
        return err;
    return memcmp(back, data, len) == 0 ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}

static esp_err_t erase_and_write(const struct otadata_place *at, uint32_t idx,
                                 const struct ota_rec *rec)
{
    const struct port_flash *flash = at->flash;
    uint32_t off = sector_off(at, idx);
    esp_err_t err = flash->erase(flash->ctx, off);
    if (err || ota_rec_blank(rec))
        return err;
    uint8_t bytes[OTADATA_REC_LEN];
    ota_rec_pack(rec, bytes);
    /* The CRC is the commit: until it stands there the reference, which
     * ignores the log, takes the record for damaged. */
    uint32_t commit = REC_CRC_OFF - REC_CRC_OFF % flash->prog_len;
    err = prog_checked(at, off, bytes, commit);
    if (err)
        return err;
    return prog_checked(at, off + commit, bytes + commit,
                        OTADATA_REC_LEN - commit);
}

static esp_err_t close_intent(const struct otadata_place *at, uint32_t open_off)
{
    uint8_t done[OTA_LOG_MAX_UNIT];
    uint32_t len = at->flash->prog_len > 4 ? at->flash->prog_len : 4;
    memset(done, 0xFF, sizeof(done));
    memset(done, 0, 4);
    return prog_checked(at, at->off + open_off + OTA_LOG_DONE_OFF, done, len);
}

static esp_err_t flash_check(const struct port_flash *flash)
{
    uint32_t unit = flash->prog_len;
    return flash->erase_len == OTADATA_SECTOR && unit > 0 &&
                   unit <= OTA_LOG_MAX_UNIT && OTA_LOG_MAX_UNIT % unit == 0
               ? ESP_OK
               : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t otadata_redo(const struct otadata_place *at, struct otadata *o)
{
    esp_err_t err = flash_check(at->flash);
    if (err)
        return err;
    err = otadata_read(at, OTADATA_LEN, o);
    if (err || (!o->redo_open && !o->void_open))
        return err;
    if (o->redo_open)
        err = erase_and_write(at, o->redo_idx, &o->rec[o->redo_idx]);
    if (!err)
        err = close_intent(at, o->open_off);
    if (!err)
        err = otadata_read(at, OTADATA_LEN, o);
    return err;
}

/* --- events, denied digests ----------------------------------------------- */

/* The next free place in a sector's log, from the partition's start. */
static uint32_t next_place(const struct otadata *o, uint32_t sector)
{
    return sector * OTADATA_SECTOR + o->next_off[sector];
}

static esp_err_t write_body(const struct otadata_place *at,
                            const struct otadata *o, uint32_t sector,
                            const struct ota_log_entry *e)
{
    uint8_t body[OTA_LOG_BODY_LEN];
    ota_log_pack(e, body);
    return prog_checked(at, at->off + next_place(o, sector), body,
                        sizeof(body));
}

/* Trials come before the list: what they need is left to them. */
static uint32_t keep_for(uint8_t type)
{
    return type == OTA_LOG_EVENT ? OTADATA_LOG_KEEP
                                 : OTADATA_LOG_KEEP + OTA_LIVE_CNT;
}

esp_err_t ota_log_append(const struct otadata_place *at, struct otadata *o,
                         uint32_t sector, struct ota_log_entry *e)
{
    if (o->free_cnt[sector] <= keep_for(e->type))
        return ESP_ERR_NO_MEM;
    e->gen = o->gen + 1;
    esp_err_t err = write_body(at, o, sector, e);
    esp_err_t read_err = otadata_read(at, OTADATA_LEN, o);
    return err ? err : read_err;
}

esp_err_t otadata_note(const struct otadata_place *at, struct otadata *o,
                       const struct ota_event *event)
{
    struct ota_log_entry e;
    ota_event_pack(event, &e); /* may stand in *o, which is read afresh */
    esp_err_t err = otadata_redo(at, o);
    if (err)
        return err;
    return ota_log_append(at, o, 1 - (event->rec_idx & 1u), &e);
}

/* Copies entry by entry what must outlive the erase of sector idx, as it
 * stands, generation included: a copy that was cut is not made twice, and
 * neither is the order of entries changed. What finds no place is lost; that
 * takes a log that nobody moved house for. */
static esp_err_t carry_over(const struct otadata_place *at, struct otadata *o,
                            uint32_t idx)
{
    const struct port_flash *flash = at->flash;
    uint32_t to = 1 - idx;
    for (uint32_t k = 0; k < OTA_LIVE_CNT; k++) {
        uint8_t body[OTA_LOG_BODY_LEN];
        const struct ota_live *l = &o->live[k];
        if (l->off[idx] == 0 || l->off[to] != 0 || o->free_cnt[to] <= 1)
            continue;
        esp_err_t err =
            flash->read(flash->ctx, at->off + l->off[idx], body, sizeof(body));
        if (!err)
            err = prog_checked(at, at->off + next_place(o, to), body,
                               sizeof(body));
        if (err)
            return err;
        o->next_off[to] += OTA_LOG_ENTRY_LEN;
        o->free_cnt[to]--;
    }
    return ESP_OK;
}

/* --- a change ------------------------------------------------------------- */

static esp_err_t write_intent(const struct otadata_place *at,
                              const struct otadata *o, uint32_t idx,
                              const struct ota_rec *rec)
{
    struct ota_log_entry entry = { .gen = o->gen + 1,
                                   .type = OTA_LOG_CHANGE,
                                   .target = (uint8_t)idx,
                                   .old_seq = o->raw[idx].seq };
    ota_rec_pack(rec, entry.data);
    return write_body(at, o, 1 - idx, &entry);
}

static bool rec_same(const struct ota_rec *a, const struct ota_rec *b)
{
    return a->seq == b->seq && a->state == b->state && a->crc == b->crc &&
           memcmp(a->label, b->label, sizeof(a->label)) == 0;
}

static esp_err_t change_step(const struct otadata_place *at, struct otadata *o,
                             uint32_t idx, const struct ota_rec *rec)
{
    if (o->free_cnt[1 - idx] == 0)
        return erase_and_write(at, idx, rec);
    esp_err_t err = carry_over(at, o, idx);
    if (!err)
        err = write_intent(at, o, idx, rec);
    if (!err)
        err = erase_and_write(at, idx, rec);
    if (!err)
        err = close_intent(at, next_place(o, 1 - idx));
    return err;
}

esp_err_t otadata_change(const struct otadata_place *at, struct otadata *o,
                         uint32_t idx, const struct ota_rec *rec)
{
    if (idx > 1)
        return ESP_ERR_INVALID_ARG;
    struct ota_rec want = *rec; /* may stand in *o, which is read afresh */
    esp_err_t err = otadata_redo(at, o);
    if (err || rec_same(&o->rec[idx], &want))
        return err;
    err = change_step(at, o, idx, &want);
    esp_err_t read_err = otadata_read(at, OTADATA_LEN, o);
    return err ? err : read_err;
}
