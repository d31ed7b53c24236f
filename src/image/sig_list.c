#include "image/sig_list.h"

#include "base/crc32.h"
#include "base/le.h"

#define MAGIC 0xE7u
#define VERSION_RSA 2u
#define VERSION_ECDSA 3u
#define CRC_OFF 1196u

/* NULL: not a block of a known scheme. */
static const char *v2_scheme(const uint8_t *block)
{
    static const char *const sha256_curves[] = { NULL, "v2-ecdsa192",
                                                 "v2-ecdsa256" };

    if (block[0] != MAGIC ||
        crc32_le(0, block, CRC_OFF) != le32_get(block + CRC_OFF))
        return NULL;
    if (block[1] == VERSION_RSA)
        return "v2-rsa3072";
    if (block[1] != VERSION_ECDSA)
        return NULL;
    if (block[2] == 0)
        return block[36] < 3 ? sha256_curves[block[36]] : NULL;
    return block[2] == 1 && block[52] == 3 ? "v2-ecdsa384" : NULL;
}

/* A V1 block is a zero word and a signature, which starts with neither a zero
 * word nor an erased one. */
static bool is_v1(struct span tail)
{
    return tail.len >= IMG_SIG_V1_LEN && le32_get(tail.ptr) == 0 &&
           le32_get(tail.ptr + 4) != 0 && le32_get(tail.ptr + 4) != 0xFFFFFFFFu;
}

uint32_t img_sig_list(struct span file, uint32_t image_len,
                      struct img_sig out[IMG_SIG_MAX])
{
    uint32_t off = (image_len + IMG_SIG_SECTOR_LEN - 1) / IMG_SIG_SECTOR_LEN *
                   IMG_SIG_SECTOR_LEN;
    uint32_t cnt = 0;

    if (is_v1(span_from(file, image_len)))
        out[cnt++] = (struct img_sig){ "v1-ecdsa256", image_len };
    if (span_from(file, off).len < IMG_SIG_SECTOR_LEN)
        return cnt;
    for (uint32_t i = 0; i < 3 && cnt < IMG_SIG_MAX; i++) {
        uint32_t at = off + i * IMG_SIG_V2_LEN;
        const char *scheme = v2_scheme(file.ptr + at);

        if (scheme)
            out[cnt++] = (struct img_sig){ scheme, at };
    }
    return cnt;
}
