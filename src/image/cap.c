/* Offsets are those of docs/decisions/0018. */
#include "image/cap.h"

#include "base/crc32.h"
#include "base/le.h"

#define FLAG_CLIENT 1u
#define FLAG_TABLE 2u
#define FLAG_OVERRIDE 4u

static bool is_whole(struct span s)
{
    uint32_t len = le16_get(s.ptr + 6), cnt = s.ptr[10];

    if (cnt > IMG_CAP_KEYS_MAX || s.ptr[9] > cnt || (cnt && !s.ptr[9]) ||
        len != IMG_CAP_FIXED_LEN + cnt * SHA256_LEN + 4 || len > s.len)
        return false;
    return crc32_le(0, s.ptr, len - 4) == le32_get(s.ptr + len - 4);
}

void img_cap_parse(struct span head, uint32_t seg_len, struct img_cap *out)
{
    struct span s = span_from(head, IMG_CAP_OFF);
    uint32_t room = seg_len > IMG_APP_DESC_LEN ? seg_len - IMG_APP_DESC_LEN : 0;

    *out = (struct img_cap){ .state = IMG_CAP_ABSENT };
    if (s.len > room)
        s.len = room;
    if (s.len < 4 || le32_get(s.ptr) != IMG_CAP_MAGIC)
        return;
    out->state = IMG_CAP_DAMAGED;
    if (s.len < IMG_CAP_FIXED_LEN + 4)
        return;
    if (s.ptr[4] > IMG_CAP_VERSION)
        out->state = IMG_CAP_ABSENT;
    else if (is_whole(s))
        out->state = IMG_CAP_GOOD;
    if (out->state != IMG_CAP_GOOD)
        return;
    out->client = s.ptr[5] & FLAG_CLIENT;
    out->has_table = s.ptr[5] & FLAG_TABLE;
    out->override = s.ptr[5] & FLAG_OVERRIDE;
    out->scheme = (enum img_scheme)s.ptr[8];
    out->need = s.ptr[9];
    out->cnt = s.ptr[10];
    memcpy(out->table_sha, s.ptr + 12, SHA256_LEN);
    memcpy(out->key_id, s.ptr + IMG_CAP_FIXED_LEN,
           (size_t)out->cnt * SHA256_LEN);
}

uint32_t img_cap_pack(const struct img_cap *cap, uint8_t out[IMG_CAP_MAX_LEN])
{
    uint32_t len = IMG_CAP_FIXED_LEN + cap->cnt * SHA256_LEN;

    memset(out, 0, IMG_CAP_FIXED_LEN);
    le32_put(out, IMG_CAP_MAGIC);
    out[4] = IMG_CAP_VERSION;
    out[5] = (uint8_t)((cap->client ? FLAG_CLIENT : 0) |
                       (cap->has_table ? FLAG_TABLE : 0) |
                       (cap->override ? FLAG_OVERRIDE : 0));
    le16_put(out + 6, (uint16_t)(len + 4));
    out[8] = (uint8_t)cap->scheme;
    out[9] = (uint8_t)cap->need;
    out[10] = (uint8_t)cap->cnt;
    if (cap->has_table)
        memcpy(out + 12, cap->table_sha, SHA256_LEN);
    memcpy(out + IMG_CAP_FIXED_LEN, cap->key_id, (size_t)cap->cnt * SHA256_LEN);
    le32_put(out + len, crc32_le(0, out, len));
    return len + 4;
}

/* One row is packed at a time, as a table of its own: a whole one is 3 KB. */
void img_cap_table(const struct part_table *table, uint8_t out[SHA256_LEN])
{
    uint8_t row[PART_ROW_LEN];
    struct sha256 sha;

    sha256_init(&sha);
    for (uint32_t i = 0; i < table->cnt; i++) {
        part_row_pack(&table->entries[i], row);
        sha256_update(&sha, row, sizeof(row));
    }
    sha256_final(&sha, out);
}
