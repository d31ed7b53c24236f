#include "sim_rng.h"

/* splitmix64: any seed, 0 included, gives a good sequence. */
uint64_t sim_rng_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static esp_err_t rng_fill(void *ctx, void *dst, size_t len)
{
    struct sim_rng *r = ctx;
    uint8_t *out = dst;
    if (r->broken)
        return ESP_FAIL;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)sim_rng_next(&r->state);
    return ESP_OK;
}

void sim_rng_init(struct sim_rng *r, uint64_t seed)
{
    *r = (struct sim_rng){ .port = { r, rng_fill }, .state = seed };
}
