#include "linux_fuse.h"

static esp_err_t fuse_read(void *ctx, uint32_t *bits)
{
    (void)ctx;
    *bits = 0;
    return ESP_OK;
}

static esp_err_t fuse_burn(void *ctx, uint32_t mask)
{
    (void)ctx;
    (void)mask;
    return ESP_ERR_NOT_SUPPORTED;
}

const struct port_fuse linux_fuse = { NULL, 0, fuse_read, fuse_burn };
