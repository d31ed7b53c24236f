#include "enc/key_mbedtls.h"

#include <mbedtls/ecdh.h>
#include <mbedtls/error.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/pem.h>
#include <mbedtls/pkcs5.h>
#include <mbedtls/rsa.h>

#include "crypto/ct.h"

#define RSA_BITS 3072u
#define HMAC_ROUNDS 2048u

int enc_lib_rng(void *ctx, unsigned char *out, size_t len)
{
    const struct enc_env *env = ctx;

    return env->rng->fill(env->rng->ctx, out, len) == ESP_OK ? 0 : -1;
}

/* The library's functions take what they only read without const. */
static void *writable(const void *ptr)
{
    void *out = NULL;

    memcpy(&out, &ptr, sizeof(out));
    return out;
}

/* A code is that of a module, in its upper bits, and of what that was built
 * on: memory may have run out in either. */
esp_err_t enc_lib_err(int ret, esp_err_t err)
{
    int low = -(-ret & 0x7F), high = -(-ret & 0xFF80);

    if (low == MBEDTLS_ERR_MPI_ALLOC_FAILED ||
        low == MBEDTLS_ERR_ASN1_ALLOC_FAILED ||
        high == MBEDTLS_ERR_PK_ALLOC_FAILED ||
        high == MBEDTLS_ERR_ECP_ALLOC_FAILED ||
        high == MBEDTLS_ERR_PEM_ALLOC_FAILED ||
        high == MBEDTLS_ERR_CIPHER_ALLOC_FAILED ||
        high == MBEDTLS_ERR_MD_ALLOC_FAILED)
        return ESP_ERR_NO_MEM;
    return err;
}

/* --- reading -------------------------------------------------------------- */

static bool is_pem(struct span s)
{
    static const char mark[] = "-----BEGIN ";
    const size_t len = sizeof(mark) - 1;

    for (size_t i = 0; i + len <= s.len; i++) {
        if (memcmp(s.ptr + i, mark, len) == 0)
            return true;
    }
    return false;
}

static int parse_text(struct enc_key *k, struct span s)
{
    int ret = mbedtls_pk_parse_key(&k->pk, s.ptr, s.len, NULL, 0, enc_lib_rng,
                                   &k->env);

    k->is_private = ret == 0;
    if (ret == 0 || ret == MBEDTLS_ERR_PK_PASSWORD_REQUIRED ||
        enc_lib_err(ret, ESP_OK))
        return ret;
    mbedtls_pk_free(&k->pk);
    mbedtls_pk_init(&k->pk);
    return mbedtls_pk_parse_public_key(&k->pk, s.ptr, s.len);
}

/* The library wants PEM with its NUL inside the length. */
static int parse_pem(struct enc_key *k, struct span s)
{
    const struct port_heap *heap = k->env.heap;
    uint8_t *copy = heap->alloc(heap->ctx, s.len + 1);
    int ret = MBEDTLS_ERR_PK_ALLOC_FAILED;

    if (copy) {
        memcpy(copy, s.ptr, s.len);
        ret = parse_text(k, span_of(copy, s.len + 1));
        ct_wipe(copy, s.len + 1);
    }
    heap->free(heap->ctx, copy);
    return ret;
}

/* As a chip does that has this key in its fuses. */
static int derive_own(struct enc_key *k, struct span hmac)
{
    static const uint8_t salt[] = { 0x0e, 0x21, 0x60, 0x64, 0x2d, 0xae, 0x76,
                                    0xd3, 0x34, 0x48, 0xe4, 0x3d, 0x77, 0x20,
                                    0x12, 0x3d, 0x9f, 0x3b, 0x1e, 0xce, 0xb8,
                                    0x8e, 0x57, 0x3a, 0x4e, 0x8f, 0x7f, 0xb9,
                                    0x4f, 0xf0, 0xc8, 0x69 };
    uint8_t scalar[32];
    mbedtls_ecp_keypair *ec;
    int ret =
        mbedtls_pk_setup(&k->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));

    if (ret)
        return ret;
    k->is_private = true;
    ec = mbedtls_pk_ec(k->pk);
    ret = mbedtls_pkcs5_pbkdf2_hmac_ext(MBEDTLS_MD_SHA256, hmac.ptr, hmac.len,
                                        salt, sizeof(salt), HMAC_ROUNDS,
                                        sizeof(scalar), scalar);
    if (!ret)
        ret = mbedtls_ecp_read_key(MBEDTLS_ECP_DP_SECP256R1, ec, scalar,
                                   sizeof(scalar));
    if (!ret)
        ret = mbedtls_ecp_keypair_calc_public(ec, enc_lib_rng, &k->env);
    ct_wipe(scalar, sizeof(scalar));
    return ret;
}

static enum enc_scheme scheme_of(const mbedtls_pk_context *pk)
{
    mbedtls_pk_type_t type = mbedtls_pk_get_type(pk);

    if (type == MBEDTLS_PK_RSA && mbedtls_pk_get_bitlen(pk) == RSA_BITS)
        return ENC_SCHEME_RSA3072;
    if (type == MBEDTLS_PK_ECKEY &&
        mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*pk)) ==
            MBEDTLS_ECP_DP_SECP256R1)
        return ENC_SCHEME_ECIES256;
    return ENC_SCHEME_NONE;
}

static esp_err_t fail_parse(int ret, const char *name, struct diag *d)
{
    esp_err_t err = enc_lib_err(ret, ESP_ERR_INVALID_ARG);

    if (err == ESP_ERR_NO_MEM)
        return diag_fail(d, DIAG_STAGE_FILE, err,
                         "there is no memory to read the key in %s", name);
    if (ret == MBEDTLS_ERR_PK_PASSWORD_REQUIRED)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NOT_SUPPORTED,
                         "%s is protected by a password; decrypt it first "
                         "(openssl pkey)",
                         name);
    return diag_fail(d, DIAG_STAGE_FILE, err,
                     "%s holds no key for encrypted images: neither PEM or "
                     "DER nor the %u bytes of a device's HMAC key (-0x%04x)",
                     name, ENC_HMAC_LEN, (unsigned)-ret);
}

static esp_err_t load(struct enc_key *k, struct span text, const char *name,
                      struct diag *d)
{
    int ret;

    if (text.len == ENC_HMAC_LEN)
        ret = derive_own(k, text);
    else if (is_pem(text))
        ret = parse_pem(k, text);
    else
        ret = parse_text(k, text);
    if (ret)
        return fail_parse(ret, name, d);
    k->scheme = scheme_of(&k->pk);
    if (k->scheme == ENC_SCHEME_NONE)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NOT_SUPPORTED,
                         "%s is a %s key of %u bits; images are encrypted for "
                         "RSA of 3072 bits or for P-256",
                         name, mbedtls_pk_get_name(&k->pk),
                         (unsigned)mbedtls_pk_get_bitlen(&k->pk));
    return ESP_OK;
}

esp_err_t enc_key_open(struct enc_key **out, const struct enc_env *env,
                       struct span text, const char *name, struct diag *d)
{
    struct enc_key *k = env->heap->alloc(env->heap->ctx, sizeof(*k));
    esp_err_t err;

    *out = NULL;
    if (!k)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NO_MEM,
                         "there is no memory to read the key in %s", name);
    k->env = *env;
    mbedtls_pk_init(&k->pk);
    err = load(k, text, name, d);
    if (err)
        enc_key_close(k);
    else
        *out = k;
    return err;
}

void enc_key_close(struct enc_key *k)
{
    if (!k)
        return;
    mbedtls_pk_free(&k->pk);
    k->env.heap->free(k->env.heap->ctx, k);
}

enum enc_scheme enc_key_scheme(const struct enc_key *k)
{
    return k->scheme;
}

bool enc_key_is_private(const struct enc_key *k)
{
    return k->is_private;
}

const struct enc_env *enc_key_env(const struct enc_key *k)
{
    return &k->env;
}

/* --- opening -------------------------------------------------------------- */

int enc_ec_open(struct enc_ec *ec, const struct enc_key *k)
{
    mbedtls_ecp_group_init(&ec->grp);
    mbedtls_mpi_init(&ec->d);
    mbedtls_ecp_point_init(&ec->q);
    return mbedtls_ecp_export(mbedtls_pk_ec(k->pk), &ec->grp, &ec->d, &ec->q);
}

void enc_ec_close(struct enc_ec *ec)
{
    mbedtls_ecp_group_free(&ec->grp);
    mbedtls_mpi_free(&ec->d);
    mbedtls_ecp_point_free(&ec->q);
}

int enc_derive(const mbedtls_mpi *shared, const uint8_t salt[ENC_SALT_LEN],
               uint8_t aes[ENC_AES_LEN])
{
    static const uint8_t info[16] = "_esp_enc_img_ecc";
    uint8_t x[32];
    int ret = mbedtls_mpi_write_binary(shared, x, sizeof(x));

    if (!ret)
        ret = mbedtls_hkdf(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), salt,
                           ENC_SALT_LEN, x, sizeof(x), info, sizeof(info), aes,
                           ENC_AES_LEN);
    ct_wipe(x, sizeof(x));
    return ret;
}

static int unwrap_ecies(const struct enc_key *k, const struct enc_head *h,
                        uint8_t *aes)
{
    uint8_t point[1 + ENC_POINT_LEN] = { 4 }; /* uncompressed */
    struct enc_ec ec;
    mbedtls_ecp_point theirs;
    mbedtls_mpi shared;
    int ret = enc_ec_open(&ec, k);

    memcpy(point + 1, h->wrapped, ENC_POINT_LEN);
    mbedtls_ecp_point_init(&theirs);
    mbedtls_mpi_init(&shared);
    if (!ret)
        ret = mbedtls_ecp_point_read_binary(&ec.grp, &theirs, point,
                                            sizeof(point));
    /* Refuses what is no point of the curve, which would tell about our key. */
    if (!ret)
        ret = mbedtls_ecdh_compute_shared(&ec.grp, &shared, &theirs, &ec.d,
                                          enc_lib_rng, writable(&k->env));
    if (!ret)
        ret = enc_derive(&shared, h->wrapped + ENC_POINT_LEN, aes);
    mbedtls_mpi_free(&shared);
    mbedtls_ecp_point_free(&theirs);
    enc_ec_close(&ec);
    return ret;
}

static int unwrap_rsa(const struct enc_key *k, const struct enc_head *h,
                      uint8_t *aes)
{
    size_t len = 0;
    int ret = mbedtls_rsa_pkcs1_decrypt(mbedtls_pk_rsa(k->pk), enc_lib_rng,
                                        writable(&k->env), &len, h->wrapped,
                                        aes, ENC_AES_LEN);

    return ret || len == ENC_AES_LEN ? ret : MBEDTLS_ERR_RSA_INVALID_PADDING;
}

esp_err_t enc_unwrap(const struct enc_key *k, const struct enc_head *h,
                     uint8_t aes[ENC_AES_LEN])
{
    int ret;

    if (!k->is_private)
        return ESP_ERR_INVALID_ARG;
    ret = k->scheme == ENC_SCHEME_RSA3072 ? unwrap_rsa(k, h, aes)
                                          : unwrap_ecies(k, h, aes);
    if (!ret)
        return ESP_OK;
    ct_wipe(aes, ENC_AES_LEN);
    return enc_lib_err(ret, ESP_ERR_INVALID_MAC);
}
