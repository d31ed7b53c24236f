/* A request is written through a small buffer, so that its lines may have any
 * length and a usual one still leaves in one piece. Names and values were
 * checked when they were set: nothing here can end a line early. */
#include <stdio.h>

#include "crypto/ct.h"
#include "http/client_priv.h"
#include "http/text.h"

struct writer {
    struct http_client *c;
    struct diag *d;
    esp_err_t err; /* the first; it sticks */
    size_t len;
    char buf[1024];
};

static void flush(struct writer *w)
{
    if (!w->err)
        w->err = http_conn_send(&w->c->conn, w->buf, w->len, w->d);
    w->len = 0;
}

static void put(struct writer *w, struct span s)
{
    if (s.len > sizeof(w->buf) - w->len)
        flush(w);
    if (s.len > sizeof(w->buf)) {
        if (!w->err)
            w->err = http_conn_send(&w->c->conn, s.ptr, s.len, w->d);
        return;
    }
    if (s.len > 0)
        memcpy(w->buf + w->len, s.ptr, s.len);
    w->len += s.len;
}

static void puts_(struct writer *w, const char *str)
{
    put(w, span_str(str));
}

static void put_field(struct writer *w, struct span name, struct span value)
{
    put(w, name);
    puts_(w, ": ");
    put(w, value);
    puts_(w, "\r\n");
}

static void put_line(struct writer *w)
{
    const struct http_url *url = &w->c->url;

    puts_(w, w->c->method);
    puts_(w, " ");
    if (http_conn_is_relayed(&w->c->conn)) {
        char host[HTTP_HOST_TEXT_LEN];
        http_host_text(url, host); /* RFC 9112 section 3.2.2 */
        puts_(w, "http://");
        puts_(w, host);
    }
    put(w, url->path);
    if (url->has_query)
        puts_(w, "?");
    put(w, url->query);
    puts_(w, " HTTP/1.1\r\n");
}

static bool has_field(const struct http_client *c, const char *name)
{
    return http_get_header(c, name) != NULL;
}

/* Only what the caller did not say himself. A method that may have a body
 * says so even when it is empty (RFC 9110 section 8.6). */
static void put_body_fields(struct writer *w, http_len body_len)
{
    const char *method = w->c->method;
    bool bodiless = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
                    strcmp(method, "DELETE") == 0;
    char text[24];

    if (has_field(w->c, "Content-Length") ||
        has_field(w->c, "Transfer-Encoding"))
        return;
    if (body_len == HTTP_LEN_UNKNOWN) {
        puts_(w, "Transfer-Encoding: chunked\r\n");
    } else if (body_len > 0 || !bodiless) {
        (void)snprintf(text, sizeof(text), "%" HTTP_LEN_FMT, body_len);
        put_field(w, span_str("Content-Length"), span_str(text));
    }
}

static bool is_for_proxy(const struct http_field *f)
{
    return http_name_is(http_field_name(f), "proxy-authorization");
}

/* RFC 9112 section 3.2: there is a Host in every request. */
static void put_fields(struct writer *w)
{
    const struct http_url *url = &w->c->url;
    char host[HTTP_HOST_TEXT_LEN];

    if (!has_field(w->c, "Host")) {
        http_host_text(url, host);
        put_field(w, span_str("Host"), span_str(host));
    }
    for (const struct http_field *f = w->c->fields.first; f; f = f->next) {
        if (!f->held && !is_for_proxy(f))
            put_field(w, http_field_name(f), http_field_value(f));
    }
}

/* The server never sees what is meant for the proxy. */
static void put_proxy_fields(struct writer *w)
{
    const struct http_conn *conn = &w->c->conn;

    if (http_conn_is_relayed(conn) && conn->proxy->auth)
        put_field(w, span_str("Proxy-Authorization"),
                  span_str(conn->proxy->auth));
}

esp_err_t http_write_request(struct http_client *c, http_len body_len,
                             struct diag *d)
{
    struct writer w = { .c = c, .d = d, .err = ESP_OK };
    struct http_buf auth = { .heap = c->env.heap };
    esp_err_t err = http_auth_text(c, &auth, d);

    if (err)
        goto out;
    put_line(&w);
    put_fields(&w);
    if (auth.len > 0)
        put_field(&w, span_str("Authorization"), http_buf_span(&auth));
    put_proxy_fields(&w);
    put_body_fields(&w, body_len);
    puts_(&w, "\r\n");
    flush(&w);
    err = w.err;
out:
    http_buf_free(&auth);
    ct_wipe(w.buf, sizeof(w.buf));
    return err;
}
