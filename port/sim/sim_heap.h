/* sim_heap.h - a heap that counts its bytes and can refuse allocation N.
 *
 * Peaks are exact: what callers asked for, without any allocator's overhead.
 * The leak check of a test is `heap.cur_len == 0`. Threads: one. */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "port/heap.h"

struct sim_heap {
    struct port_heap port;
    size_t cur_len;
    size_t peak_len;
    size_t cur_cnt;     /* blocks alive */
    uint32_t alloc_cnt; /* allocations asked for, refused ones included */
    uint32_t fail_at;   /* this one (1: the first) gives NULL; 0: none */
    size_t cap_len;     /* more than this at once gives NULL; 0: no limit */
};

void sim_heap_init(struct sim_heap *h);

#endif
