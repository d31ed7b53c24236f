/* Who signed is kept as one verdict per key, so a key counts once, however
 * often it signed. A verdict becomes ACCEPT only as the combination of three:
 * the signature is right, the block's key is this key, the key is trusted.
 * None of the three is the result of a branch (crypto/ct.h); branches here
 * only save work and choose words. Whoever counts is counted in two ways. */
#include "image/sig.h"

#include "base/policy.h"
#include "crypto/ct.h"
#include "crypto/sig.h"

static uint32_t wrong(enum verdict v)
{
    return (uint32_t)v ^ (uint32_t)VERDICT_ACCEPT;
}

static void refuse(struct img_sig *s, enum img_sig_why why, uint32_t got,
                   uint32_t want)
{
    if (s->why != IMG_SIG_OK)
        return;
    s->why = why;
    s->got = got;
    s->want = want;
}

static bool is_scheme(const struct img_keys *keys, enum img_scheme scheme)
{
    return pol_scheme_built((unsigned)scheme) && keys->scheme == scheme;
}

bool img_sig_is_sha256(const struct img_keys *keys)
{
    return !is_scheme(keys, IMG_SCHEME_ECDSA384);
}

void img_sig_open(struct img_sig *s, const struct img_keys *keys)
{
    memset(s, 0, sizeof(*s));
    s->keys = keys;
    s->missing = keys->need;
    for (uint32_t i = 0; i < IMG_KEYS_MAX; i++)
        s->signed_by[i] = VERDICT_REJECT;
    if (!img_keys_valid(keys))
        refuse(s, IMG_SIG_NO_KEYS, 0, 0);
    if (img_sig_is_sha256(keys))
        sha256_init(&s->hash.sha256);
    else
        sha384_init(&s->hash.sha384);
}

void img_sig_adopt(struct img_sig *s, const struct sha256 *sha)
{
    sha256_clone(&s->hash.sha256, sha);
}

void img_sig_hash(struct img_sig *s, const void *data, size_t len)
{
    if (img_sig_is_sha256(s->keys))
        sha256_update(&s->hash.sha256, data, len);
    else
        sha384_update(&s->hash.sha384, data, len);
}

static void end_content(struct img_sig *s)
{
    s->hashed = true;
    if (img_sig_is_sha256(s->keys))
        sha256_final(&s->hash.sha256, s->digest);
    else
        sha384_final(&s->hash.sha384, s->digest);
}

/* --- one block ------------------------------------------------------------ */

static enum verdict verify(const struct img_sig *s, const struct img_block *b)
{
    if (is_scheme(s->keys, IMG_SCHEME_RSA3072))
        return sig_rsa3072(b->key, b->sig, s->digest);
    if (is_scheme(s->keys, IMG_SCHEME_ECDSA384))
        return sig_p384(b->key, b->sig, s->digest);
    if (is_scheme(s->keys, IMG_SCHEME_ECDSA256))
        return sig_p256(b->key, b->sig, s->digest);
    return VERDICT_REJECT;
}

/* One vote at most: what was right once stays right. */
static void vote(struct img_sig *s, uint32_t i, uint32_t found_wrong)
{
    enum verdict now = ct_verdict(found_wrong | wrong(s->keys->key[i].trust));

    if (now != VERDICT_ACCEPT || s->signed_by[i] == VERDICT_ACCEPT)
        return;
    s->signed_by[i] = now;
    if (s->missing > 0)
        s->missing--;
}

/* The index of the block's key in the set, keys->cnt if it is not there. */
static uint32_t find_key(const struct img_keys *keys, const uint8_t *id)
{
    uint32_t i = 0;

    while (i < keys->cnt && ct_diff(id, keys->key[i].id, SHA256_LEN) != 0)
        i++;
    return i;
}

static void judge_known(struct img_sig *s, const struct img_block *b,
                        uint32_t idx, uint32_t i)
{
    volatile enum verdict right; /* what it is asked twice is read twice */

    if (s->keys->key[i].trust != VERDICT_ACCEPT) {
        s->revoked = true;
        return;
    }
    right = verify(s, b);
    if (right != VERDICT_ACCEPT)
        refuse(s, IMG_SIG_BAD, idx, 0);
    vote(s, i,
         wrong(right) |
             (uint32_t)memcmp(b->id, s->keys->key[i].id, SHA256_LEN) |
             ct_diff(b->digest, s->digest, b->digest_len));
}

static void judge_good(struct img_sig *s, const struct img_block *b,
                       uint32_t idx)
{
    uint32_t i;

    if (b->scheme != s->keys->scheme) {
        s->other = true;
        return;
    }
    if (ct_diff(b->digest, s->digest, b->digest_len) != 0) {
        refuse(s, IMG_SIG_DIGEST, idx, 0);
        return;
    }
    i = find_key(s->keys, b->id);
    if (i == s->keys->cnt)
        s->unknown = true;
    else
        judge_known(s, b, idx, i);
}

static void judge_block(struct img_sig *s, uint32_t idx)
{
    struct img_block b;

    switch (img_block_parse(s->block, &b)) {
    case IMG_BLOCK_ERASED:
        s->empty = true;
        return;
    case IMG_BLOCK_GOOD:
        if (s->empty)
            break;
        judge_good(s, &b, idx);
        return;
    case IMG_BLOCK_OTHER:
        if (s->empty)
            break;
        s->other = true;
        return;
    default:
        refuse(s, IMG_SIG_BLOCK, idx, 0);
        return;
    }
    refuse(s, IMG_SIG_ORDER, idx, 0);
}

/* A V1 block does not name its key: it is asked of each. */
static void judge_v1(struct img_sig *s)
{
    uint8_t rs[64];
    bool any = false;

    switch (img_block_parse_v1(s->block, rs)) {
    case IMG_BLOCK_ERASED:
        return;
    case IMG_BLOCK_GOOD:
        break;
    default:
        refuse(s, IMG_SIG_BLOCK, 0, 0);
        return;
    }
    for (uint32_t i = 0; i < s->keys->cnt; i++) {
        volatile enum verdict right =
            sig_p256(img_key_xy(&s->keys->key[i]), rs, s->digest);

        vote(s, i, wrong(right));
        if (right != VERDICT_ACCEPT)
            continue;
        any = true;
        if (s->keys->key[i].trust != VERDICT_ACCEPT)
            s->revoked = true;
    }
    if (!any)
        refuse(s, IMG_SIG_BAD, 0, 0);
}

/* --- the bytes ------------------------------------------------------------ */

/* Takes what belongs to the block at hand; judges it when it is complete. */
static size_t feed_block(struct img_sig *s, const uint8_t *p, size_t len)
{
    bool v1 = is_scheme(s->keys, IMG_SCHEME_V1);
    uint32_t block_len = v1 ? IMG_SIG_V1_LEN : IMG_SIG_V2_LEN;
    uint32_t at = s->fed_len % block_len;
    size_t n = len < block_len - at ? len : block_len - at;

    memcpy(s->block + at, p, n);
    s->fed_len += (uint32_t)n;
    if (at + n < block_len)
        return n;
    if (v1)
        judge_v1(s);
    else
        judge_block(s, s->fed_len / block_len - 1);
    return n;
}

static size_t feed_rest(struct img_sig *s, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i] != 0xFF)
            refuse(s, IMG_SIG_REST, s->fed_len + (uint32_t)i, 0);
    s->fed_len += (uint32_t)len;
    return len;
}

enum img_sig_why img_sig_feed(struct img_sig *s, const void *data, size_t len)
{
    uint32_t blocks_len = is_scheme(s->keys, IMG_SCHEME_V1)
                              ? IMG_SIG_V1_LEN
                              : IMG_SIG_V2_CNT * IMG_SIG_V2_LEN;
    const uint8_t *p = data;

    if (!s->hashed)
        end_content(s);
    while (len > 0 && s->why == IMG_SIG_OK) {
        size_t n = s->fed_len < blocks_len ? feed_block(s, p, len)
                                           : feed_rest(s, p, len);

        p += n;
        len -= n;
    }
    return s->why;
}

/* Counts through a volatile pointer: the answer is not taken from an earlier
 * one that a compiler remembers. */
static inline uint32_t signer_cnt(const struct img_sig *s)
{
    const volatile enum verdict *by = s->signed_by;
    uint32_t cnt = 0;

    for (uint32_t i = 0; i < IMG_KEYS_MAX; i++)
        cnt += ct_flag(wrong(by[i])) ^ 1;
    return cnt;
}

static enum img_sig_why why_few(const struct img_sig *s, uint32_t have)
{
    if (have > 0)
        return IMG_SIG_FEW;
    if (s->revoked)
        return IMG_SIG_REVOKED;
    if (s->unknown)
        return IMG_SIG_KEY;
    return s->other ? IMG_SIG_SCHEME : IMG_SIG_ABSENT;
}

enum verdict img_sig_finish(struct img_sig *s)
{
    uint32_t have = signer_cnt(s), len = img_sig_len(s->keys->scheme);

    if (s->fed_len < len)
        refuse(s, s->fed_len ? IMG_SIG_SHORT : IMG_SIG_ABSENT, s->fed_len, len);
    if (have < s->keys->need)
        refuse(s, why_few(s, have), have, s->keys->need);
    return img_sig_holds(s);
}

enum verdict img_sig_holds(const struct img_sig *s)
{
    uint32_t few = (signer_cnt(s) - s->keys->need) >> 31;

    return ct_agree(
        few | (uint32_t)s->why | (s->fed_len ^ img_sig_len(s->keys->scheme)),
        s->missing | (uint32_t)s->why | (uint32_t)(s->keys->need == 0));
}
