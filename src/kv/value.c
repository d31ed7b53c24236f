/* kv/value.c - numbers and strings; erasing.
 *
 * The new item is written first; then whatever else has its key is erased.
 * Both are there in between, and load.c keeps the newer one. */
#include "kv/kv_priv.h"

#include <string.h>

esp_err_t kv_key_check(const char *key)
{
    return strlen(key) < KV_KEY_LEN ? ESP_OK : ESP_ERR_NVS_KEY_TOO_LONG;
}

static esp_err_t begin(const struct kv_ns *ns, const char *key)
{
    esp_err_t err = kv_key_check(key);

    return err ? err : kv_ready(ns->kv, ns->purge);
}

static esp_err_t begin_write(const struct kv_ns *ns, const char *key)
{
    esp_err_t err = kv_key_check(key);

    return err ? err : kv_ready_to_write(ns);
}

/* --- erase ---------------------------------------------------------------- */

/* An index goes before its chunks: they do not count without it. Not those
 * that a kept index of the same start names. */
static esp_err_t erase_one(struct kv *kv, struct kv_at at,
                           const struct kv_entry *e, const struct kv_entry *q)
{
    struct kv_index index = kv_entry_index(e);
    esp_err_t err = kv_item_erase(kv, at, e);

    if (err || e->type != KV_TYPE_INDEX)
        return err;
    if (q->type == KV_TYPE_INDEX && kv_entry_index(q).start == index.start)
        return ESP_OK;
    return kv_chunks_erase(kv, e, &index);
}

esp_err_t kv_key_erase(struct kv *kv, const struct kv_entry *q,
                       const struct kv_at *keep)
{
    struct kv_entry any = *q;
    struct kv_at at = kv_at_end(kv);
    struct kv_entry e;
    esp_err_t err;

    any.type = KV_TYPE_ANY;
    while (!(err = kv_find(kv, &any, &at, &e))) {
        if (!keep || !kv_at_same(at, *keep))
            err = erase_one(kv, at, &e, q);
        if (err)
            return err;
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

esp_err_t kv_erase(const struct kv_ns *ns, const char *key)
{
    struct kv_entry q, e;
    struct kv_at at;
    esp_err_t err = begin_write(ns, key);

    if (err)
        return err;
    q = kv_entry_of(ns->idx, KV_TYPE_ANY, key);
    err = kv_find_newest(ns->kv, &q, &at, &e);
    return err ? err : kv_key_erase(ns->kv, &q, NULL);
}

/* --- set ------------------------------------------------------------------ */

static esp_err_t compare(struct kv *kv, const struct kv_entry *e,
                         struct span payload)
{
    struct kv_entry old;
    struct kv_at at;
    esp_err_t err = kv_find_newest(kv, e, &at, &old);

    if (err)
        return err == ESP_ERR_NVS_NOT_FOUND ? ESP_ERR_NVS_CONTENT_DIFFERS : err;
    if (kv_type_has_payload(e->type))
        return kv_item_compare(kv, at, &old, payload);
    return kv_entry_number(&old) == kv_entry_number(e)
               ? ESP_OK
               : ESP_ERR_NVS_CONTENT_DIFFERS;
}

static esp_err_t set(struct kv *kv, const struct kv_entry *e,
                     struct span payload)
{
    struct kv_at at;
    esp_err_t err = compare(kv, e, payload);

    if (err != ESP_ERR_NVS_CONTENT_DIFFERS)
        return err;
    err = kv_item_write(kv, e, payload, &at);
    return err ? err : kv_key_erase(kv, e, &at);
}

esp_err_t kv_set_number(const struct kv_ns *ns, const char *key, uint8_t type,
                        uint64_t value)
{
    struct kv_entry e;
    esp_err_t err = begin_write(ns, key);

    if (!err && !kv_type_is_number(type))
        err = ESP_ERR_INVALID_ARG;
    if (err)
        return err;
    e = kv_entry_of(ns->idx, type, key);
    kv_entry_set_number(&e, value);
    return set(ns->kv, &e, span_of(NULL, 0));
}

esp_err_t kv_set_str(const struct kv_ns *ns, const char *key, const char *value)
{
    struct span bytes = span_of(value, strlen(value) + 1);
    struct kv_entry e;
    esp_err_t err = begin_write(ns, key);

    if (!err && bytes.len > KV_CHUNK_MAX)
        err = ESP_ERR_NVS_VALUE_TOO_LONG;
    if (err)
        return err;
    e = kv_entry_of(ns->idx, KV_TYPE_STR, key);
    kv_entry_set_payload(&e, bytes);
    return set(ns->kv, &e, bytes);
}

/* --- get ------------------------------------------------------------------ */

esp_err_t kv_get_number(const struct kv_ns *ns, const char *key, uint8_t type,
                        uint64_t *out)
{
    struct kv_entry e;
    struct kv_at at;
    esp_err_t err = begin(ns, key);

    if (!err && !kv_type_is_number(type))
        err = ESP_ERR_INVALID_ARG;
    if (err)
        return err;
    e = kv_entry_of(ns->idx, type, key);
    err = kv_find_newest(ns->kv, &e, &at, &e);
    if (!err)
        *out = kv_entry_number(&e);
    return err;
}

esp_err_t kv_get_str(const struct kv_ns *ns, const char *key, char *dst,
                     size_t *len)
{
    struct kv_entry e;
    struct kv_at at;
    size_t cap = *len;
    esp_err_t err = begin(ns, key);

    if (err)
        return err;
    e = kv_entry_of(ns->idx, KV_TYPE_STR, key);
    err = kv_find_newest(ns->kv, &e, &at, &e);
    if (err)
        return err;
    *len = kv_entry_payload(&e).len;
    if (!dst)
        return ESP_OK;
    if (cap < *len)
        return ESP_ERR_NVS_INVALID_LENGTH;
    err = kv_item_read(ns->kv, at, &e, (uint8_t *)dst);
    /* A string that does not end would be read beyond its buffer. */
    if (!err && (*len == 0 || dst[*len - 1] != '\0'))
        err = ESP_ERR_NVS_NOT_FOUND;
    return err;
}

esp_err_t kv_find_key(const struct kv_ns *ns, const char *key, uint8_t *type)
{
    struct kv_entry e;
    struct kv_at at;
    esp_err_t err = begin(ns, key);

    if (err)
        return err;
    e = kv_entry_of(ns->idx, KV_TYPE_ANY, key);
    err = kv_find_newest(ns->kv, &e, &at, &e);
    if (!err)
        *type = e.type == KV_TYPE_INDEX || e.type == KV_TYPE_BLOB_V1
                    ? KV_TYPE_CHUNK
                    : e.type;
    return err;
}
