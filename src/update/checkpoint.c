#include "update/checkpoint.h"

#include "base/crc32.h"
#include "base/le.h"
#include "update/hex.h"

#define CHECKPOINT_MAGIC 0x32435250u /* "PRC2" */

/* Where things are; the CRC is behind the validator. */
enum {
    AT_MAGIC = 0,
    AT_PLACE = 4,
    AT_QUERY = 20,
    AT_SLOT_OFF = 36,
    AT_SLOT_LEN = 40,
    AT_OFF = 44,
    AT_TOTAL = 48, /* 8 bytes */
    AT_DIGEST = 56,
    AT_HEAD = 88,
    AT_SKIP = 104, /* 2 bytes */
    AT_MARK = 106,
    AT_NAME_KIND = 122, /* of the validator: 'E' or 'M' */
    AT_NAME = 123,
    NAME_MAX_LEN = 127,
    CRC_LEN = 4,
    BYTES_MAX_LEN = AT_NAME + NAME_MAX_LEN + CRC_LEN
};

/* --- to and from text ----------------------------------------------------- */

/* Returns the length. */
static uint32_t pack(const struct upd_checkpoint *c, uint8_t *out)
{
    const char *name = upd_validator(&c->file);
    bool is_etag = name == c->file.etag;
    uint32_t len = AT_NAME + (name ? (uint32_t)strlen(name) : 0);
    uint64_t total =
        c->file.total == HTTP_LEN_UNKNOWN ? UINT64_MAX : c->file.total;

    le32_put(out + AT_MAGIC, CHECKPOINT_MAGIC);
    memcpy(out + AT_PLACE, c->place, sizeof(c->place));
    memcpy(out + AT_QUERY, c->query, sizeof(c->query));
    le32_put(out + AT_SLOT_OFF, c->slot_off);
    le32_put(out + AT_SLOT_LEN, c->slot_len);
    le32_put(out + AT_OFF, c->off);
    le32_put(out + AT_TOTAL, (uint32_t)total);
    le32_put(out + AT_TOTAL + 4, (uint32_t)(total >> 32));
    memcpy(out + AT_DIGEST, c->digest, sizeof(c->digest));
    memcpy(out + AT_HEAD, c->head, sizeof(c->head));
    out[AT_SKIP] = (uint8_t)c->skip_len;
    out[AT_SKIP + 1] = (uint8_t)(c->skip_len >> 8);
    memcpy(out + AT_MARK, c->mark, sizeof(c->mark));
    out[AT_NAME_KIND] = is_etag ? 'E' : 'M';
    if (name)
        memcpy(out + AT_NAME, name, len - AT_NAME);
    le32_put(out + len, crc32_le(UINT32_MAX, out, len));
    return len + CRC_LEN;
}

void upd_checkpoint_format(const struct upd_checkpoint *c,
                           char out[UPD_CHECKPOINT_TEXT_LEN])
{
    uint8_t bytes[BYTES_MAX_LEN];
    uint32_t len;

    _Static_assert(sizeof(c->file.etag) <= NAME_MAX_LEN + 1 &&
                       sizeof(c->file.modified) <= NAME_MAX_LEN + 1 &&
                       2 * BYTES_MAX_LEN < UPD_CHECKPOINT_TEXT_LEN,
                   "whatever names the file fits");
    len = pack(c, bytes);
    upd_hex_put(bytes, len, out);
}

static esp_err_t unpack(const uint8_t *p, uint32_t len,
                        struct upd_checkpoint *out)
{
    size_t name_len = len - AT_NAME;
    bool is_etag = p[AT_NAME_KIND] == 'E';
    uint64_t total;
    char *name = is_etag ? out->file.etag : out->file.modified;
    size_t room = is_etag ? sizeof(out->file.etag) : sizeof(out->file.modified);

    if (le32_get(p + AT_MAGIC) != CHECKPOINT_MAGIC)
        return ESP_ERR_INVALID_VERSION;
    if (name_len >= room)
        return ESP_ERR_INVALID_SIZE;
    memcpy(out->place, p + AT_PLACE, sizeof(out->place));
    memcpy(out->query, p + AT_QUERY, sizeof(out->query));
    out->slot_off = le32_get(p + AT_SLOT_OFF);
    out->slot_len = le32_get(p + AT_SLOT_LEN);
    out->off = le32_get(p + AT_OFF);
    total = le32_get(p + AT_TOTAL) | (uint64_t)le32_get(p + AT_TOTAL + 4) << 32;
    out->file.total =
        total < HTTP_LEN_UNKNOWN ? (http_len)total : HTTP_LEN_UNKNOWN;
    memcpy(out->digest, p + AT_DIGEST, sizeof(out->digest));
    memcpy(out->head, p + AT_HEAD, sizeof(out->head));
    out->skip_len = p[AT_SKIP] | (uint32_t)p[AT_SKIP + 1] << 8;
    memcpy(out->mark, p + AT_MARK, sizeof(out->mark));
    memcpy(name, p + AT_NAME, name_len);
    return ESP_OK;
}

esp_err_t upd_checkpoint_parse(struct span in, struct upd_checkpoint *out)
{
    uint8_t bytes[BYTES_MAX_LEN] = { 0 };
    uint32_t len = (uint32_t)(in.len / 2);

    memset(out, 0, sizeof(*out));
    if (in.len % 2 != 0 || in.len > 2 * BYTES_MAX_LEN ||
        len < AT_NAME + CRC_LEN)
        return ESP_ERR_INVALID_SIZE;
    if (!upd_hex_get(in, bytes))
        return ESP_ERR_INVALID_CRC;
    len -= CRC_LEN;
    if (le32_get(bytes + len) != crc32_le(UINT32_MAX, bytes, len))
        return ESP_ERR_INVALID_CRC;
    return unpack(bytes, len, out);
}

/* With an ETag of its own a file is known under another signature, too; a
 * date and a length are not that unlikely to be another file's. */
static bool is_same_place(const struct upd_checkpoint *a,
                          const struct upd_checkpoint *b)
{
    if (memcmp(a->place, b->place, sizeof(a->place)) != 0)
        return false;
    return a->file.etag[0] == '"' ||
           memcmp(a->query, b->query, sizeof(a->query)) == 0;
}

const char *upd_checkpoint_refuse(const struct upd_checkpoint *c,
                                  const struct upd_checkpoint *wanted,
                                  uint32_t sector_len, uint32_t cap_len)
{
    if (!is_same_place(c, wanted))
        return "it is of another URL";
    if (c->slot_off != wanted->slot_off || c->slot_len != wanted->slot_len)
        return "it is of another slot";
    if (c->skip_len != wanted->skip_len)
        return "it is of a download that was decrypted in another way";
    if (c->off == 0 || c->off % sector_len != 0 || c->off > cap_len)
        return "its offset is none in this slot";
    if (c->file.total != HTTP_LEN_UNKNOWN &&
        (c->off + (uint64_t)c->skip_len > c->file.total ||
         c->file.total > cap_len + (uint64_t)c->skip_len))
        return "its lengths contradict each other";
    if (!upd_file_known(&c->file))
        return "it does not say which file it is of";
    return NULL;
}
