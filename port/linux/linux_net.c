#include "linux_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"
#include "base/span.h"
#include "linux_conn.h"
#include "linux_time.h"

/* --- waiting -------------------------------------------------------------- */

/* How long one poll() may take: a limit is looked at again after it. */
static int slice_ms(uint64_t deadline_ms, const struct port_limit *limit)
{
    uint64_t now = linux_mono_ms();
    uint64_t left = deadline_ms > now ? deadline_ms - now : 0;
    uint64_t most = limit ? PORT_LIMIT_SLICE_MS : INT32_MAX;
    return (int)(left < most ? left : most);
}

/* ESP_OK: fd is ready, or broken, which the next call on it tells. */
static esp_err_t fd_wait(int fd, short events, uint64_t deadline_ms,
                         struct port_limit *limit)
{
    struct pollfd pfd = { .fd = fd, .events = events };
    deadline_ms = port_limit_until(limit, deadline_ms);
    while (!port_limit_stopped(limit)) {
        int rc = poll(&pfd, 1, slice_ms(deadline_ms, limit));
        if (rc > 0)
            return ESP_OK;
        if (rc < 0 && errno != EINTR)
            return ESP_FAIL;
        if (rc == 0 && linux_mono_ms() >= deadline_ms)
            return ESP_ERR_TIMEOUT;
    }
    errno = ECANCELED;
    return ESP_ERR_NOT_FINISHED;
}

/* --- one address ---------------------------------------------------------- */

static bool keep_alive_set(int fd, const struct port_net_opts *o)
{
    int on = 1;
    if (!o || o->keep_idle_s == 0)
        return true;
    return setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &o->keep_idle_s,
                      sizeof(int)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &o->keep_interval_s,
                      sizeof(int)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &o->keep_cnt,
                      sizeof(int)) == 0;
}

static bool is_loopback(const struct addrinfo *ai)
{
    if (ai->ai_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)ai->ai_addr;
        return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
    }
    const struct sockaddr_in *in = (const void *)ai->ai_addr;
    return ai->ai_family == AF_INET &&
           ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* This machine itself is not behind any of its interfaces, and yet a device on
 * it is to reach servers there. */
static bool interface_set(int fd, const struct addrinfo *ai, const char *name)
{
    if (is_loopback(ai))
        return if_nametoindex(name) != 0;
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name,
                      (socklen_t)strlen(name)) == 0;
}

static esp_err_t options_set(int fd, const struct addrinfo *ai,
                             const struct port_net_opts *opts)
{
    int on = 1;
    bool ok = setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0;
    ok = ok && keep_alive_set(fd, opts);
    if (ok && opts && opts->bind_if)
        ok = interface_set(fd, ai, opts->bind_if);
    return ok ? ESP_OK : ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED;
}

esp_err_t linux_net_connected(int fd, uint64_t deadline_ms,
                              struct port_limit *limit)
{
    esp_err_t err = fd_wait(fd, POLLOUT, deadline_ms, limit);
    if (err == ESP_ERR_NOT_FINISHED)
        return err;
    if (err == ESP_ERR_TIMEOUT) {
        errno = ETIMEDOUT;
        return ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT;
    }
    int so_error = 0;
    socklen_t len = sizeof(so_error);
    if (err || getsockopt(fd, SOL_SOCKET, SO_ERROR, &so_error, &len) != 0)
        return ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
    errno = so_error;
    return so_error ? ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST : ESP_OK;
}

static esp_err_t fd_connect(int fd, const struct addrinfo *ai,
                            uint64_t deadline_ms, struct port_limit *limit)
{
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
        return ESP_OK;
    /* An interrupted connect goes on in the background, like EINPROGRESS. */
    if (errno != EINPROGRESS && errno != EINTR)
        return ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
    return linux_net_connected(fd, deadline_ms, limit);
}

static void close_quietly(int fd)
{
    int why = errno;
    close(fd);
    errno = why;
}

esp_err_t linux_net_socket(const struct addrinfo *ai,
                           const struct port_net_opts *opts, int *fd)
{
    *fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET;
    esp_err_t err = options_set(*fd, ai, opts);
    if (err) {
        close_quietly(*fd);
        *fd = -1;
    }
    return err;
}

/* errno says why on failure. */
static esp_err_t addr_open(const struct addrinfo *ai,
                           const struct port_net_opts *opts,
                           uint64_t deadline_ms, int *out)
{
    int fd = -1;
    esp_err_t err = linux_net_socket(ai, opts, &fd);
    if (err)
        return err;
    err = fd_connect(fd, ai, deadline_ms, opts ? opts->limit : NULL);
    if (err)
        close_quietly(fd);
    else
        *out = fd;
    return err;
}

/* --- a name --------------------------------------------------------------- */

static uint64_t share_ms(uint64_t deadline_ms, unsigned addresses_left)
{
    uint64_t now = linux_mono_ms();
    if (deadline_ms <= now)
        return deadline_ms;
    return now + (deadline_ms - now) / addresses_left;
}

static esp_err_t list_open(const struct addrinfo *list,
                           const struct port_net_opts *opts,
                           uint64_t deadline_ms, int *fd)
{
    unsigned left = 0;
    for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
        left++;
    esp_err_t err = ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
    for (const struct addrinfo *ai = list; ai; ai = ai->ai_next, left--) {
        err = addr_open(ai, opts, share_ms(deadline_ms, left), fd);
        if (!err || err == ESP_ERR_NOT_FINISHED)
            break;
    }
    return err;
}

static const char *override_of(const struct linux_net *net, const char *host,
                               uint16_t port)
{
    for (uint32_t i = 0; i < net->override_cnt; i++) {
        const struct linux_net_override *o = &net->overrides[i];
        if (o->port == port && strcasecmp(o->host, host) == 0)
            return o->addr;
    }
    return host;
}

static int family_of(const struct port_net_opts *opts)
{
    if (!opts || opts->addr_family == 0)
        return AF_UNSPEC;
    return opts->addr_family == 6 ? AF_INET6 : AF_INET;
}

/* lint-ok: function, as the contract has them */
esp_err_t linux_net_resolve(struct linux_net *net, const char *host,
                            uint16_t port, const struct port_net_opts *opts,
                            uint64_t deadline_ms, struct addrinfo **out,
                            int *sys_errno)
{
    const struct linux_dns_query query = { override_of(net, host, port), port,
                                           family_of(opts), deadline_ms,
                                           opts ? opts->limit : NULL };
    return linux_dns_resolve(&query, out, sys_errno);
}

/* lint-ok: function, the contract's own list */
static esp_err_t net_open(void *ctx, const char *host, uint16_t port,
                          const struct port_net_opts *opts,
                          uint64_t deadline_ms, struct port_conn **out,
                          int *sys_errno)
{
    struct linux_net *net = ctx;
    struct addrinfo *list = NULL;
    *out = NULL;
    *sys_errno = 0;
    struct port_conn *conn = net->heap->alloc(net->heap->ctx, sizeof(*conn));
    if (!conn)
        return ESP_ERR_NO_MEM;
    deadline_ms = port_limit_until(opts ? opts->limit : NULL, deadline_ms);
    esp_err_t err =
        linux_net_resolve(net, host, port, opts, deadline_ms, &list, sys_errno);
    if (err)
        goto out;
    *conn = (struct port_conn){ .fd = -1 };
    conn->heap = net->heap;
    conn->opts.limit = opts ? opts->limit : NULL;
    conn->link = net->link;
    conn->seen_us = linux_mono_us();
    err = list_open(list, opts, deadline_ms, &conn->fd);
    if (err)
        *sys_errno = errno;
out:
    if (list)
        freeaddrinfo(list);
    if (err)
        net->heap->free(net->heap->ctx, conn);
    else
        *out = conn;
    return err;
}

/* --- a connection --------------------------------------------------------- */

static esp_err_t conn_stopped(struct port_conn *conn)
{
    if (!port_limit_stopped(conn->opts.limit))
        return ESP_OK;
    conn->err = ECANCELED;
    return ESP_ERR_NOT_FINISHED;
}

/* What a failed send or recv means: ESP_OK is "try again". */
static esp_err_t io_retry(struct port_conn *conn, short events,
                          uint64_t deadline_ms)
{
    if (errno == EINTR)
        return ESP_OK;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
        conn->err = errno;
        return ESP_FAIL;
    }
    esp_err_t err = fd_wait(conn->fd, events, deadline_ms, conn->opts.limit);
    if (err)
        conn->err = err == ESP_ERR_TIMEOUT ? EAGAIN : errno;
    return err;
}

static esp_err_t conn_send(struct port_conn *conn, const void *src, size_t len,
                           uint64_t deadline_ms, size_t *done_len)
{
    esp_err_t err = conn_stopped(conn);
    *done_len = 0;
    while (err == ESP_OK) {
        ssize_t n = send(conn->fd, src, len, MSG_NOSIGNAL);
        if (n >= 0) {
            *done_len = (size_t)n;
            return ESP_OK;
        }
        err = io_retry(conn, POLLOUT, deadline_ms);
    }
    return err;
}

/* Bytes that a link with a rate has brought, and nobody has read. */
static uint64_t link_look(struct port_conn *conn)
{
    uint64_t most = conn->link.window_len ? conn->link.window_len : 16384;
    uint64_t now = linux_mono_us();
    uint64_t came = (now - conn->seen_us) * conn->link.rate / 1000000;
    if (came == 0)
        return conn->here_len;
    conn->seen_us = now;
    conn->here_len += came;
    if (conn->here_len > most)
        conn->here_len = most;
    return conn->here_len;
}

/* Waits until the link has brought something, and says how much. */
static esp_err_t link_wait(struct port_conn *conn, uint64_t deadline_ms,
                           size_t *len)
{
    deadline_ms = port_limit_until(conn->opts.limit, deadline_ms);
    while (link_look(conn) == 0) {
        if (port_limit_stopped(conn->opts.limit))
            return conn_stopped(conn);
        if (linux_mono_ms() >= deadline_ms) {
            conn->err = EAGAIN;
            return ESP_ERR_TIMEOUT;
        }
        linux_sleep_us(1000);
    }
    if (*len > conn->here_len)
        *len = (size_t)conn->here_len;
    return ESP_OK;
}

static esp_err_t conn_recv(struct port_conn *conn, void *dst, size_t len,
                           uint64_t deadline_ms, size_t *done_len)
{
    esp_err_t err = conn_stopped(conn);
    *done_len = 0;
    if (!err && conn->link.rate > 0)
        err = link_wait(conn, deadline_ms, &len);
    while (err == ESP_OK) {
        ssize_t n = recv(conn->fd, dst, len, 0);
        if (n >= 0) {
            *done_len = (size_t)n;
            if (conn->link.rate > 0)
                conn->here_len -= (uint64_t)n;
            return ESP_OK;
        }
        err = io_retry(conn, POLLIN, deadline_ms);
    }
    return err;
}

static int conn_last_errno(const struct port_conn *conn)
{
    return conn->err;
}

static int conn_fd(const struct port_conn *conn)
{
    return conn->fd;
}

static void conn_close(struct port_conn *conn)
{
    if (!conn)
        return;
    if (conn->fd >= 0)
        close(conn->fd);
    if (conn->list)
        freeaddrinfo(conn->list);
    conn->heap->free(conn->heap->ctx, conn);
}

/* --- set-up --------------------------------------------------------------- */

void linux_net_init(struct linux_net *net, const struct port_heap *heap)
{
    *net = (struct linux_net){ .port = { .ctx = net,
                                         .open = net_open,
                                         .send = conn_send,
                                         .recv = conn_recv,
                                         .last_errno = conn_last_errno,
                                         .fd = conn_fd,
                                         .close = conn_close },
                               .heap = heap };
}

static bool literal_ok(const char *addr)
{
    uint8_t bytes[16];
    return inet_pton(AF_INET, addr, bytes) == 1 ||
           inet_pton(AF_INET6, addr, bytes) == 1;
}

/* HOST:PORT:ADDR; the address may hold colons, host and port do not. */
static bool override_parse(const char *text, struct linux_net_override *o)
{
    const char *port = strchr(text, ':');
    const char *addr = port ? strchr(port + 1, ':') : NULL;
    uint32_t number;
    if (!addr || port == text || (size_t)(port - text) >= sizeof(o->host))
        return false;
    memcpy(o->host, text, (size_t)(port - text));
    struct span digits = span_of(port + 1, (size_t)(addr - port - 1));
    if (num_parse_u32(digits, &number) || number == 0 || number > 0xffff)
        return false;
    o->port = (uint16_t)number;
    addr++;
    size_t len = strlen(addr);
    if (len >= 2 && addr[0] == '[' && addr[len - 1] == ']') {
        addr++;
        len -= 2;
    }
    if (len >= sizeof(o->addr))
        return false;
    memcpy(o->addr, addr, len);
    return literal_ok(o->addr);
}

esp_err_t linux_net_override(struct linux_net *net, const char *text,
                             struct diag *diag)
{
    struct linux_net_override o = { .port = 0 };
    if (net->override_cnt == LINUX_NET_OVERRIDES)
        return diag_fail(diag, DIAG_STAGE_ARGS, ESP_ERR_NO_MEM,
                         "more than %u addresses with --resolve",
                         LINUX_NET_OVERRIDES);
    if (!override_parse(text, &o))
        return diag_fail(diag, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                         "'%s' is not HOST:PORT:ADDR, such as "
                         "example.org:443:192.0.2.7",
                         text);
    net->overrides[net->override_cnt++] = o;
    return ESP_OK;
}
