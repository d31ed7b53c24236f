/* The server's side of a connection that the application accepted. */
#include "api/tls_handle.h"

#define TICKET_LIFETIME_S 86400u

static esp_err_t adopt(struct esp_tls *t, int sockfd, struct diag *d)
{
    const struct port_sock *sock = api_device()->boot.sock;

    if (!sock)
        return diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_NOT_SUPPORTED,
                         "this device has no sockets");
    esp_err_t err = sock->adopt(sock->ctx, sockfd, &t->conn);
    if (err)
        return diag_fail(d, DIAG_STAGE_CONNECT, err,
                         "socket %d cannot be used: %s", sockfd, err_name(err));
    return ESP_OK;
}

esp_err_t esp_tls_server_session_init(esp_tls_cfg_server_t *cfg, int sockfd,
                                      esp_tls_t *tls)
{
    struct tls_server_conf conf;
    struct diag d = DIAG_NONE;

    if (!cfg || !tls || tls->conn)
        return ESP_ERR_INVALID_ARG;
    tls->role = ESP_TLS_SERVER;
    tls->timeout_ms = cfg->tls_handshake_timeout_ms
                          ? cfg->tls_handshake_timeout_ms
                          : API_TLS_TIMEOUT_MS;
    tls->deadline_ms = api_tls_now_ms() + tls->timeout_ms;
    esp_err_t err = api_tls_take_server(cfg, &conf, &d);
    if (!err)
        err = adopt(tls, sockfd, &d);
    if (!err)
        err = tls_accept(&tls->session, api_device()->boot.net, tls->conn,
                         &conf, &d);
    if (err)
        return api_tls_failed(tls, err, &d);
    tls->state = ESP_TLS_HANDSHAKE;
    return ESP_OK;
}

static esp_err_t shake(struct esp_tls *t, uint64_t deadline_ms)
{
    struct diag d = DIAG_NONE;

    if (t->state != ESP_TLS_HANDSHAKE)
        return t->state == ESP_TLS_DONE ? ESP_OK : ESP_ERR_INVALID_STATE;
    esp_err_t err = tls_shake(t->session, deadline_ms, &d);
    if (err == ESP_ERR_TIMEOUT && api_tls_now_ms() < t->deadline_ms)
        return err;
    if (err == ESP_ERR_TIMEOUT)
        err = diag_fail(&d, DIAG_STAGE_TLS,
                        ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT,
                        "the client stopped answering during the TLS "
                        "handshake (%u ms)",
                        (unsigned)t->timeout_ms);
    if (err)
        return api_tls_failed(t, err, &d);
    t->state = ESP_TLS_DONE;
    return ESP_OK;
}

int esp_tls_server_session_create(esp_tls_cfg_server_t *cfg, int sockfd,
                                  esp_tls_t *tls)
{
    if (esp_tls_server_session_init(cfg, sockfd, tls) != ESP_OK)
        return -1;
    return shake(tls, tls->deadline_ms) == ESP_OK ? 0 : -1;
}

int esp_tls_server_session_continue_async(esp_tls_t *tls)
{
    if (!tls)
        return -1;
    esp_err_t err = shake(tls, 0);
    if (err != ESP_ERR_TIMEOUT)
        return err == ESP_OK ? 0 : -1;
    return tls_wants_write(tls->session) ? ESP_TLS_ERR_SSL_WANT_WRITE
                                         : ESP_TLS_ERR_SSL_WANT_READ;
}

void esp_tls_server_session_delete(esp_tls_t *tls)
{
    if (!tls)
        return;
    api_tls_hang_up(tls);
    api_free(tls);
}

esp_err_t esp_tls_cfg_server_session_tickets_init(esp_tls_cfg_server_t *cfg)
{
    if (!cfg || cfg->ticket_ctx)
        return ESP_ERR_INVALID_ARG;
    struct tls_tickets *t = tls_tickets_new(TICKET_LIFETIME_S);
    cfg->ticket_ctx = (esp_tls_server_session_ticket_ctx_t *)t;
    return t ? ESP_OK : ESP_ERR_MBEDTLS_SSL_TICKET_SETUP_FAILED;
}

void esp_tls_cfg_server_session_tickets_free(esp_tls_cfg_server_t *cfg)
{
    if (!cfg)
        return;
    tls_tickets_free((struct tls_tickets *)cfg->ticket_ctx);
    cfg->ticket_ctx = NULL;
}
