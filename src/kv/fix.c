/* kv/fix.c - what load.c finds is put in order. */
#include "kv/kv_priv.h"

/* --- a compaction that was interrupted ------------------------------------ */

/* The one FREEING page. Several: no store leaves that behind; all of them are
 * then kept as they are, since nobody can say which copies are whole. */
static bool freeing_rank(const struct kv *kv, uint32_t *rank)
{
    uint32_t cnt = 0;

    for (uint32_t i = 0; i < kv->used_cnt; i++) {
        if (kv->pages[kv->order[i]].kind == KV_HEAD_FREEING) {
            *rank = i;
            cnt++;
        }
    }
    return cnt == 1;
}

esp_err_t kv_fix_freeing_newest(struct kv *kv)
{
    uint32_t newest = kv->used_cnt - 1;
    uint32_t rank;
    esp_err_t err = ESP_OK;

    if (!freeing_rank(kv, &rank) ||
        kv_page_at(kv, newest)->kind != KV_HEAD_ACTIVE)
        return ESP_OK;
    if (!kv->readonly)
        err = kv_page_wipe(kv, kv->order[newest]);
    if (!err)
        kv_order_remove(kv, newest);
    return err;
}

esp_err_t kv_fix_freeing(struct kv *kv)
{
    uint32_t rank;

    if (kv->readonly || !freeing_rank(kv, &rank))
        return ESP_OK;
    if (kv->used_cnt == kv->page_cnt)
        return ESP_ERR_NVS_NO_FREE_PAGES;
    return kv_move_out(kv, rank);
}

/* --- items ---------------------------------------------------------------- */

/* The end of a walk is no error. */
static esp_err_t walk_err(esp_err_t err)
{
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

static esp_err_t index_whole(struct kv *kv, const struct kv_entry *e,
                             bool *whole)
{
    struct kv_index index = kv_entry_index(e);
    uint32_t len = 0;

    *whole = false;
    for (uint32_t i = 0; i < index.cnt; i++) {
        struct kv_entry chunk = kv_chunk_of(e, (uint8_t)(index.start + i));
        struct kv_at at;
        esp_err_t err = kv_find_newest(kv, &chunk, &at, &chunk);

        if (err)
            return walk_err(err);
        len += kv_entry_payload(&chunk).len;
    }
    *whole = len == index.len;
    return ESP_OK;
}

/* Indexes of blobs that are not all there. No cut leaves one. */
static esp_err_t fix_indexes(struct kv *kv)
{
    struct kv_at at = kv_at_end(kv);
    struct kv_entry e;
    esp_err_t err;

    while (!(err = kv_prev_item(kv, &at, &e))) {
        bool whole = true;

        if (e.type == KV_TYPE_INDEX)
            err = index_whole(kv, &e, &whole);
        if (!err && !whole)
            err = kv_item_erase(kv, at, &e);
        if (err)
            return err;
    }
    return walk_err(err);
}

static esp_err_t kill_older(struct kv *kv, const struct kv_entry *q,
                            struct kv_at at)
{
    struct kv_entry e;
    esp_err_t err;

    while (!(err = kv_find(kv, q, &at, &e))) {
        err = kv_item_erase(kv, at, &e);
        if (err)
            return err;
    }
    return walk_err(err);
}

/* Older copies of what the newest page holds. What was written last also
 * replaces values of other types; for the rest that cannot be said, since
 * early versions of the reference kept one value per type. */
static esp_err_t fix_copies(struct kv *kv)
{
    struct kv_at at = kv_at_end(kv);
    struct kv_entry e;
    bool last = true;
    esp_err_t err;

    while (!(err = kv_prev_item(kv, &at, &e)) && at.rank + 1 == kv->used_cnt) {
        if (last && e.type != KV_TYPE_CHUNK)
            e.type = KV_TYPE_ANY;
        last = false;
        err = kill_older(kv, &e, at);
        if (err)
            return err;
    }
    return walk_err(err);
}

static esp_err_t chunk_wanted(struct kv *kv, const struct kv_entry *chunk,
                              bool *wanted)
{
    struct kv_entry e = kv_entry_of(chunk->ns, KV_TYPE_INDEX, chunk->key);
    struct kv_index index;
    struct kv_at at;
    esp_err_t err = kv_find_newest(kv, &e, &at, &e);

    *wanted = false;
    if (err)
        return walk_err(err);
    index = kv_entry_index(&e);
    *wanted =
        chunk->chunk >= index.start && chunk->chunk - index.start < index.cnt;
    return ESP_OK;
}

static esp_err_t fix_chunks(struct kv *kv)
{
    struct kv_at at = kv_at_end(kv);
    struct kv_entry e;
    esp_err_t err;

    while (!(err = kv_prev_item(kv, &at, &e))) {
        bool wanted = true;

        if (e.type == KV_TYPE_CHUNK)
            err = chunk_wanted(kv, &e, &wanted);
        if (!err && !wanted)
            err = kv_item_erase(kv, at, &e);
        if (err)
            return err;
    }
    return walk_err(err);
}

esp_err_t kv_fix_items(struct kv *kv)
{
    esp_err_t err = fix_indexes(kv);

    if (!err)
        err = fix_copies(kv);
    if (!err)
        err = fix_chunks(kv);
    return err;
}
