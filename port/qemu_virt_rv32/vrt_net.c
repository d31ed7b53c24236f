#include "vrt_net.h"

#include <errno.h>
#include <string.h>

#include "lwip/dns.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "vrt_map.h"
#include "vrt_netif.h"
#include "vrt_sys.h"

#define IDLE_TICKS (VRT_TICKS_PER_MS / 4u)

struct port_conn {
    const struct port_heap *heap;
    struct port_limit *limit;
    struct tcp_pcb *pcb; /* NULL: gone */
    struct pbuf *rx;     /* what has arrived and was not read */
    uint16_t rx_off;     /* in its first buffer */
    bool connected, fin;
    int err; /* errno */
};

/* --- waiting -------------------------------------------------------------- */

/* ESP_OK: something may have changed. */
static esp_err_t wait_a_bit(struct port_limit *limit, uint64_t deadline_ms)
{
    bool any = vrt_netif_poll();
    if (port_limit_stopped(limit))
        return ESP_ERR_NOT_FINISHED;
    if (any)
        return ESP_OK;
    if (vrt_mono_ms() >= port_limit_until(limit, deadline_ms))
        return ESP_ERR_TIMEOUT;
    vrt_sleep_ticks(IDLE_TICKS);
    return ESP_OK;
}

static int errno_of(err_t err)
{
    switch (err) {
    case ERR_OK:
        return 0;
    case ERR_MEM:
    case ERR_BUF:
        return ENOMEM;
    case ERR_TIMEOUT:
    case ERR_ABRT:
        return ETIMEDOUT;
    case ERR_RTE:
        return EHOSTUNREACH;
    case ERR_RST:
    case ERR_CLSD:
        return ECONNRESET;
    default:
        return EIO;
    }
}

/* --- what lwIP tells ------------------------------------------------------ */

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct port_conn *c = arg;
    (void)pcb;
    (void)err;
    if (!p)
        c->fin = true;
    else if (c->rx)
        pbuf_cat(c->rx, p);
    else
        c->rx = p;
    return ERR_OK;
}

/* lwIP has freed the block already. */
static void on_error(void *arg, err_t err)
{
    struct port_conn *c = arg;
    c->pcb = NULL;
    c->err = errno_of(err);
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct port_conn *c = arg;
    (void)pcb;
    c->connected = err == ERR_OK;
    return ERR_OK;
}

/* What an attempt to open a connection waits for, and how long. */
struct waits {
    int family; /* 0 any, 4, 6 */
    uint64_t deadline_ms;
    struct port_limit *limit;
};

/* --- names ---------------------------------------------------------------- */

/* lwIP cannot be told to forget a question, so that a late answer needs a
 * place of its own. */
static struct {
    uint32_t nth; /* question */
    bool done;
    bool found;
    ip_addr_t addr;
} name;

static void on_name(const char *host, const ip_addr_t *addr, void *arg)
{
    (void)host;
    if ((uint32_t)(uintptr_t)arg != name.nth)
        return;
    name.done = true;
    name.found = addr != NULL;
    if (addr)
        name.addr = *addr;
}

/* IPv4 goes first where there are both: its address is there at once. */
static u8_t wanted_type(int family)
{
    if (family == 4)
        return LWIP_DNS_ADDRTYPE_IPV4;
    if (family == 6 || !vrt_netif_has_v4())
        return LWIP_DNS_ADDRTYPE_IPV6;
    return LWIP_DNS_ADDRTYPE_IPV4_IPV6;
}

static esp_err_t resolve(const char *host, const struct waits *w,
                         ip_addr_t *out)
{
    name.nth++;
    name.done = name.found = false;
    err_t rc = dns_gethostbyname_addrtype(host, out, on_name,
                                          (void *)(uintptr_t)name.nth,
                                          wanted_type(w->family));
    if (rc == ERR_OK)
        return ESP_OK;
    if (rc != ERR_INPROGRESS)
        return ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME;
    esp_err_t err = ESP_OK;
    while (!err && !name.done)
        err = wait_a_bit(w->limit, w->deadline_ms);
    if (err == ESP_ERR_NOT_FINISHED)
        return err;
    *out = name.addr;
    return name.found ? ESP_OK : ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME;
}

/* --- opening -------------------------------------------------------------- */

static bool is_up(int family)
{
    return (family != 6 && vrt_netif_has_v4()) ||
           (family != 4 && vrt_netif_has_v6());
}

static esp_err_t wait_for_network(const struct waits *w, int *sys_errno)
{
    esp_err_t err = vrt_netif_exists() ? ESP_OK : ESP_ERR_NOT_FOUND;
    while (!err && !is_up(w->family))
        err = wait_a_bit(w->limit, w->deadline_ms);
    if (!err || err == ESP_ERR_NOT_FINISHED)
        return err;
    *sys_errno = ENETUNREACH;
    return ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
}

static void keep_alive_set(struct tcp_pcb *pcb, const struct port_net_opts *o)
{
    if (!o || o->keep_idle_s == 0)
        return;
    ip_set_option(pcb, SOF_KEEPALIVE);
    pcb->keep_idle = (u32_t)o->keep_idle_s * 1000u;
    pcb->keep_intvl = (u32_t)o->keep_interval_s * 1000u;
    pcb->keep_cnt = (u32_t)o->keep_cnt;
}

static esp_err_t pcb_new(struct port_conn *c, const struct port_net_opts *opts)
{
    c->pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
    if (!c->pcb)
        return ESP_ERR_NO_MEM;
    tcp_arg(c->pcb, c);
    tcp_recv(c->pcb, on_recv);
    tcp_err(c->pcb, on_error);
    tcp_nagle_disable(c->pcb);
    keep_alive_set(c->pcb, opts);
    return ESP_OK;
}

/* A reset in answer to the first segment is a refusal. */
static esp_err_t connect_failed(struct port_conn *c, esp_err_t err)
{
    if (err == ESP_ERR_NOT_FINISHED)
        return err;
    if (err == ESP_ERR_TIMEOUT || c->err == ETIMEDOUT) {
        c->err = ETIMEDOUT;
        return ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT;
    }
    if (c->err == ECONNRESET)
        c->err = ECONNREFUSED;
    return ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
}

static esp_err_t pcb_connect(struct port_conn *c, const ip_addr_t *addr,
                             uint16_t port, uint64_t deadline_ms)
{
    err_t rc = tcp_connect(c->pcb, addr, port, on_connected);
    esp_err_t err = ESP_OK;
    c->err = errno_of(rc);
    while (!err && !c->err && c->pcb && !c->connected)
        err = wait_a_bit(c->limit, deadline_ms);
    return c->connected ? ESP_OK : connect_failed(c, err);
}

static void conn_close(struct port_conn *c);

/* A literal says by itself over which network it is reached. */
static int family_of(const char *host, const struct port_net_opts *opts)
{
    ip_addr_t addr;
    if (opts && opts->addr_family)
        return opts->addr_family;
    if (!ipaddr_aton(host, &addr))
        return 0;
    return IP_IS_V6(&addr) ? 6 : 4;
}

/* The address, once there is a network that leads to it. */
static esp_err_t find_host(const char *host, struct waits w, ip_addr_t *addr,
                           int *sys_errno)
{
    esp_err_t err = wait_for_network(&w, sys_errno);
    if (!err)
        err = resolve(host, &w, addr);
    if (err || !IP_IS_V6(addr) || vrt_netif_has_v6())
        return err;
    w.family = 6;
    return wait_for_network(&w, sys_errno);
}

/* lint-ok: function, the contract's own list */
static esp_err_t net_open(void *ctx, const char *host, uint16_t port,
                          const struct port_net_opts *opts,
                          uint64_t deadline_ms, struct port_conn **out,
                          int *sys_errno)
{
    struct vrt_net *net = ctx;
    struct port_limit *limit = opts ? opts->limit : NULL;
    ip_addr_t addr;
    *out = NULL;
    *sys_errno = 0;
    const struct waits waits = { family_of(host, opts), deadline_ms, limit };
    esp_err_t err = find_host(host, waits, &addr, sys_errno);
    if (err)
        return err;
    struct port_conn *c = net->heap->alloc(net->heap->ctx, sizeof(*c));
    if (!c)
        return ESP_ERR_NO_MEM;
    *c = (struct port_conn){ .heap = net->heap, .limit = limit };
    err = pcb_new(c, opts);
    if (!err)
        err = pcb_connect(c, &addr, port, deadline_ms);
    if (err)
        *sys_errno = c->err;
    if (err)
        conn_close(c);
    else
        *out = c;
    return err;
}

/* --- a connection --------------------------------------------------------- */

static esp_err_t conn_wait(struct port_conn *c, uint64_t deadline_ms)
{
    esp_err_t err = wait_a_bit(c->limit, deadline_ms);
    if (err == ESP_ERR_NOT_FINISHED)
        c->err = ECANCELED;
    else if (err)
        c->err = EAGAIN;
    return err;
}

static esp_err_t conn_send(struct port_conn *c, const void *src, size_t len,
                           uint64_t deadline_ms, size_t *done_len)
{
    esp_err_t err = ESP_OK;
    *done_len = 0;
    if (port_limit_stopped(c->limit))
        return ESP_ERR_NOT_FINISHED;
    while (!err && c->pcb) {
        size_t room = tcp_sndbuf(c->pcb);
        u16_t now = (u16_t)(len < room ? len : room);
        if (now > 0 &&
            tcp_write(c->pcb, src, now, TCP_WRITE_FLAG_COPY) == ERR_OK) {
            tcp_output(c->pcb);
            *done_len = now;
            return ESP_OK;
        }
        err = conn_wait(c, deadline_ms);
    }
    return c->pcb ? err : ESP_FAIL;
}

/* Reads from what has arrived; the window opens by as much. */
static size_t rx_take(struct port_conn *c, uint8_t *dst, size_t len)
{
    size_t done = 0;
    while (c->rx && done < len) {
        struct pbuf *p = c->rx;
        size_t have = (size_t)(p->len - c->rx_off);
        size_t now = len - done < have ? len - done : have;
        memcpy(dst + done, (const uint8_t *)p->payload + c->rx_off, now);
        done += now;
        c->rx_off = (uint16_t)(c->rx_off + now);
        if (c->rx_off < p->len)
            break;
        c->rx = p->next;
        c->rx_off = 0;
        if (c->rx)
            pbuf_ref(c->rx);
        pbuf_free(p);
    }
    if (c->pcb)
        tcp_recved(c->pcb, (u16_t)done);
    return done;
}

static esp_err_t conn_recv(struct port_conn *c, void *dst, size_t len,
                           uint64_t deadline_ms, size_t *done_len)
{
    esp_err_t err = ESP_OK;
    *done_len = 0;
    if (port_limit_stopped(c->limit))
        return ESP_ERR_NOT_FINISHED;
    if (len > TCP_WND)
        len = TCP_WND;
    vrt_watchdog_feed(); /* a fast server never makes us sleep */
    vrt_netif_poll();
    while (!err) {
        if (c->rx) {
            *done_len = rx_take(c, dst, len);
            return ESP_OK;
        }
        if (c->fin)
            return ESP_OK;
        if (!c->pcb)
            return ESP_FAIL;
        err = conn_wait(c, deadline_ms);
    }
    return err;
}

static int conn_last_errno(const struct port_conn *c)
{
    return c->err;
}

static int conn_fd(const struct port_conn *c)
{
    (void)c;
    return -1;
}

/* Says goodbye if that is possible at once; the rest is lwIP's timers'. */
static void pcb_close(struct tcp_pcb *pcb)
{
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_err(pcb, NULL);
    if (tcp_close(pcb) != ERR_OK)
        tcp_abort(pcb);
    vrt_netif_poll();
}

static void conn_close(struct port_conn *c)
{
    if (!c)
        return;
    if (c->rx)
        pbuf_free(c->rx);
    c->rx = NULL;
    if (c->pcb)
        pcb_close(c->pcb);
    c->heap->free(c->heap->ctx, c);
}

void vrt_net_init(struct vrt_net *net, const struct port_heap *heap)
{
    *net = (struct vrt_net){ .port = { .ctx = net,
                                       .open = net_open,
                                       .send = conn_send,
                                       .recv = conn_recv,
                                       .last_errno = conn_last_errno,
                                       .fd = conn_fd,
                                       .close = conn_close },
                             .heap = heap };
}
