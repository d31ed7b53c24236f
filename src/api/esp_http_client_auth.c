/* Who we say we are. */
#include "api/http_handle.h"

esp_err_t esp_http_client_get_username(esp_http_client_handle_t client,
                                       char **value)
{
    if (!client || !value)
        return ESP_ERR_INVALID_ARG;
    *value = api_writable(http_username(client->http));
    return ESP_OK;
}

esp_err_t esp_http_client_get_password(esp_http_client_handle_t client,
                                       char **value)
{
    if (!client || !value)
        return ESP_ERR_INVALID_ARG;
    *value = api_writable(http_password(client->http));
    return ESP_OK;
}

esp_err_t esp_http_client_set_username(esp_http_client_handle_t client,
                                       const char *username)
{
    if (!client)
        return ESP_ERR_INVALID_ARG;
    return http_set_login(client->http, username, http_password(client->http));
}

esp_err_t esp_http_client_set_password(esp_http_client_handle_t client,
                                       const char *password)
{
    if (!client)
        return ESP_ERR_INVALID_ARG;
    return http_set_login(client->http, http_username(client->http), password);
}

esp_err_t esp_http_client_set_authtype(esp_http_client_handle_t client,
                                       esp_http_client_auth_type_t auth_type)
{
    if (!client)
        return ESP_ERR_INVALID_ARG;
    http_set_auth(client->http, api_http_auth_of(auth_type));
    return ESP_OK;
}

esp_err_t esp_http_client_set_auth_data(esp_http_client_handle_t client,
                                        const char *auth_data, int len)
{
    if (!client || !auth_data || len < 0)
        return ESP_ERR_INVALID_ARG;
    return http_set_challenge(client->http, span_of(auth_data, (size_t)len));
}
