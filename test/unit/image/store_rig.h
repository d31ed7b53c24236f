/* store_rig.h - a flash with a key store, and signed key sets to put there. */
#ifndef STORE_RIG_H
#define STORE_RIG_H

#include "image/key_store.h"
#include "sim_flash.h"

#define STORE_OFF 0x3000u
#define SET_FILE_LEN (KEY_SET_LEN + IMG_SIG_SECTOR_LEN)

struct store_rig {
    struct sim_flash flash;
    struct part_dev dev;
    const struct part_entry *part;
    enum img_scheme scheme;
    struct img_keys own; /* of the options: trusts key 0 */
};

/* A key set as text: keys and who is trusted of them ("01", "0-1": 1 is
 * revoked), what it needs, who signs it ("0", "01"). */
struct set_spec {
    const char *keys;
    uint32_t need;
    uint32_t version;
    const char *signers;
};

void store_rig_open(struct store_rig *r, enum img_scheme scheme);
void store_rig_close(struct store_rig *r);

/* Returns the length of the file. */
uint32_t store_set_make(enum img_scheme scheme, const struct set_spec *spec,
                        uint8_t file[SET_FILE_LEN]);
/* By the keys in force now. */
esp_err_t store_install(struct store_rig *r, const struct set_spec *spec);
esp_err_t store_revoke(struct store_rig *r, unsigned key);

/* The keys in force as text, "01" or "0-1"; "": nobody. */
const char *store_in_force(struct store_rig *r);

#endif
