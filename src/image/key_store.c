/* Order of an installation: the sector that is not in force is erased and
 * receives the set, then its commit. So a sector with a commit is complete,
 * unless its erase was cut; then the other one is in force and newer. */
#include "image/key_store.h"

#include "base/crc32.h"
#include "base/le.h"
#include "crypto/ct.h"
#include "image/sig.h"

#define UNIT_LEN 16u      /* the largest program unit that flash may have */
#define MAGIC 0x31534B50u /* "PKS1" */
#define VERSION_OFF 16u
#define LEN_OFF 20u
#define KEYS_OFF 24u
#define REVOKED_OFF 2048u
#define HEAD_MAX (KEYS_OFF + IMG_KEYS_PACKED_MAX + 4u)
/* ... rounded up to units */
#define HEAD_ROOM ((HEAD_MAX + UNIT_LEN - 1) / UNIT_LEN * UNIT_LEN)

static const struct key_store nothing;

static void commit_unit(uint8_t out[UNIT_LEN])
{
    memset(out, 0, UNIT_LEN);
    le32_put(out, MAGIC);
}

static bool is_committed(const uint8_t *sector)
{
    uint8_t want[UNIT_LEN];

    commit_unit(want);
    return memcmp(sector, want, UNIT_LEN) == 0;
}

/* --- bytes ---------------------------------------------------------------- */

/* The head of a sector, HEAD_ROOM bytes: everything but revocations. */
static esp_err_t head_parse(const uint8_t *head, struct key_store *out)
{
    uint32_t len = le32_get(head + LEN_OFF), used;
    esp_err_t err;

    *out = nothing;
    if (!is_committed(head))
        return ESP_ERR_NOT_FOUND;
    if (len > IMG_KEYS_PACKED_MAX ||
        le32_get(head + KEYS_OFF + len) !=
            crc32_le(0, head + VERSION_OFF, KEYS_OFF + len - VERSION_OFF))
        return ESP_ERR_INVALID_CRC;
    err = img_keys_parse(span_of(head + KEYS_OFF, len), &out->keys, &used);
    out->version = le32_get(head + VERSION_OFF);
    if (!err && (used != len || !img_keys_valid(&out->keys) ||
                 out->version == 0 || out->version == UINT32_MAX))
        err = ESP_ERR_INVALID_ARG;
    if (err)
        *out = nothing;
    return err ? ESP_ERR_INVALID_ARG : ESP_OK;
}

esp_err_t key_set_pack(const struct img_keys *keys, uint32_t version,
                       uint8_t out[KEY_SET_LEN])
{
    uint32_t len;

    memset(out, 0xFF, KEY_SET_LEN);
    if (!img_keys_valid(keys) || version == 0 || version == UINT32_MAX)
        return ESP_ERR_INVALID_ARG;
    commit_unit(out);
    le32_put(out + VERSION_OFF, version);
    len = img_keys_pack(keys, out + KEYS_OFF);
    le32_put(out + LEN_OFF, len);
    le32_put(out + KEYS_OFF + len,
             crc32_le(0, out + VERSION_OFF, KEYS_OFF + len - VERSION_OFF));
    return ESP_OK;
}

/* What is not the set is 0xFF, so that a file says nothing that is not read. */
esp_err_t key_set_parse(struct span bytes, struct key_store *out)
{
    uint8_t again[KEY_SET_LEN];
    esp_err_t err;

    *out = nothing;
    if (bytes.len < KEY_SET_LEN)
        return ESP_ERR_NOT_FOUND;
    err = head_parse(bytes.ptr, out);
    if (!err)
        err = key_set_pack(&out->keys, out->version, again);
    if (!err && memcmp(again, bytes.ptr, KEY_SET_LEN) != 0)
        err = ESP_ERR_INVALID_ARG;
    if (err)
        *out = nothing;
    return err;
}

/* --- reading -------------------------------------------------------------- */

const struct part_entry *key_store_part(const struct part_table *table)
{
    return part_find(table, PART_TYPE_DATA, KEY_STORE_SUBTYPE, NULL);
}

static esp_err_t read_sector(const struct port_flash *flash, uint32_t off,
                             struct key_store *out)
{
    uint8_t head[HEAD_ROOM];
    esp_err_t err = flash->read(flash->ctx, off, head, sizeof(head));

    if (!err)
        err = head_parse(head, out);
    for (uint32_t i = 0; !err && i < out->keys.cnt; i++) {
        err = flash->read(flash->ctx, off + REVOKED_OFF + i * UNIT_LEN, head,
                          UNIT_LEN);
        for (uint32_t k = 0; k < UNIT_LEN; k++)
            if (head[k] != 0xFF)
                out->keys.key[i].trust = VERDICT_REJECT;
    }
    return err;
}

esp_err_t key_store_read(const struct port_flash *flash,
                         const struct part_entry *part, struct key_store *out)
{
    esp_err_t err, worst = ESP_ERR_NOT_FOUND;
    uint32_t version = 0, sector = 0;

    *out = nothing;
    if (part->len < KEY_STORE_LEN)
        return ESP_ERR_INVALID_SIZE;
    for (uint32_t i = 0; i < 2; i++) {
        err = read_sector(flash, part->off + i * KEY_SET_LEN, out);
        if (err == ESP_ERR_INVALID_CRC || err == ESP_ERR_INVALID_ARG)
            worst = ESP_ERR_INVALID_STATE;
        else if (err && err != ESP_ERR_NOT_FOUND)
            return err;
        if (!err && out->version > version) {
            version = out->version;
            sector = i;
        }
    }
    *out = nothing;
    if (version == 0)
        return worst;
    err = read_sector(flash, part->off + sector * KEY_SET_LEN, out);
    out->sector = sector;
    return err;
}

void key_store_effective(const struct port_flash *flash,
                         const struct part_table *table,
                         const struct img_keys *own, struct img_keys *out)
{
    const struct part_entry *part = table ? key_store_part(table) : NULL;
    struct key_store store;
    esp_err_t err = ESP_ERR_NOT_FOUND;

    *out = nothing.keys;
    if (part)
        err = key_store_read(flash, part, &store);
    if (err == ESP_ERR_NOT_FOUND)
        *out = *own;
    else if (err == ESP_OK && (own->scheme == store.keys.scheme ||
                               own->scheme == IMG_SCHEME_NONE))
        *out = store.keys;
}

/* --- writing -------------------------------------------------------------- */

static uint32_t trusted_cnt(const struct img_keys *keys)
{
    uint32_t cnt = 0;

    for (uint32_t i = 0; i < keys->cnt; i++)
        cnt += keys->key[i].trust == VERDICT_ACCEPT;
    return cnt;
}

static uint32_t find_key(const struct img_keys *keys, const uint8_t *id)
{
    uint32_t i = 0;

    while (i < keys->cnt && ct_diff(keys->key[i].id, id, SHA256_LEN) != 0)
        i++;
    return i;
}

/* What is already revoked is so in the set that is written. */
static esp_err_t write_set(struct part_dev *dev, const struct part_entry *part,
                           const struct key_store *set, uint32_t sector)
{
    uint8_t bytes[KEY_SET_LEN];
    uint32_t at = sector * KEY_SET_LEN;
    esp_err_t err = key_set_pack(&set->keys, set->version, bytes);

    if (!err)
        err = part_erase_sector(dev, part, at);
    if (!err)
        err = part_put(dev, part, at + UNIT_LEN,
                       span_of(bytes + UNIT_LEN, HEAD_ROOM - UNIT_LEN));
    return err ? err : part_put(dev, part, at, span_of(bytes, UNIT_LEN));
}

static bool is_signed(const struct img_keys *now, struct span file,
                      uint32_t *why)
{
    struct span sig = span_from(file, KEY_SET_LEN);
    struct img_sig s;
    enum verdict verdict;

    img_sig_open(&s, now);
    img_sig_hash(&s, file.ptr, KEY_SET_LEN);
    if (sig.len > img_sig_len(now->scheme))
        sig.len = 0; /* what follows a signature is not looked at: refuse */
    (void)img_sig_feed(&s, sig.ptr, sig.len);
    verdict = img_sig_finish(&s);
    *why = (uint32_t)s.why;
    return verdict == VERDICT_ACCEPT;
}

/* The revocations of `old` that concern keys of the new set. */
static void carry_revoked(const struct img_keys *old, struct img_keys *keys)
{
    for (uint32_t i = 0; i < keys->cnt; i++) {
        uint32_t k = find_key(old, keys->key[i].id);

        if (k < old->cnt && old->key[k].trust != VERDICT_ACCEPT)
            keys->key[i].trust = VERDICT_REJECT;
    }
}

static esp_err_t check_set(const struct img_keys *now,
                           const struct key_store *old, struct key_store *set)
{
    if (set->keys.scheme != now->scheme)
        return ESP_ERR_NOT_SUPPORTED;
    if (set->version <= old->version)
        return ESP_ERR_INVALID_VERSION;
    carry_revoked(&old->keys, &set->keys);
    carry_revoked(now, &set->keys);
    return trusted_cnt(&set->keys) < set->keys.need ? ESP_ERR_INVALID_STATE
                                                    : ESP_OK;
}

/* lint-ok: function, one call, and nothing of it is kept */
esp_err_t key_store_install(struct part_dev *dev, const struct part_entry *part,
                            const struct img_keys *now, struct span file,
                            uint32_t *why)
{
    struct key_store set, old;
    esp_err_t err = key_set_parse(file, &set);

    *why = 0;
    if (err)
        return err;
    if (!is_signed(now, file, why))
        return ESP_ERR_NOT_ALLOWED;
    err = key_store_read(dev->flash, part, &old);
    if (err && err != ESP_ERR_NOT_FOUND)
        return err;
    old.sector = err ? 1 : old.sector;
    err = check_set(now, &old, &set);
    return err ? err : write_set(dev, part, &set, 1 - old.sector);
}

esp_err_t key_store_revoke(struct part_dev *dev, const struct part_entry *part,
                           const uint8_t id[SHA256_LEN])
{
    static const uint8_t zeros[UNIT_LEN];
    struct key_store store;
    esp_err_t err = key_store_read(dev->flash, part, &store);
    uint32_t i;

    if (err)
        return err;
    i = find_key(&store.keys, id);
    if (i == store.keys.cnt)
        return ESP_ERR_NOT_FOUND;
    if (store.keys.key[i].trust != VERDICT_ACCEPT)
        return ESP_OK;
    if (trusted_cnt(&store.keys) - 1 < store.keys.need)
        return ESP_ERR_NOT_ALLOWED;
    return part_put(dev, part,
                    store.sector * KEY_SET_LEN + REVOKED_OFF + i * UNIT_LEN,
                    span_of(zeros, UNIT_LEN));
}
