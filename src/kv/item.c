/* kv/item.c - find, write, erase and read one item. */
#include "kv/kv_priv.h"

#include <string.h>

#include "base/crc32.h"

/* --- find ----------------------------------------------------------------- */

/* Moves *at to the slot before it that has this tag; 0: any item. */
static bool prev_tag(struct kv *kv, uint8_t tag, struct kv_at *at)
{
    while (at->idx > 0 || at->rank > 0) {
        if (at->idx == 0) {
            at->rank--;
            at->idx = KV_SLOT_CNT;
        }
        const uint8_t *tags = kv_page_at(kv, at->rank)->tag;
        while (at->idx > 0) {
            uint8_t have = tags[--at->idx];
            if (have != 0 && (tag == 0 || have == tag))
                return true;
        }
    }
    return false;
}

static esp_err_t read_entry(struct kv *kv, struct kv_at at,
                            struct kv_entry *out, bool *ok)
{
    uint8_t raw[KV_SLOT_LEN];
    esp_err_t err = kv_slot_read(kv, kv->order[at.rank], at.idx, raw);

    *ok = !err && kv_entry_parse(raw, at.idx, out);
    return err;
}

esp_err_t kv_prev_item(struct kv *kv, struct kv_at *at, struct kv_entry *out)
{
    while (prev_tag(kv, 0, at)) {
        bool ok;
        esp_err_t err = read_entry(kv, *at, out, &ok);
        if (err || ok)
            return err;
    }
    return ESP_ERR_NVS_NOT_FOUND;
}

static bool matches(const struct kv_entry *q, const struct kv_entry *e)
{
    if (q->ns != e->ns || strcmp(q->key, e->key) != 0)
        return false;
    if (q->type == KV_TYPE_ANY)
        return e->type != KV_TYPE_CHUNK;
    return q->type == e->type &&
           (q->type != KV_TYPE_CHUNK || q->chunk == e->chunk);
}

esp_err_t kv_find(struct kv *kv, const struct kv_entry *q, struct kv_at *at,
                  struct kv_entry *out)
{
    struct kv_entry want = *q; /* out may be the same */
    uint8_t tag = kv_tag(&want);

    while (prev_tag(kv, tag, at)) {
        bool ok;
        esp_err_t err = read_entry(kv, *at, out, &ok);
        if (err || (ok && matches(&want, out)))
            return err;
    }
    return ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t kv_find_newest(struct kv *kv, const struct kv_entry *q,
                         struct kv_at *at, struct kv_entry *out)
{
    *at = kv_at_end(kv);
    return kv_find(kv, q, at, out);
}

/* --- write and erase ------------------------------------------------------ */

static uint32_t payload_off(uint32_t idx)
{
    return KV_SLOTS_OFF + (idx + 1) * KV_SLOT_LEN;
}

static esp_err_t prog_payload(struct kv *kv, uint32_t page, uint32_t idx,
                              struct span payload)
{
    size_t whole = payload.len - payload.len % KV_SLOT_LEN;
    uint32_t off = payload_off(idx);
    uint8_t last[KV_SLOT_LEN];
    esp_err_t err = ESP_OK;

    if (whole > 0)
        err = kv_page_prog(kv, page, off, span_of(payload.ptr, whole));
    if (err || whole == payload.len)
        return err;
    memset(last, 0xFF, sizeof(last));
    memcpy(last, payload.ptr + whole, payload.len - whole);
    return kv_page_prog(kv, page, off + (uint32_t)whole,
                        span_of(last, sizeof(last)));
}

esp_err_t kv_item_write(struct kv *kv, const struct kv_entry *e,
                        struct span payload, struct kv_at *at)
{
    uint8_t raw[KV_SLOT_LEN];
    esp_err_t err = kv_room(kv, e->span);

    if (err)
        return err;
    at->rank = kv->used_cnt - 1;
    uint32_t page = kv->order[at->rank];
    struct kv_page *p = &kv->pages[page];
    at->idx = p->next;
    kv_entry_pack(e, raw);
    err = kv_page_prog(kv, page, KV_SLOTS_OFF + at->idx * KV_SLOT_LEN,
                       span_of(raw, sizeof(raw)));
    if (!err)
        err = prog_payload(kv, page, at->idx, payload);
    if (!err)
        err = kv_slots_commit(kv, page, at->idx, e->span);
    if (err)
        return err;
    p->tag[at->idx] = kv_tag(e);
    p->live = (uint8_t)(p->live + e->span);
    p->next = (uint8_t)(p->next + e->span);
    return ESP_OK;
}

esp_err_t kv_item_erase(struct kv *kv, struct kv_at at,
                        const struct kv_entry *e)
{
    uint32_t page = kv->order[at.rank];
    struct kv_page *p = &kv->pages[page];
    esp_err_t err = ESP_OK;

    if (!kv->readonly)
        err = kv_slots_kill(kv, page, at.idx, e->span);
    if (err)
        return err;
    p->tag[at.idx] = 0;
    p->live = (uint8_t)(p->live - e->span);
    return kv->purge ? kv_slots_zero(kv, page, at.idx, e->span) : ESP_OK;
}

/* --- read ----------------------------------------------------------------- */

esp_err_t kv_item_read(struct kv *kv, struct kv_at at, const struct kv_entry *e,
                       uint8_t *dst)
{
    struct kv_payload pay = kv_entry_payload(e);
    esp_err_t err =
        kv_page_read(kv, kv->order[at.rank], payload_off(at.idx), dst, pay.len);

    if (err)
        return err;
    return crc32_le(KV_CRC_SEED, dst, pay.len) == pay.crc
               ? ESP_OK
               : ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t kv_item_compare(struct kv *kv, struct kv_at at,
                          const struct kv_entry *e, struct span payload)
{
    struct kv_payload pay = kv_entry_payload(e);
    uint32_t off = payload_off(at.idx);
    uint8_t have[64];

    if (pay.len != payload.len ||
        pay.crc != crc32_le(KV_CRC_SEED, payload.ptr, payload.len))
        return ESP_ERR_NVS_CONTENT_DIFFERS;
    for (size_t i = 0; i < payload.len; i += sizeof(have)) {
        size_t len = payload.len - i;
        esp_err_t err;

        len = len < sizeof(have) ? len : sizeof(have);
        err =
            kv_page_read(kv, kv->order[at.rank], off + (uint32_t)i, have, len);
        if (err)
            return err;
        if (memcmp(have, payload.ptr + i, len) != 0)
            return ESP_ERR_NVS_CONTENT_DIFFERS;
    }
    return ESP_OK;
}
