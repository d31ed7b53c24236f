/* esp_tls.h - reports of TLS connections. */
#ifndef ESP_TLS_H
#define ESP_TLS_H

#include "esp_err.h"
#include "esp_tls_errors.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Gives the last error and forgets it. code and flags may be NULL.
 * ESP_ERR_INVALID_STATE: the handle is NULL. */
esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h,
                                           int *esp_tls_code,
                                           int *esp_tls_flags);

#ifdef __cplusplus
}
#endif

#endif
