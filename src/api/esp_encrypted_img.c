/* esp_encrypted_img: handles that decrypt.
 *
 * A handle that was ended is not found any more: what the reference's own
 * example does after a wrong tag, ending and then aborting the same handle, is
 * an error here and no crash. */
#include "esp_encrypted_img.h"

#include <stdlib.h>

#include "api/crypt_handle.h"
#include "base/log.h"
#include "crypto/ct.h"

#define TAG "esp_encrypted_img"
#define HMAC_KEY_CNT 6

/* --- handles -------------------------------------------------------------- */

static struct api_crypt **find(const void *handle)
{
    struct api_crypt **at = &api_device()->crypt_list;

    while (*at && *at != handle)
        at = &(*at)->next;
    return at;
}

static struct api_crypt *get(const void *handle)
{
    struct api_crypt *c;

    api_lock();
    c = *find(handle);
    api_unlock();
    return c;
}

static void free_crypt(struct api_crypt *c)
{
    enc_stream_close(&c->decrypt.stream);
    enc_key_close(c->key);
    ct_wipe(c, sizeof(*c));
    api_free(c);
}

static void put(struct api_crypt *c)
{
    bool last;

    api_lock();
    last = --c->user_cnt == 0;
    api_unlock();
    if (last)
        free_crypt(c);
}

/* The application's own claim ends. NULL: it had none. */
static struct api_crypt *unlist(const void *handle)
{
    struct api_crypt **at, *c;

    api_lock();
    at = find(handle);
    c = *at;
    if (c)
        *at = c->next;
    api_unlock();
    return c;
}

struct api_crypt *api_crypt_take(void *handle)
{
    struct api_crypt *c;

    api_lock();
    c = *find(handle);
    if (c && c->user_cnt > 1)
        c = NULL;
    if (c)
        c->user_cnt++;
    api_unlock();
    if (c)
        enc_stream_close(&c->decrypt.stream);
    return c;
}

void api_crypt_drop(struct api_crypt *c)
{
    if (c)
        put(c);
}

static void free_all(void)
{
    struct api_crypt *c;

    while ((c = unlist(api_device()->crypt_list)) != NULL)
        put(c);
}

/* --- start ---------------------------------------------------------------- */

static esp_err_t fuse_key(int id, uint8_t key[ENC_HMAC_LEN], struct diag *d)
{
    const struct api_boot *boot = &api_device()->boot;

    if (id < 0 || id >= HMAC_KEY_CNT)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "hmac_key_id is %d; there are 0 to %d", id,
                         HMAC_KEY_CNT - 1);
    if (boot->hmac_key && boot->hmac_key(id, key) == ESP_OK)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_FOUND,
                     "this device has no HMAC key %d to derive a key of", id);
}

static esp_err_t open_fuse_key(struct api_crypt *c, const struct enc_env *env,
                               int id, struct diag *d)
{
    uint8_t hmac[ENC_HMAC_LEN];
    esp_err_t err = fuse_key(id, hmac, d);

    if (!err)
        err = enc_key_open(&c->key, env, span_of(hmac, sizeof(hmac)),
                           "the HMAC key", d);
    ct_wipe(hmac, sizeof(hmac));
    return err;
}

static esp_err_t need_scheme(const struct enc_key *k, enum enc_scheme want,
                             const char *field, struct diag *d)
{
    if (!enc_key_is_private(k))
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "%s is a public key; decrypting takes the private one",
                         field);
    if (enc_key_scheme(k) != want)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "%s is a key for %s", field,
                         enc_scheme_name(enc_key_scheme(k)));
    return ESP_OK;
}

static esp_err_t open_key(struct api_crypt *c, const esp_decrypt_cfg_t *cfg,
                          struct diag *d)
{
    const struct api_boot *boot = &api_device()->boot;
    const struct enc_env env = { boot->heap, boot->rng };
    bool is_rsa = cfg->rsa_priv_key != NULL;
    const char *field = is_rsa ? "rsa_priv_key" : "ecies_priv_key";
    struct span text = span_of(cfg->ecies_priv_key, cfg->ecies_priv_key_len);
    esp_err_t err;

    if (cfg->ds_data)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_SUPPORTED,
                         "keys in a signature peripheral are not supported");
    if (!is_rsa && !cfg->ecies_priv_key)
        return open_fuse_key(c, &env, cfg->hmac_key_id, d);
    if (is_rsa)
        text = span_of(cfg->rsa_priv_key, cfg->rsa_priv_key_len);
    err = enc_key_open(&c->key, &env, text, field, d);
    return err ? err
               : need_scheme(c->key,
                             is_rsa ? ENC_SCHEME_RSA3072 : ENC_SCHEME_ECIES256,
                             field, d);
}

esp_decrypt_handle_t esp_encrypted_img_decrypt_start(
    const esp_decrypt_cfg_t *cfg)
{
    struct api_device *dev = api_device();
    struct diag d = DIAG_NONE;
    struct api_crypt *c = cfg ? api_alloc(sizeof(*c)) : NULL;

    if (!c)
        return NULL;
    if (open_key(c, cfg, &d) != ESP_OK) {
        LOGE(TAG, "%s", d.text);
        free_crypt(c);
        return NULL;
    }
    upd_decrypt_stage(&c->decrypt, c->key, &c->stage);
    enc_stream_open(&c->decrypt.stream, c->key);
    c->user_cnt = 1;
    api_lock();
    c->next = dev->crypt_list;
    dev->crypt_list = c;
    dev->at_stop[API_STOP_CRYPT] = free_all;
    api_unlock();
    return c;
}

/* --- data ----------------------------------------------------------------- */

static esp_err_t fail_data(const struct api_crypt *c, esp_err_t err)
{
    LOGE(TAG, "%s", c->decrypt.stream.diag.text);
    return err == ESP_ERR_NO_MEM ? err : ESP_FAIL;
}

/* Plaintext behind what was held; *len counts both. */
static esp_err_t decrypt(struct api_crypt *c, const pre_enc_decrypt_arg_t *args,
                         uint8_t *out, size_t *len)
{
    struct span in = span_of(args->data_in, args->data_in_len);
    struct enc_out plain = { out + c->held_len, args->data_in_len, 0 };
    esp_err_t err = enc_stream_feed(&c->decrypt.stream, &in, &plain);

    if (err)
        return fail_data(c, err);
    memcpy(out, c->held, c->held_len);
    *len = c->held_len + plain.len;
    return ESP_OK;
}

/* Whole blocks, but for the end of the image. */
static size_t hold(struct api_crypt *c, const uint8_t *out, size_t len)
{
    bool whole = enc_stream_complete(&c->decrypt.stream);

    c->held_len = whole ? 0 : len % API_CRYPT_BLOCK;
    memcpy(c->held, out + len - c->held_len, c->held_len);
    return len - c->held_len;
}

esp_err_t esp_encrypted_img_decrypt_data(esp_decrypt_handle_t ctx,
                                         pre_enc_decrypt_arg_t *args)
{
    struct api_crypt *c = get(ctx);
    uint8_t *out;
    size_t len;
    esp_err_t err;

    if (!c || c->user_cnt > 1 || !args || !args->data_in)
        return ESP_ERR_INVALID_ARG;
    /* lint-ok: banned, the application frees it with free() */
    out = realloc(args->data_out, API_CRYPT_BLOCK + args->data_in_len);
    if (!out)
        return ESP_ERR_NO_MEM;
    err = decrypt(c, args, out, &len);
    args->data_out_len = err ? 0 : hold(c, out, len);
    if (args->data_out_len == 0) {
        /* lint-ok: banned, as above */
        free(out);
        out = NULL;
    }
    args->data_out = (char *)out;
    if (err)
        return err;
    return enc_stream_complete(&c->decrypt.stream) ? ESP_OK
                                                   : ESP_ERR_NOT_FINISHED;
}

bool esp_encrypted_img_is_complete_data_received(esp_decrypt_handle_t ctx)
{
    const struct api_crypt *c = get(ctx);

    return c && enc_stream_complete(&c->decrypt.stream);
}

/* --- the end -------------------------------------------------------------- */

esp_err_t esp_encrypted_img_decrypt_end(esp_decrypt_handle_t ctx)
{
    struct api_crypt *c = unlist(ctx);
    esp_err_t err;

    if (!c)
        return ESP_ERR_INVALID_ARG;
    err = enc_stream_finish(&c->decrypt.stream);
    if (err)
        err = fail_data(c, ESP_FAIL);
    put(c);
    return err;
}

esp_err_t esp_encrypted_img_decrypt_abort(esp_decrypt_handle_t ctx)
{
    struct api_crypt *c = unlist(ctx);

    if (!c)
        return ESP_ERR_INVALID_ARG;
    put(c);
    return ESP_OK;
}

/* --- what is known -------------------------------------------------------- */

uint16_t esp_encrypted_img_get_header_size(void)
{
    return ENC_HEAD_LEN;
}

esp_err_t esp_encrypted_img_export_public_key(esp_decrypt_handle_t ctx,
                                              uint8_t **pub_key,
                                              size_t *pub_key_len)
{
    const struct api_crypt *c = get(ctx);
    char *pem;

    if (!c || !pub_key || !pub_key_len)
        return ESP_ERR_INVALID_ARG;
    /* lint-ok: banned, the application frees it with free() */
    pem = malloc(ENC_PUBLIC_PEM_LEN);
    if (!pem || enc_key_public_pem(c->key, pem) != ESP_OK) {
        /* lint-ok: banned, as above */
        free(pem);
        return ESP_ERR_NO_MEM;
    }
    *pub_key = (uint8_t *)pem;
    *pub_key_len = strlen(pem);
    return ESP_OK;
}
