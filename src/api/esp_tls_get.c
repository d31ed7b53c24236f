/* What a connection is made of: socket, state, session. */
#include "api/tls_handle.h"

#include "http/text.h"

esp_err_t esp_tls_get_conn_sockfd(esp_tls_t *tls, int *sockfd)
{
    if (!tls || !sockfd)
        return ESP_ERR_INVALID_ARG;
    *sockfd = tls->conn ? api_device()->boot.net->fd(tls->conn) : -1;
    return ESP_OK;
}

esp_err_t esp_tls_set_conn_sockfd(esp_tls_t *tls, int sockfd)
{
    const struct port_sock *sock = api_device()->boot.sock;

    if (!tls || sockfd < 0 || tls->conn)
        return ESP_ERR_INVALID_ARG;
    if (!sock)
        return ESP_ERR_NOT_SUPPORTED;
    return sock->adopt(sock->ctx, sockfd, &tls->conn);
}

esp_err_t esp_tls_get_conn_state(esp_tls_t *tls,
                                 esp_tls_conn_state_t *conn_state)
{
    if (!tls || !conn_state)
        return ESP_ERR_INVALID_ARG;
    *conn_state = tls->state;
    return ESP_OK;
}

/* Only to begin anew: a session cannot be talked into being there. */
esp_err_t esp_tls_set_conn_state(esp_tls_t *tls,
                                 esp_tls_conn_state_t conn_state)
{
    if (!tls || conn_state < ESP_TLS_INIT || conn_state > ESP_TLS_DONE)
        return ESP_ERR_INVALID_ARG;
    if (conn_state == ESP_TLS_HANDSHAKE && !tls->session)
        return ESP_ERR_INVALID_STATE;
    if (conn_state == ESP_TLS_DONE && tls->state != ESP_TLS_DONE)
        return ESP_ERR_INVALID_STATE;
    tls->state = conn_state;
    return ESP_OK;
}

void *esp_tls_get_ssl_context(esp_tls_t *tls)
{
    return tls && tls->session ? tls_library_session(tls->session) : NULL;
}

const int *esp_tls_get_ciphersuites_list(void)
{
    return tls_suites();
}

esp_err_t esp_tls_plain_tcp_connect(const char *host, int hostlen, int port,
                                    const esp_tls_cfg_t *cfg,
                                    esp_tls_error_handle_t error_handle,
                                    int *sockfd)
{
    const struct port_sock *sock = api_device()->boot.sock;

    if (!cfg || !error_handle || !sockfd)
        return ESP_ERR_INVALID_ARG;
    if (!sock)
        return ESP_ERR_NOT_SUPPORTED;
    esp_tls_t *tls = esp_tls_init();
    if (!tls)
        return ESP_ERR_NO_MEM;
    esp_tls_cfg_t plain = *cfg;
    plain.is_plain_tcp = true;
    plain.non_block = false;
    esp_err_t err = ESP_OK;
    if (esp_tls_conn_new_sync(host, hostlen, port, &plain, tls) == 1) {
        *sockfd = sock->release(tls->conn);
        tls->conn = NULL;
    } else {
        *error_handle = tls->err.pub;
        err = tls->err.pub.last_error;
    }
    (void)esp_tls_conn_destroy(tls);
    return err;
}

esp_tls_client_session_t *esp_tls_get_client_session(esp_tls_t *tls)
{
    if (!tls || !tls->session || tls->role != ESP_TLS_CLIENT)
        return NULL;
    return (esp_tls_client_session_t *)tls_take_ticket(tls->session);
}

void esp_tls_free_client_session(esp_tls_client_session_t *client_session)
{
    tls_ticket_free((struct tls_ticket *)client_session);
}
