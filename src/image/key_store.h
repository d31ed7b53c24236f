/* image/key_store.h - the keys that a device trusts, in a partition of its own.
 *
 * Bytes, rules and reasons: docs/decisions/0012. Reading takes a flash and an
 * offset, so that a bootloader can do it; writing takes the part_dev.
 * Guarantee: after a power cut at any flash operation the set in force is the
 * old or the new one, and a key that was revoked stays revoked. */
#ifndef IMAGE_KEY_STORE_H
#define IMAGE_KEY_STORE_H

#include "image/keys.h"
#include "part/part.h"

#define KEY_STORE_SUBTYPE 0x70u /* of PART_TYPE_DATA */
#define KEY_STORE_LEN 8192u     /* what a partition has at least */
#define KEY_SET_LEN 4096u       /* of a key set file, without its signature */

struct key_store {
    struct img_keys keys; /* revocations are in it */
    uint32_t version;
    uint32_t sector; /* 0 or 1 */
};

/* The table's key store, NULL: none. */
const struct part_entry *key_store_part(const struct part_table *table);

/* The set in force in the store. ESP_ERR_NOT_FOUND: it never had one;
 * ESP_ERR_INVALID_STATE: it is damaged; ESP_ERR_INVALID_SIZE: the partition is
 * too small; errors of the flash. Unless ESP_OK, *out trusts nobody. */
MUST_CHECK esp_err_t key_store_read(const struct port_flash *flash,
                                    const struct part_entry *part,
                                    struct key_store *out);

/* The keys of a device whose options have the set `own` (cnt may be 0): the
 * store's if it has some of own's scheme, own's if there is no store or an
 * empty one, else nobody's. table NULL: no store. */
void key_store_effective(const struct port_flash *flash,
                         const struct part_table *table,
                         const struct img_keys *own, struct img_keys *out);

/* A key set as a file, KEY_SET_LEN bytes, to be signed like an image. */
MUST_CHECK esp_err_t key_set_pack(const struct img_keys *keys, uint32_t version,
                                  uint8_t out[KEY_SET_LEN]);
/* ESP_ERR_NOT_FOUND: this is no key set; ESP_ERR_INVALID_CRC,
 * ESP_ERR_INVALID_ARG: damaged, or not valid. */
MUST_CHECK esp_err_t key_set_parse(struct span bytes, struct key_store *out);

/* Installs a signed key set. `now`: the keys in force. ESP_ERR_NOT_FOUND,
 * ESP_ERR_INVALID_CRC, ESP_ERR_INVALID_ARG: as key_set_parse();
 * ESP_ERR_NOT_ALLOWED: not signed as `now` asks (*why);
 * ESP_ERR_INVALID_VERSION: not newer than the one in force;
 * ESP_ERR_NOT_SUPPORTED: another scheme; ESP_ERR_INVALID_STATE: fewer trusted
 * keys than it needs; errors of flash. */
/* lint-ok: function, one call, and nothing of it is kept */
MUST_CHECK esp_err_t key_store_install(struct part_dev *dev,
                                       const struct part_entry *part,
                                       const struct img_keys *now,
                                       struct span file, uint32_t *why);

/* Revokes a key of the store for good. ESP_ERR_NOT_FOUND: it has no such key,
 * or no set; ESP_ERR_NOT_ALLOWED: too few keys would be left. */
MUST_CHECK esp_err_t key_store_revoke(struct part_dev *dev,
                                      const struct part_entry *part,
                                      const uint8_t id[SHA256_LEN]);

#endif
