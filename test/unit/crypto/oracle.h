/* oracle.h - Mbed TLS's answer to the questions of crypto/sig.h, and keys and
 * signatures made by it. Random numbers come from a seed: every run is
 * alike. */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include <mbedtls/ecp.h>
#include <mbedtls/rsa.h>

/* A byte generator for the f_rng of Mbed TLS; ctx is a uint64_t seed. */
int oracle_rng(void *ctx, unsigned char *out, size_t len);

struct oracle_ec {
    mbedtls_ecp_group grp;
    mbedtls_mpi d;
    mbedtls_ecp_point q;
    uint32_t len; /* of a coordinate, of a digest */
};
void oracle_ec_make(struct oracle_ec *k, mbedtls_ecp_group_id id,
                    uint64_t *seed);
void oracle_ec_free(struct oracle_ec *k);
void oracle_ec_public(const struct oracle_ec *k, uint8_t *xy);
void oracle_ec_sign(struct oracle_ec *k, const uint8_t *digest, uint8_t *rs,
                    uint64_t *seed);
/* xy and rs little-endian, as in sig.h. */
bool oracle_ec_verify(const struct oracle_ec *k, const uint8_t *xy,
                      const uint8_t *rs, const uint8_t *digest);

void oracle_rsa_make(mbedtls_rsa_context *k, uint64_t *seed);
void oracle_rsa_public(const mbedtls_rsa_context *k, uint8_t n[384]);
/* salt_len -1: the longest. */
void oracle_rsa_sign(mbedtls_rsa_context *k, const uint8_t digest[32],
                     int salt_len, uint8_t sig[384], uint64_t *seed);
/* What the key's owner can sign that is no PSS message: sig = em^d. */
void oracle_rsa_raw(mbedtls_rsa_context *k, const uint8_t em[384],
                    uint8_t sig[384], uint64_t *seed);

#endif
