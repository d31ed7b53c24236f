#include "vrt_clock.h"

#include "vrt_map.h"

#define NS_PER_S 1000000000u

/* Reading the lower half latches the upper one. */
static esp_err_t now_s(void *ctx, int64_t *out)
{
    (void)ctx;
    uint64_t lo = *vrt_reg(VRT_RTC);
    uint64_t ns = (uint64_t)*vrt_reg(VRT_RTC + 4) << 32 | lo;
    if (ns == 0)
        return ESP_ERR_INVALID_STATE;
    *out = (int64_t)(ns / NS_PER_S);
    return ESP_OK;
}

const struct port_clock vrt_clock = { NULL, now_s };
