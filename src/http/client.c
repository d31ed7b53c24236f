/* http/client.h: one client, its settings, and a request from open to close. */
#include "http/client_priv.h"

#include <stddef.h>

#include "crypto/ct.h"
#include "http/proxy.h"
#include "http/text.h"

#define CLIENT_TIMEOUT_MS 5000u
#define CLIENT_REDIRECT_CNT 10u
#define CLIENT_AUTH_CNT 10u
#define CLIENT_RX_LEN 4096u
#define CLIENT_RX_MIN_LEN 256u

void http_emit(struct http_client *c, enum http_event ev)
{
    struct http_event_info info = { .ev = ev, .status = c->parser.head.status };

    if (http_listener(c))
        http_listener(c)(c->opts.event_ctx, &info);
}

esp_err_t http_set_challenge(struct http_client *c, struct span text)
{
    http_buf_reset(&c->challenge);
    return http_buf_add(&c->challenge, text);
}

void http_set_auth(struct http_client *c, enum http_auth auth)
{
    c->opts.auth = auth;
    c->auth = auth == HTTP_AUTH_BASIC ? auth : HTTP_AUTH_NONE;
}

void http_set_timeout(struct http_client *c, uint32_t timeout_ms)
{
    c->opts.timeout_ms = timeout_ms ? timeout_ms : CLIENT_TIMEOUT_MS;
    c->conn.timeout_ms = c->opts.timeout_ms;
}

void http_set_psk(struct http_client *c, struct span key, struct span identity)
{
    if (CFG_TICKETS) /* of another proof than this one */
        http_tickets_free(&c->conn.tickets);
    c->opts.tls.psk = key;
    c->opts.tls.psk_identity = identity;
}

void http_set_limit(struct http_client *c, struct port_limit *limit)
{
    c->opts.net.limit = limit;
}

esp_err_t http_set_header(struct http_client *c, const char *name,
                          const char *value)
{
    if (value)
        return http_fields_set(&c->fields, span_str(name), span_str(value));
    return http_fields_remove(&c->fields, span_str(name)) ? ESP_OK
                                                          : ESP_ERR_NOT_FOUND;
}

void http_mark_secret(struct http_client *c, const char *name)
{
    http_fields_mark_secret(&c->fields, span_str(name));
}

void http_set_tokens(struct http_client *c, const struct http_tokens *tokens)
{
    c->opts.tokens = tokens;
    c->token_left = false;
}

void http_set_urls(struct http_client *c, const struct http_urls *urls)
{
    c->opts.urls = urls;
    c->asked_urls = false;
}

esp_err_t http_set_proxy(struct http_client *c, const char *url)
{
    if (!CFG_PROXY)
        return url ? ESP_ERR_NOT_SUPPORTED : ESP_OK;
    http_disconnect(c);
    return http_proxy_set(&c->proxy, c->env.heap, url);
}

void http_clear_headers(struct http_client *c)
{
    http_fields_clear(&c->fields);
}

const char *http_get_header(const struct http_client *c, const char *name)
{
    const struct http_field *f = http_fields_get(&c->fields, span_str(name));

    return f ? f->text + f->name_len + 1 : NULL;
}

esp_err_t http_set_method(struct http_client *c, const char *method)
{
    struct span m = span_str(method);

    if (!http_is_token(m) || m.len > HTTP_METHOD_MAX_LEN)
        return ESP_ERR_INVALID_ARG;
    memcpy(c->method, method, m.len + 1);
    return ESP_OK;
}

void http_refuse_plain(struct http_client *c)
{
    c->conn.tls_only = true;
}

void http_set_body(struct http_client *c, const void *body, size_t len)
{
    c->body = body;
    c->body_len = body ? len : 0;
}

static void set_defaults(struct http_opts *opts)
{
    if (opts->timeout_ms == 0)
        opts->timeout_ms = CLIENT_TIMEOUT_MS;
    if (opts->max_redirects == 0)
        opts->max_redirects = CLIENT_REDIRECT_CNT;
    if (opts->max_auth_retries == 0)
        opts->max_auth_retries = CLIENT_AUTH_CNT;
    else if (opts->max_auth_retries == UINT32_MAX)
        opts->max_auth_retries = 0;
    if (opts->rx_len == 0)
        opts->rx_len = CLIENT_RX_LEN;
    else if (opts->rx_len < CLIENT_RX_MIN_LEN)
        opts->rx_len = CLIENT_RX_MIN_LEN;
}

/* What a client keeps in buffers of its own. */
static const uint16_t bufs[] = {
    offsetof(struct http_client, url_text),
    offsetof(struct http_client, home_text),
    offsetof(struct http_client, login.username),
    offsetof(struct http_client, login.password),
    offsetof(struct http_client, home_login.username),
    offsetof(struct http_client, home_login.password),
    offsetof(struct http_client, token),
    offsetof(struct http_client, name),
    offsetof(struct http_client, value),
    offsetof(struct http_client, location),
    offsetof(struct http_client, challenge),
    offsetof(struct http_client, auth_challenge),
};
#define BUFS_CNT (sizeof(bufs) / sizeof(bufs[0]))

static struct http_buf *buf_at(struct http_client *c, size_t i)
{
    return (struct http_buf *)(void *)((uint8_t *)c + bufs[i]);
}

static struct http_client *client_new(const struct http_env *env,
                                      const struct http_opts *opts)
{
    struct http_client *c = env->heap->alloc(env->heap->ctx, sizeof(*c));

    if (!c)
        return NULL;
    c->env = *env;
    c->opts = *opts;
    set_defaults(&c->opts);
    c->conn.env = &c->env;
    c->conn.host = c->stats.host;
    c->conn.timeout_ms = c->opts.timeout_ms;
    c->conn.proxy = &c->proxy;
    c->auth = opts->auth == HTTP_AUTH_BASIC ? opts->auth : HTTP_AUTH_NONE;
    c->fields.heap = env->heap;
    for (size_t i = 0; i < BUFS_CNT; i++)
        buf_at(c, i)->heap = env->heap;
    http_head_init(&c->parser, NULL, NULL);
    return c;
}

static esp_err_t client_fill(struct http_client *c, const char *url)
{
    const char *agent = c->opts.user_agent;

    memcpy(c->method, "GET", sizeof("GET"));
    esp_err_t err = http_set_header(c, "User-Agent", agent ? agent : "porta");
    if (!err)
        err = http_set_url(c, url);
    if (!err && c->opts.username)
        err = http_set_login(c, c->opts.username, c->opts.password);
    if (!err && c->opts.proxy)
        err = http_set_proxy(c, c->opts.proxy);
    /* Copied: the caller's strings may go. */
    c->opts.username = NULL;
    c->opts.password = NULL;
    c->opts.user_agent = NULL;
    c->opts.proxy = NULL;
    return err;
}

esp_err_t http_open(struct http_client **out, const struct http_env *env,
                    const struct http_opts *opts, const char *url,
                    struct diag *d)
{
    struct http_client *c = client_new(env, opts);
    esp_err_t err = c ? client_fill(c, url) : ESP_ERR_NO_MEM;

    *out = err ? NULL : c;
    if (!err)
        return ESP_OK;
    http_close(c);
    if (err == ESP_ERR_NO_MEM)
        return diag_fail(d, DIAG_STAGE_HTTP, err,
                         "out of memory for an HTTP client");
    return diag_fail(d, DIAG_STAGE_ARGS, err,
                     "the URL is not of the form "
                     "http[s]://host[:port]/path, or a header is not legal, "
                     "or the proxy is not http://host:port");
}

void http_close(struct http_client *c)
{
    if (!c)
        return;
    const struct port_heap *heap = c->env.heap;
    http_disconnect(c);
    http_conn_free(&c->conn);
    http_fields_clear(&c->fields);
    if (CFG_PROXY)
        http_proxy_clear(&c->proxy, heap);
    for (size_t i = 0; i < BUFS_CNT; i++)
        http_buf_free(buf_at(c, i));
    ct_wipe(c, sizeof(*c));
    heap->free(heap->ctx, c);
}

void http_disconnect(struct http_client *c)
{
    const struct port_heap *heap = c->env.heap;
    bool was_open = http_conn_is_open(&c->conn);

    http_conn_close(&c->conn);
    heap->free(heap->ctx, c->rx);
    c->rx = NULL;
    c->rx_pos = 0;
    c->rx_end = 0;
    if (c->phase != HTTP_PHASE_DONE)
        c->phase = HTTP_PHASE_IDLE;
    if (was_open)
        http_emit(c, HTTP_EV_DISCONNECTED);
}

bool http_connected(const struct http_client *c)
{
    return http_conn_is_open(&c->conn);
}

int http_fd(const struct http_client *c)
{
    return http_conn_is_open(&c->conn) ? c->env.net->fd(c->conn.tcp) : -1;
}

http_len http_chunk_len(const struct http_client *c)
{
    return c->framing == HTTP_FRAMING_CHUNKED ? c->chunk.size_len : 0;
}

const struct http_opts *http_opts_of(const struct http_client *c)
{
    return &c->opts;
}

void http_cause(const struct http_client *c, char out[HTTP_CAUSE_LEN])
{
    http_conn_cause(&c->conn, out, HTTP_CAUSE_LEN);
}

const struct http_head *http_head(const struct http_client *c)
{
    return &c->parser.head;
}

const struct http_stats *http_stats(const struct http_client *c)
{
    return &c->stats;
}

const struct http_url *http_url_now(const struct http_client *c)
{
    return &c->url;
}
