/* heap_meter.h - a heap that knows its peak: what callers asked for, exactly,
 * without the allocator's own overhead. One thread. */
#ifndef HEAP_METER_H
#define HEAP_METER_H

#include <stdint.h>

#include "port/heap.h"

struct heap_meter {
    struct port_heap port;
    const struct port_heap *below; /* borrowed */
    size_t cur_len, peak_len;
    uint32_t alloc_cnt;
};

/* The struct must not move while the heap is in use. */
void heap_meter_init(struct heap_meter *m, const struct port_heap *below);

#endif
