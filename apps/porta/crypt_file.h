/* crypt_file.h - keys of encrypted images in files. */
#ifndef CRYPT_FILE_H
#define CRYPT_FILE_H

#include "cli.h"
#include "enc/key.h"

/* Memory and random numbers of this computer. */
extern const struct enc_env crypt_env;

/* A key file that enc_key_open() understands; what it held is wiped. */
MUST_CHECK esp_err_t crypt_key_open(const char *path, const struct enc_env *env,
                                    struct enc_key **out, struct diag *d);
/* The same, and it has to be a private one. */
MUST_CHECK esp_err_t crypt_key_open_private(const char *path,
                                            const struct enc_env *env,
                                            struct enc_key **out,
                                            struct diag *d);

/* The image that is sealed in `in`, which came from path. */
MUST_CHECK esp_err_t crypt_unseal(const char *path, const struct enc_key *key,
                                  struct span in, struct cli_bytes *out,
                                  struct diag *d);

/* "rsa3072", "ecies256"; ENC_SCHEME_NONE: there is none of that name. */
enum enc_scheme crypt_scheme_by_name(const char *name);
const char *crypt_scheme_id(enum enc_scheme scheme);

#endif
