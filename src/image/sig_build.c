#include "image/sig_build.h"

#include <stdbool.h>
#include <string.h>

#include "base/crc32.h"
#include "base/le.h"

#define CRC_OFF 1196u
#define DIGEST_OFF 4u

static uint32_t digest_len(enum img_scheme scheme)
{
    return scheme == IMG_SCHEME_ECDSA384 ? SHA384_LEN : SHA256_LEN;
}

uint32_t img_sig_digest(enum img_scheme scheme, struct span content,
                        uint8_t out[SHA384_LEN])
{
    static const uint8_t blank = 0xFF;
    size_t gap = img_sig_off(scheme, (uint32_t)content.len) - content.len;
    struct sha256 s;
    struct sha384 wide;

    sha256_init(&s);
    sha384_init(&wide);
    if (scheme == IMG_SCHEME_ECDSA384) {
        sha384_update(&wide, content.ptr, content.len);
        for (size_t i = 0; i < gap; i++)
            sha384_update(&wide, &blank, 1);
        sha384_final(&wide, out);
    } else {
        sha256_update(&s, content.ptr, content.len);
        for (size_t i = 0; i < gap; i++)
            sha256_update(&s, &blank, 1);
        sha256_final(&s, out);
    }
    return digest_len(scheme);
}

/* lint-ok: function, the fields of one block */
void img_block_pack(enum img_scheme scheme, const uint8_t *fields,
                    const uint8_t *digest, const uint8_t *sig,
                    uint8_t out[IMG_SIG_V2_LEN])
{
    bool rsa = scheme == IMG_SCHEME_RSA3072;
    uint32_t len = digest_len(scheme);
    uint32_t fields_len = rsa ? 776 : 1 + 2 * len;
    uint8_t *p = out + DIGEST_OFF;

    memset(out, 0, IMG_SIG_V2_LEN);
    out[0] = 0xE7;
    out[1] = rsa ? 2 : 3;
    out[2] = scheme == IMG_SCHEME_ECDSA384;
    memcpy(p, digest, len);
    memcpy(p + len, fields, fields_len);
    memcpy(p + len + fields_len, sig, rsa ? 384 : 2 * len);
    le32_put(out + CRC_OFF, crc32_le(0, out, CRC_OFF));
}

void img_block_pack_v1(const uint8_t rs[64], uint8_t out[IMG_SIG_V1_LEN])
{
    le32_put(out, 0);
    for (uint32_t i = 0; i < 64; i++)
        out[4 + i] = rs[31 - i % 32 + i / 32 * 32];
}

/* lint-ok: function, what a block is looked up by */
esp_err_t img_sector_room(const uint8_t *sector, enum img_scheme scheme,
                          const uint8_t *digest, const uint8_t *id,
                          uint32_t *idx)
{
    struct img_block b;

    for (*idx = 0; *idx < IMG_SIG_V2_CNT; (*idx)++) {
        enum img_block_kind kind =
            img_block_parse(sector + *idx * IMG_SIG_V2_LEN, &b);

        if (kind == IMG_BLOCK_ERASED)
            return ESP_OK;
        if (kind != IMG_BLOCK_GOOD || b.scheme != scheme ||
            memcmp(b.digest, digest, b.digest_len) != 0)
            return ESP_ERR_INVALID_STATE;
        if (memcmp(b.id, id, sizeof(b.id)) == 0)
            return ESP_ERR_INVALID_ARG;
    }
    return ESP_ERR_NO_MEM;
}
