/* What went wrong on a connection, asked for and forgotten. */
#include "api/tls_handle.h"

esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h,
                                           int *esp_tls_code,
                                           int *esp_tls_flags)
{
    if (!h)
        return ESP_ERR_INVALID_STATE;
    esp_err_t err = h->last_error;
    if (esp_tls_code)
        *esp_tls_code = h->esp_tls_error_code;
    if (esp_tls_flags)
        *esp_tls_flags = h->esp_tls_flags;
    *h = (esp_tls_last_error_t){ .last_error = ESP_OK };
    return err;
}

static int *number_of(esp_tls_error_handle_t h, esp_tls_error_type_t type)
{
    struct api_tls_err *all = (struct api_tls_err *)h;

    switch (type) {
    case ESP_TLS_ERR_TYPE_SYSTEM:
        return &all->sys_errno;
    case ESP_TLS_ERR_TYPE_MBEDTLS:
        return &h->esp_tls_error_code;
    case ESP_TLS_ERR_TYPE_MBEDTLS_CERT_FLAGS:
        return &h->esp_tls_flags;
    case ESP_TLS_ERR_TYPE_ESP:
        return &h->last_error;
    default:
        return NULL;
    }
}

esp_err_t esp_tls_get_and_clear_error_type(esp_tls_error_handle_t h,
                                           esp_tls_error_type_t err_type,
                                           int *error_code)
{
    int *number = h ? number_of(h, err_type) : NULL;

    if (!number || !error_code)
        return ESP_ERR_INVALID_ARG;
    *error_code = *number;
    *number = 0;
    return ESP_OK;
}

esp_err_t esp_tls_get_error_handle(esp_tls_t *tls,
                                   esp_tls_error_handle_t *error_handle)
{
    if (!tls || !error_handle)
        return ESP_ERR_INVALID_ARG;
    *error_handle = &tls->err.pub;
    return ESP_OK;
}
