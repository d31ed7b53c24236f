/* port/sock.h - contract: connections where the host has descriptors for them.
 *
 * Only the facade needs it: ESP-IDF applications accept connections
 * themselves, wait for several at once, and connect without waiting. A port
 * whose connections have no descriptors has none of this. */
#ifndef PORT_SOCK_H
#define PORT_SOCK_H

#include "port/net.h"

struct port_sock {
    void *ctx;
    /* A connection of this descriptor, which it closes in the end.
     * ESP_ERR_NO_MEM: the descriptor is still the caller's. */
    esp_err_t (*adopt)(void *ctx, int fd, struct port_conn **out);
    /* The other way round: conn is freed, the descriptor is the caller's. */
    int (*release)(struct port_conn *conn);
    /* As port_net.open, but the deadline is only that of the name: it returns
     * before the connection is there. */
    esp_err_t (*start)(void *ctx, const char *host, uint16_t port,
                       const struct port_net_opts *opts, uint64_t deadline_ms,
                       struct port_conn **out, int *sys_errno);
    /* Is it there now? Tries the next address when one fails.
     * ESP_ERR_TIMEOUT: not until the deadline (0: does not wait); other errors
     * are those of port_net.open and final. */
    esp_err_t (*ready)(struct port_conn *conn, uint64_t deadline_ms,
                       int *sys_errno);
};

#endif
