#include "linux_clock.h"

#include <time.h>

#define YEAR_2020_S INT64_C(1577836800)

static esp_err_t clock_now_s(void *ctx, int64_t *out)
{
    (void)ctx;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    if (ts.tv_sec < YEAR_2020_S)
        return ESP_ERR_INVALID_STATE;
    *out = ts.tv_sec;
    return ESP_OK;
}

const struct port_clock linux_clock = { NULL, clock_now_s };
