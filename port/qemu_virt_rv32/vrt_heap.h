/* vrt_heap.h - a heap of fixed size that knows where every byte is.
 *
 * First fit over one array of blocks, each with a header of 8 bytes; free
 * neighbours are joined. `cur_len` and `peak_len` are what callers asked for,
 * `used_len` and `used_peak_len` what the blocks take up, headers included. */
#ifndef VRT_HEAP_H
#define VRT_HEAP_H

#include <stdint.h>

#include "port/heap.h"

struct vrt_heap_stats {
    uint32_t size_len;
    uint32_t cur_len, peak_len;
    uint32_t used_len, used_peak_len;
    uint32_t block_cnt;   /* in use */
    uint32_t refused_cnt; /* allocations that found no room */
    uint32_t largest_len; /* what could be had in one piece now */
};

extern const struct port_heap vrt_heap;

void vrt_heap_stats(struct vrt_heap_stats *out);
/* Peaks count from here. */
void vrt_heap_peak_reset(void);
/* With a pointer that is not a block in use, or a header that was written
 * over: false, and nothing changes. Freeing such a pointer aborts. */
_Bool vrt_heap_owns(const void *ptr);

#endif
