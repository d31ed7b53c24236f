#include "image/sig_list.h"

#include "base/le.h"
#include "crypto/sha384.h"
#include "crypto/sig.h"

/* A V1 block is a zero word and a signature, which starts with neither a zero
 * word nor an erased one. */
static bool is_v1(struct span tail)
{
    return tail.len >= IMG_SIG_V1_LEN && le32_get(tail.ptr) == 0 &&
           le32_get(tail.ptr + 4) != 0 && le32_get(tail.ptr + 4) != 0xFFFFFFFFu;
}

static enum verdict judge(const struct img_block *b, struct span content)
{
    uint8_t digest[SHA384_LEN];
    struct sha256 s;
    struct sha384 wide;

    if (b->scheme == IMG_SCHEME_ECDSA384) {
        sha384_init(&wide);
        sha384_update(&wide, content.ptr, content.len);
        sha384_final(&wide, digest);
    } else {
        sha256_init(&s);
        sha256_update(&s, content.ptr, content.len);
        sha256_final(&s, digest);
    }
    if (memcmp(digest, b->digest, b->digest_len) != 0)
        return VERDICT_REJECT;
    switch (b->scheme) {
    case IMG_SCHEME_RSA3072:
        return sig_rsa3072(b->key, b->sig, digest);
    case IMG_SCHEME_ECDSA256:
        return sig_p256(b->key, b->sig, digest);
    default:
        return sig_p384(b->key, b->sig, digest);
    }
}

/* False: there is no block here. */
static bool describe(struct span file, uint32_t sector_off, uint32_t idx,
                     struct img_sig_found *out)
{
    static const char *const names[] = {
        [IMG_SCHEME_RSA3072] = "v2-rsa3072",
        [IMG_SCHEME_ECDSA256] = "v2-ecdsa256",
        [IMG_SCHEME_ECDSA384] = "v2-ecdsa384",
    };
    struct img_block b;

    *out = (struct img_sig_found){ "v2-damaged",
                                   sector_off + idx * IMG_SIG_V2_LEN,
                                   false,
                                   { 0 },
                                   VERDICT_REJECT };
    switch (img_block_parse(file.ptr + out->off, &b)) {
    case IMG_BLOCK_ERASED:
        return false;
    case IMG_BLOCK_GOOD:
        out->scheme = names[b.scheme];
        out->has_key = true;
        out->right = judge(&b, span_of(file.ptr, sector_off));
        memcpy(out->id, b.id, sizeof(out->id));
        return true;
    case IMG_BLOCK_OTHER:
        out->scheme = "v2-other";
        return true;
    default:
        return file.ptr[out->off] == 0xE7;
    }
}

uint32_t img_sig_list(struct span file, uint32_t image_len,
                      struct img_sig_found out[IMG_SIG_MAX])
{
    uint32_t off = img_sig_off(IMG_SCHEME_RSA3072, image_len);
    uint32_t cnt = 0;

    if (is_v1(span_from(file, image_len)))
        out[cnt++] = (struct img_sig_found){
            "v1-ecdsa256", image_len, false, { 0 }, VERDICT_REJECT
        };
    if (span_from(file, off).len < IMG_SIG_SECTOR_LEN)
        return cnt;
    for (uint32_t i = 0; i < IMG_SIG_V2_CNT; i++)
        if (describe(file, off, i, &out[cnt]))
            cnt++;
    return cnt;
}
