#include "unit/update/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static esp_err_t web_open(void *ctx, const char *host, uint16_t port,
                          const struct port_net_opts *opts,
                          uint64_t deadline_ms, struct port_conn **out,
                          int *sys_errno)
{
    struct web *w = ctx;

    (void)host;
    (void)port;
    w->open_cnt++;
    *out = NULL;
    *sys_errno = 0;
    if (port_limit_stopped(opts->limit))
        return ESP_ERR_NOT_FINISHED;
    if (w->mute_open) {
        sim_sys_advance_to(w->sys, port_limit_until(opts->limit, deadline_ms));
        return ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT;
    }
    if (w->refuse_cnt > 0) {
        w->refuse_cnt--;
        *sys_errno = 111;
        return ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
    }
    memset(&w->conn, 0, sizeof(w->conn));
    w->conn.web = w;
    w->conn.limit = opts->limit;
    w->alive_cnt++;
    *out = &w->conn;
    return ESP_OK;
}

static void web_close(struct port_conn *conn)
{
    if (conn)
        conn->web->alive_cnt--;
}

/* A field's text, "" without it. */
static void field_of(const char *request, const char *name, char out[48])
{
    const char *at = strstr(request, name);
    size_t len;

    out[0] = '\0';
    if (!at)
        return;
    at += strlen(name);
    len = strcspn(at, "\r");
    snprintf(out, 48, "%.*s", (int)len, at);
}

/* If-Range names the file that is served, or is not there. */
static bool is_same_file(const struct web *w, const char *request)
{
    char want[48];

    field_of(request, "\r\nIf-Range: ", want);
    return want[0] == '\0' || (w->etag && strcmp(want, w->etag) == 0) ||
           (w->modified && strcmp(want, w->modified) == 0);
}

static void put(struct port_conn *c, const char *text)
{
    size_t len = strlen(text);

    memcpy(c->head + c->head_len, text, len + 1);
    c->head_len += len;
}

static void put_range(struct port_conn *c, size_t first, size_t end)
{
    const struct web *w = c->web;
    char text[96], total[24];

    snprintf(total, sizeof(total), "%zu", w->file_len);
    snprintf(text, sizeof(text), "Content-Range: bytes %zu-%zu/%s\r\n",
             first + w->lie_range, end - 1 + w->short_range,
             w->no_total ? "*" : total);
    put(c, text);
}

static void answer_body(struct port_conn *c, int status, size_t first,
                        size_t end)
{
    struct web *w = c->web;
    char text[256];

    snprintf(text, sizeof(text), "HTTP/1.1 %d X\r\nContent-Type: %s\r\n",
             status, w->type ? w->type : "application/octet-stream");
    put(c, text);
    if (status == 206)
        put_range(c, first, end);
    if (status == 416 && w->told_end > 0) {
        snprintf(text, sizeof(text), "Content-Range: bytes */%zu\r\n",
                 w->told_end);
        put(c, text);
    }
    if (!w->no_length) {
        snprintf(text, sizeof(text), "Content-Length: %zu\r\n",
                 end - first + w->lie_len);
        put(c, text);
    }
    if (w->etag) {
        snprintf(text, sizeof(text), "ETag: %s\r\n", w->etag);
        put(c, text);
    }
    if (w->modified) {
        snprintf(text, sizeof(text), "Last-Modified: %s\r\n", w->modified);
        put(c, text);
    }
    if (w->extra)
        put(c, w->extra);
    if (status == 503 && w->busy_extra)
        put(c, w->busy_extra);
    put(c, "\r\n");
    c->body_pos = first;
    c->body_end = end;
}

static void answer(struct port_conn *c)
{
    struct web *w = c->web;
    char *range = w->ranges[w->request_cnt % 16];
    unsigned long first = 0, last = 0;
    int fields;

    w->request_cnt++;
    c->head_len = c->head_pos = c->answer_len = 0;
    c->pause_at = w->pause_each;
    field_of(c->request, "\r\nRange: ", range);
    memcpy(w->last_request, c->request, sizeof(w->last_request));
    c->request_len = 0;
    if (!is_same_file(w, w->last_request))
        range[0] = '\0';
    fields = sscanf(range, "bytes=%lu-%lu", &first, &last);
    if (w->busy_cnt > 0) {
        w->busy_cnt--;
        answer_body(c, 503, 0, 0);
    } else if (w->status != 0) {
        answer_body(c, w->status, 0, w->file_len);
    } else if (fields < 1 || w->no_ranges) {
        answer_body(c, 200, 0, w->file_len);
    } else if (first >= w->file_len) {
        answer_body(c, 416, 0, 7); /* that is not the file's */
    } else {
        if (fields < 2 || last >= w->file_len)
            last = w->file_len - 1;
        if (w->max_part > 0 && last - first >= w->max_part)
            last = first + w->max_part - 1;
        answer_body(c, 206, first, last + 1);
    }
}

static esp_err_t web_send(struct port_conn *c, const void *src, size_t len,
                          uint64_t deadline_ms, size_t *done_len)
{
    size_t room = sizeof(c->request) - 1 - c->request_len;

    (void)deadline_ms;
    *done_len = 0;
    if (c->dead || len > room)
        return ESP_FAIL;
    memcpy(c->request + c->request_len, src, len);
    c->request_len += len;
    c->request[c->request_len] = '\0';
    *done_len = len;
    if (strstr(c->request, "\r\n\r\n"))
        answer(c);
    return ESP_OK;
}

/* How many of len body bytes may go before this answer is cut. */
static size_t until_cut(struct port_conn *c, size_t len, bool *cut)
{
    struct web *w = c->web;

    *cut = false;
    if (w->cut_cnt == 0 || c->answer_len + len < w->cut_at)
        return len;
    *cut = c->answer_len == w->cut_at;
    return w->cut_at - c->answer_len;
}

static esp_err_t be_cut(struct port_conn *c, uint64_t deadline_ms)
{
    struct web *w = c->web;

    if (w->cut_silent) {
        sim_sys_advance_to(w->sys, deadline_ms);
        return ESP_ERR_TIMEOUT;
    }
    w->cut_cnt--;
    c->dead = true;
    return ESP_OK;
}

static esp_err_t web_recv(struct port_conn *c, void *dst, size_t len,
                          uint64_t deadline_ms, size_t *done_len)
{
    struct web *w = c->web;
    bool cut;

    *done_len = 0;
    if (port_limit_stopped(c->limit))
        return ESP_ERR_NOT_FINISHED;
    deadline_ms = port_limit_until(c->limit, deadline_ms);
    if (c->dead)
        return ESP_OK;
    if (w->max_recv > 0 && len > w->max_recv)
        len = w->max_recv;
    if (c->head_pos < c->head_len) {
        if (len > c->head_len - c->head_pos)
            len = c->head_len - c->head_pos;
        memcpy(dst, c->head + c->head_pos, len);
        c->head_pos += len;
        *done_len = len;
        return ESP_OK;
    }
    if (len > c->body_end - c->body_pos)
        len = c->body_end - c->body_pos;
    if (len == 0) {
        c->dead = true;
        return ESP_OK;
    }
    if (w->pause_each > 0 && c->answer_len >= c->pause_at) {
        c->pause_at = c->answer_len + w->pause_each;
        sim_sys_advance_to(w->sys, deadline_ms);
        return ESP_ERR_TIMEOUT;
    }
    len = until_cut(c, len, &cut);
    if (cut)
        return be_cut(c, deadline_ms);
    if (w->trickle_ms > 0) {
        sim_sys_advance_to(w->sys, w->sys->now_ms + w->trickle_ms);
        len = 1;
    }
    if (w->stop_at > 0 && c->answer_len >= w->stop_at) {
        port_limit_stop(c->limit);
        return ESP_ERR_NOT_FINISHED;
    }
    memcpy(dst, (const uint8_t *)w->file + c->body_pos, len);
    c->body_pos += len;
    c->answer_len += len;
    *done_len = len;
    return ESP_OK;
}

static int web_errno(const struct port_conn *conn)
{
    (void)conn;
    return 0;
}

static int web_fd(const struct port_conn *conn)
{
    (void)conn;
    return -1;
}

void web_init(struct web *w, struct sim_sys *sys, const void *file,
              size_t file_len)
{
    memset(w, 0, sizeof(*w));
    w->sys = sys;
    w->file = file;
    w->file_len = file_len;
    w->port.ctx = w;
    w->port.open = web_open;
    w->port.send = web_send;
    w->port.recv = web_recv;
    w->port.last_errno = web_errno;
    w->port.fd = web_fd;
    w->port.close = web_close;
}
