/* enc/key_mbedtls.h - a key as Mbed TLS has it. Private to src/enc. */
#ifndef ENC_KEY_MBEDTLS_H
#define ENC_KEY_MBEDTLS_H

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>

#include "enc/key.h"

struct enc_key {
    struct enc_env env;
    enum enc_scheme scheme;
    bool is_private;
    mbedtls_pk_context pk;
};

/* Random numbers as the library asks for them; ctx a struct enc_env. */
int enc_lib_rng(void *ctx, unsigned char *out, size_t len);
/* ESP_ERR_NO_MEM if that is what ret says, else err. */
MUST_CHECK esp_err_t enc_lib_err(int ret, esp_err_t err);

/* A copy of an EC key's parts. The library returns 0. */
struct enc_ec {
    mbedtls_ecp_group grp;
    mbedtls_mpi d;
    mbedtls_ecp_point q;
};
MUST_CHECK int enc_ec_open(struct enc_ec *ec, const struct enc_key *k);
void enc_ec_close(struct enc_ec *ec); /* wipes */

/* The AES key from what both sides share, a number of the curve. */
MUST_CHECK int enc_derive(const mbedtls_mpi *shared,
                          const uint8_t salt[ENC_SALT_LEN],
                          uint8_t aes[ENC_AES_LEN]);

#endif
