/* vrt_virtio.h - virtio devices over MMIO, both versions of the interface, one
 * polled queue at a time. */
#ifndef VRT_VIRTIO_H
#define VRT_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define VRT_VIRTIO_NET 1u
#define VRT_VIRTIO_RNG 4u

#define VRT_VQ_LEN 8u /* descriptors, a power of two */
#define VRT_VQ_ALIGN 256u

/* As the device sees it; the used ring starts at VRT_VQ_ALIGN. */
struct vrt_vq_mem {
    struct vrt_vq_desc {
        uint32_t addr_lo, addr_hi;
        uint32_t len;
        uint16_t flags, next;
    } desc[VRT_VQ_LEN];
    uint16_t avail_flags, avail_idx, avail_ring[VRT_VQ_LEN];
    uint8_t gap[VRT_VQ_ALIGN - VRT_VQ_LEN * 18u - 4u];
    uint16_t used_flags, used_idx;
    struct {
        uint32_t id, len;
    } used_ring[VRT_VQ_LEN];
} __attribute__((aligned(VRT_VQ_ALIGN)));

struct vrt_vq {
    volatile struct vrt_vq_mem *mem;
    uint32_t base; /* of the device */
    uint32_t idx;
    uint16_t used_seen;
};

struct vrt_virtio {
    uint32_t base; /* 0: there is none */
    bool legacy;
};

/* Finds the first device of a kind, resets it and accepts the features of
 * `want` that it has (the lower 32). ESP_ERR_NOT_FOUND: there is none;
 * ESP_ERR_NOT_SUPPORTED: it refused. */
MUST_CHECK esp_err_t vrt_virtio_open(struct vrt_virtio *v, uint32_t kind,
                                     uint32_t want);
/* ESP_ERR_NOT_SUPPORTED: the device has no such queue. */
MUST_CHECK esp_err_t vrt_virtio_queue(const struct vrt_virtio *v, uint32_t idx,
                                      struct vrt_vq_mem *mem,
                                      struct vrt_vq *out);
/* All queues are there. */
void vrt_virtio_go(const struct vrt_virtio *v);

/* Gives the device buffer number id; device_writes: it fills it. */
void vrt_vq_give(struct vrt_vq *q, uint32_t id, void *buf, uint32_t len,
                 bool device_writes);
/* Takes a buffer back; false: none is done. */
bool vrt_vq_take(struct vrt_vq *q, uint32_t *id, uint32_t *len);

#endif
