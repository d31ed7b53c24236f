#include "ports.h"

#include <errno.h>
#include <string.h>

struct ports ports;

static bool fails(enum fail_sweep sweep, const char *what)
{
    if (ports.paused > 0 || sweep != ports.sweep || ++ports.cnt != ports.at)
        return false;
    ports.fired = true;
    ports.what = what;
    return true;
}

/* --- flash ---------------------------------------------------------------- */

static esp_err_t flash_read(void *ctx, uint32_t off, void *dst, size_t len)
{
    const struct port_flash *to = &ports.to_flash->port;

    (void)ctx;
    return fails(FAIL_READS, "flash.read") ? ESP_FAIL
                                           : to->read(to->ctx, off, dst, len);
}

/* One that fails is half done: the range is then undefined. */
static esp_err_t flash_prog(void *ctx, uint32_t off, const void *src,
                            size_t len)
{
    const struct port_flash *to = &ports.to_flash->port;

    (void)ctx;
    if (fails(FAIL_CALLS, "flash.prog"))
        sim_flash_arm(ports.to_flash, SIM_FAULT_STATUS, 1, ports.at);
    return to->prog(to->ctx, off, src, len);
}

static esp_err_t flash_erase(void *ctx, uint32_t off)
{
    const struct port_flash *to = &ports.to_flash->port;

    (void)ctx;
    if (fails(FAIL_CALLS, "flash.erase"))
        sim_flash_arm(ports.to_flash, SIM_FAULT_STATUS, 1, ports.at);
    return to->erase(to->ctx, off);
}

/* --- network -------------------------------------------------------------- */

/* lint-ok: function, the contract's own list */
static esp_err_t net_open(void *ctx, const char *host, uint16_t port,
                          const struct port_net_opts *opts,
                          uint64_t deadline_ms, struct port_conn **out,
                          int *sys_errno)
{
    const struct port_net *to = ports.to_net;

    (void)ctx;
    if (!fails(FAIL_CALLS, "net.open"))
        return to->open(to->ctx, host, port, opts, deadline_ms, out, sys_errno);
    *out = NULL;
    *sys_errno = ECONNREFUSED;
    if (ports.how == FAIL_NET_BROKEN)
        return ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST;
    *sys_errno = ETIMEDOUT;
    sim_sys_advance_to(ports.sys, deadline_ms);
    return ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT;
}

static esp_err_t no_bytes(uint64_t deadline_ms)
{
    if (ports.how == FAIL_NET_BROKEN)
        return ESP_FAIL;
    sim_sys_advance_to(ports.sys, deadline_ms);
    return ESP_ERR_TIMEOUT;
}

static esp_err_t net_send(struct port_conn *conn, const void *src, size_t len,
                          uint64_t deadline_ms, size_t *done_len)
{
    *done_len = 0;
    return fails(FAIL_CALLS, "net.send")
               ? no_bytes(deadline_ms)
               : ports.to_net->send(conn, src, len, deadline_ms, done_len);
}

static esp_err_t net_recv(struct port_conn *conn, void *dst, size_t len,
                          uint64_t deadline_ms, size_t *done_len)
{
    *done_len = 0;
    return fails(FAIL_CALLS, "net.recv")
               ? no_bytes(deadline_ms)
               : ports.to_net->recv(conn, dst, len, deadline_ms, done_len);
}

static int net_errno(const struct port_conn *conn)
{
    return ports.to_net->last_errno(conn);
}

static int net_fd(const struct port_conn *conn)
{
    return ports.to_net->fd(conn);
}

static void net_close(struct port_conn *conn)
{
    ports.to_net->close(conn);
}

/* --- the others ----------------------------------------------------------- */

static esp_err_t rng_fill(void *ctx, void *dst, size_t len)
{
    (void)ctx;
    return fails(FAIL_CALLS, "rng.fill")
               ? ESP_FAIL
               : ports.to_rng->fill(ports.to_rng->ctx, dst, len);
}

static esp_err_t clock_now(void *ctx, int64_t *out)
{
    (void)ctx;
    return fails(FAIL_CALLS, "clock.now_s")
               ? ESP_ERR_INVALID_STATE
               : ports.to_clock->now_s(ports.to_clock->ctx, out);
}

static void *heap_alloc(void *ctx, size_t len)
{
    (void)ctx;
    return fails(FAIL_ALLOCS, "heap.alloc")
               ? NULL
               : ports.to_heap->alloc(ports.to_heap->ctx, len);
}

static void heap_free(void *ctx, void *ptr)
{
    (void)ctx;
    ports.to_heap->free(ports.to_heap->ctx, ptr);
}

static esp_err_t store_load(void *ctx, const char *key, char *out,
                            size_t out_len)
{
    const struct upd_store *to = ports.to_store;

    (void)ctx;
    return fails(FAIL_CALLS, "store.load")
               ? ESP_FAIL
               : to->load(to->ctx, key, out, out_len);
}

static esp_err_t store_save(void *ctx, const char *key, const char *text)
{
    const struct upd_store *to = ports.to_store;

    (void)ctx;
    return fails(FAIL_CALLS, "store.save") ? ESP_FAIL
                                           : to->save(to->ctx, key, text);
}

static esp_err_t store_clear(void *ctx, const char *key)
{
    const struct upd_store *to = ports.to_store;

    (void)ctx;
    return fails(FAIL_CALLS, "store.clear") ? ESP_FAIL
                                            : to->clear(to->ctx, key);
}

void ports_init(void)
{
    ports.flash = ports.to_flash->port;
    ports.flash.ctx = NULL;
    ports.flash.read = flash_read;
    ports.flash.prog = flash_prog;
    ports.flash.erase = flash_erase;
    ports.net = (struct port_net){ NULL,      net_open, net_send, net_recv,
                                   net_errno, net_fd,   net_close };
    ports.rng = (struct port_rng){ NULL, rng_fill };
    ports.clock = (struct port_clock){ NULL, clock_now };
    ports.heap = (struct port_heap){ NULL, heap_alloc, heap_free };
    ports.store =
        (struct upd_store){ NULL, store_load, store_save, store_clear };
}

void ports_arm(enum fail_sweep sweep, enum fail_net how, uint32_t at)
{
    ports.sweep = sweep;
    ports.how = how;
    ports.at = at;
    ports.cnt = 0;
    ports.fired = false;
    ports.what = "";
}

void ports_pause(void)
{
    ports.paused++;
}

void ports_resume(void)
{
    ports.paused--;
}
