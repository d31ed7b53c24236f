/* key_file.h - signing keys in files: PEM, and the 64 raw bytes of V1.
 *
 * Private keys are read from unencrypted PEM (SEC1, PKCS#1, PKCS#8) of the
 * three kinds that images are signed with. What a file holds is wiped when it
 * is closed. */
#ifndef KEY_FILE_H
#define KEY_FILE_H

#include <mbedtls/pk.h>

#include "cli.h"
#include "image/keys.h"

#define KEY_FILE_MAX_LEN 65536u

enum key_kind { KEY_RSA3072, KEY_P256, KEY_P384 };

struct key_file {
    enum key_kind kind;
    bool is_private;
    mbedtls_pk_context pk;
};

/* A public key, or the public half of a private one. Failures name the file
 * and say what it is instead. Close it in every case. */
MUST_CHECK esp_err_t key_file_parse(const char *name,
                                    const struct cli_bytes *bytes,
                                    struct key_file *out, struct diag *d);
MUST_CHECK esp_err_t key_file_open(const char *path, struct key_file *out,
                                   struct diag *d);
MUST_CHECK esp_err_t key_file_open_private(const char *path,
                                           struct key_file *out,
                                           struct diag *d);
MUST_CHECK esp_err_t key_file_new(enum key_kind kind, struct key_file *out,
                                  struct diag *d);
void key_file_close(struct key_file *k); /* idempotent */

/* The key's fields as in a V2 block: for RSA n, e, 2^6144 mod n, -1 / n mod
 * 2^32, else curve, X, Y, little-endian. Returns their length. */
#define KEY_FIELDS_MAX 776u
uint32_t key_file_fields(const struct key_file *k, uint8_t out[KEY_FIELDS_MAX]);
/* The digest of the fields: who this key is. */
void key_file_id(const struct key_file *k, uint8_t id[SHA256_LEN]);

/* A signature over a digest (SHA-384 for P-384), little-endian as in a block:
 * RSASSA-PSS, or deterministic ECDSA (RFC 6979). Returns its length, 0: it
 * failed. */
uint32_t key_file_sign(struct key_file *k, const uint8_t *digest,
                       uint8_t sig[384]);

/* PEM, with a NUL; free with cli_bytes_free(). */
MUST_CHECK esp_err_t key_file_pem(struct key_file *k, bool private_half,
                                  struct cli_bytes *out);

/* The scheme's name on a command line; IMG_SCHEME_NONE: there is none. */
enum img_scheme key_scheme_by_name(const char *name);
/* Does a key of this kind make signatures of this scheme? */
bool key_fits(enum key_kind kind, enum img_scheme scheme);

/* Adds the key to a set, trusted or revoked. A set without a scheme takes
 * that of the key (P-256: ecdsa256). ESP_ERR_INVALID_ARG: of another scheme,
 * or there already; ESP_ERR_NO_MEM: the set is full. */
MUST_CHECK esp_err_t key_set_add(struct img_keys *keys, const char *path,
                                 enum verdict trust, struct diag *d);
/* All files; need 0: one signature is enough. */
MUST_CHECK esp_err_t key_set_load(struct img_keys *keys,
                                  const struct cli_list *paths, uint32_t need,
                                  struct diag *d);

#endif
