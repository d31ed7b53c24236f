/* enc/key.h - the key of a device that pre-encrypted images are made for, and
 * what it opens.
 *
 * The back end is the file that is built (*_mbedtls.c), which takes memory as
 * tls_init() has arranged it. Keys lie in env.heap and are wiped. */
#ifndef ENC_KEY_H
#define ENC_KEY_H

#include "base/diag.h"
#include "base/span.h"
#include "enc/head.h"
#include "port/heap.h"
#include "port/rng.h"

#define ENC_AES_LEN 32u
#define ENC_HMAC_LEN 32u /* the device's key that its P-256 key is made of */

/* Borrowed until what was opened with it is closed. */
struct enc_env {
    const struct port_heap *heap;
    const struct port_rng *rng; /* hides what the key does from who measures */
};

struct enc_key;

/* text: a private or public key of RSA with 3072 bits or of P-256, PEM (with
 * or without its NUL) or DER; or ENC_HMAC_LEN bytes, of which the P-256 key is
 * derived as a device derives it of a key in its fuses. name: for sentences.
 * ESP_ERR_INVALID_ARG: it is no key; ESP_ERR_NOT_SUPPORTED: of another kind;
 * ESP_ERR_NO_MEM. d may be NULL. */
MUST_CHECK esp_err_t enc_key_open(struct enc_key **out,
                                  const struct enc_env *env, struct span text,
                                  const char *name, struct diag *d);
void enc_key_close(struct enc_key *k); /* NULL is a no-op */
enum enc_scheme enc_key_scheme(const struct enc_key *k);
bool enc_key_is_private(const struct enc_key *k);
const struct enc_env *enc_key_env(const struct enc_key *k);

/* The AES key of a head. ESP_ERR_INVALID_ARG: k is a public key;
 * ESP_ERR_INVALID_MAC: it was not wrapped for this key. (With ECIES another
 * key gives another AES key, and only the tag tells.) ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t enc_unwrap(const struct enc_key *k,
                                const struct enc_head *h,
                                uint8_t aes[ENC_AES_LEN]);
/* The other way: a new AES key, and h->wrapped for it. The caller wipes it. */
MUST_CHECK esp_err_t enc_wrap(const struct enc_key *k, struct enc_head *h,
                              uint8_t aes[ENC_AES_LEN]);

/* The public half in PEM, with its NUL. */
#define ENC_PUBLIC_PEM_LEN 1024u
MUST_CHECK esp_err_t enc_key_public_pem(const struct enc_key *k,
                                        char out[ENC_PUBLIC_PEM_LEN]);

#endif
