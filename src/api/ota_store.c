/* What sessions keep, in the key/value storage that the application started:
 * texts in the namespace "porta". Without such storage nothing is kept. */
#include "api/https_ota.h"

#include "nvs.h"

#define STORE_NAMESPACE "porta"

/* The reasons not to have something: none is an error of the session's. */
static esp_err_t store_load(void *ctx, const char *key, char *out,
                            size_t out_len)
{
    nvs_handle_t h;
    esp_err_t err = nvs_open(STORE_NAMESPACE, NVS_READONLY, &h);

    (void)ctx;
    if (err)
        return ESP_ERR_NOT_FOUND;
    err = nvs_get_str(h, key, out, &out_len);
    nvs_close(h);
    if (err == ESP_ERR_NVS_INVALID_LENGTH)
        return ESP_ERR_INVALID_SIZE;
    return err ? ESP_ERR_NOT_FOUND : ESP_OK;
}

static esp_err_t store_save(void *ctx, const char *key, const char *text)
{
    nvs_handle_t h;
    esp_err_t err = nvs_open(STORE_NAMESPACE, NVS_READWRITE, &h);

    (void)ctx;
    if (err)
        return err;
    err = nvs_set_str(h, key, text);
    if (!err)
        err = nvs_commit(h);
    nvs_close(h);
    return err;
}

static esp_err_t store_clear(void *ctx, const char *key)
{
    nvs_handle_t h;
    esp_err_t err = nvs_open(STORE_NAMESPACE, NVS_READWRITE, &h);

    (void)ctx;
    if (err)
        return err;
    err = nvs_erase_key(h, key);
    if (!err)
        err = nvs_commit(h);
    nvs_close(h);
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

const struct upd_store api_ota_store = { .load = store_load,
                                         .save = store_save,
                                         .clear = store_clear };
