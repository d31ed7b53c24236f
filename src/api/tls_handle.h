/* api/tls_handle.h - what an esp_tls_t is. For src/api. */
#ifndef API_TLS_HANDLE_H
#define API_TLS_HANDLE_H

#include "api/device.h"
#include "tls/server.h"

#include "esp_tls.h"

#define API_TLS_HOST_LEN 256u
#define API_TLS_TIMEOUT_MS 10000u

/* An error handle points to pub; those of HTTP clients stand in one, too. */
struct api_tls_err {
    struct esp_tls_last_error pub;
    int sys_errno;
};

struct esp_tls {
    esp_tls_conn_state_t state;
    esp_tls_role_t role;
    struct port_conn *conn; /* NULL: none; of a server: the caller's socket */
    struct tls_session *session;
    bool plain, non_block;
    uint32_t timeout_ms;
    uint64_t deadline_ms; /* of the connection that is being made */
    char host[API_TLS_HOST_LEN];
    uint16_t port;
    char if_name[32];
    struct port_net_opts net;
    struct tls_conf conf;
    struct tls_ticket *offer; /* the application's */
    struct api_tls_err err;
};

/* What cfg says, for a connection to t->host; t->net, t->conf and the rest.
 * ESP_ERR_NOT_SUPPORTED: it asks for hardware that is not there. */
MUST_CHECK esp_err_t api_tls_take(struct esp_tls *t, const esp_tls_cfg_t *cfg,
                                  struct diag *d);
MUST_CHECK esp_err_t api_tls_take_server(const esp_tls_cfg_server_t *cfg,
                                         struct tls_server_conf *out,
                                         struct diag *d);
/* A key of esp_key_config.h. ESP_ERR_NOT_SUPPORTED: of a kind that cannot be
 * used. */
MUST_CHECK esp_err_t api_tls_key(const esp_key_config_t *key, struct span *out,
                                 struct span *password);

/* Says in the log why it failed and keeps the numbers. Returns err. */
esp_err_t api_tls_failed(struct esp_tls *t, esp_err_t err,
                         const struct diag *d);
/* Ends TLS and TCP, or gives a server's socket back. */
void api_tls_hang_up(struct esp_tls *t);
uint64_t api_tls_now_ms(void);

#endif
