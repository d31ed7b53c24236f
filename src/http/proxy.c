#include "http/proxy.h"

#include <string.h>

#include "crypto/ct.h"
#include "http/auth.h"
#include "http/buf.h"
#include "http/head.h"
#include "http/text.h"

#define PROXY_INTERIM_CNT 16u

static void free_text(const struct port_heap *heap, char **text)
{
    if (*text)
        ct_wipe(*text, strlen(*text));
    heap->free(heap->ctx, *text);
    *text = NULL;
}

void http_proxy_clear(struct http_proxy *p, const struct port_heap *heap)
{
    free_text(heap, &p->host);
    free_text(heap, &p->auth);
}

/* "Basic ..." from a userinfo. */
static esp_err_t make_auth(struct http_proxy *p, const struct port_heap *heap,
                           struct span userinfo)
{
    struct http_buf user = { .heap = heap };
    struct http_buf pass = { .heap = heap };
    struct span password;
    struct span name = http_cut(userinfo, ':', &password);
    size_t need_len = 0;
    esp_err_t err = http_decode(&user, name);

    if (!err)
        err = http_decode(&pass, password);
    struct http_login login = { http_buf_span(&user), http_buf_span(&pass) };
    if (!err)
        err = http_basic_format(&login, NULL, 0, &need_len);
    if (err == ESP_ERR_INVALID_SIZE) {
        p->auth = heap->alloc(heap->ctx, need_len);
        err = p->auth ? http_basic_format(&login, p->auth, need_len, &need_len)
                      : ESP_ERR_NO_MEM;
    }
    http_buf_free(&user);
    http_buf_free(&pass);
    return err;
}

esp_err_t http_proxy_set(struct http_proxy *p, const struct port_heap *heap,
                         const char *url)
{
    struct http_url parsed;
    esp_err_t err = ESP_OK;

    http_proxy_clear(p, heap);
    if (!url)
        return ESP_OK;
    err = http_url_parse(span_str(url), &parsed);
    if (err)
        return err;
    if (parsed.is_https)
        return ESP_ERR_NOT_SUPPORTED;
    if (parsed.path.len > 1 || parsed.has_query)
        return ESP_ERR_INVALID_ARG;
    p->port = parsed.port;
    p->host = heap->alloc(heap->ctx, parsed.host.len + 1);
    if (!p->host)
        return ESP_ERR_NO_MEM;
    (void)http_copy(parsed.host, p->host, parsed.host.len + 1);
    if (parsed.userinfo.len > 0)
        err = make_auth(p, heap, parsed.userinfo);
    if (err)
        http_proxy_clear(p, heap);
    return err;
}

/* --- the tunnel ----------------------------------------------------------- */

static esp_err_t send_connect(struct http_conn *c, const char *target,
                              struct diag *d)
{
    const char *auth = c->proxy->auth;
    const char *const parts[] = { "CONNECT ",
                                  target,
                                  " HTTP/1.1\r\nHost: ",
                                  target,
                                  "\r\n",
                                  auth ? "Proxy-Authorization: " : "",
                                  auth ? auth : "",
                                  auth ? "\r\n\r\n" : "\r\n" };
    struct http_buf text = { .heap = c->env->heap };
    esp_err_t err = ESP_OK;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !err; i++)
        err = http_buf_add(&text, span_str(parts[i]));
    if (err)
        err = http_conn_fail(c, d, DIAG_STAGE_CONNECT, err, "out of memory");
    else
        err = http_conn_send(c, text.ptr, text.len, d);
    http_buf_free(&text);
    return err;
}

static esp_err_t explain_status(const struct http_conn *c, int status,
                                struct diag *d)
{
    if (status == 407)
        return http_conn_fail(
            c, d, DIAG_STAGE_CONNECT, ESP_FAIL,
            c->proxy->auth
                ? "status 407: it refuses the user name and password of its "
                  "URL, or wants another scheme than Basic"
                : "status 407: it wants a user name and password, give them "
                  "in its URL (http://user:password@host:port)");
    return http_conn_fail(c, d, DIAG_STAGE_CONNECT,
                          status >= 500 ? ESP_ERR_HTTP_CONNECT : ESP_FAIL,
                          "status %d: it does not connect us to the server",
                          status);
}

/* The server behind the tunnel speaks after us: bytes that came with the head
 * are the proxy's, and would be taken for the server's. */
static esp_err_t recv_status(struct http_conn *c, uint64_t deadline_ms,
                             int *status, struct diag *d)
{
    struct http_head_parser parser;
    enum http_head_step step = HTTP_HEAD_MORE;
    uint8_t rx[256];
    size_t got = 0, used = 0;
    unsigned heads = 0;

    http_head_init(&parser, NULL, NULL);
    while (step == HTTP_HEAD_MORE) {
        if (used == got) {
            used = 0;
            esp_err_t err =
                http_conn_recv(c, rx, sizeof(rx), deadline_ms, &got);
            if (err || got == 0)
                return http_conn_fail(
                    c, d, DIAG_STAGE_CONNECT, ESP_ERR_HTTP_CONNECT,
                    err == ESP_ERR_TIMEOUT
                        ? "no answer to CONNECT in time"
                        : "it ended the connection before it answered "
                          "CONNECT");
        }
        size_t taken = 0;
        step = http_head_feed(&parser, span_of(rx + used, got - used), &taken);
        used += taken;
        bool interim = step == HTTP_HEAD_DONE && parser.head.status < 200;
        if (interim && ++heads <= PROXY_INTERIM_CNT) {
            http_head_init(&parser, NULL, NULL);
            step = HTTP_HEAD_MORE;
        }
    }
    *status = parser.head.status;
    if (step == HTTP_HEAD_BAD)
        return http_conn_fail(c, d, DIAG_STAGE_CONNECT, ESP_ERR_HTTP_CONNECT,
                              "its answer to CONNECT is not sound: %s",
                              parser.why);
    if (*status / 100 == 2 && used < got)
        return http_conn_fail(c, d, DIAG_STAGE_CONNECT, ESP_FAIL,
                              "it sent bytes of its own into the tunnel");
    return ESP_OK;
}

esp_err_t http_proxy_tunnel(struct http_conn *c, const struct http_url *url,
                            uint64_t deadline_ms, struct diag *d)
{
    struct http_url with_port = *url;
    char target[HTTP_HOST_TEXT_LEN];
    int status = 0;

    /* RFC 9112 section 3.2.3: the port is there, also when it is the usual
     * one, which it is not for the other scheme. */
    with_port.is_https = url->port == 80;
    http_host_text(&with_port, target);
    esp_err_t err = send_connect(c, target, d);
    if (!err)
        err = recv_status(c, deadline_ms, &status, d);
    if (err)
        return err;
    return status / 100 == 2 ? ESP_OK : explain_status(c, status, d);
}
