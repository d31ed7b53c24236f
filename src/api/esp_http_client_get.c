/* What is known about the last answer and its connection. */
#include "api/http_handle.h"

#include "esp_tls.h"

int esp_http_client_get_status_code(esp_http_client_handle_t client)
{
    return client ? http_head(client->http)->status : -1;
}

int64_t esp_http_client_get_content_length(esp_http_client_handle_t client)
{
    return client ? http_len_signed(http_head(client->http)->content_len) : -1;
}

int64_t esp_http_client_get_content_range(esp_http_client_handle_t client)
{
    return client ? http_len_signed(http_head(client->http)->range_total) : -1;
}

bool esp_http_client_is_chunked_response(esp_http_client_handle_t client)
{
    return client && http_head(client->http)->content_len == HTTP_LEN_UNKNOWN;
}

esp_err_t esp_http_client_get_chunk_length(esp_http_client_handle_t client,
                                           int *len)
{
    if (!client || !len)
        return ESP_ERR_INVALID_ARG;
    if (!http_head(client->http)->chunked)
        return ESP_FAIL;
    *len = (int)http_chunk_len(client->http);
    return ESP_OK;
}

bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client)
{
    return client && http_body_done(client->http);
}

bool esp_http_client_is_persistent_connection(esp_http_client_handle_t client)
{
    return client && http_head(client->http)->keep_alive;
}

esp_http_client_transport_t esp_http_client_get_transport_type(
    esp_http_client_handle_t client)
{
    if (!client)
        return HTTP_TRANSPORT_UNKNOWN;
    return http_url_now(client->http)->is_https ? HTTP_TRANSPORT_OVER_SSL
                                                : HTTP_TRANSPORT_OVER_TCP;
}

esp_http_state_t esp_http_client_get_state(esp_http_client_handle_t client)
{
    return client ? client->state : HTTP_STATE_UNINIT;
}

int esp_http_client_get_errno(esp_http_client_handle_t client)
{
    return client ? http_stats(client->http)->sys_errno : -1;
}

esp_err_t esp_http_client_get_and_clear_last_tls_error(
    esp_http_client_handle_t client, int *esp_tls_error_code,
    int *esp_tls_flags)
{
    if (!client)
        return ESP_ERR_INVALID_ARG;
    return esp_tls_get_and_clear_last_error(&client->tls_err.pub,
                                            esp_tls_error_code, esp_tls_flags);
}

int esp_http_client_get_socket(esp_http_client_handle_t client)
{
    return client ? http_fd(client->http) : -1;
}
