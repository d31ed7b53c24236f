/* esp_http_client.h - an HTTP/1.1 client over TCP or TLS.
 *
 * Order: esp_http_client_init(), then either esp_http_client_perform() for a
 * whole exchange, whose body comes through HTTP_EVENT_ON_DATA, or open, write,
 * fetch_headers, read and close step by step; esp_http_client_cleanup() at the
 * end. The connection is kept and used again where server and URL allow it.
 * One handle is used by one thread at a time. */
#ifndef ESP_HTTP_CLIENT_H
#define ESP_HTTP_CLIENT_H

/* lint-ok: layers, applications fill in struct ifreq and include only this */
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "esp_err.h"
#include "esp_event.h"
#include "esp_key_config.h"
#include "esp_tls_errors.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DEFAULT_HTTP_BUF_SIZE 512

/* Posted to the default event loop; the ids are esp_http_client_event_id_t. */
ESP_EVENT_DECLARE_BASE(ESP_HTTP_CLIENT_EVENT);

typedef struct esp_http_client *esp_http_client_handle_t;
typedef struct esp_http_client_event *esp_http_client_event_handle_t;

typedef enum {
    HTTP_EVENT_ERROR = 0,
    HTTP_EVENT_ON_CONNECTED,
    HTTP_EVENT_HEADERS_SENT,
    HTTP_EVENT_HEADER_SENT = HTTP_EVENT_HEADERS_SENT,
    HTTP_EVENT_ON_HEADER,
    HTTP_EVENT_ON_HEADERS_COMPLETE,
    HTTP_EVENT_ON_STATUS_CODE, /* data: int */
    HTTP_EVENT_ON_DATA,        /* data, data_len: a piece of the body */
    HTTP_EVENT_ON_FINISH,
    HTTP_EVENT_DISCONNECTED, /* data: esp_tls_error_handle_t */
    HTTP_EVENT_REDIRECT
} esp_http_client_event_id_t;

typedef struct esp_http_client_event {
    esp_http_client_event_id_t event_id;
    esp_http_client_handle_t client;
    void *data;
    int data_len;
    void *user_data;
    char *header_key;
    char *header_value;
} esp_http_client_event_t;

/* What comes with ON_DATA and REDIRECT on the default event loop. */
typedef struct esp_http_client_on_data {
    esp_http_client_handle_t client;
    int64_t data_process; /* bytes of the body so far */
} esp_http_client_on_data_t;

typedef struct esp_http_client_redirect_event_data {
    esp_http_client_handle_t client;
    int status_code;
} esp_http_client_redirect_event_data_t;

typedef esp_err_t (*http_event_handle_cb)(esp_http_client_event_t *evt);

typedef enum {
    HTTP_STATE_UNINIT = 0,
    HTTP_STATE_INIT,
    HTTP_STATE_CONNECTING,
    HTTP_STATE_CONNECTED,
    HTTP_STATE_REQ_COMPLETE_HEADER,
    HTTP_STATE_REQ_COMPLETE_DATA,
    HTTP_STATE_RES_COMPLETE_HEADER,
    HTTP_STATE_RES_ON_DATA_START,
    HTTP_STATE_RES_COMPLETE_DATA,
    HTTP_STATE_CLOSE
} esp_http_state_t;

typedef enum {
    HTTP_TRANSPORT_UNKNOWN = 0,
    HTTP_TRANSPORT_OVER_TCP,
    HTTP_TRANSPORT_OVER_SSL
} esp_http_client_transport_t;

typedef enum {
    ESP_HTTP_CLIENT_TLS_VER_ANY = 0,
    ESP_HTTP_CLIENT_TLS_VER_TLS_1_2,
    ESP_HTTP_CLIENT_TLS_VER_TLS_1_3,
    ESP_HTTP_CLIENT_TLS_VER_MAX
} esp_http_client_proto_ver_t;

typedef enum {
    HTTP_METHOD_GET = 0,
    HTTP_METHOD_POST,
    HTTP_METHOD_PUT,
    HTTP_METHOD_PATCH,
    HTTP_METHOD_DELETE,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_NOTIFY,
    HTTP_METHOD_SUBSCRIBE,
    HTTP_METHOD_UNSUBSCRIBE,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_COPY,
    HTTP_METHOD_MOVE,
    HTTP_METHOD_LOCK,
    HTTP_METHOD_UNLOCK,
    HTTP_METHOD_PROPFIND,
    HTTP_METHOD_PROPPATCH,
    HTTP_METHOD_MKCOL,
    HTTP_METHOD_REPORT,
    HTTP_METHOD_MAX
} esp_http_client_method_t;

typedef enum {
    HTTP_AUTH_TYPE_NONE = 0,
    HTTP_AUTH_TYPE_BASIC,
    HTTP_AUTH_TYPE_DIGEST
} esp_http_client_auth_type_t;

typedef enum {
    HTTP_ADDR_TYPE_UNSPEC = AF_UNSPEC,
    HTTP_ADDR_TYPE_INET = AF_INET,
    HTTP_ADDR_TYPE_INET6 = AF_INET6
} esp_http_client_addr_type_t;

typedef enum {
    HTTP_TLS_DYN_BUF_RX_STATIC = 1,
    HTTP_TLS_DYN_BUF_STRATEGY_MAX
} esp_http_client_tls_dyn_buf_strategy_t;

typedef enum {
    HttpStatus_Ok = 200,
    HttpStatus_PartialContent = 206,
    HttpStatus_MultipleChoices = 300,
    HttpStatus_MovedPermanently = 301,
    HttpStatus_Found = 302,
    HttpStatus_SeeOther = 303,
    HttpStatus_NotModified = 304,
    HttpStatus_TemporaryRedirect = 307,
    HttpStatus_PermanentRedirect = 308,
    HttpStatus_BadRequest = 400,
    HttpStatus_Unauthorized = 401,
    HttpStatus_Forbidden = 403,
    HttpStatus_NotFound = 404,
    HttpStatus_RangeNotSatisfiable = 416,
    HttpStatus_InternalError = 500
} HttpStatus_Code;

struct esp_transport_item_t;

/* Zero is the default of every field. Certificates and keys are borrowed until
 * cleanup; with a length of 0 they are PEM that ends in NUL. */
typedef struct {
    const char *url; /* used unless host and path are both set */
    const char *host;
    int port; /* 0: 80 or 443 */
    const char *username;
    const char *password;
    esp_http_client_auth_type_t auth_type; /* BASIC: sent unasked */
    const char *path;
    const char *query;
    union {
        const char *cert_pem; /* the CA that the server is verified by */
        const char *cert_der;
    };
    size_t cert_len;
    union {
        const char *client_cert_pem;
        const char *client_cert_der;
    };
    size_t client_cert_len;
    const char *client_key_pem;
    size_t client_key_len;
    const esp_key_config_t *client_key; /* instead of client_key_pem */
    const char *client_key_password;
    size_t client_key_password_len;
    esp_http_client_proto_ver_t tls_version;
    bool use_ecdsa_peripheral; /* hardware that this device does not have */
    uint8_t ecdsa_key_efuse_blk;
    uint8_t ecdsa_key_efuse_blk_high;
    int ecdsa_curve;
    const char *user_agent; /* NULL: "ESP32 HTTP Client/1.0" */
    esp_http_client_method_t method;
    int timeout_ms;             /* of each connect, read and write; 0: 5000 */
    bool disable_auto_redirect; /* of esp_http_client_perform() */
    int max_redirection_count;  /* 0: 10 */
    int max_authorization_retries; /* 0: 10, -1: none */
    http_event_handle_cb event_handler;
    esp_http_client_transport_t transport_type; /* with host and path */
    int buffer_size;                            /* 0: DEFAULT_HTTP_BUF_SIZE */
    int buffer_size_tx; /* accepted; requests have no limit */
    void *user_data;
    bool is_async; /* accepted; calls wait for timeout_ms at most */
    bool use_global_ca_store;
    bool skip_cert_common_name_check; /* neither checked nor sent (SNI) */
    const char *common_name;          /* checked and sent instead of the host */
    esp_err_t (*crt_bundle_attach)(void *conf);
    bool keep_alive_enable;   /* TCP's, not HTTP's */
    int keep_alive_idle;      /* s, 0: 5 */
    int keep_alive_interval;  /* s, 0: 5 */
    int keep_alive_count;     /* 0: 3 */
    struct ifreq *if_name;    /* goes out there only */
    const char **alpn_protos; /* NULL-terminated; borrowed until cleanup */
    void *ds_data;            /* hardware that this device does not have */
    bool save_client_session; /* a new connection goes on with the last one */
    struct esp_transport_item_t *transport; /* not supported */
    esp_http_client_addr_type_t addr_type;
    esp_http_client_tls_dyn_buf_strategy_t tls_dyn_buf_strategy; /* accepted */
} esp_http_client_config_t;

/* NULL: no URL, a bad one, or no memory; the log says which. */
esp_http_client_handle_t esp_http_client_init(
    const esp_http_client_config_t *config);
esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client);

/* A whole exchange, with redirects and authentication. */
esp_err_t esp_http_client_perform(esp_http_client_handle_t client);

/* The same in steps. write_len: bytes of the body that esp_http_client_write()
 * will send; -1: any number, sent in chunks. */
esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len);
int esp_http_client_write(esp_http_client_handle_t client, const char *buffer,
                          int len);
int esp_http_client_chunk_write_begin(esp_http_client_handle_t client,
                                      const int len);
int esp_http_client_chunk_write_end(esp_http_client_handle_t client,
                                    bool last_chunk);
/* The Content-Length, 0 when there is none, -1: failed, -ESP_ERR_HTTP_EAGAIN:
 * nothing came in time, may be called again. */
int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client);
/* Bytes read; 0: the body is complete; -ESP_ERR_HTTP_EAGAIN: nothing came in
 * time; -1: failed. */
int esp_http_client_read(esp_http_client_handle_t client, char *buffer,
                         int len);
int esp_http_client_read_response(esp_http_client_handle_t client, char *buffer,
                                  int len);
/* Reads over the rest of the body; len may be NULL. */
esp_err_t esp_http_client_flush_response(esp_http_client_handle_t client,
                                         int *len);
esp_err_t esp_http_client_clear_response_buffer(
    esp_http_client_handle_t client);
esp_err_t esp_http_client_close(esp_http_client_handle_t client);
/* Another request on the connection that is open. */
esp_err_t esp_http_client_prepare(esp_http_client_handle_t client);
esp_err_t esp_http_client_request_send(esp_http_client_handle_t client,
                                       int write_len);
/* ESP_ERR_INVALID_STATE: nothing is going on. */
esp_err_t esp_http_client_cancel_request(esp_http_client_handle_t client);

/* An absolute URL, or a path that keeps the host. Another host costs the
 * credentials and the headers that hold secrets. */
esp_err_t esp_http_client_set_url(esp_http_client_handle_t client,
                                  const char *url);
/* scheme://host:port/path. ESP_FAIL: does not fit. */
esp_err_t esp_http_client_get_url(esp_http_client_handle_t client, char *url,
                                  const int len);
esp_err_t esp_http_client_set_method(esp_http_client_handle_t client,
                                     esp_http_client_method_t method);
esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client,
                                         int timeout_ms);
/* Borrowed until the request was sent. NULL: none. */
esp_err_t esp_http_client_set_post_field(esp_http_client_handle_t client,
                                         const char *data, int len);
int esp_http_client_get_post_field(esp_http_client_handle_t client,
                                   char **data);

/* value NULL deletes. ESP_ERR_NOT_FOUND: it is not there. */
esp_err_t esp_http_client_set_header(esp_http_client_handle_t client,
                                     const char *key, const char *value);
esp_err_t esp_http_client_get_header(esp_http_client_handle_t client,
                                     const char *key, char **value);
esp_err_t esp_http_client_delete_header(esp_http_client_handle_t client,
                                        const char *key);
esp_err_t esp_http_client_delete_all_headers(esp_http_client_handle_t client);
/* Of the last answer: its first 10 headers, those of up to 128 bytes. */
esp_err_t esp_http_client_get_response_header(esp_http_client_handle_t client,
                                              const char *key, char **value);

esp_err_t esp_http_client_get_username(esp_http_client_handle_t client,
                                       char **value);
esp_err_t esp_http_client_set_username(esp_http_client_handle_t client,
                                       const char *username);
esp_err_t esp_http_client_get_password(esp_http_client_handle_t client,
                                       char **value);
esp_err_t esp_http_client_set_password(esp_http_client_handle_t client,
                                       const char *password);
esp_err_t esp_http_client_set_authtype(esp_http_client_handle_t client,
                                       esp_http_client_auth_type_t auth_type);
/* A challenge, as if the server had sent it. */
esp_err_t esp_http_client_set_auth_data(esp_http_client_handle_t client,
                                        const char *auth_data, int len);
/* Answers the challenge of a 401 with the next request. */
esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client);

/* Goes where the answer's Location points. ESP_ERR_INVALID_ARG: it has none;
 * ESP_ERR_HTTP_REDIRECT_DOWNGRADE: from https to http. */
esp_err_t esp_http_client_set_redirection(esp_http_client_handle_t client);
esp_err_t esp_http_client_reset_redirect_counter(
    esp_http_client_handle_t client);

esp_err_t esp_http_client_get_user_data(esp_http_client_handle_t client,
                                        void **data);
esp_err_t esp_http_client_set_user_data(esp_http_client_handle_t client,
                                        void *data);
esp_err_t esp_http_client_set_event_handler(esp_http_client_handle_t client,
                                            http_event_handle_cb event_handler);

int esp_http_client_get_status_code(esp_http_client_handle_t client);
/* -1: not known. */
int64_t esp_http_client_get_content_length(esp_http_client_handle_t client);
/* The total of Content-Range; -1: not known. */
int64_t esp_http_client_get_content_range(esp_http_client_handle_t client);
/* No length was given: chunked, or up to the end of the connection. */
bool esp_http_client_is_chunked_response(esp_http_client_handle_t client);
esp_err_t esp_http_client_get_chunk_length(esp_http_client_handle_t client,
                                           int *len);
bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client);
bool esp_http_client_is_persistent_connection(esp_http_client_handle_t client);
esp_http_client_transport_t esp_http_client_get_transport_type(
    esp_http_client_handle_t client);
esp_http_state_t esp_http_client_get_state(esp_http_client_handle_t client);
/* Of the last failure on the connection. */
int esp_http_client_get_errno(esp_http_client_handle_t client);
esp_err_t esp_http_client_get_and_clear_last_tls_error(
    esp_http_client_handle_t client, int *esp_tls_error_code,
    int *esp_tls_flags);
/* -1: not connected, or this host has no descriptors. */
int esp_http_client_get_socket(esp_http_client_handle_t client);

#ifdef __cplusplus
}
#endif

#endif
