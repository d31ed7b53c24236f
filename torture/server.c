#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX 2048u

struct port_conn {
    const struct server *server;
    char request[REQUEST_MAX];
    size_t request_len;
    char head[200];
    struct span head_left, body_left; /* of the answer */
};

static esp_err_t server_open(void *ctx, const char *host, uint16_t port,
                             const struct port_net_opts *opts,
                             uint64_t deadline_ms, struct port_conn **out,
                             int *sys_errno)
{
    (void)host;
    (void)port;
    (void)opts;
    (void)deadline_ms;
    *sys_errno = 0;
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return ESP_ERR_NO_MEM;
    (*out)->server = ctx;
    return ESP_OK;
}

/* "bytes=FROM-" or "bytes=FROM-TO": what lies there, no further than the end
 * of the file. False: all of it was asked for. */
static bool asked_part(const struct port_conn *c, size_t *from, size_t *end)
{
    const char *range = strstr(c->request, "Range: bytes=");
    char *dash;

    *from = 0;
    *end = c->server->file.len;
    if (!range)
        return false;
    *from = strtoul(range + 13, &dash, 10);
    if (*dash == '-' && dash[1] >= '0' && dash[1] <= '9') {
        size_t last = strtoul(dash + 1, NULL, 10);
        *end = last < *end ? last + 1 : *end;
    }
    return *from < *end;
}

static void answer(struct port_conn *c)
{
    struct span file = c->server->file;
    size_t from, end;

    if (asked_part(c, &from, &end))
        snprintf(c->head, sizeof(c->head),
                 "HTTP/1.1 206 Partial Content\r\nETag: \"1\"\r\n"
                 "Content-Range: bytes %zu-%zu/%zu\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 from, end - 1, file.len, end - from);
    else
        snprintf(c->head, sizeof(c->head),
                 "HTTP/1.1 200 OK\r\nETag: \"1\"\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 file.len);
    c->head_left = span_str(c->head);
    c->body_left = from < end ? span_of(file.ptr + from, end - from) : file;
    c->request_len = 0;
}

static esp_err_t server_send(struct port_conn *c, const void *src, size_t len,
                             uint64_t deadline_ms, size_t *done_len)
{
    (void)deadline_ms;
    *done_len = 0;
    if (len >= sizeof(c->request) - c->request_len)
        return ESP_FAIL;
    memcpy(c->request + c->request_len, src, len);
    c->request_len += len;
    c->request[c->request_len] = '\0';
    *done_len = len;
    if (strstr(c->request, "\r\n\r\n"))
        answer(c);
    return ESP_OK;
}

static esp_err_t server_recv(struct port_conn *c, void *dst, size_t len,
                             uint64_t deadline_ms, size_t *done_len)
{
    struct span *from = c->head_left.len ? &c->head_left : &c->body_left;

    (void)deadline_ms;
    *done_len = len < from->len ? len : from->len;
    if (*done_len > 0)
        memcpy(dst, from->ptr, *done_len);
    *from = span_from(*from, *done_len);
    return ESP_OK;
}

static int server_errno(const struct port_conn *c)
{
    (void)c;
    return 0;
}

static int server_fd(const struct port_conn *c)
{
    (void)c;
    return -1;
}

static void server_close(struct port_conn *c)
{
    free(c);
}

void server_init(struct server *s, struct span file)
{
    *s = (struct server){ .port = { .ctx = s,
                                    .open = server_open,
                                    .send = server_send,
                                    .recv = server_recv,
                                    .last_errno = server_errno,
                                    .fd = server_fd,
                                    .close = server_close },
                          .file = file };
}
