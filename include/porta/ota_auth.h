/* porta/ota_auth.h - logging in from an update, beyond what ESP-IDF has.
 *
 * The functions work on an esp_http_client_handle_t, so they are called where
 * an update shows its own: in esp_https_ota_config_t.http_client_init_cb.
 *
 *     static esp_err_t log_in(esp_http_client_handle_t client)
 *     {
 *         return porta_ota_set_bearer(client, my_token);
 *     }
 *     esp_https_ota_config_t config = { .http_config = &http,
 *                                       .http_client_init_cb = log_in };
 *
 * Tokens and marked headers belong to the server of the URL that was given: a
 * redirect to another scheme, host or port does not take them along.
 * Everything given by pointer is copied, but callbacks and their ctx, which
 * must live as long as the client. NULL undoes a setting. Errors of all:
 * ESP_ERR_INVALID_ARG: the client is NULL, or what the function says;
 * ESP_ERR_NO_MEM. */
#ifndef PORTA_OTA_AUTH_H
#define PORTA_OTA_AUTH_H

#include <stdbool.h>

#include "esp_http_client.h"
#include "esp_tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Authorization: Bearer TOKEN. ESP_ERR_INVALID_ARG: it would break the line. */
esp_err_t porta_ota_set_bearer(esp_http_client_handle_t client,
                               const char *token);

/* The token for the next request, asked before each of them; renew: the last
 * one was refused with 401, which happens once a request. The text is read at
 * once. NULL: there is none, and the request fails. It is for the scheme, host
 * and port of the client's URL as it is now: one that is set later, or comes
 * from porta_ota_set_url_cb(), gets none elsewhere. The same holds for
 * porta_ota_set_oauth2(). */
typedef const char *(*porta_ota_token_cb_t)(void *ctx, bool renew);
esp_err_t porta_ota_set_token_cb(esp_http_client_handle_t client,
                                 porta_ota_token_cb_t cb, void *ctx);

typedef struct {
    const char *token_url; /* https */
    const char *client_id;
    const char *client_secret; /* NULL: a public client */
    const char *refresh_token; /* NULL: the grant is client_credentials */
    const char *scope;         /* NULL: the server's default */
    /* The server gave another refresh token: keep it for the next update.
     * NULL: nobody does. */
    void (*on_refresh_token)(void *ctx, const char *token);
    void *ctx;
} porta_ota_oauth2_t;

/* Tokens from an OAuth 2.0 server, asked when one is needed, kept until they
 * expire, renewed once when refused. The server is verified by what verifies
 * the client's (cert_pem, bundle...), and asked through its proxy if that was
 * set before. ESP_ERR_INVALID_ARG: no client id, or no such URL;
 * ESP_ERR_NOT_ALLOWED: http. */
esp_err_t porta_ota_set_oauth2(esp_http_client_handle_t client,
                               const porta_ota_oauth2_t *oauth2);

typedef enum {
    PORTA_OTA_URL_START,   /* before the first request */
    PORTA_OTA_URL_REFUSED, /* 401, 403 or 410: it may have expired */
    PORTA_OTA_URL_RESUME   /* after a pause */
} porta_ota_url_why_t;

/* A URL that is good now, for servers whose signed URLs expire; asked by
 * updates (esp_https_ota) and by esp_http_client_perform(), once for each
 * refusal. The text is read at once. NULL: the one that there is will do. */
typedef const char *(*porta_ota_url_cb_t)(void *ctx, porta_ota_url_why_t why);
esp_err_t porta_ota_set_url_cb(esp_http_client_handle_t client,
                               porta_ota_url_cb_t cb, void *ctx);

/* A key that the server knows, too, as psk_hint_key of esp_tls_cfg_t: it proves
 * both sides, and esp_https_ota() takes it in place of a certificate. For the
 * token server of OAuth2, too, if that was not set before. Key and hint are
 * copied. ESP_ERR_MBEDTLS_SSL_SETUP_FAILED: the application was built without
 * CONFIG_ESP_TLS_PSK_VERIFICATION. ESP_ERR_INVALID_ARG: one of them is
 * empty. */
esp_err_t porta_ota_set_psk(esp_http_client_handle_t client,
                            const psk_hint_key_t *psk);

/* http://[user[:password]@]host:port. ESP_ERR_INVALID_ARG: something else;
 * ESP_ERR_NOT_SUPPORTED: https; ESP_ERR_INVALID_STATE: OAuth2 was set before
 * it. */
esp_err_t porta_ota_set_proxy(esp_http_client_handle_t client, const char *url);

/* A header that was set with esp_http_client_set_header() and is a secret.
 * Authorization, Cookie and names with "token", "key", "secret", "password",
 * "session", "credential" in them are secrets anyway. ESP_ERR_NOT_FOUND. */
esp_err_t porta_ota_mark_secret(esp_http_client_handle_t client,
                                const char *name);

#ifdef __cplusplus
}
#endif

#endif
