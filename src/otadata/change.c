/* otadata/change.c - the transaction that replaces one record.
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
    if (commit > 0)
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

/* Where the intent to change record idx goes: into the sibling's log. */
static uint32_t intent_off(const struct otadata *o, uint32_t idx)
{
    return (1 - idx) * OTADATA_SECTOR + o->next_off[1 - idx];
}

static esp_err_t write_intent(const struct otadata_place *at,
                              const struct otadata *o, uint32_t idx,
                              const struct ota_rec *rec)
{
    struct ota_log_entry entry = { .gen = o->gen + 1,
                                   .type = OTA_LOG_CHANGE,
                                   .target = (uint8_t)idx,
                                   .open = true,
                                   .old_seq = o->raw[idx].seq,
                                   .rec = *rec };
    uint8_t body[OTA_LOG_BODY_LEN];
    ota_log_pack(&entry, body);
    return prog_checked(at, at->off + intent_off(o, idx), body, sizeof(body));
}

static bool rec_same(const struct ota_rec *a, const struct ota_rec *b)
{
    return a->seq == b->seq && a->state == b->state && a->crc == b->crc &&
           memcmp(a->label, b->label, sizeof(a->label)) == 0;
}

static esp_err_t change_step(const struct otadata_place *at,
                             const struct otadata *o, uint32_t idx,
                             const struct ota_rec *rec)
{
    if (o->free_cnt[1 - idx] == 0)
        return erase_and_write(at, idx, rec);
    esp_err_t err = write_intent(at, o, idx, rec);
    if (!err)
        err = erase_and_write(at, idx, rec);
    if (!err)
        err = close_intent(at, intent_off(o, idx));
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
