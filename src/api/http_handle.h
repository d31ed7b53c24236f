/* api/http_handle.h - what an esp_http_client_handle_t is. For src/api.
 *
 * esp_https_ota makes its client with esp_http_client_init(), shows the handle
 * to http_client_init_cb, and gives api_http_client() to the update engine:
 * what the callback set is what the update asks with. */
#ifndef API_HTTP_HANDLE_H
#define API_HTTP_HANDLE_H

#include <string.h>

#include "api/device.h"
#include "api/tls_handle.h"

#include "esp_http_client.h"

/* Of the answer's headers that are kept for get_response_header(). */
#define API_HTTP_SAVED_CNT 10u
#define API_HTTP_SAVED_LEN 128u

struct api_http_auth; /* porta_ota_auth.c */

struct esp_http_client {
    struct http_client *http;
    struct api_http_auth *auth; /* NULL: none of it is used */
    void (*auth_free)(struct api_http_auth *auth);
    esp_http_state_t state;
    http_event_handle_cb handler;
    void *user_data;
    bool stay; /* perform() leaves redirects alone */
    const char *post;
    int post_len;
    struct api_tls_err tls_err;
    struct http_fields saved;
    unsigned saved_cnt;
    char *common_name;
    char if_name[32];
    char *buf; /* pieces of the body in perform(); NULL before the first */
    size_t buf_len;
};

/* Applications get pointers that they may write through; what stands behind
 * them is memory of ours or of theirs, never a constant. */
static inline void *api_writable(const void *ptr)
{
    void *out = NULL;

    memcpy(&out, &ptr, sizeof(out));
    return out;
}

/* The client behind the handle; borrowed from it. */
struct http_client *api_http_client(esp_http_client_handle_t handle);
/* Without CFG_HTTP_APP a handle is for esp_https_ota alone: true, and it is
 * said. */
bool api_http_is_left_out(void);

/* The configuration as the portable core wants it; what it points to stays the
 * application's or the handle's. ESP_ERR_NOT_SUPPORTED, said in the log: it
 * asks for hardware or a transport that is not there. */
MUST_CHECK esp_err_t api_http_opts_from_config(
    struct esp_http_client *handle, const esp_http_client_config_t *config,
    struct http_opts *opts);
/* "GET"...; NULL: no such method. */
const char *api_http_method_name(esp_http_client_method_t method);

enum http_auth api_http_auth_of(esp_http_client_auth_type_t type);

/* The callback behind opts.on_event; ctx is the handle. */
void api_http_on_event(void *ctx, const struct http_event_info *info);
/* To the application's handler and to the default event loop. */
void api_http_emit(struct esp_http_client *handle,
                   esp_http_client_event_t *event);
/* Logs d's sentence and returns the code that applications know for err. */
esp_err_t api_http_failed(const struct diag *d, esp_err_t err);

#endif
