#include "image/sig_block.h"

#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/le.h"
#include "base/policy.h"

#define MAGIC 0xE7u
#define VERSION_RSA 2u
#define VERSION_ECDSA 3u
#define HASH_SHA256 0u
#define HASH_SHA384 1u
#define CURVE_P192 1u
#define CURVE_P256 2u
#define CURVE_P384 3u
#define CRC_OFF 1196u
#define DIGEST_OFF 4u
#define RSA_KEY_OFF 36u
#define RSA_KEY_LEN 776u /* n, e, 2^6144 mod n, -1 / n mod 2^32 */
#define RSA_E_OFF 420u
#define RSA_SIG_OFF 812u
#define RSA_LEN 384u
#define RSA_E 65537u

static void key_id(const uint8_t *p, uint32_t len, uint8_t id[SHA256_LEN])
{
    struct sha256 s;

    sha256_init(&s);
    sha256_update(&s, p, len);
    sha256_final(&s, id);
}

static enum img_block_kind parse_rsa(const uint8_t *p, struct img_block *out)
{
    const uint8_t *n = p + RSA_KEY_OFF;

    if (p[2] != 0 || le32_get(p + RSA_E_OFF) != RSA_E || !(n[0] & 1) ||
        !(n[RSA_LEN - 1] & 0x80))
        return IMG_BLOCK_BAD;
    *out = (struct img_block){ .scheme = IMG_SCHEME_RSA3072,
                               .digest = p + DIGEST_OFF,
                               .digest_len = SHA256_LEN,
                               .key = n,
                               .sig = p + RSA_SIG_OFF };
    key_id(n, RSA_KEY_LEN, out->id);
    return IMG_BLOCK_GOOD;
}

/* The fields of all curves lie one after the other: digest, curve, X and Y, r
 * and s, zeros. P-192 has SHA-256 and the room of P-256. */
static enum img_block_kind parse_ecdsa(const uint8_t *p, struct img_block *out)
{
    bool wide = p[2] == HASH_SHA384;
    uint32_t digest_len = wide ? 48 : 32, half = wide ? 96 : 64;
    const uint8_t *curve = p + DIGEST_OFF + digest_len;
    const uint8_t *end = curve + 1 + 2 * half;

    if (p[2] > HASH_SHA384 || *curve < CURVE_P192 || *curve > CURVE_P384 ||
        wide != (*curve == CURVE_P384) ||
        !bytes_are(end, (uint32_t)(p + CRC_OFF - end), 0))
        return IMG_BLOCK_BAD;
    if (*curve == CURVE_P192 || (wide && !POL_P384_BUILT))
        return IMG_BLOCK_OTHER;
    *out = (struct img_block){ .scheme = wide ? IMG_SCHEME_ECDSA384
                                              : IMG_SCHEME_ECDSA256,
                               .digest = p + DIGEST_OFF,
                               .digest_len = digest_len,
                               .key = curve + 1,
                               .sig = curve + 1 + half };
    key_id(curve, 1 + half, out->id);
    return IMG_BLOCK_GOOD;
}

enum img_block_kind img_block_parse(const uint8_t bytes[IMG_SIG_V2_LEN],
                                    struct img_block *out)
{
    if (bytes_are(bytes, IMG_SIG_V2_LEN, 0xFF))
        return IMG_BLOCK_ERASED;
    if (bytes[0] != MAGIC || bytes[3] != 0 ||
        crc32_le(0, bytes, CRC_OFF) != le32_get(bytes + CRC_OFF) ||
        !bytes_are(bytes + CRC_OFF + 4, IMG_SIG_V2_LEN - CRC_OFF - 4, 0))
        return IMG_BLOCK_BAD;
    if (bytes[1] == VERSION_RSA)
        return pol_scheme_built(IMG_SCHEME_RSA3072) ? parse_rsa(bytes, out)
                                                    : IMG_BLOCK_OTHER;
    if (bytes[1] == VERSION_ECDSA)
        return parse_ecdsa(bytes, out);
    return IMG_BLOCK_BAD;
}

enum img_block_kind img_block_parse_v1(const uint8_t bytes[IMG_SIG_V1_LEN],
                                       uint8_t rs[64])
{
    if (bytes_are(bytes, IMG_SIG_V1_LEN, 0xFF))
        return IMG_BLOCK_ERASED;
    if (le32_get(bytes) != 0)
        return IMG_BLOCK_BAD;
    for (uint32_t i = 0; i < 64; i++)
        rs[i] = bytes[4 + (31 - i % 32) + i / 32 * 32];
    return IMG_BLOCK_GOOD;
}

void img_key_id_p256(const uint8_t xy[64], uint8_t id[SHA256_LEN])
{
    uint8_t field[1 + 64] = { CURVE_P256 };

    memcpy(field + 1, xy, 64);
    key_id(field, sizeof(field), id);
}

uint32_t img_sig_off(enum img_scheme scheme, uint32_t image_len)
{
    if (scheme == IMG_SCHEME_NONE || scheme == IMG_SCHEME_V1)
        return image_len;
    return (image_len + IMG_SIG_SECTOR_LEN - 1) & ~(IMG_SIG_SECTOR_LEN - 1);
}

uint32_t img_sig_len(enum img_scheme scheme)
{
    if (scheme == IMG_SCHEME_NONE)
        return 0;
    return scheme == IMG_SCHEME_V1 ? IMG_SIG_V1_LEN : IMG_SIG_SECTOR_LEN;
}

const char *img_scheme_name(enum img_scheme scheme)
{
    static const char *const names[] = { "none", "v1", "rsa3072", "ecdsa256",
                                         "ecdsa384" };

    return (unsigned)scheme < 5 ? names[scheme] : "unknown";
}
