/* Making encrypted images: for the command line, and for tests. */
#include "enc/key_mbedtls.h"

#include <mbedtls/ecdh.h>
#include <mbedtls/rsa.h>

#include "crypto/ct.h"
#include "enc/gcm.h"

static int wrap_rsa(const struct enc_key *k, struct enc_env *env,
                    struct enc_head *h, const uint8_t *aes)
{
    return mbedtls_rsa_pkcs1_encrypt(mbedtls_pk_rsa(k->pk), enc_lib_rng, env,
                                     ENC_AES_LEN, aes, h->wrapped);
}

/* A key pair for this image alone; its private half is forgotten at once. */
static int wrap_ecies(const struct enc_key *k, struct enc_env *env,
                      struct enc_head *h, uint8_t *aes)
{
    uint8_t point[1 + ENC_POINT_LEN];
    uint8_t *salt = h->wrapped + ENC_POINT_LEN;
    struct enc_ec ec;
    mbedtls_ecp_point once;
    mbedtls_mpi d, shared;
    size_t len;
    int ret = enc_ec_open(&ec, k);

    mbedtls_ecp_point_init(&once);
    mbedtls_mpi_init(&d);
    mbedtls_mpi_init(&shared);
    if (!ret)
        ret = enc_lib_rng(env, salt, ENC_SALT_LEN);
    if (!ret)
        ret = mbedtls_ecdh_gen_public(&ec.grp, &d, &once, enc_lib_rng, env);
    if (!ret)
        ret = mbedtls_ecdh_compute_shared(&ec.grp, &shared, &ec.q, &d,
                                          enc_lib_rng, env);
    if (!ret)
        ret = enc_derive(&shared, salt, aes);
    if (!ret)
        ret = mbedtls_ecp_point_write_binary(&ec.grp, &once,
                                             MBEDTLS_ECP_PF_UNCOMPRESSED, &len,
                                             point, sizeof(point));
    if (!ret)
        memcpy(h->wrapped, point + 1, ENC_POINT_LEN);
    mbedtls_mpi_free(&shared);
    mbedtls_mpi_free(&d);
    mbedtls_ecp_point_free(&once);
    enc_ec_close(&ec);
    return ret;
}

esp_err_t enc_wrap(const struct enc_key *k, struct enc_head *h,
                   uint8_t aes[ENC_AES_LEN])
{
    struct enc_env env = k->env;
    int ret = enc_lib_rng(&env, h->iv, ENC_IV_LEN);

    memset(h->wrapped, 0, sizeof(h->wrapped));
    if (!ret)
        ret = enc_lib_rng(&env, aes, ENC_AES_LEN);
    if (!ret)
        ret = k->scheme == ENC_SCHEME_RSA3072 ? wrap_rsa(k, &env, h, aes)
                                              : wrap_ecies(k, &env, h, aes);
    return ret ? enc_lib_err(ret, ESP_FAIL) : ESP_OK;
}

esp_err_t enc_key_public_pem(const struct enc_key *k,
                             char out[ENC_PUBLIC_PEM_LEN])
{
    int ret = mbedtls_pk_write_pubkey_pem(&k->pk, (unsigned char *)out,
                                          ENC_PUBLIC_PEM_LEN);

    return ret ? enc_lib_err(ret, ESP_FAIL) : ESP_OK;
}

esp_err_t enc_seal(const struct enc_key *k, struct span plain, uint8_t *out)
{
    struct enc_head h = { .body_len = (uint32_t)plain.len };
    uint8_t aes[ENC_AES_LEN];
    struct enc_gcm *g = NULL;
    esp_err_t err;

    if (plain.len == 0 || plain.len > UINT32_MAX - ENC_HEAD_LEN)
        return ESP_ERR_INVALID_SIZE;
    err = enc_wrap(k, &h, aes);
    if (!err) {
        g = enc_gcm_open(&k->env, aes, h.iv, ENC_WAY_ENCRYPT);
        err = g ? ESP_OK : ESP_ERR_NO_MEM;
    }
    if (!err)
        err = enc_gcm_update(g, plain.ptr, out + ENC_HEAD_LEN, plain.len);
    if (!err)
        err = enc_gcm_tag(g, h.tag);
    if (!err)
        enc_head_pack(&h, out);
    enc_gcm_close(g);
    ct_wipe(aes, sizeof(aes));
    return err;
}
