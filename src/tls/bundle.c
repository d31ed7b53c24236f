#include "tls/bundle.h"

#include <string.h>

#include "base/le.h"

#define OFFSET_LEN 4u
#define ENTRY_HEAD_LEN 4u

int tls_bundle_order(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

    if (order != 0 || a.len == b.len)
        return order;
    return a.len < b.len ? -1 : 1;
}

struct tls_anchor tls_bundle_at(const struct tls_bundle *b, uint32_t idx)
{
    const uint8_t *entry =
        b->bytes.ptr + le32_get(b->bytes.ptr + (size_t)idx * OFFSET_LEN);
    size_t name_len = le16_get(entry);
    size_t key_len = le16_get(entry + 2);

    return (struct tls_anchor){
        span_of(entry + ENTRY_HEAD_LEN, name_len),
        span_of(entry + ENTRY_HEAD_LEN + name_len, key_len),
    };
}

/* Entry idx lies behind the offsets and inside the bytes, name and key are
 * there. */
static bool entry_fits(const struct tls_bundle *b, uint32_t idx)
{
    size_t off = le32_get(b->bytes.ptr + (size_t)idx * OFFSET_LEN);
    size_t len = b->bytes.len;

    if (off < (size_t)b->cnt * OFFSET_LEN || off > len ||
        len - off < ENTRY_HEAD_LEN)
        return false;
    size_t name_len = le16_get(b->bytes.ptr + off);
    size_t key_len = le16_get(b->bytes.ptr + off + 2);
    return name_len > 0 && key_len > 0 &&
           name_len + key_len <= len - off - ENTRY_HEAD_LEN;
}

esp_err_t tls_bundle_parse(struct span bytes, struct tls_bundle *out)
{
    struct tls_bundle b = { .bytes = bytes };

    *out = (struct tls_bundle){ .cnt = 0 };
    if (bytes.len < OFFSET_LEN)
        return ESP_ERR_INVALID_ARG;
    uint32_t head_len = le32_get(bytes.ptr);
    if (head_len == 0 || head_len % OFFSET_LEN != 0 || head_len > bytes.len)
        return ESP_ERR_INVALID_ARG;
    b.cnt = head_len / OFFSET_LEN;
    for (uint32_t i = 0; i < b.cnt; i++) {
        if (!entry_fits(&b, i))
            return ESP_ERR_INVALID_ARG;
        if (i > 0 && tls_bundle_order(tls_bundle_at(&b, i - 1).name,
                                      tls_bundle_at(&b, i).name) > 0)
            return ESP_ERR_INVALID_ARG;
    }
    *out = b;
    return ESP_OK;
}

uint32_t tls_bundle_find(const struct tls_bundle *b, struct span name)
{
    uint32_t lo = 0, hi = b->cnt;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (tls_bundle_order(tls_bundle_at(b, mid).name, name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < b->cnt && tls_bundle_order(tls_bundle_at(b, lo).name, name) == 0)
        return lo;
    return b->cnt;
}
