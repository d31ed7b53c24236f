/* esp_http_client_config_t, taken apart. */
#define _DEFAULT_SOURCE 1 /* struct ifreq */

#include "api/http_handle.h"
#include "api/trust.h"

#include <stdio.h>

#include "base/log.h"

static const char tag[] = "HTTP_CLIENT";

static const char *const method_names[HTTP_METHOD_MAX] = {
    [HTTP_METHOD_GET] = "GET",
    [HTTP_METHOD_POST] = "POST",
    [HTTP_METHOD_PUT] = "PUT",
    [HTTP_METHOD_PATCH] = "PATCH",
    [HTTP_METHOD_DELETE] = "DELETE",
    [HTTP_METHOD_HEAD] = "HEAD",
    [HTTP_METHOD_NOTIFY] = "NOTIFY",
    [HTTP_METHOD_SUBSCRIBE] = "SUBSCRIBE",
    [HTTP_METHOD_UNSUBSCRIBE] = "UNSUBSCRIBE",
    [HTTP_METHOD_OPTIONS] = "OPTIONS",
    [HTTP_METHOD_COPY] = "COPY",
    [HTTP_METHOD_MOVE] = "MOVE",
    [HTTP_METHOD_LOCK] = "LOCK",
    [HTTP_METHOD_UNLOCK] = "UNLOCK",
    [HTTP_METHOD_PROPFIND] = "PROPFIND",
    [HTTP_METHOD_PROPPATCH] = "PROPPATCH",
    [HTTP_METHOD_MKCOL] = "MKCOL",
    [HTTP_METHOD_REPORT] = "REPORT",
};

const char *api_http_method_name(esp_http_client_method_t method)
{
    return (unsigned)method < HTTP_METHOD_MAX ? method_names[method] : NULL;
}

/* A length of 0 means PEM text with its NUL. */
static struct span blob(const void *ptr, size_t len)
{
    if (!ptr)
        return span_of(NULL, 0);
    return len > 0 ? span_of(ptr, len) : span_str(ptr);
}

/* Bundle before global store before certificate. A store that is empty
 * verifies nobody. */
static esp_err_t take_trust(const esp_http_client_config_t *config,
                            struct tls_conf *tls)
{
    if (config->crt_bundle_attach) {
        tls->attach = config->crt_bundle_attach;
    } else if (config->use_global_ca_store) {
        tls->store = api_trust_store();
        return tls->store ? ESP_OK : ESP_ERR_NO_MEM;
    } else {
        tls->ca = blob(config->cert_pem, config->cert_len);
    }
    return ESP_OK;
}

static esp_err_t take_key(const esp_http_client_config_t *config,
                          struct tls_conf *tls)
{
    const esp_key_config_t *key = config->client_key;

    tls->client_cert = blob(config->client_cert_pem, config->client_cert_len);
    if (config->client_key_password && config->client_key_password_len > 0)
        tls->client_key_password = span_of(config->client_key_password,
                                           config->client_key_password_len);
    if (!key || key->source == ESP_KEY_SOURCE_NONE) {
        tls->client_key = blob(config->client_key_pem, config->client_key_len);
        return ESP_OK;
    }
    return api_tls_key(key, &tls->client_key, &tls->client_key_password);
}

static enum tls_version version_of(esp_http_client_proto_ver_t version)
{
    if (version == ESP_HTTP_CLIENT_TLS_VER_TLS_1_2)
        return TLS_VERSION_1_2;
    return version == ESP_HTTP_CLIENT_TLS_VER_TLS_1_3 ? TLS_VERSION_1_3
                                                      : TLS_VERSION_ANY;
}

static int or_default(int value, int fallback)
{
    return value > 0 ? value : fallback;
}

static void take_net(struct esp_http_client *handle,
                     const esp_http_client_config_t *config,
                     struct port_net_opts *net)
{
    if (config->addr_type == HTTP_ADDR_TYPE_INET)
        net->addr_family = 4;
    else if (config->addr_type == HTTP_ADDR_TYPE_INET6)
        net->addr_family = 6;
    if (config->keep_alive_enable) {
        net->keep_idle_s = or_default(config->keep_alive_idle, 5);
        net->keep_interval_s = or_default(config->keep_alive_interval, 5);
        net->keep_cnt = or_default(config->keep_alive_count, 3);
    }
    if (config->if_name) {
        (void)snprintf(handle->if_name, sizeof(handle->if_name), "%s",
                       config->if_name->ifr_name);
        net->bind_if = handle->if_name;
    }
}

enum http_auth api_http_auth_of(esp_http_client_auth_type_t type)
{
    if (type == HTTP_AUTH_TYPE_BASIC)
        return HTTP_AUTH_BASIC;
    return type == HTTP_AUTH_TYPE_DIGEST ? HTTP_AUTH_DIGEST : HTTP_AUTH_NONE;
}

static void take_limits(const esp_http_client_config_t *config,
                        struct http_opts *opts)
{
    opts->timeout_ms = (uint32_t)or_default(config->timeout_ms, 0);
    opts->max_redirects =
        (uint32_t)or_default(config->max_redirection_count, 0);
    opts->max_auth_retries = config->max_authorization_retries < 0
                                 ? UINT32_MAX
                                 : (uint32_t)config->max_authorization_retries;
    opts->rx_len =
        (uint32_t)or_default(config->buffer_size, DEFAULT_HTTP_BUF_SIZE);
}

esp_err_t api_http_opts_from_config(struct esp_http_client *handle,
                                    const esp_http_client_config_t *config,
                                    struct http_opts *opts)
{
    const char *agent = config->user_agent;

    *opts = (struct http_opts){ .follow = true };
    if (config->event_handler && api_http_is_left_out())
        return ESP_ERR_NOT_SUPPORTED;
    if (config->use_ecdsa_peripheral || config->ds_data || config->transport) {
        LOGE(tag, "this device has no ECDSA or DS peripheral and takes no "
                  "transport of the application's");
        return ESP_ERR_NOT_SUPPORTED;
    }
    esp_err_t err = take_trust(config, &opts->tls);
    if (err)
        return err;
    err = take_key(config, &opts->tls);
    if (err) {
        LOGE(tag, "client_key: only PEM and DER in a buffer can be used");
        return err;
    }
    opts->tls.name = handle->common_name;
    opts->tls.skip_name_check = config->skip_cert_common_name_check;
    opts->tls.min = version_of(config->tls_version);
    opts->tls.max = opts->tls.min;
    opts->tls.alpn = (const char *const *)config->alpn_protos;
    opts->tls.keep_ticket = config->save_client_session;
    opts->tls.floor = api_trust_floor();
    take_net(handle, config, &opts->net);
    take_limits(config, opts);
    opts->auth = api_http_auth_of(config->auth_type);
    opts->username = config->username;
    opts->password = config->password;
    opts->user_agent = agent ? agent : "ESP32 HTTP Client/1.0";
    opts->on_event = CFG_HTTP_APP ? api_http_on_event : NULL;
    opts->event_ctx = handle;
    return ESP_OK;
}
