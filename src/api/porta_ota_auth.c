/* porta/ota_auth.h: who a client is, for a handle of ESP-IDF's client. */
#include "porta/ota_auth.h"

#include "api/http_handle.h"

#include "base/log.h"
#include "crypto/ct.h"
#include "http/oauth2.h"

#define TAG "porta_ota"

/* What the client borrows; lives as long as the handle. */
struct api_http_auth {
    struct oauth2 *oauth2;
    porta_ota_token_cb_t token_cb;
    void *token_ctx;
    porta_ota_url_cb_t url_cb;
    void *url_ctx;
    struct http_tokens tokens;
    struct http_urls urls;
    char *proxy; /* secret */
    uint8_t *psk;
    size_t psk_len;
    char *psk_hint;
};

static void wipe_free(char *text)
{
    if (text)
        ct_wipe(text, strlen(text));
    api_free(text);
}

static void psk_free(struct api_http_auth *auth)
{
    if (auth->psk)
        ct_wipe(auth->psk, auth->psk_len);
    api_free(auth->psk);
    api_free(auth->psk_hint);
    auth->psk = NULL;
    auth->psk_hint = NULL;
    auth->psk_len = 0;
}

static void auth_free(struct api_http_auth *auth)
{
    oauth2_close(auth->oauth2);
    wipe_free(auth->proxy);
    psk_free(auth);
    api_free(auth);
}

static struct api_http_auth *auth_of(esp_http_client_handle_t client)
{
    if (!client->auth)
        client->auth = api_alloc(sizeof(*client->auth));
    client->auth_free = auth_free;
    return client->auth;
}

esp_err_t porta_ota_set_bearer(esp_http_client_handle_t client,
                               const char *token)
{
    if (!client)
        return ESP_ERR_INVALID_ARG;
    if (!token) {
        esp_err_t err = http_set_header(client->http, "Authorization", NULL);
        return err == ESP_ERR_NOT_FOUND ? ESP_OK : err;
    }
    size_t len = strlen(token);
    char *value = api_alloc(len + sizeof("Bearer "));
    if (!value)
        return ESP_ERR_NO_MEM;
    memcpy(value, "Bearer ", 7);
    memcpy(value + 7, token, len + 1);
    esp_err_t err = http_set_header(client->http, "Authorization", value);
    wipe_free(value);
    return err;
}

static esp_err_t give_token(void *ctx, bool renew, struct http_buf *out,
                            struct diag *d)
{
    struct api_http_auth *auth = ctx;
    const char *token = auth->token_cb(auth->token_ctx, renew);

    if (!token)
        return diag_fail(d, DIAG_STAGE_HTTP, ESP_ERR_NOT_FOUND,
                         "the application has no token");
    return http_buf_add(out, span_str(token));
}

static esp_err_t give_url(void *ctx, enum http_url_why why,
                          struct http_buf *out, struct diag *d)
{
    static const porta_ota_url_why_t whys[] = {
        [HTTP_URL_START] = PORTA_OTA_URL_START,
        [HTTP_URL_REFUSED] = PORTA_OTA_URL_REFUSED,
        [HTTP_URL_RESUME] = PORTA_OTA_URL_RESUME,
    };
    struct api_http_auth *auth = ctx;
    const char *url = auth->url_cb(auth->url_ctx, whys[why]);

    (void)d;
    return url ? http_buf_add(out, span_str(url)) : ESP_OK;
}

esp_err_t porta_ota_set_token_cb(esp_http_client_handle_t client,
                                 porta_ota_token_cb_t cb, void *ctx)
{
    struct api_http_auth *auth = client ? auth_of(client) : NULL;

    if (!auth)
        return client ? ESP_ERR_NO_MEM : ESP_ERR_INVALID_ARG;
    auth->token_cb = cb;
    auth->token_ctx = ctx;
    auth->tokens = (struct http_tokens){ auth, give_token };
    http_set_tokens(client->http, cb ? &auth->tokens : NULL);
    return ESP_OK;
}

esp_err_t porta_ota_set_url_cb(esp_http_client_handle_t client,
                               porta_ota_url_cb_t cb, void *ctx)
{
    struct api_http_auth *auth = client ? auth_of(client) : NULL;

    if (!auth)
        return client ? ESP_ERR_NO_MEM : ESP_ERR_INVALID_ARG;
    auth->url_cb = cb;
    auth->url_ctx = ctx;
    auth->urls = (struct http_urls){ auth, give_url };
    http_set_urls(client->http, cb ? &auth->urls : NULL);
    return ESP_OK;
}

esp_err_t porta_ota_set_oauth2(esp_http_client_handle_t client,
                               const porta_ota_oauth2_t *oauth2)
{
    struct api_http_auth *auth = client ? auth_of(client) : NULL;
    struct diag d = DIAG_NONE;

    if (!auth)
        return client ? ESP_ERR_NO_MEM : ESP_ERR_INVALID_ARG;
    http_set_tokens(client->http, NULL);
    oauth2_close(auth->oauth2);
    auth->oauth2 = NULL;
    if (!oauth2)
        return ESP_OK;
    struct oauth2_opts opts = { .http = *http_opts_of(client->http),
                                .token_url = oauth2->token_url,
                                .client_id = oauth2->client_id,
                                .client_secret = oauth2->client_secret,
                                .refresh_token = oauth2->refresh_token,
                                .scope = oauth2->scope,
                                .on_refresh_token = oauth2->on_refresh_token,
                                .ctx = oauth2->ctx };
    opts.http.proxy = auth->proxy;
    esp_err_t err = oauth2_open(&auth->oauth2, api_http_env(), &opts, &d);
    if (err) {
        LOGE(TAG, "%s", d.text);
        return err;
    }
    http_set_tokens(client->http, oauth2_tokens(auth->oauth2));
    return ESP_OK;
}

static esp_err_t copy_psk(struct api_http_auth *auth, const psk_hint_key_t *psk)
{
    size_t hint_len = strlen(psk->hint);

    psk_free(auth);
    auth->psk = api_alloc(psk->key_size);
    auth->psk_hint = api_alloc(hint_len + 1);
    if (!auth->psk || !auth->psk_hint) {
        psk_free(auth);
        return ESP_ERR_NO_MEM;
    }
    memcpy(auth->psk, psk->key, psk->key_size);
    memcpy(auth->psk_hint, psk->hint, hint_len + 1);
    auth->psk_len = psk->key_size;
    return ESP_OK;
}

esp_err_t porta_ota_set_psk(esp_http_client_handle_t client,
                            const psk_hint_key_t *psk)
{
    struct api_http_auth *auth = client ? auth_of(client) : NULL;
    esp_err_t err = ESP_OK;

    if (!auth)
        return client ? ESP_ERR_NO_MEM : ESP_ERR_INVALID_ARG;
    if (psk && (!psk->key || psk->key_size == 0 || !psk->hint || !psk->hint[0]))
        return ESP_ERR_INVALID_ARG;
    if (psk && !pol_psk(api_device()->boot.policy))
        return ESP_ERR_MBEDTLS_SSL_SETUP_FAILED;
    http_set_psk(client->http, span_of(NULL, 0), span_of(NULL, 0));
    if (psk)
        err = copy_psk(auth, psk);
    else
        psk_free(auth);
    if (!err && psk)
        http_set_psk(client->http, span_of(auth->psk, auth->psk_len),
                     span_str(auth->psk_hint));
    return err;
}

esp_err_t porta_ota_set_proxy(esp_http_client_handle_t client, const char *url)
{
    struct api_http_auth *auth = client ? auth_of(client) : NULL;
    char *copy = NULL;

    if (!auth)
        return client ? ESP_ERR_NO_MEM : ESP_ERR_INVALID_ARG;
    if (url) {
        copy = api_alloc(strlen(url) + 1);
        if (!copy)
            return ESP_ERR_NO_MEM;
        memcpy(copy, url, strlen(url) + 1);
    }
    /* A token endpoint that is set already borrows the old one. */
    esp_err_t err = auth->oauth2 ? ESP_ERR_INVALID_STATE
                                 : http_set_proxy(client->http, url);
    if (err) {
        wipe_free(copy);
        return err;
    }
    wipe_free(auth->proxy);
    auth->proxy = copy;
    return ESP_OK;
}

esp_err_t porta_ota_mark_secret(esp_http_client_handle_t client,
                                const char *name)
{
    if (!client || !name)
        return ESP_ERR_INVALID_ARG;
    if (!http_get_header(client->http, name))
        return ESP_ERR_NOT_FOUND;
    http_mark_secret(client->http, name);
    return ESP_OK;
}
