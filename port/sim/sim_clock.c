#include "sim_clock.h"

static esp_err_t clock_now_s(void *ctx, int64_t *out)
{
    const struct sim_clock *c = ctx;
    if (c->now_s == 0)
        return ESP_ERR_INVALID_STATE;
    *out = c->now_s;
    return ESP_OK;
}

void sim_clock_init(struct sim_clock *c, int64_t now_s)
{
    *c = (struct sim_clock){ .port = { c, clock_now_s }, .now_s = now_s };
}
