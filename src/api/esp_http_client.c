/* The handle: made, asked, changed, freed. */
#include "api/http_handle.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "crypto/ct.h"

static const char tag[] = "HTTP_CLIENT";

struct http_client *api_http_client(esp_http_client_handle_t handle)
{
    return handle->http;
}

bool api_http_is_left_out(void)
{
    if (!CFG_HTTP_APP)
        LOGE(tag, "built for esp_https_ota alone");
    return !CFG_HTTP_APP;
}

static char *copy(const char *str)
{
    size_t len = strlen(str) + 1;
    char *out = api_alloc(len);

    if (out)
        memcpy(out, str, len);
    return out;
}

/* scheme://host[:port]/path[?query] from the parts; NULL: no memory. The host
 * may be an IPv6 literal without its brackets. */
static char *join_url(const esp_http_client_config_t *config)
{
    bool tls = config->transport_type == HTTP_TRANSPORT_OVER_SSL;
    bool bare6 = strchr(config->host, ':') && config->host[0] != '[';
    const char *query = config->query ? config->query : "";
    int port = config->port > 0 ? config->port : tls ? 443 : 80;
    size_t len =
        strlen(config->host) + strlen(config->path) + strlen(query) + 40;
    char *url = api_alloc(len);

    if (url)
        (void)snprintf(url, len, "%s://%s%s%s:%d%s%s%s%s",
                       tls ? "https" : "http", bare6 ? "[" : "", config->host,
                       bare6 ? "]" : "", port,
                       config->path[0] == '/' ? "" : "/", config->path,
                       *query ? "?" : "", query);
    return url;
}

static void wipe_free(char *text)
{
    if (text)
        ct_wipe(text, strlen(text));
    api_free(text);
}

static esp_err_t open_client(struct esp_http_client *h,
                             const esp_http_client_config_t *config,
                             struct diag *d)
{
    bool parts = config->host && config->path;
    char *joined = parts ? join_url(config) : NULL;
    const char *method = api_http_method_name(config->method);
    struct http_opts opts;
    esp_err_t err = api_http_opts_from_config(h, config, &opts);

    if (err)
        goto out;
    err = parts && !joined ? ESP_ERR_NO_MEM : ESP_OK;
    if (!err && (!method || (!parts && !config->url)))
        err = diag_fail(d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                        "the configuration has no URL, or no known method");
    if (!err)
        err = http_open(&h->http, api_http_env(), &opts,
                        parts ? joined : config->url, d);
    if (!err)
        err = http_set_method(h->http, method);
out:
    wipe_free(joined);
    return err;
}

static esp_err_t fill(struct esp_http_client *h,
                      const esp_http_client_config_t *config, struct diag *d)
{
    h->state = HTTP_STATE_INIT;
    h->handler = CFG_HTTP_APP ? config->event_handler : NULL;
    h->user_data = config->user_data;
    h->stay = config->disable_auto_redirect;
    h->saved.heap = api_device()->boot.heap;
    h->buf_len = config->buffer_size > 0 ? (size_t)config->buffer_size
                                         : DEFAULT_HTTP_BUF_SIZE;
    if (config->common_name)
        h->common_name = copy(config->common_name);
    if (config->common_name && !h->common_name)
        return diag_fail(d, DIAG_STAGE_HTTP, ESP_ERR_NO_MEM, "out of memory");
    return open_client(h, config, d);
}

static void destroy(struct esp_http_client *h)
{
    http_close(h->http);
    if (h->auth)
        h->auth_free(h->auth);
    if (CFG_HTTP_APP)
        http_fields_clear(&h->saved);
    api_free(h->common_name);
    api_free(h->buf);
    api_free(h);
}

esp_http_client_handle_t esp_http_client_init(
    const esp_http_client_config_t *config)
{
    struct diag d = DIAG_NONE;

    if (!config)
        return NULL;
    struct esp_http_client *h = api_alloc(sizeof(*h));
    if (!h)
        return NULL;
    if (fill(h, config, &d) == ESP_OK)
        return h;
    if (d.err)
        LOGE(tag, "%s", d.text);
    destroy(h);
    return NULL;
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client)
{
    if (!client)
        return ESP_FAIL;
    destroy(client);
    return ESP_OK;
}

esp_err_t esp_http_client_set_url(esp_http_client_handle_t client,
                                  const char *url)
{
    if (!client || !url)
        return ESP_ERR_INVALID_ARG;
    return http_set_url(client->http, url);
}

esp_err_t esp_http_client_get_url(esp_http_client_handle_t client, char *url,
                                  const int len)
{
    if (!client || !url || len <= 0)
        return ESP_ERR_INVALID_ARG;
    const struct http_url *u = http_url_now(client->http);
    int done = snprintf(
        url, (size_t)len, "%s://%s%.*s%s:%u%.*s",
        u->is_https ? "https" : "http", u->host_is_ipv6 ? "[" : "",
        (int)u->host.len, (const char *)u->host.ptr, u->host_is_ipv6 ? "]" : "",
        (unsigned)u->port, (int)u->path.len, (const char *)u->path.ptr);
    return done < len ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_http_client_set_method(esp_http_client_handle_t client,
                                     esp_http_client_method_t method)
{
    const char *name = api_http_method_name(method);

    if (!client || !name)
        return ESP_ERR_INVALID_ARG;
    return http_set_method(client->http, name);
}

esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client,
                                         int timeout_ms)
{
    if (!client)
        return ESP_ERR_INVALID_ARG;
    http_set_timeout(client->http, timeout_ms > 0 ? (uint32_t)timeout_ms : 0);
    return ESP_OK;
}

/* The reference means to add a Content-Type and returns ESP_ERR_NOT_FOUND
 * instead; here it is added. */
esp_err_t esp_http_client_set_post_field(esp_http_client_handle_t client,
                                         const char *data, int len)
{
    static const char type[] = "Content-Type";

    if (!client || len < 0)
        return ESP_ERR_INVALID_ARG;
    client->post = data;
    client->post_len = data ? len : 0;
    http_set_body(client->http, data, (size_t)client->post_len);
    if (data && !http_get_header(client->http, type))
        return http_set_header(client->http, type,
                               "application/x-www-form-urlencoded");
    if (!data && http_get_header(client->http, type))
        return http_set_header(client->http, type, NULL);
    return ESP_OK;
}

int esp_http_client_get_post_field(esp_http_client_handle_t client, char **data)
{
    if (!client || !client->post || !data)
        return 0;
    *data = api_writable(client->post);
    return client->post_len;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client,
                                     const char *key, const char *value)
{
    if (!client || !key)
        return ESP_ERR_INVALID_ARG;
    return http_set_header(client->http, key, value);
}

esp_err_t esp_http_client_get_header(esp_http_client_handle_t client,
                                     const char *key, char **value)
{
    if (!client || !key || !value)
        return ESP_ERR_INVALID_ARG;
    *value = api_writable(http_get_header(client->http, key));
    return *value ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_http_client_delete_header(esp_http_client_handle_t client,
                                        const char *key)
{
    return esp_http_client_set_header(client, key, NULL);
}

esp_err_t esp_http_client_delete_all_headers(esp_http_client_handle_t client)
{
    if (!client)
        return ESP_ERR_INVALID_ARG;
    http_clear_headers(client->http);
    return ESP_OK;
}

esp_err_t esp_http_client_get_response_header(esp_http_client_handle_t client,
                                              const char *key, char **value)
{
    if (!client || !key || !value)
        return ESP_ERR_INVALID_ARG;
    const struct http_field *f = http_fields_get(&client->saved, span_str(key));
    *value = f ? api_writable(f->text + f->name_len + 1) : NULL;
    return f ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_http_client_get_user_data(esp_http_client_handle_t client,
                                        void **data)
{
    if (!client || !data)
        return ESP_ERR_INVALID_ARG;
    *data = client->user_data;
    return ESP_OK;
}

esp_err_t esp_http_client_set_user_data(esp_http_client_handle_t client,
                                        void *data)
{
    if (!client)
        return ESP_ERR_INVALID_ARG;
    client->user_data = data;
    return ESP_OK;
}

esp_err_t esp_http_client_set_event_handler(esp_http_client_handle_t client,
                                            http_event_handle_cb event_handler)
{
    if (!client)
        return ESP_ERR_INVALID_ARG;
    if (event_handler && api_http_is_left_out())
        return ESP_ERR_NOT_SUPPORTED;
    client->handler = event_handler;
    return ESP_OK;
}
