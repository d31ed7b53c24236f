/* boot/opts.c - find, check and write the bootloader's options. */
#include "boot/opts.h"

#include <string.h>

#include "base/crc32.h"
#include "base/le.h"
#include "image/image.h"

#define MAGIC 0x504F5450u /* "PTOP" */
#define VERSION 1u
#define LEN_MAX 1024u
#define VERSION_OFF 4u
#define LEN_OFF 6u
#define FLAGS_OFF 8u
#define FIELDS_OFF 12u
#define CRC_LEN 4u

#define FLAG_ROLLBACK (1u << 0)
#define FLAG_REQUIRE_HASH (1u << 1)
#define FLAG_REQUIRE_SIGNED (1u << 2)
#define FLAG_TRIAL (1u << 3)
#define FLAG_DENY (1u << 4)
#define FLAGS_KNOWN                                                         \
    (FLAG_ROLLBACK | FLAG_REQUIRE_HASH | FLAG_REQUIRE_SIGNED | FLAG_TRIAL | \
     FLAG_DENY)
#define TRIAL_LEN 4u

uint32_t boot_opts_pack(const struct boot_opts *opts,
                        uint8_t out[BOOT_OPTS_MAX_LEN])
{
    uint32_t flags = 0, len = FIELDS_OFF;
    if (opts->rollback)
        flags |= FLAG_ROLLBACK;
    if (opts->require_hash)
        flags |= FLAG_REQUIRE_HASH;
    if (opts->require_signed) {
        flags |= FLAG_REQUIRE_SIGNED;
        len += img_keys_pack(&opts->keys, out + len);
    }
    while (len % 4)
        out[len++] = 0;
    if (opts->deny)
        flags |= FLAG_DENY;
    if (opts->trial_boots || opts->trial_power) {
        flags |= FLAG_TRIAL;
        le16_put(out + len,
                 (uint16_t)(opts->trial_boots | opts->trial_power << 8));
        le16_put(out + len + 2, 0);
        len += TRIAL_LEN;
    }
    le32_put(out, MAGIC);
    le16_put(out + VERSION_OFF, VERSION);
    le16_put(out + LEN_OFF, (uint16_t)(len + CRC_LEN));
    le32_put(out + FLAGS_OFF, flags);
    le32_put(out + len, crc32_le(0, out, len));
    return len + CRC_LEN;
}

static esp_err_t parse_trial(struct span field, struct boot_opts *out)
{
    if (field.len < TRIAL_LEN)
        return ESP_ERR_INVALID_SIZE;
    out->trial_boots = field.ptr[0];
    out->trial_power = field.ptr[1];
    return ESP_OK;
}

static esp_err_t parse_fields(struct span record, struct boot_opts *out)
{
    uint32_t flags = le32_get(record.ptr + FLAGS_OFF), used = 0;
    esp_err_t err = ESP_OK;
    if (flags & FLAG_REQUIRE_SIGNED)
        err = img_keys_parse(span_from(record, FIELDS_OFF), &out->keys, &used);
    if (!err && (flags & FLAG_TRIAL))
        err = parse_trial(span_from(record, FIELDS_OFF + (used + 3) / 4 * 4),
                          out);
    if (err)
        return err;
    out->deny = flags & FLAG_DENY;
    out->rollback = flags & FLAG_ROLLBACK;
    out->require_hash = flags & FLAG_REQUIRE_HASH;
    out->require_signed = flags & FLAG_REQUIRE_SIGNED;
    return ESP_OK;
}

esp_err_t boot_opts_parse(struct span bytes, struct boot_opts *out)
{
    memset(out, 0, sizeof(*out));
    if (bytes.len < 4 || le32_get(bytes.ptr) != MAGIC)
        return ESP_ERR_NOT_FOUND;
    if (bytes.len < BOOT_OPTS_LEN)
        return ESP_ERR_INVALID_SIZE;
    size_t len = le16_get(bytes.ptr + LEN_OFF);
    if (len < BOOT_OPTS_LEN || len > bytes.len)
        return ESP_ERR_INVALID_SIZE;
    size_t crc_off = len - CRC_LEN;
    if (le32_get(bytes.ptr + crc_off) != crc32_le(0, bytes.ptr, crc_off))
        return ESP_ERR_INVALID_CRC;
    uint32_t flags = le32_get(bytes.ptr + FLAGS_OFF);
    if (le16_get(bytes.ptr + VERSION_OFF) != VERSION || (flags & ~FLAGS_KNOWN))
        return ESP_ERR_NOT_SUPPORTED;
    return parse_fields(span_of(bytes.ptr, crc_off), out);
}

static esp_err_t read_at(const struct port_flash *flash, uint32_t off,
                         void *dst, uint32_t len)
{
    if (off > flash->size_len || len > flash->size_len - off)
        return ESP_ERR_INVALID_SIZE;
    return flash->read(flash->ctx, off, dst, len);
}

static esp_err_t read_record(const struct port_flash *flash, uint32_t off,
                             uint32_t seg_len, struct boot_opts *out)
{
    uint8_t bytes[LEN_MAX];
    uint32_t len = seg_len < LEN_MAX ? seg_len : LEN_MAX;
    esp_err_t err = read_at(flash, off, bytes, len);
    return err ? err : boot_opts_parse(span_of(bytes, len), out);
}

esp_err_t boot_opts_read(const struct port_flash *flash, uint32_t off,
                         struct boot_opts *out)
{
    uint8_t head[IMG_HEADER_LEN];
    struct img_header header;
    memset(out, 0, sizeof(*out));
    esp_err_t err = read_at(flash, off, head, sizeof(head));
    if (err)
        return err;
    err = img_header_parse(span_of(head, sizeof(head)), &header);
    if (err || header.magic != IMG_MAGIC || header.seg_cnt > IMG_MAX_SEGMENTS)
        return ESP_ERR_NOT_FOUND;
    uint32_t at = off + IMG_HEADER_LEN;
    for (uint32_t i = 0; i < header.seg_cnt; i++) {
        uint8_t seg[IMG_SEG_HEADER_LEN];
        err = read_at(flash, at, seg, sizeof(seg));
        if (err)
            return err;
        at += IMG_SEG_HEADER_LEN;
        uint32_t len = le32_get(seg + 4);
        if (len > flash->size_len - at)
            return ESP_ERR_INVALID_SIZE;
        if (le32_get(seg) == BOOT_OPTS_ADDR)
            return read_record(flash, at, len, out);
        at += len;
    }
    return ESP_ERR_NOT_FOUND;
}

void boot_opts_apply(const struct boot_opts *opts, struct policy *policy)
{
    policy->rollback = opts->rollback;
    policy->require_hash = opts->require_hash;
    policy->require_signed = opts->require_signed;
    policy->trial_boots = opts->trial_boots;
    policy->trial_power = opts->trial_power;
    policy->deny = opts->deny;
}
