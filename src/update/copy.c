#include "update/copy.h"

#include <string.h>

#include "base/crc32.h"
#include "base/le.h"
#include "update/hex.h"

#define COPY_MAGIC 0x31504350u /* "PCP1" */

enum {
    AT_MAGIC = 0,
    AT_FROM_OFF = 4,
    AT_FROM_LEN = 8,
    AT_TO_OFF = 12,
    AT_TO_LEN = 16,
    AT_LEN = 20,
    AT_KIND = 24,
    AT_HEADLESS = 25,
    AT_HEAD = 26,
    AT_DIGEST = AT_HEAD + SLOT_HEAD_LEN,
    AT_CRC = AT_DIGEST + SHA256_LEN,
    BYTES_LEN = AT_CRC + 4
};

/* --- the note ------------------------------------------------------------- */

void upd_copy_format(const struct upd_copy *c, char out[UPD_COPY_TEXT_LEN])
{
    uint8_t b[BYTES_LEN];

    _Static_assert(2 * BYTES_LEN < UPD_COPY_TEXT_LEN, "it fits");
    le32_put(b + AT_MAGIC, COPY_MAGIC);
    le32_put(b + AT_FROM_OFF, c->from.off);
    le32_put(b + AT_FROM_LEN, c->from.len);
    le32_put(b + AT_TO_OFF, c->to.off);
    le32_put(b + AT_TO_LEN, c->to.len);
    le32_put(b + AT_LEN, c->len);
    b[AT_KIND] = c->kind;
    b[AT_HEADLESS] = c->headless;
    memcpy(b + AT_HEAD, c->head, sizeof(c->head));
    memcpy(b + AT_DIGEST, c->digest, sizeof(c->digest));
    le32_put(b + AT_CRC, crc32_le(UINT32_MAX, b, AT_CRC));
    upd_hex_put(b, BYTES_LEN, out);
}

esp_err_t upd_copy_parse(struct span in, struct upd_copy *out)
{
    uint8_t b[BYTES_LEN] = { 0 };

    memset(out, 0, sizeof(*out));
    if (in.len != 2 * BYTES_LEN)
        return ESP_ERR_INVALID_SIZE;
    if (!upd_hex_get(in, b) ||
        le32_get(b + AT_CRC) != crc32_le(UINT32_MAX, b, AT_CRC))
        return ESP_ERR_INVALID_CRC;
    if (le32_get(b + AT_MAGIC) != COPY_MAGIC)
        return ESP_ERR_INVALID_VERSION;
    out->from.off = le32_get(b + AT_FROM_OFF);
    out->from.len = le32_get(b + AT_FROM_LEN);
    out->to.off = le32_get(b + AT_TO_OFF);
    out->to.len = le32_get(b + AT_TO_LEN);
    out->len = le32_get(b + AT_LEN);
    out->kind = b[AT_KIND];
    out->headless = b[AT_HEADLESS] != 0;
    memcpy(out->head, b + AT_HEAD, sizeof(out->head));
    memcpy(out->digest, b + AT_DIGEST, sizeof(out->digest));
    return out->len > 0 && out->len <= out->from.len && out->len <= out->to.len
               ? ESP_OK
               : ESP_ERR_INVALID_SIZE;
}

/* --- the bytes ------------------------------------------------------------ */

struct piece {
    uint32_t off;
    void *dst;
    size_t len;
};

/* Bytes of what is staged, the head put back. */
static esp_err_t read_staged(const struct part_dev *dev,
                             const struct upd_copy *c, const struct piece *p)
{
    esp_err_t err = part_read(dev, &c->from, p->off, p->dst, p->len);

    if (!err && c->headless && p->off == 0)
        memcpy(p->dst, c->head,
               p->len < SLOT_HEAD_LEN ? p->len : SLOT_HEAD_LEN);
    return err;
}

esp_err_t upd_copy_digest(const struct part_dev *dev, const struct upd_copy *c,
                          uint8_t *buf, uint8_t out[SHA256_LEN])
{
    uint32_t step = upd_buf_len(dev);
    struct sha256 sha;

    sha256_init(&sha);
    for (uint32_t at = 0; at < c->len; at += step) {
        size_t len = c->len - at < step ? c->len - at : step;
        esp_err_t err = read_staged(dev, c, &(struct piece){ at, buf, len });
        if (err)
            return err;
        sha256_update(&sha, buf, len);
    }
    sha256_final(&sha, out);
    return ESP_OK;
}

esp_err_t upd_copy_body(struct part_dev *dev, const struct upd_copy *c,
                        struct slot *to, struct img_check *check)
{
    for (uint32_t at = 0; at < c->len;) {
        void *dst;
        size_t room;
        esp_err_t err = slot_reserve(to, &dst, &room);
        if (err)
            return err;
        if (room == 0)
            return ESP_ERR_INVALID_SIZE;
        if (room > c->len - at)
            room = c->len - at;
        err = read_staged(dev, c, &(struct piece){ at, dst, room });
        if (!err && check)
            err = img_check_feed(check, dst, room);
        if (!err)
            err = slot_advance(to, room);
        if (err)
            return err;
        at += (uint32_t)room;
    }
    return slot_flush(to);
}
