#include "signer.h"

#include <stdlib.h>

#include "base/crc32.h"
#include "base/le.h"
#include "crypto/sha384.h"
#include "unit/crypto/oracle.h"

#define RSA_KEYS 2u

static struct {
    uint64_t seed;
    struct oracle_ec p256[SIGNER_KEYS], p384[SIGNER_KEYS];
    mbedtls_rsa_context rsa[RSA_KEYS];
    uint8_t rsa_fields[RSA_KEYS][776]; /* as in a block */
} g;

static void must(int ret)
{
    if (ret != 0)
        abort();
}

/* n, e, 2^6144 mod n, -1 / n mod 2^32. */
static void rsa_fields(const mbedtls_rsa_context *key, uint8_t out[776])
{
    mbedtls_mpi n, x, two32;
    uint8_t four[4];

    mbedtls_mpi_init(&n);
    mbedtls_mpi_init(&x);
    mbedtls_mpi_init(&two32);
    must(mbedtls_rsa_export(key, &n, NULL, NULL, NULL, NULL));
    must(mbedtls_mpi_write_binary_le(&n, out, 384));
    le32_put(out + 384, 65537);
    must(mbedtls_mpi_lset(&x, 1));
    must(mbedtls_mpi_shift_l(&x, 6144));
    must(mbedtls_mpi_mod_mpi(&x, &x, &n));
    must(mbedtls_mpi_write_binary_le(&x, out + 388, 384));
    must(mbedtls_mpi_lset(&two32, 1));
    must(mbedtls_mpi_shift_l(&two32, 32));
    must(mbedtls_mpi_inv_mod(&x, &n, &two32));
    must(mbedtls_mpi_write_binary_le(&x, four, 4));
    le32_put(out + 772, 0u - le32_get(four));
    mbedtls_mpi_free(&n);
    mbedtls_mpi_free(&x);
    mbedtls_mpi_free(&two32);
}

void signer_open(void)
{
    g.seed = 0x13198A2E03707344ull;
    for (unsigned i = 0; i < SIGNER_KEYS; i++) {
        oracle_ec_make(&g.p256[i], MBEDTLS_ECP_DP_SECP256R1, &g.seed);
        oracle_ec_make(&g.p384[i], MBEDTLS_ECP_DP_SECP384R1, &g.seed);
    }
    for (unsigned i = 0; i < RSA_KEYS; i++) {
        oracle_rsa_make(&g.rsa[i], &g.seed);
        rsa_fields(&g.rsa[i], g.rsa_fields[i]);
    }
}

void signer_close(void)
{
    for (unsigned i = 0; i < SIGNER_KEYS; i++) {
        oracle_ec_free(&g.p256[i]);
        oracle_ec_free(&g.p384[i]);
    }
    for (unsigned i = 0; i < RSA_KEYS; i++)
        mbedtls_rsa_free(&g.rsa[i]);
}

int signer_setup(void **state)
{
    (void)state;
    signer_open();
    return 0;
}

int signer_teardown(void **state)
{
    (void)state;
    signer_close();
    return 0;
}

static void digest_of(enum img_scheme scheme, const uint8_t *content,
                      size_t len, uint8_t *out)
{
    struct sha256 s;
    struct sha384 wide;

    if (scheme == IMG_SCHEME_ECDSA384) {
        sha384_init(&wide);
        sha384_update(&wide, content, len);
        sha384_final(&wide, out);
        return;
    }
    sha256_init(&s);
    sha256_update(&s, content, len);
    sha256_final(&s, out);
}

void signer_seal(uint8_t block[IMG_SIG_V2_LEN])
{
    le32_put(block + 1196, crc32_le(0, block, 1196));
}

void signer_block(enum img_scheme scheme, unsigned key, const uint8_t *content,
                  size_t len, uint8_t block[IMG_SIG_V2_LEN])
{
    memset(block, 0, IMG_SIG_V2_LEN);
    block[0] = 0xE7;
    block[1] = scheme == IMG_SCHEME_RSA3072 ? 2 : 3;
    digest_of(scheme, content, len, block + 4);
    if (scheme == IMG_SCHEME_RSA3072) {
        memcpy(block + 36, g.rsa_fields[key % RSA_KEYS], 776);
        oracle_rsa_sign(&g.rsa[key % RSA_KEYS], block + 4, 32, block + 812,
                        &g.seed);
    } else if (scheme == IMG_SCHEME_ECDSA256) {
        block[36] = 2;
        oracle_ec_public(&g.p256[key], block + 37);
        oracle_ec_sign(&g.p256[key], block + 4, block + 101, &g.seed);
    } else {
        block[2] = 1;
        block[52] = 3;
        oracle_ec_public(&g.p384[key], block + 53);
        oracle_ec_sign(&g.p384[key], block + 4, block + 149, &g.seed);
    }
    signer_seal(block);
}

void signer_v1(unsigned key, const uint8_t *content, size_t len,
               uint8_t block[IMG_SIG_V1_LEN])
{
    uint8_t digest[32], rs[64];

    digest_of(IMG_SCHEME_V1, content, len, digest);
    oracle_ec_sign(&g.p256[key], digest, rs, &g.seed);
    memset(block, 0, 4);
    for (unsigned i = 0; i < 32; i++) {
        block[4 + i] = rs[31 - i];
        block[36 + i] = rs[63 - i];
    }
}

static void key_fields(enum img_scheme scheme, unsigned key, uint8_t *out,
                       size_t *len)
{
    if (scheme == IMG_SCHEME_RSA3072) {
        memcpy(out, g.rsa_fields[key % RSA_KEYS], 776);
        *len = 776;
    } else if (scheme == IMG_SCHEME_ECDSA384) {
        out[0] = 3;
        oracle_ec_public(&g.p384[key], out + 1);
        *len = 97;
    } else {
        out[0] = 2;
        oracle_ec_public(&g.p256[key], out + 1);
        *len = 65;
    }
}

void signer_trust(enum img_scheme scheme, uint32_t cnt, struct img_keys *out)
{
    uint8_t fields[776];
    size_t len;

    memset(out, 0, sizeof(*out));
    out->scheme = scheme;
    out->need = 1;
    out->cnt = cnt;
    for (uint32_t i = 0; i < cnt; i++) {
        key_fields(scheme, i, fields, &len);
        digest_of(IMG_SCHEME_V1, fields, len, out->key[i].id);
        out->key[i].trust = VERDICT_ACCEPT;
        if (scheme == IMG_SCHEME_V1)
            memcpy(out->key[i].xy, fields + 1, 64);
    }
}
