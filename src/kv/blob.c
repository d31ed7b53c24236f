/* kv/blob.c - values longer than an item: chunks, and an index that makes them
 * count.
 *
 * A new value's chunks are numbered from the other start than the old one's,
 * so that both can be there; the new index replaces the old one in the same
 * way in which any value does (value.c), and takes its chunks along. */
#include "kv/kv_priv.h"

/* A chunk is not worth its slot below this many, unless it is the last. */
#define LEAST_SLOTS 13u

struct kv_entry kv_chunk_of(const struct kv_entry *e, uint8_t chunk)
{
    struct kv_entry q = kv_entry_of(e->ns, KV_TYPE_CHUNK, e->key);

    q.chunk = chunk;
    return q;
}

esp_err_t kv_chunks_erase(struct kv *kv, const struct kv_entry *e,
                          const struct kv_index *index)
{
    for (uint32_t i = 0; i < index->cnt; i++) {
        struct kv_entry chunk = kv_chunk_of(e, (uint8_t)(index->start + i));
        struct kv_at at;
        esp_err_t err = kv_find_newest(kv, &chunk, &at, &chunk);

        if (!err)
            err = kv_item_erase(kv, at, &chunk);
        if (err && err != ESP_ERR_NVS_NOT_FOUND)
            return err;
    }
    return ESP_OK;
}

/* --- write ---------------------------------------------------------------- */

/* How much of what is left the newest page takes. */
static esp_err_t next_len(struct kv *kv, size_t left, size_t *len)
{
    uint32_t cnt = kv_span_of((uint32_t)left);
    const struct kv_page *p;
    esp_err_t err = kv_room(kv, cnt < LEAST_SLOTS ? cnt : LEAST_SLOTS);

    if (err)
        return err;
    p = kv_page_at(kv, kv->used_cnt - 1);
    *len = (KV_SLOT_CNT - p->next - 1) * (size_t)KV_SLOT_LEN;
    *len = *len < left ? *len : left;
    return ESP_OK;
}

static esp_err_t write_chunks(struct kv *kv, const struct kv_entry *e,
                              struct span value, struct kv_index *index)
{
    do {
        struct kv_entry chunk;
        struct kv_at at;
        size_t len = 0;
        esp_err_t err = index->cnt < KV_BLOB_CHUNKS
                            ? next_len(kv, value.len, &len)
                            : ESP_ERR_NVS_NOT_ENOUGH_SPACE;

        if (err)
            return err;
        chunk = kv_chunk_of(e, (uint8_t)(index->start + index->cnt));
        kv_entry_set_payload(&chunk, span_of(value.ptr, len));
        err = kv_item_write(kv, &chunk, span_of(value.ptr, len), &at);
        if (err)
            return err;
        index->cnt++;
        value = span_from(value, len);
    } while (value.len > 0);
    return ESP_OK;
}

static esp_err_t write_all(struct kv *kv, struct kv_entry *e, struct span value,
                           struct kv_index *index)
{
    struct kv_at at;
    esp_err_t err = write_chunks(kv, e, value, index);

    if (!err) {
        kv_entry_set_index(e, index);
        err = kv_item_write(kv, e, span_of(NULL, 0), &at);
    }
    if (!err)
        return kv_key_erase(kv, e, &at);
    /* No room after all. What is written does not count; give it back, else
     * the next load does. */
    if (!kv->stale && kv_chunks_erase(kv, e, index))
        kv->stale = true;
    return err;
}

/* --- compare -------------------------------------------------------------- */

static esp_err_t compare_chunk(struct kv *kv, const struct kv_entry *q,
                               struct span *value)
{
    struct kv_entry chunk;
    struct kv_at at;
    size_t len;
    esp_err_t err = kv_find_newest(kv, q, &at, &chunk);

    if (err)
        return err == ESP_ERR_NVS_NOT_FOUND ? ESP_ERR_NVS_CONTENT_DIFFERS : err;
    len = kv_entry_payload(&chunk).len;
    if (len > value->len)
        return ESP_ERR_NVS_CONTENT_DIFFERS;
    err = kv_item_compare(kv, at, &chunk, span_of(value->ptr, len));
    *value = span_from(*value, len);
    return err;
}

static esp_err_t compare(struct kv *kv, const struct kv_entry *e,
                         struct span value)
{
    struct kv_index index = kv_entry_index(e);

    for (uint32_t i = 0; i < index.cnt; i++) {
        struct kv_entry q = kv_chunk_of(e, (uint8_t)(index.start + i));
        esp_err_t err = compare_chunk(kv, &q, &value);

        if (err)
            return err;
    }
    return value.len == 0 ? ESP_OK : ESP_ERR_NVS_CONTENT_DIFFERS;
}

/* --- set ------------------------------------------------------------------ */

static esp_err_t check_len(const struct kv *kv, size_t len)
{
    uint32_t chunks = kv->page_cnt - 1;

    chunks = chunks < KV_BLOB_CHUNKS ? chunks : KV_BLOB_CHUNKS;
    if (len > chunks * (size_t)KV_CHUNK_MAX)
        return ESP_ERR_NVS_VALUE_TOO_LONG;
    chunks = (uint32_t)(len / KV_CHUNK_MAX) + 1;
    if (kv_room_total(kv) < kv_span_of((uint32_t)len) + chunks)
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    return ESP_OK;
}

static esp_err_t set(struct kv *kv, struct kv_entry *e, struct span value)
{
    struct kv_index index = { .len = (uint32_t)value.len };
    struct kv_entry old;
    struct kv_at at;
    esp_err_t err = kv_find_newest(kv, e, &at, &old);

    if (err && err != ESP_ERR_NVS_NOT_FOUND)
        return err;
    if (!err) {
        index.start =
            kv_entry_index(&old).start < KV_BLOB_HALF ? KV_BLOB_HALF : 0;
        err = compare(kv, &old, value);
        if (err != ESP_ERR_NVS_CONTENT_DIFFERS)
            return err;
    }
    err = check_len(kv, value.len);
    return err ? err : write_all(kv, e, value, &index);
}

esp_err_t kv_set_blob(const struct kv_ns *ns, const char *key,
                      struct span value)
{
    struct kv_entry e;
    esp_err_t err = kv_key_check(key);

    if (!err)
        err = kv_ready_to_write(ns);
    if (err)
        return err;
    e = kv_entry_of(ns->idx, KV_TYPE_INDEX, key);
    return set(ns->kv, &e, value);
}

/* --- get ------------------------------------------------------------------ */

static esp_err_t read_chunks(struct kv *kv, const struct kv_entry *e,
                             uint8_t *dst)
{
    struct kv_index index = kv_entry_index(e);
    uint32_t done = 0;

    for (uint32_t i = 0; i < index.cnt; i++) {
        struct kv_entry chunk = kv_chunk_of(e, (uint8_t)(index.start + i));
        struct kv_at at;
        esp_err_t err = kv_find_newest(kv, &chunk, &at, &chunk);

        if (!err && kv_entry_payload(&chunk).len > index.len - done)
            err = ESP_ERR_NVS_NOT_FOUND;
        if (!err)
            err = kv_item_read(kv, at, &chunk, dst + done);
        if (err)
            return err;
        done += kv_entry_payload(&chunk).len;
    }
    return done == index.len ? ESP_OK : ESP_ERR_NVS_NOT_FOUND;
}

/* The newer of both forms. */
static esp_err_t find_blob(const struct kv_ns *ns, const char *key,
                           struct kv_at *at, struct kv_entry *e)
{
    struct kv_entry q = kv_entry_of(ns->idx, KV_TYPE_INDEX, key);
    esp_err_t err = kv_find_newest(ns->kv, &q, at, e);

    if (err != ESP_ERR_NVS_NOT_FOUND)
        return err;
    q.type = KV_TYPE_BLOB_V1;
    return kv_find_newest(ns->kv, &q, at, e);
}

esp_err_t kv_get_blob(const struct kv_ns *ns, const char *key, void *dst,
                      size_t *len)
{
    struct kv_entry e;
    struct kv_at at;
    size_t cap = *len;
    esp_err_t err = kv_key_check(key);

    if (!err)
        err = kv_ready(ns->kv, ns->purge);
    if (!err)
        err = find_blob(ns, key, &at, &e);
    if (err)
        return err;
    *len = e.type == KV_TYPE_INDEX ? kv_entry_index(&e).len
                                   : kv_entry_payload(&e).len;
    if (!dst)
        return ESP_OK;
    if (cap < *len)
        return ESP_ERR_NVS_INVALID_LENGTH;
    return e.type == KV_TYPE_INDEX ? read_chunks(ns->kv, &e, dst)
                                   : kv_item_read(ns->kv, at, &e, dst);
}
