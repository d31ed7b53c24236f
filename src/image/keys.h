/* image/keys.h - whose signatures count.
 *
 * A set trusts up to IMG_KEYS_MAX keys of one scheme and says how many
 * different ones have to have signed. It comes from the device: compiled in,
 * given, or from its key store (image/key_store.h); never from an image. A set
 * that is not valid trusts nobody. Pure. */
#ifndef IMAGE_KEYS_H
#define IMAGE_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/policy.h"
#include "base/span.h"
#include "base/verdict.h"
#include "image/sig_block.h"

#define IMG_KEYS_MAX ((uint32_t)CFG_KEYS_MAX)

struct img_key {
    enum verdict trust;     /* ACCEPT; anything else: revoked */
    uint8_t id[SHA256_LEN]; /* digest of the key, signatures.md 5.3 */
    /* V1, whose blocks hold no key; little-endian. No room elsewhere. */
    uint8_t xy[POL_V1_BUILT ? 64 : 1];
};

/* X and Y, 64 bytes, of a V1 key. */
const uint8_t *img_key_xy(const struct img_key *key);

struct img_keys {
    enum img_scheme scheme;
    uint32_t need; /* different keys that have to have signed, at least 1 */
    uint32_t cnt;
    struct img_key key[IMG_KEYS_MAX];
};

/* A scheme, 1 <= need <= cnt <= IMG_KEYS_MAX, no key twice, and for V1, whose
 * images carry one signature, need 1 and ids that are those of the keys. */
bool img_keys_valid(const struct img_keys *keys);

/* The set itself if it is valid, else one that trusts nobody. */
const struct img_keys *img_keys_trusted(const struct img_keys *keys);
/* What a check is given: NULL only when no signature is required. */
static inline const struct img_keys *img_keys_for(bool require_signed,
                                                  const struct img_keys *keys)
{
    return require_signed ? img_keys_trusted(keys) : NULL;
}

/* The set as bytes: u8 scheme, need, cnt, 0, then per key u8 1 trusted or 0
 * revoked and 32 bytes of id, for V1 64 bytes X and Y little-endian. */
#define IMG_KEYS_PACKED_MAX (4u + IMG_KEYS_MAX * 65u)
uint32_t img_keys_pack(const struct img_keys *keys,
                       uint8_t out[IMG_KEYS_PACKED_MAX]);
/* A set of a scheme without keys, need 0, is read, too: it is not valid and
 * trusts nobody. *used: bytes taken; more may follow. ESP_ERR_INVALID_SIZE: cut
 * short; ESP_ERR_INVALID_ARG: not valid; *out then trusts nobody. */
MUST_CHECK esp_err_t img_keys_parse(struct span bytes, struct img_keys *out,
                                    uint32_t *used);

#endif
