/* port/heap.h - contract: memory right of the bar.
 *
 * Boot-path modules never see it. The counting heap of port/sim answers for
 * peaks and fails allocation N. */
#ifndef PORT_HEAP_H
#define PORT_HEAP_H

#include <stddef.h>

struct port_heap {
    void *ctx;
    /* len zeroed bytes, aligned for any object; NULL: none left. */
    void *(*alloc)(void *ctx, size_t len);
    /* NULL is a no-op. */
    void (*free)(void *ctx, void *ptr);
};

#endif
