#include "vrt_rng.h"

#include <string.h>

#include "vrt_map.h"
#include "vrt_virtio.h"

#define TIMEOUT_TICKS (2000u * VRT_TICKS_PER_MS)

static struct {
    bool up;
    struct vrt_vq queue;
    struct vrt_vq_mem mem;
    uint8_t buf[64];
} rng;

esp_err_t vrt_rng_init(void)
{
    struct vrt_virtio dev;
    esp_err_t err = vrt_virtio_open(&dev, VRT_VIRTIO_RNG, 0);
    if (!err)
        err = vrt_virtio_queue(&dev, 0, &rng.mem, &rng.queue);
    if (err)
        return err;
    vrt_virtio_go(&dev);
    rng.up = true;
    return ESP_OK;
}

/* At most sizeof(rng.buf) bytes; 0: the device is silent. */
static uint32_t get(uint32_t want)
{
    uint64_t until = vrt_mtime() + TIMEOUT_TICKS;
    uint32_t id, len = 0;
    vrt_vq_give(&rng.queue, 0, rng.buf, want, true);
    while (!vrt_vq_take(&rng.queue, &id, &len))
        if (vrt_mtime() > until) {
            rng.up = false; /* it may still write to the buffer */
            return 0;
        }
    return len < want ? len : want;
}

static esp_err_t rng_fill(void *ctx, void *dst, size_t len)
{
    (void)ctx;
    uint8_t *out = dst;
    while (len > 0) {
        uint32_t want = len < sizeof(rng.buf) ? (uint32_t)len : sizeof(rng.buf);
        uint32_t got = rng.up ? get(want) : 0;
        if (got == 0)
            return ESP_FAIL;
        memcpy(out, rng.buf, got);
        memset(rng.buf, 0, sizeof(rng.buf));
        out += got;
        len -= got;
    }
    return ESP_OK;
}

const struct port_rng vrt_rng = { NULL, rng_fill };
