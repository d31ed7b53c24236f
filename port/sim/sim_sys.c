#include "sim_sys.h"

static uint64_t sys_mono_ms(void *ctx)
{
    const struct sim_sys *s = ctx;
    return s->now_ms;
}

static void sys_sleep_ms(void *ctx, uint32_t ms)
{
    struct sim_sys *s = ctx;
    s->now_ms += ms;
    s->sleep_cnt++;
}

static void sys_restart(void *ctx)
{
    struct sim_sys *s = ctx;
    s->restart_cnt++;
}

static enum port_reset_reason sys_reset_reason(void *ctx)
{
    const struct sim_sys *s = ctx;
    return s->reason;
}

static esp_err_t sys_input(void *ctx, uint32_t pin, bool *level)
{
    const struct sim_sys *s = ctx;
    if (pin >= SIM_SYS_PINS || !(s->pins_known >> pin & 1))
        return ESP_ERR_NOT_SUPPORTED;
    *level = s->pins_level >> pin & 1;
    return ESP_OK;
}

void sim_sys_init(struct sim_sys *s)
{
    *s = (struct sim_sys){ .port = { .ctx = s,
                                     .mono_ms = sys_mono_ms,
                                     .sleep_ms = sys_sleep_ms,
                                     .restart = sys_restart,
                                     .reset_reason = sys_reset_reason,
                                     .input = sys_input },
                           .now_ms = 1000,
                           .reason = PORT_RESET_POWERON };
}

void sim_sys_set_input(struct sim_sys *s, uint32_t pin, bool level)
{
    uint64_t bit = UINT64_C(1) << pin % SIM_SYS_PINS;
    s->pins_known |= bit;
    s->pins_level = level ? s->pins_level | bit : s->pins_level & ~bit;
}

void sim_sys_advance_to(struct sim_sys *s, uint64_t ms)
{
    if (ms > s->now_ms)
        s->now_ms = ms;
}
