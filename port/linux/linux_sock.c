#include "linux_sock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "linux_conn.h"

static struct port_conn *conn_new(const struct linux_net *net, int fd)
{
    struct port_conn *conn = net->heap->alloc(net->heap->ctx, sizeof(*conn));
    if (!conn)
        return NULL;
    *conn = (struct port_conn){ .heap = net->heap, .fd = fd };
    return conn;
}

static esp_err_t sock_adopt(void *ctx, int fd, struct port_conn **out)
{
    int flags = fcntl(fd, F_GETFL);
    *out = NULL;
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return ESP_ERR_INVALID_ARG;
    *out = conn_new(ctx, fd);
    return *out ? ESP_OK : ESP_ERR_NO_MEM;
}

/* It blocks again, as whoever takes it expects of a socket. */
static int sock_release(struct port_conn *conn)
{
    int fd = conn->fd;
    int flags = fcntl(fd, F_GETFL);
    (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    conn->heap->free(conn->heap->ctx, conn);
    return fd;
}

/* Begins with the next address that a connect can begin with. */
static esp_err_t start_next(struct port_conn *conn)
{
    esp_err_t err = ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
    for (; conn->next; conn->next = conn->next->ai_next) {
        err = linux_net_socket(conn->next, &conn->opts, &conn->fd);
        if (err)
            continue;
        if (connect(conn->fd, conn->next->ai_addr, conn->next->ai_addrlen) ==
                0 ||
            errno == EINPROGRESS || errno == EINTR) {
            conn->next = conn->next->ai_next;
            return ESP_OK;
        }
        int why = errno;
        close(conn->fd);
        conn->fd = -1;
        errno = why;
        err = ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
    }
    return err;
}

static void list_free(struct port_conn *conn)
{
    if (conn->list)
        freeaddrinfo(conn->list);
    conn->list = conn->next = NULL;
}

/* lint-ok: function, the contract's own list */
static esp_err_t sock_start(void *ctx, const char *host, uint16_t port,
                            const struct port_net_opts *opts,
                            uint64_t deadline_ms, struct port_conn **out,
                            int *sys_errno)
{
    struct port_conn *conn = conn_new(ctx, -1);
    *out = NULL;
    *sys_errno = 0;
    if (!conn)
        return ESP_ERR_NO_MEM;
    esp_err_t err = linux_net_resolve(ctx, host, port, opts, deadline_ms,
                                      &conn->list, sys_errno);
    if (!err) {
        conn->opts = opts ? *opts : (struct port_net_opts){ .bind_if = NULL };
        conn->next = conn->list;
        err = start_next(conn);
        *sys_errno = err ? errno : 0;
    }
    if (err) {
        list_free(conn);
        conn->heap->free(conn->heap->ctx, conn);
        return err;
    }
    *out = conn;
    return ESP_OK;
}

static esp_err_t sock_ready(struct port_conn *conn, uint64_t deadline_ms,
                            int *sys_errno)
{
    esp_err_t err = ESP_OK;
    *sys_errno = 0;
    if (!conn->list)
        return ESP_OK; /* it was there before */
    do {
        err = linux_net_connected(conn->fd, deadline_ms, conn->opts.limit);
        if (err == ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT)
            return ESP_ERR_TIMEOUT;
        if (err == ESP_ERR_NOT_FINISHED)
            return err;
        if (!err)
            break;
        conn->err = *sys_errno = errno;
        close(conn->fd);
        conn->fd = -1;
    } while (start_next(conn) == ESP_OK);
    list_free(conn);
    return err;
}

void linux_sock_init(struct linux_sock *sock, struct linux_net *net)
{
    *sock = (struct linux_sock){ .port = { .ctx = net,
                                           .adopt = sock_adopt,
                                           .release = sock_release,
                                           .start = sock_start,
                                           .ready = sock_ready } };
}
