/* RSASSA-PSS, the verifying half (RFC 8017, 8.1.2 and 9.1.2), for one size.
 *
 * Encoded message: 351 bytes of masked block, 32 of hash, 0xBC. The block,
 * once unmasked: 318 zeros, 0x01, 32 of salt; its highest bit is not part of
 * the message (3071 bits) and is zero before and after. */
#include <string.h>

#include "crypto/ct.h"
#include "crypto/mont.h"
#include "crypto/sha256.h"
#include "crypto/sig.h"

#define WORDS (SIG_RSA_LEN / 4)
#define BLOCK_LEN (SIG_RSA_LEN - SHA256_LEN - 1)
#define SALT_OFF (BLOCK_LEN - SHA256_LEN)

/* out = sig^65537 mod n: sixteen squarings in Montgomery's form, and a last
 * product that leaves it. */
static void power(const struct mont *n, uint32_t *out, const uint32_t *sig)
{
    mont_r2(n, out);
    mont_mul(n, out, out, sig);
    for (int i = 0; i < 16; i++)
        mont_mul(n, out, out, out);
    mont_mul(n, out, out, sig);
}

/* Takes the mask that MGF1 makes of the hash (B.2.1) off the block. */
static void unmask(uint8_t *block, const uint8_t *hash)
{
    uint8_t mask[SHA256_LEN];
    uint8_t counter[4] = { 0 };
    struct sha256 s;

    for (uint32_t at = 0; at < BLOCK_LEN; at++) {
        if (at % SHA256_LEN == 0) {
            counter[3] = (uint8_t)(at / SHA256_LEN);
            sha256_init(&s);
            sha256_update(&s, hash, SHA256_LEN);
            sha256_update(&s, counter, sizeof(counter));
            sha256_final(&s, mask);
        }
        block[at] ^= mask[at % SHA256_LEN];
    }
}

/* Two comparisons, so that neither of them is the only one. */
static uint32_t differ(const uint8_t *a, const uint8_t *b, uint32_t len)
{
    return ct_diff(a, b, len) | (uint32_t)memcmp(a, b, len);
}

/* 0: the unmasked message is one of this digest. */
static uint32_t wrong_message(const uint8_t em[SIG_RSA_LEN],
                              const uint8_t *digest)
{
    static const uint8_t zeros[SALT_OFF - 1];
    const uint8_t *hash = em + BLOCK_LEN;
    uint8_t want[SHA256_LEN];
    uint32_t wrong = hash[SHA256_LEN] ^ 0xBCu;
    struct sha256 s;

    wrong |= differ(em, zeros, sizeof(zeros)) | (em[SALT_OFF - 1] ^ 1u);
    sha256_init(&s);
    sha256_update(&s, zeros, 8);
    sha256_update(&s, digest, SHA256_LEN);
    sha256_update(&s, em + SALT_OFF, SHA256_LEN);
    sha256_final(&s, want);
    return wrong | differ(want, hash, SHA256_LEN);
}

enum verdict sig_rsa3072(const uint8_t n[SIG_RSA_LEN],
                         const uint8_t sig[SIG_RSA_LEN],
                         const uint8_t digest[32])
{
    uint32_t mod[WORDS], x[WORDS], y[WORDS], tmp[WORDS + 1];
    uint8_t em[SIG_RSA_LEN];
    struct mont f;
    uint32_t wrong, again;

    words_load(mod, n, WORDS);
    words_load(x, sig, WORDS);
    wrong = (n[0] & 1u) ^ 1u;
    wrong |= (n[SIG_RSA_LEN - 1] >> 7) ^ 1u;
    wrong |= words_sub(y, x, mod, 0xFFFFFFFFu, WORDS) ^ 1u;
    mont_init(&f, mod, WORDS, tmp);
    power(&f, y, x);
    for (uint32_t i = 0; i < SIG_RSA_LEN; i++)
        em[i] = (uint8_t)(y[WORDS - 1 - i / 4] >> (24 - 8 * (i % 4)));
    wrong |= em[0] >> 7;
    unmask(em, em + BLOCK_LEN);
    em[0] &= 0x7F;
    again = wrong;
    wrong |= wrong_message(em, digest);
    again |= wrong_message(em, digest);
    return ct_agree(wrong, again);
}
