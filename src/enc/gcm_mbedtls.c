/* enc/gcm.h over Mbed TLS. */
#include "enc/gcm.h"

#include <mbedtls/gcm.h>

#include "crypto/ct.h"

struct enc_gcm {
    struct enc_env env;
    mbedtls_gcm_context gcm;
};

struct enc_gcm *enc_gcm_open(const struct enc_env *env,
                             const uint8_t aes[ENC_AES_LEN],
                             const uint8_t iv[ENC_IV_LEN], enum enc_way way)
{
    struct enc_gcm *g = env->heap->alloc(env->heap->ctx, sizeof(*g));
    int mode =
        way == ENC_WAY_ENCRYPT ? MBEDTLS_GCM_ENCRYPT : MBEDTLS_GCM_DECRYPT;

    if (!g)
        return NULL;
    g->env = *env;
    mbedtls_gcm_init(&g->gcm);
    /* Sizes are right: only memory can fail. */
    if (mbedtls_gcm_setkey(&g->gcm, MBEDTLS_CIPHER_ID_AES, aes,
                           8 * ENC_AES_LEN) == 0 &&
        mbedtls_gcm_starts(&g->gcm, mode, iv, ENC_IV_LEN) == 0)
        return g;
    enc_gcm_close(g);
    return NULL;
}

esp_err_t enc_gcm_update(struct enc_gcm *g, const uint8_t *in, uint8_t *out,
                         size_t len)
{
    size_t out_len = 0;

    if (mbedtls_gcm_update(&g->gcm, in, len, out, len, &out_len) != 0 ||
        out_len != len)
        return ESP_FAIL;
    return ESP_OK;
}

esp_err_t enc_gcm_tag(struct enc_gcm *g, uint8_t tag[ENC_TAG_LEN])
{
    size_t out_len;

    return mbedtls_gcm_finish(&g->gcm, NULL, 0, &out_len, tag, ENC_TAG_LEN)
               ? ESP_FAIL
               : ESP_OK;
}

void enc_gcm_close(struct enc_gcm *g)
{
    if (!g)
        return;
    mbedtls_gcm_free(&g->gcm);
    ct_wipe(&g->gcm, sizeof(g->gcm));
    g->env.heap->free(g->env.heap->ctx, g);
}
