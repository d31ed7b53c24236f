#include "sim_task.h"

#include <stddef.h>

static esp_err_t task_start(void *ctx, const char *name, void (*fn)(void *arg),
                            void *arg)
{
    (void)ctx;
    (void)name;
    (void)fn;
    (void)arg;
    return ESP_ERR_NOT_SUPPORTED;
}

static void do_nothing(void *ctx)
{
    (void)ctx;
}

static uint32_t task_wait(void *ctx, uint32_t ms)
{
    (void)ctx;
    (void)ms;
    return 0;
}

const struct port_task sim_task = { NULL,       task_start, do_nothing,
                                    do_nothing, task_wait,  do_nothing };

const struct port_lock sim_lock = { NULL, do_nothing, do_nothing };
