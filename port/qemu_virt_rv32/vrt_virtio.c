/* Registers: virtio 1.1, 4.2.2 and 4.2.4 (legacy). Rings: 2.6 (split). */
#include "vrt_virtio.h"

#include <stddef.h>

#include "vrt_map.h"

#define MAGIC 0x74726976u
#define R_MAGIC 0x000u
#define R_VERSION 0x004u
#define R_KIND 0x008u
#define R_DEV_FEATURES 0x010u
#define R_DEV_FEATURES_SEL 0x014u
#define R_DRV_FEATURES 0x020u
#define R_DRV_FEATURES_SEL 0x024u
#define R_GUEST_PAGE_SIZE 0x028u
#define R_QUEUE_SEL 0x030u
#define R_QUEUE_NUM_MAX 0x034u
#define R_QUEUE_NUM 0x038u
#define R_QUEUE_ALIGN 0x03cu
#define R_QUEUE_PFN 0x040u
#define R_QUEUE_READY 0x044u
#define R_QUEUE_NOTIFY 0x050u
#define R_STATUS 0x070u
#define R_QUEUE_DESC 0x080u
#define R_QUEUE_AVAIL 0x090u
#define R_QUEUE_USED 0x0a0u

#define STATUS_ACK 1u
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u

#define F_VERSION_1_HI 1u /* bit 32 */
#define DESC_WRITE 2u
#define AVAIL_NO_INTERRUPT 1u

static void fence(void)
{
    __asm__ volatile("fence" ::: "memory");
}

static volatile uint32_t *reg(uint32_t base, uint32_t r)
{
    return vrt_reg(base + r);
}

static uint32_t find(uint32_t kind)
{
    for (uint32_t i = 0; i < VRT_VIRTIO_CNT; i++) {
        uint32_t base = VRT_VIRTIO + i * VRT_VIRTIO_STEP;
        if (*reg(base, R_MAGIC) == MAGIC && *reg(base, R_KIND) == kind)
            return base;
    }
    return 0;
}

static bool accept_modern(uint32_t base)
{
    *reg(base, R_DEV_FEATURES_SEL) = 1;
    *reg(base, R_DRV_FEATURES_SEL) = 1;
    *reg(base, R_DRV_FEATURES) = F_VERSION_1_HI;
    if (!(*reg(base, R_DEV_FEATURES) & F_VERSION_1_HI))
        return false;
    *reg(base, R_STATUS) = STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES_OK;
    return (*reg(base, R_STATUS) & STATUS_FEATURES_OK) != 0;
}

esp_err_t vrt_virtio_open(struct vrt_virtio *v, uint32_t kind, uint32_t want)
{
    uint32_t base = find(kind);
    v->base = base;
    if (!base)
        return ESP_ERR_NOT_FOUND;
    v->legacy = *reg(base, R_VERSION) == 1;
    *reg(base, R_STATUS) = 0;
    *reg(base, R_STATUS) = STATUS_ACK;
    *reg(base, R_STATUS) = STATUS_ACK | STATUS_DRIVER;
    *reg(base, R_DEV_FEATURES_SEL) = 0;
    *reg(base, R_DRV_FEATURES_SEL) = 0;
    *reg(base, R_DRV_FEATURES) = *reg(base, R_DEV_FEATURES) & want;
    if (!v->legacy && !accept_modern(base))
        return ESP_ERR_NOT_SUPPORTED;
    if (v->legacy)
        *reg(base, R_GUEST_PAGE_SIZE) = VRT_VQ_ALIGN;
    return ESP_OK;
}

static void addr_set(uint32_t base, uint32_t r, volatile void *at)
{
    *reg(base, r) = (uint32_t)(uintptr_t)at;
    *reg(base, r + 4) = 0;
}

esp_err_t vrt_virtio_queue(const struct vrt_virtio *v, uint32_t idx,
                           struct vrt_vq_mem *mem, struct vrt_vq *out)
{
    uint32_t base = v->base;
    _Static_assert(offsetof(struct vrt_vq_mem, used_flags) == VRT_VQ_ALIGN,
                   "the used ring has its place");
    *out = (struct vrt_vq){ mem, base, idx, 0 };
    out->mem->avail_flags = AVAIL_NO_INTERRUPT;
    *reg(base, R_QUEUE_SEL) = idx;
    if (*reg(base, R_QUEUE_NUM_MAX) < VRT_VQ_LEN)
        return ESP_ERR_NOT_SUPPORTED;
    *reg(base, R_QUEUE_NUM) = VRT_VQ_LEN;
    if (v->legacy) {
        *reg(base, R_QUEUE_ALIGN) = VRT_VQ_ALIGN;
        *reg(base, R_QUEUE_PFN) = (uint32_t)(uintptr_t)mem / VRT_VQ_ALIGN;
        return ESP_OK;
    }
    addr_set(base, R_QUEUE_DESC, mem);
    addr_set(base, R_QUEUE_AVAIL, &out->mem->avail_flags);
    addr_set(base, R_QUEUE_USED, &out->mem->used_flags);
    *reg(base, R_QUEUE_READY) = 1;
    return ESP_OK;
}

void vrt_virtio_go(const struct vrt_virtio *v)
{
    *reg(v->base, R_STATUS) |= STATUS_DRIVER_OK;
}

void vrt_vq_give(struct vrt_vq *q, uint32_t id, void *buf, uint32_t len,
                 bool device_writes)
{
    volatile struct vrt_vq_desc *d = &q->mem->desc[id];
    d->addr_lo = (uint32_t)(uintptr_t)buf;
    d->addr_hi = 0;
    d->len = len;
    d->flags = device_writes ? DESC_WRITE : 0;
    q->mem->avail_ring[q->mem->avail_idx % VRT_VQ_LEN] = (uint16_t)id;
    fence();
    q->mem->avail_idx++;
    fence();
    *reg(q->base, R_QUEUE_NOTIFY) = q->idx;
}

bool vrt_vq_take(struct vrt_vq *q, uint32_t *id, uint32_t *len)
{
    if (q->used_seen == q->mem->used_idx)
        return false;
    fence();
    uint32_t at = q->used_seen % VRT_VQ_LEN;
    *id = q->mem->used_ring[at].id % VRT_VQ_LEN;
    *len = q->mem->used_ring[at].len;
    q->used_seen++;
    return true;
}
