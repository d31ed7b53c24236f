/* boot/deny.c - see deny.h. */
#include "boot/deny.h"

#include <string.h>

esp_err_t deny_identity(const struct part_dev *parts,
                        const struct part_entry *part, uint8_t out[SHA256_LEN])
{
    uint8_t head[IMG_HEAD_LEN];
    if (part->len < sizeof(head))
        return ESP_ERR_NOT_FOUND;
    esp_err_t err = part_read(parts, part, 0, head, sizeof(head));
    return err ? err : img_identity(span_of(head, sizeof(head)), out);
}

struct records {
    struct otadata_place at;
    struct otadata o;
    struct ota_event verdict;
};

static esp_err_t records_read(const struct part_dev *parts, struct records *r)
{
    const struct part_entry *part =
        part_find(&parts->table, PART_TYPE_DATA, PART_DATA_OTA, NULL);
    if (!part)
        return ESP_ERR_NOT_FOUND;
    r->at = (struct otadata_place){ parts->flash, part->off };
    esp_err_t err = otadata_read(&r->at, part->len, &r->o);
    if (!err)
        err = otadata_verdict(&r->at, &r->o, &r->verdict);
    return err;
}

/* Was it tried and did it fail, or could it not be tried at all? */
static bool was_tried(const struct records *r, uint32_t idx)
{
    const struct ota_rec *rec = &r->o.rec[idx];
    if (rec->seq == OTADATA_SEQ_NONE || !ota_rec_crc_ok(rec) ||
        (rec->state != OTA_STATE_ABORTED && rec->state != OTA_STATE_INVALID))
        return false;
    return r->verdict.kind != OTA_EVENT_GIVEN_UP ||
           r->verdict.seq != rec->seq ||
           (r->verdict.why != OTA_WHY_IMAGE_BAD &&
            r->verdict.why != OTA_WHY_TOO_OLD);
}

/* The identity of what record idx gave up. ESP_ERR_NOT_FOUND: nothing, or it
 * is known and the slot may hold the image that replaces it. */
static esp_err_t given_up(const struct part_dev *parts, const struct records *r,
                          uint32_t idx, uint8_t out[SHA256_LEN])
{
    /* records_read() has filled it:
     * NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
    uint32_t cnt = part_ota_cnt(&parts->table), seq = r->o.rec[idx].seq;
    bool learnt;
    if (cnt == 0 || !was_tried(r, idx))
        return ESP_ERR_NOT_FOUND;
    esp_err_t err = otadata_deny_learnt(&r->at, &r->o, idx, &learnt);
    if (err || learnt)
        return err ? err : ESP_ERR_NOT_FOUND;
    return deny_identity(parts, part_ota(&parts->table, ota_seq_slot(seq, cnt)),
                         out);
}

esp_err_t deny_learn(const struct part_dev *parts)
{
    struct records r;
    esp_err_t err = records_read(parts, &r);
    for (uint32_t i = 0; !err && i < 2; i++) {
        uint8_t digest[SHA256_LEN];
        err = given_up(parts, &r, i, digest);
        if (!err)
            err = otadata_deny_learn(&r.at, &r.o, digest, i);
        else if (err == ESP_ERR_NOT_FOUND)
            err = ESP_OK;
    }
    return err;
}

esp_err_t deny_has(const struct part_dev *parts,
                   const uint8_t digest[SHA256_LEN], bool *denied)
{
    struct records r;
    *denied = true;
    esp_err_t err = records_read(parts, &r);
    return err ? err : otadata_deny_has(&r.at, &r.o, digest, denied);
}

esp_err_t deny_would_have(const struct part_dev *parts,
                          const uint8_t digest[SHA256_LEN], bool *denied)
{
    struct records r;
    *denied = true;
    esp_err_t err = records_read(parts, &r);
    if (!err)
        err = otadata_deny_has(&r.at, &r.o, digest, denied);
    for (uint32_t i = 0; !err && !*denied && i < 2; i++) {
        uint8_t failed[SHA256_LEN];
        err = given_up(parts, &r, i, failed);
        *denied = !err && memcmp(failed, digest, SHA256_LEN) == 0;
        if (err == ESP_ERR_NOT_FOUND)
            err = ESP_OK;
    }
    *denied |= err != ESP_OK;
    return err;
}
