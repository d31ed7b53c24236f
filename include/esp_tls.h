/* esp_tls.h - connections over TLS, as a client and as a server.
 *
 * A client: esp_tls_init(), esp_tls_conn_new_sync() (or _async(), until it does
 * not return 0), write and read, esp_tls_conn_destroy().
 * A server: accept a connection, esp_tls_init(),
 * esp_tls_server_session_create(), write and read,
 * esp_tls_server_session_delete().
 * An esp_tls_t is used by one thread at a time.
 *
 * Fields that the reference has only with an option are always there; one
 * whose option is off is refused or has no effect, as its comment says. */
#ifndef ESP_TLS_H
#define ESP_TLS_H

#include <mbedtls/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "esp_err.h"
#include "esp_key_config.h"
#include "esp_tls_errors.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum esp_tls_conn_state {
    ESP_TLS_INIT = 0,
    ESP_TLS_CONNECTING,
    ESP_TLS_HANDSHAKE,
    ESP_TLS_FAIL,
    ESP_TLS_DONE
} esp_tls_conn_state_t;

typedef enum esp_tls_role { ESP_TLS_CLIENT = 0, ESP_TLS_SERVER } esp_tls_role_t;

typedef enum {
    ESP_TLS_VER_ANY = 0,
    ESP_TLS_VER_TLS_1_2 = 1,
    ESP_TLS_VER_TLS_1_3 = 2,
    ESP_TLS_VER_TLS_MAX = 3
} esp_tls_proto_ver_t;

typedef enum esp_tls_addr_family {
    ESP_TLS_AF_UNSPEC = 0,
    ESP_TLS_AF_INET,
    ESP_TLS_AF_INET6
} esp_tls_addr_family_t;

/* Accepted; buffers are as large as the library was built with. */
typedef enum {
    ESP_TLS_DYN_BUF_RX_STATIC = 1,
    ESP_TLS_DYN_BUF_STRATEGY_MAX
} esp_tls_dyn_buf_strategy_t;

typedef struct psk_key_hint {
    const uint8_t *key;
    const size_t key_size;
    const char *hint; /* the client's name for itself; NULL is an error */
} psk_hint_key_t;

typedef struct tls_keep_alive_cfg {
    bool keep_alive_enable;
    int keep_alive_idle;     /* s, 0: 5 */
    int keep_alive_interval; /* s, 0: 5 */
    int keep_alive_count;    /* 0: 3 */
} tls_keep_alive_cfg_t;

struct ifreq;

/* A session to go on with. */
typedef struct esp_tls_client_session esp_tls_client_session_t;

/* Zero is the default of every field. What is pointed to stays valid until
 * the connection is made (psk_hint_key and alpn_protos: until it is
 * destroyed). PEM ends in NUL, which counts in its length.
 *
 * The server is verified by the first of these that is set:
 * crt_bundle_attach, use_global_ca_store, cacert_buf, psk_hint_key. None: the
 * connection fails with ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, unless the
 * application was built with CONFIG_ESP_TLS_SKIP_SERVER_CERT_VERIFY. */
typedef struct esp_tls_cfg {
    const char **alpn_protos; /* NULL-terminated */
    union {
        const unsigned char *cacert_buf;
        const unsigned char *cacert_pem_buf;
    };
    union {
        unsigned int cacert_bytes;
        unsigned int cacert_pem_bytes;
    };
    union {
        const unsigned char *clientcert_buf;
        const unsigned char *clientcert_pem_buf;
    };
    union {
        unsigned int clientcert_bytes;
        unsigned int clientcert_pem_bytes;
    };
    union {
        const unsigned char *clientkey_buf;
        const unsigned char *clientkey_pem_buf;
    };
    const esp_key_config_t *client_key; /* instead of clientkey_buf */
    union {
        unsigned int clientkey_bytes;
        unsigned int clientkey_pem_bytes;
    };
    const unsigned char *clientkey_password;
    unsigned int clientkey_password_len;
    bool use_ecdsa_peripheral; /* hardware that this device does not have */
    uint8_t ecdsa_key_efuse_blk;
    uint8_t ecdsa_key_efuse_blk_high;
    int ecdsa_curve;
    bool non_block;          /* read, write and _async() do not wait */
    bool use_secure_element; /* ESP_ERR_NOT_SUPPORTED */
    int timeout_ms;          /* of each call, 0: 10000 */
    bool use_global_ca_store;
    const char *common_name; /* verified instead of the host's name */
    bool skip_common_name;   /* no name is verified, and none is sent */
    tls_keep_alive_cfg_t *keep_alive_cfg;
    const psk_hint_key_t *psk_hint_key; /* CONFIG_ESP_TLS_PSK_VERIFICATION */
    esp_err_t (*crt_bundle_attach)(void *conf);
    void *ds_data;     /* hardware that this device does not have */
    bool is_plain_tcp; /* no TLS at all */
    struct ifreq *if_name;
    esp_tls_client_session_t *client_session; /* goes on with it if it can */
    esp_tls_addr_family_t addr_family;
    const int *ciphersuites_list; /* IANA numbers, 0 at the end */
    esp_tls_proto_ver_t tls_version;
    esp_tls_dyn_buf_strategy_t esp_tls_dyn_buf_strategy;
} esp_tls_cfg_t;

/* Keys for session tickets, shared by the sessions of a server. */
typedef struct esp_tls_server_session_ticket_ctx
    esp_tls_server_session_ticket_ctx_t;

/* Called when the client's first message is there: mbedtls_ssl_get_hs_sni()
 * and mbedtls_ssl_get_alpn_protocol() say what it wants,
 * mbedtls_ssl_set_hs_own_cert() sets the certificate for this session. 0: goes
 * on; anything else ends the handshake. The type is mbedtls_ssl_hs_cb_t, which
 * a library without a server does not name. */
typedef int (*esp_tls_handshake_callback)(struct mbedtls_ssl_context *ssl);

typedef struct esp_tls_cfg_server {
    const char **alpn_protos; /* NULL-terminated, in the server's order */
    union {
        const unsigned char *cacert_buf; /* a client certificate is required */
        const unsigned char *cacert_pem_buf;
    };
    union {
        unsigned int cacert_bytes;
        unsigned int cacert_pem_bytes;
    };
    bool client_cert_authmode_optional; /* asked for, not required */
    union {
        const unsigned char *servercert_buf;
        const unsigned char *servercert_pem_buf;
    };
    union {
        unsigned int servercert_bytes;
        unsigned int servercert_pem_bytes;
    };
    union {
        const unsigned char *serverkey_buf;
        const unsigned char *serverkey_pem_buf;
    };
    const esp_key_config_t *server_key; /* instead of serverkey_buf */
    union {
        unsigned int serverkey_bytes;
        unsigned int serverkey_pem_bytes;
    };
    const unsigned char *serverkey_password;
    unsigned int serverkey_password_len;
    bool use_ecdsa_peripheral; /* hardware that this device does not have */
    uint8_t ecdsa_key_efuse_blk;
    uint8_t ecdsa_key_efuse_blk_high;
    int ecdsa_curve;
    bool use_secure_element;           /* ESP_ERR_NOT_SUPPORTED */
    uint32_t tls_handshake_timeout_ms; /* 0: 10000 */
    esp_tls_server_session_ticket_ctx_t *ticket_ctx;
    void *userdata; /* mbedtls_ssl_conf_get_user_data_p() in the callback */
    esp_tls_handshake_callback cert_select_cb; /* servercert may be absent */
    const psk_hint_key_t *psk_hint_key; /* CONFIG_ESP_TLS_PSK_VERIFICATION */
    esp_tls_proto_ver_t tls_version;
    const int *ciphersuites_list;
} esp_tls_cfg_server_t;

typedef struct esp_tls esp_tls_t;

/* --- a client ------------------------------------------------------------- */

/* NULL: out of memory. Ends with esp_tls_conn_destroy(), or with
 * esp_tls_server_session_delete(). */
esp_tls_t *esp_tls_init(void);
/* 1: connected; -1: failed, the log and the error handle say why. */
int esp_tls_conn_new_sync(const char *hostname, int hostlen, int port,
                          const esp_tls_cfg_t *cfg, esp_tls_t *tls);
int esp_tls_conn_http_new_sync(const char *url, const esp_tls_cfg_t *cfg,
                               esp_tls_t *tls);
/* The same in steps: 0: not yet, call it again. With cfg->non_block only the
 * name is waited for. */
int esp_tls_conn_new_async(const char *hostname, int hostlen, int port,
                           const esp_tls_cfg_t *cfg, esp_tls_t *tls);
int esp_tls_conn_http_new_async(const char *url, const esp_tls_cfg_t *cfg,
                                esp_tls_t *tls);
/* Bytes written or read, 0: the peer closed, ESP_TLS_ERR_SSL_WANT_READ or
 * _WRITE: nothing went in time, other negative numbers: the connection is
 * broken. */
ssize_t esp_tls_conn_write(esp_tls_t *tls, const void *data, size_t datalen);
ssize_t esp_tls_conn_read(esp_tls_t *tls, void *data, size_t datalen);
/* 0; -1: tls is NULL. */
int esp_tls_conn_destroy(esp_tls_t *tls);
/* Decrypted bytes that a read gives without waiting; -1: tls is NULL. */
ssize_t esp_tls_get_bytes_avail(esp_tls_t *tls);

esp_err_t esp_tls_get_conn_sockfd(esp_tls_t *tls, int *sockfd);
/* The connection is on this socket, which tls closes in the end. Before
 * esp_tls_conn_new_*(), which then does not connect. */
esp_err_t esp_tls_set_conn_sockfd(esp_tls_t *tls, int sockfd);
esp_err_t esp_tls_get_conn_state(esp_tls_t *tls,
                                 esp_tls_conn_state_t *conn_state);
esp_err_t esp_tls_set_conn_state(esp_tls_t *tls,
                                 esp_tls_conn_state_t conn_state);
/* The mbedtls_ssl_context; NULL: there is none (yet). */
void *esp_tls_get_ssl_context(esp_tls_t *tls);
/* The numbers that this library knows, in its order, 0 at the end. */
const int *esp_tls_get_ciphersuites_list(void);
/* TCP alone; *sockfd is the caller's. */
esp_err_t esp_tls_plain_tcp_connect(const char *host, int hostlen, int port,
                                    const esp_tls_cfg_t *cfg,
                                    esp_tls_error_handle_t error_handle,
                                    int *sockfd);

/* What a later connection to the same server can go on with (with TLS 1.3
 * only after the first read); NULL: nothing. The caller's. */
esp_tls_client_session_t *esp_tls_get_client_session(esp_tls_t *tls);
void esp_tls_free_client_session(esp_tls_client_session_t *client_session);

/* --- certificates that all clients trust ---------------------------------- */

/* Makes an empty store, if there is none. */
esp_err_t esp_tls_init_global_ca_store(void);
/* Puts these certificates into the store, in the place of what was there.
 * ESP_ERR_MBEDTLS_CERT_PARTLY_OK: not all of them could be read. */
esp_err_t esp_tls_set_global_ca_store(const unsigned char *cacert_pem_buf,
                                      const unsigned int cacert_pem_bytes);
/* NULL: there is no store. */
mbedtls_x509_crt *esp_tls_get_global_ca_store(void);
void esp_tls_free_global_ca_store(void);

/* --- a server ------------------------------------------------------------- */

/* The whole handshake on a socket that accept() gave, and that stays the
 * caller's. 0: done; else an error. */
int esp_tls_server_session_create(esp_tls_cfg_server_t *cfg, int sockfd,
                                  esp_tls_t *tls);
/* The same in steps: init, then continue_async until it is not
 * ESP_TLS_ERR_SSL_WANT_READ or _WRITE. */
esp_err_t esp_tls_server_session_init(esp_tls_cfg_server_t *cfg, int sockfd,
                                      esp_tls_t *tls);
int esp_tls_server_session_continue_async(esp_tls_t *tls);
/* Ends TLS and frees tls; the socket is still open. */
void esp_tls_server_session_delete(esp_tls_t *tls);

/* Fills cfg->ticket_ctx, for 24 hours; free it after the last session. */
esp_err_t esp_tls_cfg_server_session_tickets_init(esp_tls_cfg_server_t *cfg);
void esp_tls_cfg_server_session_tickets_free(esp_tls_cfg_server_t *cfg);

/* --- errors --------------------------------------------------------------- */

/* Gives the last error and forgets it. code and flags may be NULL.
 * ESP_ERR_INVALID_STATE: the handle is NULL. */
esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h,
                                           int *esp_tls_code,
                                           int *esp_tls_flags);
/* One kind of error, and forgets it. */
esp_err_t esp_tls_get_and_clear_error_type(esp_tls_error_handle_t h,
                                           esp_tls_error_type_t err_type,
                                           int *error_code);
/* Valid as long as tls. */
esp_err_t esp_tls_get_error_handle(esp_tls_t *tls,
                                   esp_tls_error_handle_t *error_handle);

#ifdef __cplusplus
}
#endif

#endif
