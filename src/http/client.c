#include "http/client_priv.h"

#include <stdio.h>

#include "crypto/ct.h"
#include "http/text.h"

#define CLIENT_TIMEOUT_MS 5000u
#define CLIENT_REDIRECT_CNT 10u
#define CLIENT_AUTH_CNT 10u
#define CLIENT_RX_LEN 4096u
#define CLIENT_RX_MIN_LEN 256u

void http_emit(struct http_client *c, enum http_event ev)
{
    struct http_event_info info = { .ev = ev, .status = c->parser.head.status };

    if (c->opts.on_event)
        c->opts.on_event(c->opts.event_ctx, &info);
}

void http_host_text(const struct http_url *url, char out[HTTP_HOST_TEXT_LEN])
{
    bool usual = url->port == (url->is_https ? 443 : 80);
    struct http_txt t = { .buf = out, .cap = HTTP_HOST_TEXT_LEN };
    char port[8] = "";
    size_t need_len = 0;

    if (!usual)
        (void)snprintf(port, sizeof(port), ":%u", (unsigned)url->port);
    http_txt_puts(&t, url->host_is_ipv6 ? "[" : "");
    http_txt_put(&t, url->host);
    http_txt_puts(&t, url->host_is_ipv6 ? "]" : "");
    http_txt_puts(&t, port);
    if (http_txt_end(&t, &need_len) != ESP_OK)
        out[0] = '\0'; /* hosts are at most 255 bytes long */
}

static int hex_value(uint8_t c)
{
    if (http_is_digit(c))
        return c - '0';
    c = http_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-encoding undone (RFC 3986 section 2.1); a '%' that begins none is
 * one. */
static esp_err_t set_decoded(struct http_buf *out, struct span text)
{
    esp_err_t err = http_buf_reserve(out, text.len);

    http_buf_reset(out);
    for (size_t i = 0; i < text.len && !err; i++) {
        uint8_t c = text.ptr[i];
        int hi = i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
        int lo = i + 2 < text.len ? hex_value(text.ptr[i + 2]) : -1;
        if (c == '%' && hi >= 0 && lo >= 0) {
            c = (uint8_t)(hi << 4 | lo);
            i += 2;
        }
        err = http_buf_add(out, span_of(&c, 1));
    }
    return err;
}

static void drop_login(struct http_client *c)
{
    c->has_login = false;
    http_buf_free(&c->username);
    http_buf_free(&c->password);
    http_buf_free(&c->auth_challenge);
}

static esp_err_t take_userinfo(struct http_client *c, struct span userinfo)
{
    struct span password;
    struct span user = http_cut(userinfo, ':', &password);

    if (userinfo.len == 0)
        return ESP_OK;
    esp_err_t err = set_decoded(&c->username, user);
    if (!err)
        err = set_decoded(&c->password, password);
    c->has_login = !err;
    return err;
}

/* The copy that c->url points into has no userinfo: it is shown to people. */
static esp_err_t set_url_text(struct http_client *c, const struct http_url *url)
{
    struct http_buf text = { .heap = c->env.heap };
    size_t len = 0;

    if (http_url_format(url, NULL, 0, &len) == ESP_OK)
        return ESP_ERR_INVALID_ARG; /* cannot be: nothing fits no buffer */
    esp_err_t err = http_buf_reserve(&text, len);
    if (!err)
        err = http_url_format(url, text.ptr, text.cap, &len);
    if (!err) {
        text.len = len - 1;
        err = http_url_parse(http_buf_span(&text), &c->url);
    }
    if (err) {
        http_buf_free(&text);
        return err;
    }
    http_buf_free(&c->url_text);
    c->url_text = text;
    return ESP_OK;
}

static esp_err_t set_host_field(struct http_client *c)
{
    char host[HTTP_HOST_TEXT_LEN];

    http_host_text(&c->url, host);
    return http_set_header(c, "Host", host);
}

esp_err_t http_go(struct http_client *c, const struct http_url *parsed)
{
    bool first = c->url_text.len == 0;
    bool stays = !first && http_url_same_origin(&c->url, parsed);
    esp_err_t err = ESP_OK;

    if (!stays && !first) {
        http_disconnect(c);
        http_fields_drop_secrets(&c->fields);
        drop_login(c);
        c->auth = HTTP_AUTH_NONE;
    }
    err = set_url_text(c, parsed);
    if (!err)
        err = take_userinfo(c, parsed->userinfo);
    if (!err && !stays)
        err = set_host_field(c);
    return err;
}

esp_err_t http_set_url(struct http_client *c, const char *url)
{
    struct http_url parsed;
    struct http_buf text = { .heap = c->env.heap };
    struct span given = span_str(url);
    size_t need_len = 0;
    esp_err_t err = ESP_OK;

    if (given.len == 0)
        return ESP_ERR_INVALID_ARG;
    if (given.ptr[0] != '/' || c->url_text.len == 0) {
        err = http_url_parse(given, &parsed);
        return err ? err : http_go(c, &parsed);
    }
    need_len = given.len + c->url_text.len + 64;
    err = http_buf_reserve(&text, need_len);
    if (!err)
        err = http_url_resolve(&c->url, given, text.ptr, text.cap, &need_len);
    if (!err)
        err = http_url_parse(span_of(text.ptr, need_len - 1), &parsed);
    if (!err)
        err = http_go(c, &parsed);
    http_buf_free(&text);
    return err;
}

static esp_err_t copy_text(struct http_client *c, const char *str,
                           struct http_buf *out)
{
    *out = (struct http_buf){ .heap = c->env.heap };
    return str ? http_buf_add(out, span_str(str)) : ESP_OK;
}

/* What is given may be what is set already. */
esp_err_t http_set_login(struct http_client *c, const char *username,
                         const char *password)
{
    struct http_buf user, pass;
    esp_err_t err = copy_text(c, username, &user);
    esp_err_t err2 = copy_text(c, password, &pass);

    if (err || err2) {
        http_buf_free(&user);
        http_buf_free(&pass);
        return err ? err : err2;
    }
    drop_login(c);
    c->username = user;
    c->password = pass;
    c->has_login = username != NULL;
    return ESP_OK;
}

const char *http_username(const struct http_client *c)
{
    return c->username.ptr;
}

const char *http_password(const struct http_client *c)
{
    return c->password.ptr;
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

esp_err_t http_set_header(struct http_client *c, const char *name,
                          const char *value)
{
    if (value)
        return http_fields_set(&c->fields, span_str(name), span_str(value));
    return http_fields_remove(&c->fields, span_str(name)) ? ESP_OK
                                                          : ESP_ERR_NOT_FOUND;
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
    c->conn.timeout_ms = c->opts.timeout_ms;
    c->auth = opts->auth == HTTP_AUTH_BASIC ? opts->auth : HTTP_AUTH_NONE;
    c->fields.heap = env->heap;
    struct http_buf *bufs[] = { &c->url_text,  &c->username,      &c->password,
                                &c->name,      &c->value,         &c->location,
                                &c->challenge, &c->auth_challenge };
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        bufs[i]->heap = env->heap;
    http_head_init(&c->parser, NULL, NULL);
    return c;
}

static esp_err_t client_fill(struct http_client *c, const char *url)
{
    const struct port_heap *heap = c->env.heap;
    const char *agent = c->opts.user_agent;

    c->rx = heap->alloc(heap->ctx, c->opts.rx_len);
    if (!c->rx)
        return ESP_ERR_NO_MEM;
    esp_err_t err = http_set_method(c, "GET");
    if (!err)
        err = http_set_header(c, "User-Agent", agent ? agent : "porta");
    if (!err)
        err = http_set_url(c, url);
    if (!err && c->opts.username)
        err = http_set_login(c, c->opts.username, c->opts.password);
    /* Copied: the caller's strings may go. */
    c->opts.username = NULL;
    c->opts.password = NULL;
    c->opts.user_agent = NULL;
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
                     "http[s]://host[:port]/path, or a header is not legal");
}

void http_close(struct http_client *c)
{
    if (!c)
        return;
    const struct port_heap *heap = c->env.heap;
    http_disconnect(c);
    http_conn_free(&c->conn);
    http_fields_clear(&c->fields);
    drop_login(c);
    http_buf_free(&c->url_text);
    http_buf_free(&c->name);
    http_buf_free(&c->value);
    http_buf_free(&c->location);
    http_buf_free(&c->challenge);
    heap->free(heap->ctx, c->rx);
    ct_wipe(c, sizeof(*c));
    heap->free(heap->ctx, c);
}

void http_disconnect(struct http_client *c)
{
    bool was_open = http_conn_is_open(&c->conn);

    http_conn_close(&c->conn);
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

uint64_t http_chunk_len(const struct http_client *c)
{
    return c->framing == HTTP_FRAMING_CHUNKED ? c->chunk.size_len : 0;
}

const char *http_location(const struct http_client *c)
{
    return c->location.len > 0 ? c->location.ptr : NULL;
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
