/* enc/head.h - the head of a pre-encrypted image. Pure.
 *
 * 512 bytes, then the ciphertext to the end of the file. The head names the
 * AES key in a form that only the device's private key opens, the IV, the
 * length of the ciphertext and its GCM tag. It does not say which scheme it is
 * of: both sides have to agree, and what a private key is decides. Nothing in
 * the head is authenticated by itself; with another IV, key or length the tag
 * does not fit. */
#ifndef ENC_HEAD_H
#define ENC_HEAD_H

#include "base/err.h"
#include "base/span.h"

#define ENC_HEAD_LEN 512u
#define ENC_MAGIC 0x0788b6cfu
#define ENC_MAGIC_LEN 4u
#define ENC_WRAPPED_LEN 384u
#define ENC_IV_LEN 16u
#define ENC_TAG_LEN 16u
/* What the wrapped key consists of with ECIES; the rest is zeros. */
#define ENC_POINT_LEN 64u
#define ENC_SALT_LEN 32u

struct enc_head {
    uint8_t wrapped[ENC_WRAPPED_LEN];
    uint8_t iv[ENC_IV_LEN];
    uint32_t body_len; /* of the ciphertext, and of what it decrypts to */
    uint8_t tag[ENC_TAG_LEN];
};

enum enc_scheme { ENC_SCHEME_NONE, ENC_SCHEME_RSA3072, ENC_SCHEME_ECIES256 };

/* Does this begin with the magic number? */
bool enc_is_encrypted(struct span s);
/* ESP_ERR_NOT_FOUND: no magic number; ESP_ERR_INVALID_SIZE: fewer bytes than a
 * head has, or nothing is encrypted. */
MUST_CHECK esp_err_t enc_head_parse(struct span s, struct enc_head *out);
void enc_head_pack(const struct enc_head *h, uint8_t out[ENC_HEAD_LEN]);
/* The scheme that the wrapped key looks like: a guess, for people. */
enum enc_scheme enc_head_scheme(const struct enc_head *h);
/* "RSA-3072", "ECIES-P256". */
const char *enc_scheme_name(enum enc_scheme scheme);

#endif
