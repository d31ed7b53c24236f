/* The decryption callback of applications, as a stage of the engine. */
#include "api/https_ota.h"

#include <stdlib.h>

#include "porta/ota_decrypt.h"

static esp_err_t call(struct api_decrypt *d, const void *data, size_t len,
                      const struct upd_stage_out *out)
{
    decrypt_cb_arg_t args = { .data_in = data, .data_in_len = len };
    esp_err_t err;

    api_https_ota_post(ESP_HTTPS_OTA_DECRYPT_CB, NULL, 0);
    err = d->cb(&args, d->user_ctx);
    if (err == ESP_ERR_NOT_FINISHED)
        err = ESP_OK;
    else if (err && !d->any_out)
        err = ESP_FAIL; /* as the reference says it of the header */
    if (!err && args.data_out_len > 0) {
        d->any_out = true;
        err = out->feed(out->ctx, args.data_out, args.data_out_len);
    }
    /* lint-ok: banned, the application allocated it with malloc() */
    free(args.data_out);
    return err;
}

static esp_err_t flush_first(struct api_decrypt *d,
                             const struct upd_stage_out *out)
{
    uint8_t *first = d->first;
    esp_err_t err;

    d->first = NULL;
    err = d->first_len > 0 ? call(d, first, d->first_len, out) : ESP_OK;
    api_free(first);
    return err;
}

static esp_err_t begin(void *ctx)
{
    struct api_decrypt *d = ctx;

    d->first = api_alloc(API_OTA_FIRST_LEN);
    return d->first ? ESP_OK : ESP_ERR_NO_MEM;
}

static esp_err_t feed(void *ctx, const void *data, size_t len,
                      const struct upd_stage_out *out)
{
    struct api_decrypt *d = ctx;
    const uint8_t *p = data;
    esp_err_t err = ESP_OK;

    if (d->first) {
        size_t n = API_OTA_FIRST_LEN - d->first_len;
        if (n > len)
            n = len;
        memcpy(d->first + d->first_len, p, n);
        d->first_len += n;
        p += n;
        len -= n;
        if (d->first_len == API_OTA_FIRST_LEN)
            err = flush_first(d, out);
    }
    return !err && len > 0 ? call(d, p, len, out) : err;
}

static esp_err_t finish(void *ctx, const struct upd_stage_out *out)
{
    struct api_decrypt *d = ctx;

    return d->first ? flush_first(d, out) : ESP_OK;
}

static void stop(void *ctx)
{
    struct api_decrypt *d = ctx;

    api_free(d->first);
    d->first = NULL;
}

/* One's own decryptor has a stage of its own, which says more. */
static esp_err_t take_own(struct api_https_ota *ota, void *handle)
{
    ota->crypt = api_crypt_take(handle);
    if (!ota->crypt)
        return diag_fail(&ota->diag, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "decrypt_user_ctx is no handle of "
                         "esp_encrypted_img_decrypt_start(), or another "
                         "session has it");
    ota->stage = ota->crypt->stage;
    ota->enc_header_len = ENC_HEAD_LEN;
    return ESP_OK;
}

esp_err_t api_decrypt_stage(struct api_https_ota *ota,
                            const esp_https_ota_config_t *config)
{
    if (config->decrypt_cb == porta_ota_decrypt)
        return take_own(ota, config->decrypt_user_ctx);
    ota->decrypt.cb = config->decrypt_cb;
    ota->decrypt.user_ctx = config->decrypt_user_ctx;
    ota->enc_header_len = config->enc_img_header_size;
    ota->stage = (struct upd_stage){ .ctx = &ota->decrypt,
                                     .begin = begin,
                                     .feed = feed,
                                     .finish = finish,
                                     .abort = stop };
    return ESP_OK;
}
