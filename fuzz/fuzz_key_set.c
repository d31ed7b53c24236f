/* Key sets, key set files and key stores, on any bytes.
 *
 * The input is what lies at the start of each sector of a store, with a CRC
 * made right where the first byte asks for it. Asserted: what is read is a
 * valid set or trusts nobody; what can be read can be packed again to the same
 * bytes; keys in force are the store's, the device's own, or nobody's. */
#include <stdlib.h>

#include "base/crc32.h"
#include "base/le.h"
#include "image/key_store.h"

static uint8_t flash_bytes[KEY_STORE_LEN];

static void must(bool ok)
{
    if (!ok)
        abort();
}

static esp_err_t mem_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    (void)ctx;
    must(off <= sizeof(flash_bytes) && len <= sizeof(flash_bytes) - off);
    memcpy(dst, flash_bytes + off, len);
    return ESP_OK;
}

static void must_trust_nobody(const struct img_keys *keys)
{
    must(keys->cnt == 0);
}

static void sets(struct span in)
{
    uint8_t again[IMG_KEYS_PACKED_MAX];
    struct img_keys keys;
    uint32_t used;

    if (img_keys_parse(in, &keys, &used) != ESP_OK) {
        must(used == 0);
        must_trust_nobody(&keys);
        return;
    }
    must(used <= in.len && (keys.cnt == 0 || img_keys_valid(&keys)));
    must(img_keys_pack(&keys, again) == used);
    for (uint32_t i = 0; i < used; i++)
        must(again[i] == in.ptr[i] || (i >= 4 && again[i] == 0));
}

static void seal(uint8_t *sector)
{
    uint32_t len = le32_get(sector + 20);

    if (len < 1000)
        le32_put(sector + 24 + len, crc32_le(0, sector + 16, 8 + len));
}

static void stores(struct span in, bool sealed)
{
    const struct part_entry part = { .type = PART_TYPE_DATA,
                                     .subtype = KEY_STORE_SUBTYPE,
                                     .len = KEY_STORE_LEN };
    struct port_flash flash = { .size_len = KEY_STORE_LEN, .read = mem_read };
    struct part_table table = { .cnt = 1 };
    struct img_keys own = { .scheme = IMG_SCHEME_ECDSA256 }, keys;
    struct key_store store, file;
    size_t half = in.len / 2 < KEY_SET_LEN ? in.len / 2 : KEY_SET_LEN;
    esp_err_t err;

    memset(flash_bytes, 0xFF, sizeof(flash_bytes));
    if (half)
        memcpy(flash_bytes, in.ptr, half);
    if (half)
        memcpy(flash_bytes + KEY_SET_LEN, in.ptr + half, half);
    if (sealed) {
        seal(flash_bytes);
        seal(flash_bytes + KEY_SET_LEN);
    }
    table.entries[0] = part;
    err = key_store_read(&flash, &part, &store);
    if (err)
        must_trust_nobody(&store.keys);
    else
        must(img_keys_valid(&store.keys) && store.version > 0);
    key_store_effective(&flash, &table, &own, &keys);
    must(keys.cnt == 0 || (!err && keys.scheme == own.scheme));
    if (key_set_parse(span_of(flash_bytes, KEY_SET_LEN), &file) != ESP_OK)
        must_trust_nobody(&file.keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    sets(span_of(data + 1, size - 1));
    stores(span_of(data + 1, size - 1), data[0] & 1);
    return 0;
}
