#include "oracle.h"

#include <stdlib.h>
#include <string.h>

#include <mbedtls/ecdsa.h>
#include <psa/crypto.h>

static void must(int ret)
{
    if (ret != 0)
        abort();
}

/* The library wants a source of random numbers to link; nobody here asks it.
 * Weak: tests that link TLS have the one of src/tls. */
__attribute__((weak)) psa_status_t mbedtls_psa_external_get_random(
    mbedtls_psa_external_random_context_t *ctx, uint8_t *out, size_t len,
    size_t *got)
{
    (void)ctx;
    (void)out;
    (void)len;
    *got = 0;
    return PSA_ERROR_NOT_SUPPORTED;
}

/* xorshift64*. */
int oracle_rng(void *ctx, unsigned char *out, size_t len)
{
    uint64_t *x = ctx;

    for (size_t i = 0; i < len; i++) {
        *x ^= *x >> 12;
        *x ^= *x << 25;
        *x ^= *x >> 27;
        out[i] = (unsigned char)((*x * 0x2545F4914F6CDD1Dull) >> 56);
    }
    return 0;
}

void oracle_ec_make(struct oracle_ec *k, mbedtls_ecp_group_id id,
                    uint64_t *seed)
{
    mbedtls_ecp_group_init(&k->grp);
    mbedtls_mpi_init(&k->d);
    mbedtls_ecp_point_init(&k->q);
    must(mbedtls_ecp_group_load(&k->grp, id));
    must(mbedtls_ecp_gen_keypair(&k->grp, &k->d, &k->q, oracle_rng, seed));
    k->len = (uint32_t)(k->grp.pbits / 8);
}

void oracle_ec_free(struct oracle_ec *k)
{
    mbedtls_ecp_group_free(&k->grp);
    mbedtls_mpi_free(&k->d);
    mbedtls_ecp_point_free(&k->q);
}

static void put(const mbedtls_mpi *x, uint8_t *out, uint32_t len)
{
    must(mbedtls_mpi_write_binary_le(x, out, len));
}

void oracle_ec_public(const struct oracle_ec *k, uint8_t *xy)
{
    put(&k->q.MBEDTLS_PRIVATE(X), xy, k->len);
    put(&k->q.MBEDTLS_PRIVATE(Y), xy + k->len, k->len);
}

void oracle_ec_sign(struct oracle_ec *k, const uint8_t *digest, uint8_t *rs,
                    uint64_t *seed)
{
    mbedtls_mpi r, s;

    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    must(mbedtls_ecdsa_sign(&k->grp, &r, &s, &k->d, digest, k->len, oracle_rng,
                            seed));
    put(&r, rs, k->len);
    put(&s, rs + k->len, k->len);
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
}

bool oracle_ec_verify(const struct oracle_ec *k, const uint8_t *xy,
                      const uint8_t *rs, const uint8_t *digest)
{
    mbedtls_ecp_group grp;
    mbedtls_ecp_point q;
    mbedtls_mpi r, s;
    int ret;

    mbedtls_ecp_group_init(&grp);
    mbedtls_ecp_point_init(&q);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    must(mbedtls_ecp_group_load(&grp, k->grp.id));
    must(mbedtls_mpi_read_binary_le(&q.MBEDTLS_PRIVATE(X), xy, k->len));
    must(
        mbedtls_mpi_read_binary_le(&q.MBEDTLS_PRIVATE(Y), xy + k->len, k->len));
    must(mbedtls_mpi_lset(&q.MBEDTLS_PRIVATE(Z), 1));
    must(mbedtls_mpi_read_binary_le(&r, rs, k->len));
    must(mbedtls_mpi_read_binary_le(&s, rs + k->len, k->len));
    ret = mbedtls_ecp_check_pubkey(&grp, &q);
    if (ret == 0)
        ret = mbedtls_ecdsa_verify(&grp, digest, k->len, &q, &r, &s);
    mbedtls_ecp_group_free(&grp);
    mbedtls_ecp_point_free(&q);
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    return ret == 0;
}

void oracle_rsa_make(mbedtls_rsa_context *k, uint64_t *seed)
{
    mbedtls_rsa_init(k);
    must(mbedtls_rsa_gen_key(k, oracle_rng, seed, 3072, 65537));
    must(mbedtls_rsa_set_padding(k, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256));
}

static void reverse(uint8_t *out, const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = in[len - 1 - i];
}

void oracle_rsa_public(const mbedtls_rsa_context *k, uint8_t n[384])
{
    mbedtls_mpi x;

    mbedtls_mpi_init(&x);
    must(mbedtls_rsa_export(k, &x, NULL, NULL, NULL, NULL));
    put(&x, n, 384);
    mbedtls_mpi_free(&x);
}

void oracle_rsa_sign(mbedtls_rsa_context *k, const uint8_t digest[32],
                     int salt_len, uint8_t sig[384], uint64_t *seed)
{
    uint8_t big[384];

    must(mbedtls_rsa_rsassa_pss_sign_ext(k, oracle_rng, seed, MBEDTLS_MD_SHA256,
                                         32, digest, salt_len, big));
    reverse(sig, big, sizeof(big));
}

void oracle_rsa_raw(mbedtls_rsa_context *k, const uint8_t em[384],
                    uint8_t sig[384], uint64_t *seed)
{
    uint8_t big[384];

    must(mbedtls_rsa_private(k, oracle_rng, seed, em, big));
    reverse(sig, big, sizeof(big));
}
