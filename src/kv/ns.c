/* kv/ns.c - namespaces, and walks over all of one or of the store. */
#include "kv/kv_priv.h"

#include <string.h>

#define NS_MAX 254u

/* --- open ----------------------------------------------------------------- */

/* An index that no namespace has and no item carries: items whose namespace
 * is gone must not turn up in a new one. */
static esp_err_t free_idx(struct kv *kv, uint8_t *out)
{
    bool used[256] = { true };
    struct kv_at at = kv_at_end(kv);
    struct kv_entry e;
    esp_err_t err;

    while (!(err = kv_prev_item(kv, &at, &e)))
        used[e.ns == 0 ? (uint8_t)kv_entry_number(&e) : e.ns] = true;
    if (err != ESP_ERR_NVS_NOT_FOUND)
        return err;
    for (uint32_t i = 1; i <= NS_MAX; i++) {
        if (!used[i]) {
            *out = (uint8_t)i;
            return ESP_OK;
        }
    }
    return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
}

static esp_err_t find_ns(struct kv *kv, const char *name, uint8_t *out)
{
    struct kv_entry e = kv_entry_of(0, KV_TYPE_U8, name);
    struct kv_at at;
    esp_err_t err = kv_find_newest(kv, &e, &at, &e);

    if (err)
        return err;
    *out = (uint8_t)kv_entry_number(&e);
    return *out > 0 && *out <= NS_MAX ? ESP_OK : ESP_ERR_NVS_NOT_FOUND;
}

static esp_err_t create_ns(struct kv *kv, const char *name, uint8_t *out)
{
    struct kv_entry e = kv_entry_of(0, KV_TYPE_U8, name);
    struct kv_at at;
    esp_err_t err = free_idx(kv, out);

    if (err)
        return err;
    kv_entry_set_number(&e, *out);
    return kv_item_write(kv, &e, span_of(NULL, 0), &at);
}

esp_err_t kv_open(struct kv *kv, const char *name, bool create,
                  struct kv_ns *out)
{
    esp_err_t err = kv_key_check(name);

    if (!err && name[0] == '\0')
        err = ESP_ERR_NVS_INVALID_NAME;
    if (!err && create && kv->readonly)
        err = ESP_ERR_NOT_ALLOWED;
    if (!err)
        err = kv_ready(kv, false);
    if (err)
        return err;
    *out = (struct kv_ns){ .kv = kv };
    err = find_ns(kv, name, &out->idx);
    if (err == ESP_ERR_NVS_NOT_FOUND && create)
        err = create_ns(kv, name, &out->idx);
    return err;
}

/* --- all of a namespace --------------------------------------------------- */

/* Chunks last: an index without all of its chunks would be a damaged value. */
static esp_err_t erase_kind(const struct kv_ns *ns, bool chunks)
{
    struct kv_at at = kv_at_end(ns->kv);
    struct kv_entry e;
    esp_err_t err;

    while (!(err = kv_prev_item(ns->kv, &at, &e))) {
        if (e.ns != ns->idx || (e.type == KV_TYPE_CHUNK) != chunks)
            continue;
        err = kv_item_erase(ns->kv, at, &e);
        if (err)
            return err;
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

esp_err_t kv_erase_all(const struct kv_ns *ns)
{
    esp_err_t err = kv_ready_to_write(ns);

    if (!err)
        err = erase_kind(ns, false);
    return err ? err : erase_kind(ns, true);
}

esp_err_t kv_used(const struct kv_ns *ns, size_t *cnt)
{
    struct kv_at at;
    struct kv_entry e;
    esp_err_t err = kv_ready(ns->kv, ns->purge);

    if (err)
        return err;
    *cnt = 0;
    at = kv_at_end(ns->kv);
    while (!(err = kv_prev_item(ns->kv, &at, &e))) {
        if (e.ns == ns->idx)
            *cnt += e.span;
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

/* The erased slots of what stood at idx; 0: nothing, or of another one. */
static esp_err_t erased_span(const struct kv_ns *ns, uint32_t page,
                             uint32_t idx, uint32_t *cnt)
{
    uint8_t bits[KV_BITS_LEN], raw[KV_SLOT_LEN];
    struct kv_entry e;
    esp_err_t err = kv_page_read(ns->kv, page, KV_BITS_OFF, bits, sizeof(bits));

    *cnt = 0;
    if (err || kv_bits_get(bits, idx) != KV_SLOT_ERASED)
        return err;
    err = kv_slot_read(ns->kv, page, idx, raw);
    if (!err && kv_entry_parse(raw, idx, &e) && e.ns == ns->idx &&
        kv_bits_all(bits, idx, e.span, KV_SLOT_ERASED))
        *cnt = e.span;
    return err;
}

static esp_err_t purge_page(const struct kv_ns *ns, uint32_t page)
{
    esp_err_t err = ESP_OK;

    for (uint32_t i = 0; !err && i < KV_SLOT_CNT; i++) {
        uint32_t cnt;

        err = erased_span(ns, page, i, &cnt);
        if (!err && cnt > 0)
            err = kv_slots_zero(ns->kv, page, i, cnt);
    }
    return err;
}

esp_err_t kv_purge(const struct kv_ns *ns)
{
    struct kv *kv = ns->kv;
    esp_err_t err = kv_ready_to_write(ns);

    for (uint32_t i = 0; !err && i < kv->used_cnt; i++)
        err = purge_page(ns, kv->order[i]);
    return err;
}

/* --- the store ------------------------------------------------------------ */

esp_err_t kv_get_stats(struct kv *kv, struct kv_stats *out)
{
    struct kv_stats s = { .total_cnt = kv->page_cnt * (size_t)KV_SLOT_CNT };
    struct kv_at at;
    struct kv_entry e;
    esp_err_t err = kv_ready(kv, false);

    if (err)
        return err;
    at = kv_at_end(kv);
    while (!(err = kv_prev_item(kv, &at, &e))) {
        s.used_cnt += e.span;
        s.ns_cnt += e.ns == 0;
    }
    if (err != ESP_ERR_NVS_NOT_FOUND)
        return err;
    s.free_cnt = s.total_cnt - s.used_cnt;
    s.avail_cnt = s.free_cnt > KV_SLOT_CNT ? s.free_cnt - KV_SLOT_CNT : 0;
    *out = s;
    return ESP_OK;
}

/* --- walk ----------------------------------------------------------------- */

/* _NVS_NOT_FOUND: its namespace has no name. */
static esp_err_t ns_name(struct kv *kv, uint8_t idx, char out[KV_KEY_LEN])
{
    struct kv_at at = kv_at_end(kv);
    struct kv_entry e;
    esp_err_t err;

    while (!(err = kv_prev_item(kv, &at, &e))) {
        if (e.ns != 0 || e.type != KV_TYPE_U8 || kv_entry_number(&e) != idx)
            continue;
        memcpy(out, e.key, KV_KEY_LEN);
        return ESP_OK;
    }
    return err;
}

/* Moves on to the next place at which an item starts. */
static bool advance(struct kv *kv, struct kv_iter *it, struct kv_at *at)
{
    for (uint32_t rank = 0; rank < kv->used_cnt; rank++) {
        const struct kv_page *p = kv_page_at(kv, rank);
        uint32_t idx = 0;

        if (it->begun && p->seq < it->seq)
            continue;
        if (it->begun && p->seq == it->seq)
            idx = it->idx + 1;
        while (idx < KV_SLOT_CNT && p->tag[idx] == 0)
            idx++;
        if (idx == KV_SLOT_CNT)
            continue;
        *at = (struct kv_at){ rank, idx };
        *it = (struct kv_iter){ it->ns, it->type, true, p->seq, idx };
        return true;
    }
    return false;
}

static bool wanted(const struct kv_iter *it, struct kv_entry *e)
{
    if (e->ns == 0 || e->type == KV_TYPE_CHUNK)
        return false;
    if (e->type == KV_TYPE_INDEX || e->type == KV_TYPE_BLOB_V1)
        e->type = KV_TYPE_CHUNK;
    return (it->ns == 0 || it->ns == e->ns) &&
           (it->type == KV_TYPE_ANY || it->type == e->type);
}

esp_err_t kv_iter_next(struct kv *kv, struct kv_iter *it, struct kv_info *out)
{
    struct kv_at at;
    esp_err_t err = kv_ready(kv, false);

    while (!err && advance(kv, it, &at)) {
        uint8_t raw[KV_SLOT_LEN];
        struct kv_entry e;

        err = kv_slot_read(kv, kv->order[at.rank], at.idx, raw);
        if (err || !kv_entry_parse(raw, at.idx, &e) || !wanted(it, &e))
            continue;
        err = ns_name(kv, e.ns, out->ns_name);
        if (err == ESP_ERR_NVS_NOT_FOUND) {
            err = ESP_OK;
            continue;
        }
        memcpy(out->key, e.key, sizeof(out->key));
        out->type = e.type;
        return err;
    }
    return err ? err : ESP_ERR_NVS_NOT_FOUND;
}
