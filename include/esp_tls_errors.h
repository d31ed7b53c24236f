/* esp_tls_errors.h - what went wrong on a connection. The codes themselves are
 * in esp_err.h. */
#ifndef ESP_TLS_ERRORS_H
#define ESP_TLS_ERRORS_H

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What reads, writes and handshakes in steps return. */
#define ESP_TLS_ERR_SSL_WANT_READ (-0x6900)
#define ESP_TLS_ERR_SSL_WANT_WRITE (-0x6880)
#define ESP_TLS_ERR_SSL_TIMEOUT (-0x6800)

typedef enum {
    ESP_TLS_ERR_TYPE_UNKNOWN = 0,
    ESP_TLS_ERR_TYPE_SYSTEM,             /* errno */
    ESP_TLS_ERR_TYPE_MBEDTLS,            /* the TLS library's own number */
    ESP_TLS_ERR_TYPE_MBEDTLS_CERT_FLAGS, /* why a certificate was refused */
    ESP_TLS_ERR_TYPE_ESP,                /* ESP_ERR_ESP_TLS_... */
    ESP_TLS_ERR_TYPE_CUSTOM_STACK,
    ESP_TLS_ERR_TYPE_CUSTOM_STACK_CERT_FLAGS,
    ESP_TLS_ERR_TYPE_MAX
} esp_tls_error_type_t;

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
