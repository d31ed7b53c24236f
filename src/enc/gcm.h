/* enc/gcm.h - AES-256-GCM over a stream: plaintext that was handed out says
 * nothing before the tag was compared. */
#ifndef ENC_GCM_H
#define ENC_GCM_H

#include "enc/key.h"

struct enc_gcm; /* lives in env->heap */

enum enc_way { ENC_WAY_ENCRYPT, ENC_WAY_DECRYPT };

/* NULL: there is no memory. */
struct enc_gcm *enc_gcm_open(const struct enc_env *env,
                             const uint8_t aes[ENC_AES_LEN],
                             const uint8_t iv[ENC_IV_LEN], enum enc_way way);
/* len bytes to len bytes, at once; in and out may be the same. ESP_FAIL: an
 * accelerator failed, or there were too many bytes. */
MUST_CHECK esp_err_t enc_gcm_update(struct enc_gcm *g, const uint8_t *in,
                                    uint8_t *out, size_t len);
/* Of all the bytes; the last call. */
MUST_CHECK esp_err_t enc_gcm_tag(struct enc_gcm *g, uint8_t tag[ENC_TAG_LEN]);
void enc_gcm_close(struct enc_gcm *g); /* wipes; NULL is a no-op */

/* Encrypts all of plain, at least one byte, for the key's owner; out has
 * ENC_HEAD_LEN bytes more than plain. ESP_ERR_INVALID_SIZE: too many bytes, or
 * none. */
MUST_CHECK esp_err_t enc_seal(const struct enc_key *k, struct span plain,
                              uint8_t *out);

#endif
