/* boot/opts.c - find, check and write the bootloader's options. */
#include "boot/opts.h"

#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/le.h"
#include "image/walk.h"

#define MAGIC 0x504F5450u /* "PTOP" */
#define VERSION 1u
#define VERSION_OFF 4u
#define LEN_OFF 6u
#define FLAGS_OFF 8u
#define FIELDS_OFF 12u
#define CRC_LEN 4u
#define FUSES_LEN 4u

#define FLAG_ROLLBACK (1u << 0)
#define FLAG_REQUIRE_HASH (1u << 1)
#define FLAG_REQUIRE_SIGNED (1u << 2)
#define FLAG_TRIAL (1u << 3)
#define FLAG_DENY (1u << 4)
#define FLAG_ANTI_ROLLBACK (1u << 5)
#define FLAG_BOOT_UNSIGNED (1u << 6)
#define FLAGS_KNOWN                                                         \
    (FLAG_ROLLBACK | FLAG_REQUIRE_HASH | FLAG_REQUIRE_SIGNED | FLAG_TRIAL | \
     FLAG_DENY | FLAG_ANTI_ROLLBACK | FLAG_BOOT_UNSIGNED)
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
        if (opts->boot_unsigned)
            flags |= FLAG_BOOT_UNSIGNED;
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
    if (opts->anti_rollback) {
        flags |= FLAG_ANTI_ROLLBACK;
        le16_put(out + len, opts->sec_ver_bits);
        le16_put(out + len + 2, opts->fuse_chip);
        len += FUSES_LEN;
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

/* Anti-rollback goes with rollback, and a field has at most 32 bits. */
static esp_err_t parse_fuses(struct span field, struct boot_opts *out)
{
    if (field.len < FUSES_LEN)
        return ESP_ERR_INVALID_SIZE;
    if (field.ptr[0] > 32 || field.ptr[1] != 0 || !out->rollback)
        return ESP_ERR_INVALID_ARG;
    out->sec_ver_bits = field.ptr[0];
    out->fuse_chip = le16_get(field.ptr + 2);
    return ESP_OK;
}

static bool is_built(const struct boot_opts *opts)
{
    struct policy policy = { .rollback = false };

    boot_opts_apply(opts, &policy);
    return pol_built(&policy);
}

static esp_err_t parse_fields(struct span record, struct boot_opts *out)
{
    uint32_t flags = le32_get(record.ptr + FLAGS_OFF), used = 0;
    struct boot_opts found = { .rollback = flags & FLAG_ROLLBACK,
                               .require_hash = flags & FLAG_REQUIRE_HASH,
                               .require_signed = flags & FLAG_REQUIRE_SIGNED,
                               .boot_unsigned = flags & FLAG_BOOT_UNSIGNED,
                               .deny = flags & FLAG_DENY,
                               .anti_rollback = flags & FLAG_ANTI_ROLLBACK };
    struct span rest = span_from(record, FIELDS_OFF);
    esp_err_t err = ESP_OK;
    if (found.boot_unsigned && !found.require_signed)
        return ESP_ERR_INVALID_ARG;
    if (found.require_signed)
        err = img_keys_parse(rest, &found.keys, &used);
    rest = span_from(rest, (used + 3) / 4 * 4);
    if (!err && (flags & FLAG_TRIAL)) {
        err = parse_trial(rest, &found);
        rest = span_from(rest, TRIAL_LEN);
    }
    if (!err && found.anti_rollback)
        err = parse_fuses(rest, &found);
    if (!err && !is_built(&found))
        err = ESP_ERR_NOT_SUPPORTED;
    if (!err)
        *out = found;
    return err;
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

static esp_err_t check_erased(const struct boot_opts_place *at)
{
    uint32_t len = at->max_len;

    for (uint32_t done = 0, part; done < len; done += part) {
        part = len - done < BOOT_OPTS_BUF_LEN ? len - done : BOOT_OPTS_BUF_LEN;
        esp_err_t err =
            at->flash->read(at->flash->ctx, at->off + done, at->buf, part);
        if (err)
            return err;
        if (!bytes_are(at->buf, part, 0xFF))
            return ESP_ERR_IMAGE_INVALID;
    }
    return ESP_ERR_NOT_FOUND;
}

static esp_err_t read_record(const struct boot_opts_place *at,
                             const struct img_segment *seg,
                             struct boot_opts *out)
{
    uint32_t len = seg->len < BOOT_OPTS_BUF_LEN ? seg->len : BOOT_OPTS_BUF_LEN;
    esp_err_t err =
        at->flash->read(at->flash->ctx, at->off + seg->off, at->buf, len);

    if (!err)
        err = boot_opts_parse(span_of(at->buf, len), out);
    /* The segment is there for it: what is none is a damaged one. */
    return err == ESP_ERR_NOT_FOUND ? ESP_ERR_IMAGE_INVALID : err;
}

esp_err_t boot_opts_find(const struct boot_opts_place *at,
                         struct boot_opts *out)
{
    static const struct img_rules rules = { .kind = IMG_KIND_BOOTLOADER,
                                            .place = IMG_PLACE_SLOT,
                                            .any_chip = true,
                                            .require_hash = true };
    const struct port_flash *flash = at->flash;
    struct img_receipt receipt;

    memset(out, 0, sizeof(*out));
    if (at->off > flash->size_len || at->max_len > flash->size_len - at->off ||
        at->max_len == 0)
        return ESP_ERR_INVALID_SIZE;
    esp_err_t err = flash->read(flash->ctx, at->off, at->buf, 1);
    if (err)
        return err;
    if (at->buf[0] == 0xFF)
        return check_erased(at);
    err = img_check_flash(flash, at->off, at->max_len, 0, &rules, NULL, at->buf,
                          BOOT_OPTS_BUF_LEN, at->check, &receipt);
    if (err)
        return err == ESP_ERR_IMAGE_FLASH_FAIL ? err : ESP_ERR_IMAGE_INVALID;
    for (uint32_t i = 0; i < at->check->info.header.seg_cnt; i++) {
        const struct img_segment *seg = &at->check->info.segs[i];
        if (seg->load_addr == BOOT_OPTS_ADDR)
            return read_record(at, seg, out);
    }
    return ESP_ERR_NOT_FOUND;
}

esp_err_t boot_opts_read(const struct port_flash *flash, uint32_t off,
                         uint32_t max_len, struct boot_opts *out)
{
    uint8_t buf[BOOT_OPTS_BUF_LEN];
    struct img_check check;
    struct boot_opts_place at = { flash, off, max_len, &check, buf };

    return boot_opts_find(&at, out);
}

void boot_opts_apply(const struct boot_opts *opts, struct policy *policy)
{
    policy->rollback = opts->rollback;
    policy->require_hash = opts->require_hash;
    policy->require_signed = opts->require_signed;
    policy->boot_unsigned = opts->boot_unsigned;
    policy->anti_rollback = opts->anti_rollback;
    policy->sec_ver_bits = opts->sec_ver_bits;
    policy->trial_boots = opts->trial_boots;
    policy->trial_power = opts->trial_power;
    policy->deny = opts->deny;
}
