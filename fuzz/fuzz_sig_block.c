/* Blocks of signatures, on any bytes; fuzz_image_sig has the verdicts, which
 * are slow. The first byte's lowest bit: the checksum is made to fit.
 * Asserted: what is pointed to lies in the block, the key's id is that of the
 * bytes in it, and a block with any bit of what the checksum covers changed is
 * none. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "base/le.h"
#include "image/sig_block.h"

#define CRC_OFF 1196u

static void must(bool ok)
{
    if (!ok)
        abort();
}

static bool is_in(const uint8_t *block, const uint8_t *p, size_t len)
{
    return p >= block && len <= IMG_SIG_V2_LEN &&
           p <= block + IMG_SIG_V2_LEN - len;
}

static void check_good(uint8_t *block, const struct img_block *b, uint8_t at)
{
    bool rsa = b->scheme == IMG_SCHEME_RSA3072;
    bool wide = b->scheme == IMG_SCHEME_ECDSA384;
    size_t half = rsa ? 384 : wide ? 96 : 64;
    uint32_t off = at * 4u;
    struct img_block other;
    uint8_t id[SHA256_LEN];

    must(b->digest_len == (wide ? 48 : 32));
    must(is_in(block, b->digest, b->digest_len));
    must(is_in(block, b->key, half) && is_in(block, b->sig, half));
    if (b->scheme == IMG_SCHEME_ECDSA256) {
        img_key_id_p256(b->key, id);
        must(memcmp(id, b->id, sizeof(id)) == 0);
    }
    block[off] ^= 1;
    must(img_block_parse(block, &other) == IMG_BLOCK_BAD);
    block[off] ^= 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t block[IMG_SIG_V2_LEN], rs[64];
    struct img_block b;

    if (size < 2 || size > 2 + sizeof(block))
        return 0;
    memset(block, 0, sizeof(block));
    memcpy(block, data + 2, size - 2);
    if (data[0] & 1)
        le32_put(block + CRC_OFF, crc32_le(0, block, CRC_OFF));
    if (img_block_parse(block, &b) == IMG_BLOCK_GOOD)
        check_good(block, &b, data[1]);
    switch (img_block_parse_v1(block, rs)) {
    case IMG_BLOCK_GOOD:
        must(le32_get(block) == 0 && rs[0] == block[35]);
        break;
    case IMG_BLOCK_ERASED:
        must(le32_get(block) == 0xFFFFFFFFu);
        break;
    default:
        must(le32_get(block) != 0);
    }
    return 0;
}
