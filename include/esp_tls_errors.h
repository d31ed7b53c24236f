/* esp_tls_errors.h - what went wrong on a connection. The codes themselves are
 * in esp_err.h. */
#ifndef ESP_TLS_ERRORS_H
#define ESP_TLS_ERRORS_H

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_tls_last_error {
    esp_err_t last_error;   /* ESP_ERR_ESP_TLS_..., ESP_ERR_MBEDTLS_... */
    int esp_tls_error_code; /* the TLS library's own number */
    int esp_tls_flags;      /* verification flags of the chain */
} esp_tls_last_error_t;

typedef struct esp_tls_last_error *esp_tls_error_handle_t;

#ifdef __cplusplus
}
#endif

#endif
