/* Signatures of all schemes, on any bytes.
 *
 * The first byte chooses scheme, keys and split; the rest is content and, at
 * its end, the signature. If asked for, the key that the first block names is
 * known, so that verification is reached, which is slow; V1 has a key that is
 * no point.
 * Asserted: in pieces and whole give the same verdict and reason; a verdict
 * has its reason; nothing is accepted from keys that are revoked, or when two
 * are needed and one is known. */
#include <stdlib.h>

#include "base/crc32.h"
#include "base/le.h"
#include "image/sig.h"
#include "image/sig_list.h"

#define INPUT_MAX 16384u
#define CHOICE_REVOKED 4u
#define CHOICE_TWO 8u
#define CHOICE_SEAL 16u
#define CHOICE_KNOWN 32u

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void seal(uint8_t *sig)
{
    for (uint32_t i = 0; i < IMG_SIG_V2_CNT; i++, sig += IMG_SIG_V2_LEN)
        if (sig[0] == 0xE7)
            le32_put(sig + 1196, crc32_le(0, sig, 1196));
}

static void make_keys(struct img_keys *keys, uint8_t choice, const uint8_t *sig)
{
    struct img_block block;
    enum verdict trust =
        choice & CHOICE_REVOKED ? VERDICT_REJECT : VERDICT_ACCEPT;

    memset(keys, 0, sizeof(*keys));
    keys->scheme = (enum img_scheme)(IMG_SCHEME_V1 + choice % 4);
    keys->need = choice & CHOICE_TWO && choice % 4 ? 2 : 1;
    keys->cnt = 2;
    for (uint32_t i = 0; i < keys->cnt; i++) {
        memset(keys->key[i].xy, (int)i + 1, sizeof(keys->key[i].xy));
        img_key_id_p256(keys->key[i].xy, keys->key[i].id);
        keys->key[i].trust = trust;
    }
    if (choice % 4 && choice & CHOICE_KNOWN &&
        img_block_parse(sig, &block) == IMG_BLOCK_GOOD)
        memcpy(keys->key[0].id, block.id, SHA256_LEN);
}

static enum verdict run(const struct img_keys *keys, struct span in,
                        size_t step, struct img_sig *s)
{
    size_t sig_len = img_sig_len(keys->scheme);
    struct span sig = span_from(in, in.len - sig_len);

    img_sig_open(s, keys);
    img_sig_hash(s, in.ptr, in.len - sig_len);
    for (size_t at = 0; at < sig.len; at += step) {
        if (step > sig.len - at)
            step = sig.len - at;
        (void)img_sig_feed(s, sig.ptr + at, step);
    }
    return img_sig_finish(s);
}

static void judge(const struct img_keys *keys, struct span in, uint8_t choice)
{
    struct img_sig whole, split;
    enum verdict verdict = run(keys, in, IMG_SIG_SECTOR_LEN, &whole);

    must(run(keys, in, choice + 1u, &split) == verdict);
    must(whole.why == split.why && whole.got == split.got);
    must((verdict == VERDICT_ACCEPT) == (whole.why == IMG_SIG_OK));
    must(verdict == VERDICT_REJECT ||
         (choice & CHOICE_KNOWN && keys->need == 1 &&
          !(choice & CHOICE_REVOKED)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct img_sig_found found[IMG_SIG_MAX];
    struct img_keys keys;
    uint8_t *copy;
    size_t sig_len;

    if (size < 1 || size > INPUT_MAX)
        return 0;
    sig_len =
        img_sig_len((enum img_scheme)(IMG_SCHEME_V1 + (unsigned)data[0] % 4));
    if (size - 1 < sig_len || (data[0] % 4 == 0 && !(data[0] & CHOICE_KNOWN)))
        return 0;
    copy = malloc(size - 1);
    must(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    if (data[0] & CHOICE_SEAL && data[0] % 4)
        seal(copy + size - 1 - sig_len);
    make_keys(&keys, data[0], copy + size - 1 - sig_len);
    must(img_keys_valid(&keys));
    judge(&keys, span_of(copy, size - 1), data[0]);
    must(img_sig_list(span_of(copy, size - 1), (uint32_t)(size - 1 - sig_len),
                      found) <= IMG_SIG_MAX);
    free(copy);
    return 0;
}
