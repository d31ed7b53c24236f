#include "key_file.h"

#include <stdlib.h>
#include <string.h>

#include <mbedtls/ecdsa.h>
#include <mbedtls/error.h>
#include <mbedtls/rsa.h>

#include "base/le.h"
#include "crypto/ct.h"
#include "linux_rng.h"

#define PEM_MAX_LEN 8192u
#define RAW_LEN 64u
#define RSA_LEN 384u

static int rng(void *ctx, unsigned char *out, size_t len)
{
    (void)ctx;
    return linux_rng.fill(linux_rng.ctx, out, len) == ESP_OK ? 0 : -1;
}

/* --- reading -------------------------------------------------------------- */

static bool is_pem(const struct cli_bytes *b)
{
    return strstr((const char *)b->ptr, "-----BEGIN ") != NULL;
}

/* X and Y, as V1's key file has them. */
static int parse_raw(const struct cli_bytes *b, mbedtls_pk_context *pk)
{
    uint8_t point[1 + RAW_LEN] = { 4 };
    mbedtls_ecp_keypair *ec;
    int ret = mbedtls_pk_setup(pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));

    if (ret)
        return ret;
    memcpy(point + 1, b->ptr, RAW_LEN);
    ec = mbedtls_pk_ec(*pk);
    ret = mbedtls_ecp_group_load(&ec->MBEDTLS_PRIVATE(grp),
                                 MBEDTLS_ECP_DP_SECP256R1);
    if (!ret)
        ret = mbedtls_ecp_point_read_binary(&ec->MBEDTLS_PRIVATE(grp),
                                            &ec->MBEDTLS_PRIVATE(Q), point,
                                            sizeof(point));
    return ret ? ret
               : mbedtls_ecp_check_pubkey(&ec->MBEDTLS_PRIVATE(grp),
                                          &ec->MBEDTLS_PRIVATE(Q));
}

static int parse(const struct cli_bytes *b, struct key_file *out)
{
    int ret;

    if (!is_pem(b))
        return b->len == RAW_LEN ? parse_raw(b, &out->pk)
                                 : MBEDTLS_ERR_PK_KEY_INVALID_FORMAT;
    ret =
        mbedtls_pk_parse_key(&out->pk, b->ptr, b->len + 1, NULL, 0, rng, NULL);
    out->is_private = ret == 0;
    if (ret == 0 || ret == MBEDTLS_ERR_PK_PASSWORD_REQUIRED)
        return ret;
    mbedtls_pk_free(&out->pk);
    mbedtls_pk_init(&out->pk);
    return mbedtls_pk_parse_public_key(&out->pk, b->ptr, b->len + 1);
}

static bool find_kind(struct key_file *k)
{
    mbedtls_pk_type_t type = mbedtls_pk_get_type(&k->pk);
    size_t bits = mbedtls_pk_get_bitlen(&k->pk);

    if (type == MBEDTLS_PK_RSA && bits == 8 * RSA_LEN) {
        mbedtls_mpi e;
        int cmp;

        mbedtls_mpi_init(&e);
        cmp = mbedtls_rsa_export(mbedtls_pk_rsa(k->pk), NULL, NULL, NULL, NULL,
                                 &e);
        cmp = cmp ? cmp : mbedtls_mpi_cmp_int(&e, 65537);
        mbedtls_mpi_free(&e);
        k->kind = KEY_RSA3072;
        return cmp == 0;
    }
    if (type != MBEDTLS_PK_ECKEY)
        return false;
    switch (mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(k->pk))) {
    case MBEDTLS_ECP_DP_SECP256R1:
        k->kind = KEY_P256;
        return true;
    case MBEDTLS_ECP_DP_SECP384R1:
        k->kind = KEY_P384;
        return true;
    default:
        return false;
    }
}

static esp_err_t fail_parse(const char *path, int ret, struct diag *d)
{
    char text[128];

    if (ret == MBEDTLS_ERR_PK_PASSWORD_REQUIRED)
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NOT_SUPPORTED,
                         "%s is protected by a password; decrypt it first "
                         "(openssl pkey)",
                         path);
    mbedtls_strerror(ret, text, sizeof(text));
    return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_INVALID_ARG,
                     "%s holds no key: neither PEM nor 64 raw bytes of a "
                     "P-256 key (%s)",
                     path, text);
}

static void key_init(struct key_file *k)
{
    memset(k, 0, sizeof(*k));
    mbedtls_pk_init(&k->pk);
}

esp_err_t key_file_parse(const char *name, const struct cli_bytes *bytes,
                         struct key_file *out, struct diag *d)
{
    int ret;

    key_init(out);
    ret = parse(bytes, out);
    if (ret)
        return fail_parse(name, ret, d);
    if (!find_kind(out))
        return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_NOT_SUPPORTED,
                         "%s is a %s key of %u bits; images are signed with "
                         "RSA of 3072 bits (e 65537), ECDSA P-256 or P-384",
                         name, mbedtls_pk_get_name(&out->pk),
                         (unsigned)mbedtls_pk_get_bitlen(&out->pk));
    return ESP_OK;
}

esp_err_t key_file_open(const char *path, struct key_file *out, struct diag *d)
{
    struct cli_bytes bytes = CLI_BYTES_NONE;
    esp_err_t err;

    key_init(out);
    err = cli_read_file(path, KEY_FILE_MAX_LEN, &bytes, d);
    if (!err)
        err = key_file_parse(path, &bytes, out, d);
    cli_bytes_free(&bytes);
    return err;
}

esp_err_t key_file_open_private(const char *path, struct key_file *out,
                                struct diag *d)
{
    esp_err_t err = key_file_open(path, out, d);

    if (err || out->is_private)
        return err;
    return diag_fail(d, DIAG_STAGE_FILE, ESP_ERR_INVALID_ARG,
                     "%s is a public key, and signing takes the private one",
                     path);
}

esp_err_t key_file_new(enum key_kind kind, struct key_file *out, struct diag *d)
{
    bool rsa = kind == KEY_RSA3072;
    int ret;

    key_init(out);
    out->kind = kind;
    out->is_private = true;
    ret = mbedtls_pk_setup(
        &out->pk,
        mbedtls_pk_info_from_type(rsa ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY));
    if (!ret && rsa)
        ret = mbedtls_rsa_gen_key(mbedtls_pk_rsa(out->pk), rng, NULL,
                                  8 * RSA_LEN, 65537);
    else if (!ret)
        ret = mbedtls_ecp_gen_key(kind == KEY_P256 ? MBEDTLS_ECP_DP_SECP256R1
                                                   : MBEDTLS_ECP_DP_SECP384R1,
                                  mbedtls_pk_ec(out->pk), rng, NULL);
    if (!ret)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FILE, ESP_FAIL,
                     "the key could not be made (-0x%x)", (unsigned)-ret);
}

void key_file_close(struct key_file *k)
{
    mbedtls_pk_free(&k->pk);
}

/* --- what it is ----------------------------------------------------------- */

static void put(const mbedtls_mpi *x, uint8_t *out, size_t len)
{
    /* Every number has at most len bytes: the kind was checked. */
    if (mbedtls_mpi_write_binary_le(x, out, len) != 0)
        abort();
}

static void must(int ret)
{
    if (ret != 0)
        abort(); /* out of memory, for numbers of some hundred bytes */
}

static void rsa_fields(const struct key_file *k, uint8_t *out)
{
    mbedtls_mpi n, x, two32;
    uint8_t word[4];

    mbedtls_mpi_init(&n);
    mbedtls_mpi_init(&x);
    mbedtls_mpi_init(&two32);
    must(mbedtls_rsa_export(mbedtls_pk_rsa(k->pk), &n, NULL, NULL, NULL, NULL));
    put(&n, out, RSA_LEN);
    le32_put(out + RSA_LEN, 65537);
    must(mbedtls_mpi_lset(&x, 1));
    must(mbedtls_mpi_shift_l(&x, 16 * RSA_LEN));
    must(mbedtls_mpi_mod_mpi(&x, &x, &n));
    put(&x, out + RSA_LEN + 4, RSA_LEN);
    must(mbedtls_mpi_lset(&two32, 1));
    must(mbedtls_mpi_shift_l(&two32, 32));
    must(mbedtls_mpi_inv_mod(&x, &n, &two32));
    put(&x, word, sizeof(word));
    le32_put(out + 2 * RSA_LEN + 4, 0u - le32_get(word));
    mbedtls_mpi_free(&n);
    mbedtls_mpi_free(&x);
    mbedtls_mpi_free(&two32);
}

uint32_t key_file_fields(const struct key_file *k, uint8_t out[KEY_FIELDS_MAX])
{
    uint32_t half = k->kind == KEY_P384 ? 48 : 32;
    const mbedtls_ecp_keypair *ec;

    if (k->kind == KEY_RSA3072) {
        rsa_fields(k, out);
        return KEY_FIELDS_MAX;
    }
    ec = mbedtls_pk_ec(k->pk);
    out[0] = k->kind == KEY_P384 ? 3 : 2;
    put(&ec->MBEDTLS_PRIVATE(Q).MBEDTLS_PRIVATE(X), out + 1, half);
    put(&ec->MBEDTLS_PRIVATE(Q).MBEDTLS_PRIVATE(Y), out + 1 + half, half);
    return 1 + 2 * half;
}

void key_file_id(const struct key_file *k, uint8_t id[SHA256_LEN])
{
    uint8_t fields[KEY_FIELDS_MAX];
    uint32_t len = key_file_fields(k, fields);
    struct sha256 s;

    sha256_init(&s);
    sha256_update(&s, fields, len);
    sha256_final(&s, id);
}

/* --- signing -------------------------------------------------------------- */

static uint32_t sign_rsa(struct key_file *k, const uint8_t *digest,
                         uint8_t *sig)
{
    mbedtls_rsa_context *rsa = mbedtls_pk_rsa(k->pk);
    uint8_t big[RSA_LEN];

    if (mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256) !=
            0 ||
        mbedtls_rsa_rsassa_pss_sign_ext(rsa, rng, NULL, MBEDTLS_MD_SHA256,
                                        SHA256_LEN, digest, SHA256_LEN,
                                        big) != 0)
        return 0;
    for (uint32_t i = 0; i < RSA_LEN; i++)
        sig[i] = big[RSA_LEN - 1 - i];
    return RSA_LEN;
}

uint32_t key_file_sign(struct key_file *k, const uint8_t *digest,
                       uint8_t sig[384])
{
    bool wide = k->kind == KEY_P384;
    uint32_t half = wide ? 48 : 32;
    mbedtls_ecp_keypair *ec;
    mbedtls_mpi r, s;
    int ret;

    if (k->kind == KEY_RSA3072)
        return sign_rsa(k, digest, sig);
    ec = mbedtls_pk_ec(k->pk);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    ret = mbedtls_ecdsa_sign_det_ext(
        &ec->MBEDTLS_PRIVATE(grp), &r, &s, &ec->MBEDTLS_PRIVATE(d), digest,
        half, wide ? MBEDTLS_MD_SHA384 : MBEDTLS_MD_SHA256, rng, NULL);
    if (!ret) {
        put(&r, sig, half);
        put(&s, sig + half, half);
    }
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    return ret ? 0 : 2 * half;
}

esp_err_t key_file_pem(struct key_file *k, bool private_half,
                       struct cli_bytes *out)
{
    int ret;

    *out = (struct cli_bytes)CLI_BYTES_NONE;
    out->ptr = malloc(PEM_MAX_LEN);
    if (!out->ptr)
        return ESP_ERR_NO_MEM;
    out->len = PEM_MAX_LEN - 1; /* all of it is wiped, whatever happens */
    ret = private_half
              ? mbedtls_pk_write_key_pem(&k->pk, out->ptr, PEM_MAX_LEN)
              : mbedtls_pk_write_pubkey_pem(&k->pk, out->ptr, PEM_MAX_LEN);
    if (ret) {
        cli_bytes_free(out);
        return ESP_FAIL;
    }
    out->len = strlen((char *)out->ptr);
    return ESP_OK;
}
