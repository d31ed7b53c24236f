#include "vrt_sys.h"

#include "vrt_map.h"

#define FINISHER_RESET 0x7777u
#define FINISHER_EXIT 0x3333u

uint64_t vrt_mono_ms(void)
{
    return vrt_mtime() / VRT_TICKS_PER_MS;
}

/* The lower half last, and never an alarm in the past on the way. */
static void alarm_set(uint64_t at)
{
    *vrt_reg(VRT_MTIMECMP + 4) = UINT32_MAX;
    *vrt_reg(VRT_MTIMECMP) = (uint32_t)at;
    *vrt_reg(VRT_MTIMECMP + 4) = (uint32_t)(at >> 32);
}

void vrt_watchdog_feed(void)
{
    alarm_set(vrt_mtime() + (uint64_t)VRT_WATCHDOG_MS * VRT_TICKS_PER_MS);
}

void vrt_sleep_ticks(uint32_t ticks)
{
    register uint32_t a0 __asm__("a0") = ticks;
    register uint32_t a7 __asm__("a7") = VRT_CALL_SLEEP;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
}

void vrt_reset(void)
{
    *vrt_reg(VRT_FINISHER) = FINISHER_RESET;
    for (;;)
        ;
}

void vrt_exit(uint32_t code)
{
    *vrt_reg(VRT_FINISHER) = code << 16 | FINISHER_EXIT;
    for (;;)
        ;
}

/* --- the contract --------------------------------------------------------- */

static uint64_t sys_mono_ms(void *ctx)
{
    (void)ctx;
    return vrt_mono_ms();
}

static void sys_sleep_ms(void *ctx, uint32_t ms)
{
    (void)ctx;
    uint64_t until = vrt_mtime() + (uint64_t)ms * VRT_TICKS_PER_MS;
    uint64_t now = vrt_mtime();
    vrt_watchdog_feed();
    while (now < until) {
        uint64_t left = until - now;
        vrt_sleep_ticks(left < VRT_SLEEP_MAX_TICKS ? (uint32_t)left
                                                   : VRT_SLEEP_MAX_TICKS);
        now = vrt_mtime();
    }
}

static void sys_restart(void *ctx)
{
    struct vrt_sys *sys = ctx;
    sys->page->next_reason = PORT_RESET_SW;
    vrt_reset();
}

static enum port_reset_reason sys_reset_reason(void *ctx)
{
    const struct vrt_sys *sys = ctx;
    return (enum port_reset_reason)sys->page->reset_reason;
}

static esp_err_t sys_input(void *ctx, uint32_t pin, bool *level)
{
    const struct vrt_sys *sys = ctx;
    const volatile struct vrt_inputs *in = &sys->page->inputs;
    uint32_t bit = 1u << pin % 32;

    if (pin >= VRT_PAGE_PINS || !(in->known[pin / 32] & bit))
        return ESP_ERR_NOT_SUPPORTED;
    *level = (in->high[pin / 32] & bit) != 0;
    return ESP_OK;
}

void vrt_sys_init(struct vrt_sys *sys, struct vrt_page *page)
{
    *sys = (struct vrt_sys){ .port = { .ctx = sys,
                                       .mono_ms = sys_mono_ms,
                                       .sleep_ms = sys_sleep_ms,
                                       .restart = sys_restart,
                                       .reset_reason = sys_reset_reason,
                                       .input = sys_input },
                             .page = page };
}

/* --- one thread ----------------------------------------------------------- */

static void nothing(void *ctx)
{
    (void)ctx;
}

static esp_err_t task_start(void *ctx, const char *name, void (*fn)(void *arg),
                            void *arg)
{
    (void)ctx;
    (void)name;
    (void)fn;
    (void)arg;
    return ESP_ERR_NOT_SUPPORTED;
}

static uint32_t task_wait(void *ctx, uint32_t ms)
{
    (void)ctx;
    (void)ms;
    return 0;
}

const struct port_lock vrt_lock = { NULL, nothing, nothing };
const struct port_task vrt_task = { NULL,    task_start, nothing,
                                    nothing, task_wait,  nothing };
