/* vrt_net.h - port/net.h over lwIP. Waiting is polling, with sleeps of a
 * fraction of a millisecond in between; there are no descriptors. */
#ifndef VRT_NET_H
#define VRT_NET_H

#include "port/heap.h"
#include "port/net.h"

struct vrt_net {
    struct port_net port;
    const struct port_heap *heap; /* for connections; borrowed */
};

/* After vrt_netif_init(), whatever that returned: without a card every open()
 * fails at once. The struct must not move while it is in use. */
void vrt_net_init(struct vrt_net *net, const struct port_heap *heap);

#endif
