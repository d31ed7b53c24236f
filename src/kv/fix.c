/* kv/fix.c - what load.c finds is put in order. */
#include "kv/kv_priv.h"

/* --- a compaction that was interrupted ------------------------------------ */

/* How many pages are FREEING; *rank: the first of them. */
static uint32_t freeing_cnt(const struct kv *kv, uint32_t *rank)
{
    uint32_t cnt = 0;

    for (uint32_t i = kv->used_cnt; i > 0; i--) {
        if (kv->pages[kv->order[i - 1]].kind == KV_HEAD_FREEING) {
            *rank = i - 1;
            cnt++;
        }
    }
    return cnt;
}

esp_err_t kv_fix_freeing_newest(struct kv *kv)
{
    uint32_t newest = kv->used_cnt - 1;
    uint32_t rank;
    esp_err_t err = ESP_OK;

    if (freeing_cnt(kv, &rank) != 1 ||
        kv_page_at(kv, newest)->kind != KV_HEAD_ACTIVE)
        return ESP_OK;
    if (!kv->readonly)
        err = kv_page_wipe(kv, kv->order[newest]);
    if (!err)
        kv_order_remove(kv, newest);
    return err;
}

/* Several pages that are FREEING: no store leaves that behind. The newest page
 * may then hold more than copies. It is closed, and so is each page that takes
 * the place of a FREEING one, before that one goes: the last of them must not
 * be found beside an ACTIVE page that is needed. */
static esp_err_t fix_several(struct kv *kv)
{
    uint32_t rank;
    esp_err_t err = kv_fix_items(kv);

    if (!err)
        err = kv_close_newest(kv);
    while (!err && freeing_cnt(kv, &rank) > 1 && kv_has_next_seq(kv))
        err = kv->used_cnt < kv->page_cnt ? kv_move_out(kv, rank, true)
                                          : ESP_ERR_NVS_NO_FREE_PAGES;
    return err;
}

esp_err_t kv_fix_freeing(struct kv *kv)
{
    uint32_t rank;
    esp_err_t err = ESP_OK;

    if (kv->readonly || freeing_cnt(kv, &rank) == 0 || !kv_has_next_seq(kv))
        return ESP_OK;
    if (freeing_cnt(kv, &rank) > 1)
        err = fix_several(kv);
    if (!err && kv->used_cnt == kv->page_cnt)
        err = ESP_ERR_NVS_NO_FREE_PAGES;
    if (!err && freeing_cnt(kv, &rank) == 1 && kv_has_next_seq(kv))
        err = kv_move_out(kv, rank, false);
    return err;
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
