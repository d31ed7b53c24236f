/* nvs_*: strings and blobs. */
#include "api/nvs_handle.h"

/* --- set ------------------------------------------------------------------ */

esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value)
{
    struct api_nvs_handle *h;
    esp_err_t err;

    api_lock();
    err = api_nvs_writer(handle, key, &h);
    if (!err && !value)
        err = ESP_ERR_INVALID_ARG;
    if (!err)
        err = kv_set_str(&h->ns, key, value);
    api_unlock();
    return err;
}

esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value,
                       size_t length)
{
    struct api_nvs_handle *h;
    esp_err_t err;

    api_lock();
    err = api_nvs_writer(handle, key, &h);
    if (!err && !value && length > 0)
        err = ESP_ERR_INVALID_ARG;
    if (!err)
        err = kv_set_blob(&h->ns, key, span_of(value, length));
    api_unlock();
    return err;
}

/* --- get ------------------------------------------------------------------ */

/* Without a length only a missing key can be told. */
static esp_err_t no_length(esp_err_t err)
{
    return err ? err : ESP_ERR_NVS_INVALID_LENGTH;
}

esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *out_value,
                      size_t *length)
{
    struct api_nvs_handle *h;
    size_t len;
    esp_err_t err;

    api_lock();
    err = api_nvs_reader(handle, key, &h);
    if (!err && length)
        err = kv_get_str(&h->ns, key, out_value, length);
    else if (!err)
        err = no_length(kv_get_str(&h->ns, key, NULL, &len));
    api_unlock();
    return err;
}

esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value,
                       size_t *length)
{
    struct api_nvs_handle *h;
    size_t len;
    esp_err_t err;

    api_lock();
    err = api_nvs_reader(handle, key, &h);
    if (!err && length)
        err = kv_get_blob(&h->ns, key, out_value, length);
    else if (!err)
        err = no_length(kv_get_blob(&h->ns, key, NULL, &len));
    api_unlock();
    return err;
}
