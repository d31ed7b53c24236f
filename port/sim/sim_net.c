#include "sim_net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct port_conn {
    struct sim_net *net;
    const struct sim_net_script *script;
    size_t step;       /* the one that the next recv() meets */
    size_t step_off;   /* bytes of it that were received */
    uint32_t delay_ms; /* of this step, already waited */
    size_t sent_len;
    int err;
    uint64_t seen_ms;  /* the link was looked at */
    uint64_t here_len; /* in the window, in thousandths of a byte */
    size_t block_left; /* of the block that was read, not yet handed out */
};

static const struct sim_net_step *step_now(const struct port_conn *conn)
{
    static const struct sim_net_step end = { .kind = SIM_NET_CLOSE };
    if (conn->step >= conn->script->step_cnt)
        return &end;
    return &conn->script->steps[conn->step];
}

static void step_next(struct port_conn *conn)
{
    conn->step++;
    conn->step_off = 0;
    conn->delay_ms = 0;
}

static size_t min_len(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* lint-ok: function, the contract's own list */
static esp_err_t net_open(void *ctx, const char *host, uint16_t port,
                          const struct port_net_opts *opts,
                          uint64_t deadline_ms, struct port_conn **out,
                          int *sys_errno)
{
    struct sim_net *net = ctx;
    (void)opts;
    *out = NULL;
    *sys_errno = 0;
    snprintf(net->host, sizeof(net->host), "%s", host);
    net->tcp_port = port;
    size_t idx = net->open_cnt++;
    if (idx >= net->script_cnt) {
        *sys_errno = ECONNREFUSED;
        return ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
    }
    const struct sim_net_script *script = &net->scripts[idx];
    if (script->open_err == ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT)
        sim_sys_advance_to(net->sys, deadline_ms);
    if (script->open_err) {
        *sys_errno = script->open_errno;
        return script->open_err;
    }
    struct port_conn *conn = calloc(1, sizeof(*conn));
    if (!conn)
        return ESP_ERR_NO_MEM;
    conn->net = net;
    conn->script = script;
    conn->seen_ms = net->sys->now_ms;
    net->alive_cnt++;
    *out = conn;
    return ESP_OK;
}

static esp_err_t conn_break(struct port_conn *conn, int why)
{
    conn->err = why;
    return ESP_FAIL;
}

static esp_err_t conn_send(struct port_conn *conn, const void *src, size_t len,
                           uint64_t deadline_ms, size_t *done_len)
{
    const struct sim_net_script *s = conn->script;
    struct sim_net *net = conn->net;
    (void)deadline_ms;
    *done_len = 0;
    if (step_now(conn)->kind == SIM_NET_RESET)
        return conn_break(conn, ECONNRESET);
    if (s->max_send)
        len = min_len(len, s->max_send);
    if (s->send_fail_at)
        len = min_len(len, s->send_fail_at - conn->sent_len);
    if (len == 0)
        return conn_break(conn, EPIPE);
    uint8_t *grown = realloc(net->sent, net->sent_len + len + 1);
    if (!grown)
        return conn_break(conn, ENOMEM);
    net->sent = grown;
    memcpy(grown + net->sent_len, src, len);
    net->sent_len += len;
    grown[net->sent_len] = '\0'; /* tests look at it as text */
    conn->sent_len += len;
    *done_len = len;
    return ESP_OK;
}

static size_t take_data(struct port_conn *conn, void *dst, size_t len)
{
    const struct sim_net_step *step = step_now(conn);
    size_t step_len = step->len ? step->len : strlen(step->data);
    size_t part = min_len(len, step_len - conn->step_off);
    if (conn->script->max_recv)
        part = min_len(part, conn->script->max_recv);
    memcpy(dst, (const uint8_t *)step->data + conn->step_off, part);
    conn->step_off += part;
    if (conn->step_off == step_len)
        step_next(conn);
    return part;
}

/* --- a link with a rate --------------------------------------------------- */

static void link_look(struct port_conn *conn)
{
    const struct sim_net_link *link = &conn->script->link;
    uint64_t now = conn->net->sys->now_ms;

    conn->here_len += (now - conn->seen_ms) * link->rate;
    if (conn->here_len > (uint64_t)link->window_len * 1000)
        conn->here_len = (uint64_t)link->window_len * 1000;
    conn->seen_ms = now;
}

static size_t step_left(const struct port_conn *conn)
{
    const struct sim_net_step *step = step_now(conn);
    size_t len = step->len ? step->len : strlen(step->data);

    return len - conn->step_off;
}

/* Waits for the next block: it leaves the window while it is waited for.
 * false: the deadline was first. */
static bool link_block(struct port_conn *conn, uint64_t deadline_ms)
{
    const struct sim_net_link *link = &conn->script->link;
    size_t want =
        min_len(link->block_len ? link->block_len : 1460, step_left(conn));
    uint64_t ms;

    link_look(conn);
    if (conn->here_len >= (uint64_t)want * 1000) {
        conn->here_len -= (uint64_t)want * 1000;
        conn->block_left = want;
        return true;
    }
    ms = ((uint64_t)want * 1000 - conn->here_len + link->rate - 1) / link->rate;
    if (conn->seen_ms + ms > deadline_ms)
        return false;
    sim_sys_advance_to(conn->net->sys, conn->seen_ms + ms);
    conn->here_len += ms * link->rate;
    conn->here_len -= (uint64_t)want * 1000;
    conn->seen_ms += ms;
    conn->block_left = want;
    return true;
}

static esp_err_t time_out(struct port_conn *conn, uint64_t deadline_ms)
{
    sim_sys_advance_to(conn->net->sys, deadline_ms);
    conn->err = EAGAIN;
    return ESP_ERR_TIMEOUT;
}

/* Waits out a delay; what a deadline interrupts goes on in the next call. */
static esp_err_t wait_delay(struct port_conn *conn, uint64_t deadline_ms)
{
    uint64_t now = conn->net->sys->now_ms;
    uint32_t left = step_now(conn)->ms - conn->delay_ms;
    if (now + left > deadline_ms) {
        conn->delay_ms += deadline_ms > now ? (uint32_t)(deadline_ms - now) : 0;
        return time_out(conn, deadline_ms);
    }
    sim_sys_advance_to(conn->net->sys, now + left);
    step_next(conn);
    return ESP_OK;
}

static esp_err_t recv_data(struct port_conn *conn, void *dst, size_t len,
                           uint64_t deadline_ms, size_t *done_len)
{
    if (conn->script->link.rate == 0) {
        *done_len = take_data(conn, dst, len);
        return ESP_OK;
    }
    if (conn->block_left == 0 && !link_block(conn, deadline_ms))
        return time_out(conn, deadline_ms);
    *done_len = take_data(conn, dst, min_len(len, conn->block_left));
    conn->block_left -= *done_len;
    return ESP_OK;
}

static esp_err_t conn_recv(struct port_conn *conn, void *dst, size_t len,
                           uint64_t deadline_ms, size_t *done_len)
{
    *done_len = 0;
    while (step_now(conn)->kind == SIM_NET_DELAY) {
        esp_err_t err = wait_delay(conn, deadline_ms);
        if (err)
            return err;
    }
    switch (step_now(conn)->kind) {
    case SIM_NET_DATA:
        return recv_data(conn, dst, len, deadline_ms, done_len);
    case SIM_NET_SILENCE:
        step_next(conn);
        return time_out(conn, deadline_ms);
    case SIM_NET_RESET:
        return conn_break(conn, ECONNRESET);
    default:
        return ESP_OK;
    }
}

static int conn_last_errno(const struct port_conn *conn)
{
    return conn->err;
}

static int conn_fd(const struct port_conn *conn)
{
    (void)conn;
    return -1;
}

static void conn_close(struct port_conn *conn)
{
    if (!conn)
        return;
    conn->net->alive_cnt--;
    free(conn);
}

void sim_net_init(struct sim_net *net, struct sim_sys *sys,
                  const struct sim_net_script *scripts, size_t script_cnt)
{
    *net = (struct sim_net){ .port = { .ctx = net,
                                       .open = net_open,
                                       .send = conn_send,
                                       .recv = conn_recv,
                                       .last_errno = conn_last_errno,
                                       .fd = conn_fd,
                                       .close = conn_close },
                             .sys = sys,
                             .scripts = scripts,
                             .script_cnt = script_cnt };
}

void sim_net_deinit(struct sim_net *net)
{
    free(net->sent);
    net->sent = NULL;
    net->sent_len = 0;
}
