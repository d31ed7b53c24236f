/* port/net.h - contract: TCP streams with deadlines.
 *
 * Every call that can wait takes an absolute deadline in port_sys
 * milliseconds; 0 means "do not wait". Nothing waits longer, nor past the
 * limit that the connection was opened with: its deadline is a deadline like
 * any other, and a wish to stop ends the call with ESP_ERR_NOT_FINISHED, names
 * being resolved included. A connection is used by one thread at a time. */
#ifndef PORT_NET_H
#define PORT_NET_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "port/limit.h"

struct port_conn; /* owned by the port between open() and close() */

struct port_net_opts {
    const char *bind_if; /* NULL: any interface */
    int addr_family;     /* 0 any, 4, 6 */
    int keep_idle_s;     /* TCP keep-alive; 0: off */
    int keep_interval_s;
    int keep_cnt;
    struct port_limit *limit; /* outlives the connection; NULL: none */
};

struct port_net {
    void *ctx;
    /* Resolves host (a name or a literal without brackets) and connects, with
     * TCP_NODELAY. Errors: ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME,
     * ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST (refused, unreachable; *sys_errno
     * says which), ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET (the host has none
     * left, to resolve the name by either), ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT,
     * ESP_ERR_NO_MEM.
     * *out is NULL unless ESP_OK. */
    esp_err_t (*open)(void *ctx, const char *host, uint16_t port,
                      const struct port_net_opts *opts, uint64_t deadline_ms,
                      struct port_conn **out, int *sys_errno);
    /* Sends at least one byte. ESP_ERR_TIMEOUT: none went out in time.
     * ESP_FAIL: the connection is broken. */
    esp_err_t (*send)(struct port_conn *conn, const void *src, size_t len,
                      uint64_t deadline_ms, size_t *done_len);
    /* Receives at least one byte. ESP_OK with *done_len 0: the peer closed.
     * ESP_ERR_TIMEOUT: nothing came in time. ESP_FAIL: broken (reset). */
    esp_err_t (*recv)(struct port_conn *conn, void *dst, size_t len,
                      uint64_t deadline_ms, size_t *done_len);
    /* errno of the last failure on this connection, 0 if none. */
    int (*last_errno)(const struct port_conn *conn);
    /* File descriptor where the host has one, else -1. */
    int (*fd)(const struct port_conn *conn);
    void (*close)(struct port_conn *conn); /* NULL is a no-op */
};

#endif
