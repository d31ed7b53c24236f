#include "esp_tls.h"

#include <stddef.h>

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
