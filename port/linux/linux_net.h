/* linux_net.h - TCP over the host's sockets, with deadlines that hold.
 *
 * Every address of a name is tried in the resolver's order, each with its
 * share of the time that is left. Names are resolved in a thread of their own,
 * because the C library's resolver knows no deadline; a late answer is thrown
 * away by that thread. */
#ifndef LINUX_NET_H
#define LINUX_NET_H

#include "base/diag.h"
#include "port/heap.h"
#include "port/net.h"

#define LINUX_NET_OVERRIDES 8u

struct linux_net_override { /* `--resolve HOST:PORT:ADDR` */
    char host[254];
    uint16_t port;
    char addr[46];
};

/* A link slower than the host's, for bytes that are received. */
struct linux_net_link {
    uint32_t rate;       /* bytes in a second; 0: as fast as it goes */
    uint32_t window_len; /* come in while nobody reads; 0: 16384 */
};

struct linux_net {
    struct port_net port;
    const struct port_heap *heap; /* for connections; borrowed */
    struct linux_net_override overrides[LINUX_NET_OVERRIDES];
    uint32_t override_cnt;
    struct linux_net_link link; /* of connections opened from now on */
};

/* The struct must not move while it is in use. */
void linux_net_init(struct linux_net *net, const struct port_heap *heap);

/* HOST:PORT:ADDR, where ADDR is a literal, IPv6 in brackets or not.
 * ESP_ERR_INVALID_ARG: not of that form. ESP_ERR_NO_MEM: more than
 * LINUX_NET_OVERRIDES. */
MUST_CHECK esp_err_t linux_net_override(struct linux_net *net, const char *text,
                                        struct diag *diag);

#endif
