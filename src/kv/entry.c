/* kv/format.h: one entry of 32 bytes, there and back. Pure. */
#include "kv/format.h"

#include <string.h>

#include "base/crc32.h"
#include "base/le.h"

#define CRC_OFF 4u
#define KEY_OFF 8u
#define DATA_OFF 24u

static uint32_t entry_crc(const uint8_t *raw)
{
    uint32_t crc = crc32_le(KV_CRC_SEED, raw, CRC_OFF);

    return crc32_le(crc, raw + KEY_OFF, KV_SLOT_LEN - KEY_OFF);
}

bool kv_type_is_number(uint8_t type)
{
    switch (type) {
    case KV_TYPE_U8:
    case KV_TYPE_U16:
    case KV_TYPE_U32:
    case KV_TYPE_U64:
    case KV_TYPE_I8:
    case KV_TYPE_I16:
    case KV_TYPE_I32:
    case KV_TYPE_I64:
    case KV_TYPE_FLOAT:
    case KV_TYPE_DOUBLE:
        return true;
    default:
        return false;
    }
}

bool kv_type_has_payload(uint8_t type)
{
    return type == KV_TYPE_STR || type == KV_TYPE_CHUNK ||
           type == KV_TYPE_BLOB_V1;
}

uint32_t kv_span_of(uint32_t len)
{
    return 1 + (len + KV_SLOT_LEN - 1) / KV_SLOT_LEN;
}

bool kv_entry_parse(const uint8_t raw[KV_SLOT_LEN], uint32_t idx,
                    struct kv_entry *out)
{
    if (le32_get(raw + CRC_OFF) != entry_crc(raw))
        return false;
    out->ns = raw[0];
    out->type = raw[1];
    out->span = raw[2];
    out->chunk = raw[3];
    memcpy(out->key, raw + KEY_OFF, KV_KEY_LEN);
    memcpy(out->data, raw + DATA_OFF, sizeof(out->data));
    if (out->span == 0 || idx + out->span > KV_SLOT_CNT ||
        out->key[KV_KEY_LEN - 1] != '\0')
        return false;
    return !kv_type_has_payload(out->type) ||
           kv_span_of(kv_entry_payload(out).len) <= out->span;
}

void kv_entry_pack(const struct kv_entry *e, uint8_t out[KV_SLOT_LEN])
{
    out[0] = e->ns;
    out[1] = e->type;
    out[2] = e->span;
    out[3] = e->chunk;
    memcpy(out + KEY_OFF, e->key, KV_KEY_LEN);
    memcpy(out + DATA_OFF, e->data, sizeof(e->data));
    le32_put(out + CRC_OFF, entry_crc(out));
}

struct kv_entry kv_entry_of(uint8_t ns, uint8_t type, const char *key)
{
    struct kv_entry e = {
        .ns = ns, .type = type, .span = 1, .chunk = KV_CHUNK_NONE
    };
    size_t len = strlen(key);

    memcpy(e.key, key, len < KV_KEY_LEN ? len : KV_KEY_LEN - 1);
    memset(e.data, 0xFF, sizeof(e.data));
    return e;
}

/* --- data ----------------------------------------------------------------- */

/* The low half of a number's type is its size; what is no number has none. */
static uint32_t number_len(uint8_t type)
{
    return kv_type_is_number(type) ? type & 0x0Fu : 0;
}

void kv_entry_set_number(struct kv_entry *e, uint64_t value)
{
    for (uint32_t i = 0; i < number_len(e->type); i++)
        e->data[i] = (uint8_t)(value >> 8 * i);
}

uint64_t kv_entry_number(const struct kv_entry *e)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < number_len(e->type); i++)
        value |= (uint64_t)e->data[i] << 8 * i;
    return value;
}

void kv_entry_set_payload(struct kv_entry *e, struct span bytes)
{
    e->span = (uint8_t)kv_span_of((uint32_t)bytes.len);
    le16_put(e->data, (uint16_t)bytes.len);
    le16_put(e->data + 2, 0xFFFF);
    le32_put(e->data + 4, crc32_le(KV_CRC_SEED, bytes.ptr, bytes.len));
}

struct kv_payload kv_entry_payload(const struct kv_entry *e)
{
    return (struct kv_payload){ .len = le16_get(e->data),
                                .crc = le32_get(e->data + 4) };
}

void kv_entry_set_index(struct kv_entry *e, const struct kv_index *index)
{
    le32_put(e->data, index->len);
    e->data[4] = index->cnt;
    e->data[5] = index->start;
    le16_put(e->data + 6, 0xFFFF);
}

struct kv_index kv_entry_index(const struct kv_entry *e)
{
    return (struct kv_index){ .len = le32_get(e->data),
                              .cnt = e->data[4],
                              .start = e->data[5] };
}

/* --- tag ------------------------------------------------------------------ */

uint8_t kv_tag(const struct kv_entry *e)
{
    uint8_t lead[2] = { e->ns,
                        e->type == KV_TYPE_CHUNK ? e->chunk : KV_CHUNK_NONE };
    uint32_t crc = crc32_le(0, lead, sizeof(lead));

    crc = crc32_le(crc, e->key, strlen(e->key));
    return (uint8_t)(1 + crc % 255);
}
