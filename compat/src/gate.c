/* A mutex and a condition in one: what every object that tasks wait for stands
 * on. */
#include <errno.h>
#include <time.h>

#include "compat.h"
#include "freertos/FreeRTOS.h"

void compat_gate_init(struct compat_gate *g)
{
    pthread_condattr_t attr;
    pthread_mutex_init(&g->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&g->changed, &attr);
    pthread_condattr_destroy(&attr);
}

void compat_gate_deinit(struct compat_gate *g)
{
    pthread_cond_destroy(&g->changed);
    pthread_mutex_destroy(&g->mutex);
}

void compat_gate_enter(struct compat_gate *g)
{
    pthread_mutex_lock(&g->mutex);
}

void compat_gate_leave(struct compat_gate *g)
{
    pthread_mutex_unlock(&g->mutex);
}

void compat_gate_wake(struct compat_gate *g)
{
    pthread_cond_broadcast(&g->changed);
}

static struct timespec ticks_from_now(uint32_t ticks)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    uint64_t ns =
        (uint64_t)ticks * compat_tick_ms() * 1000000 + (uint64_t)ts.tv_nsec;
    ts.tv_sec += (time_t)(ns / 1000000000);
    ts.tv_nsec = (long)(ns % 1000000000);
    return ts;
}

static void leave_cleanup(void *arg)
{
    compat_gate_leave(arg);
}

bool compat_gate_wait(struct compat_gate *g, bool (*ready)(const void *arg),
                      const void *arg, uint32_t ticks)
{
    struct timespec until = ticks_from_now(ticks);
    int rc = 0;
    if (ticks == 0)
        return ready(arg);
    pthread_cleanup_push(leave_cleanup, g);
    while (!ready(arg) && rc != ETIMEDOUT) {
        if (ticks == portMAX_DELAY)
            rc = pthread_cond_wait(&g->changed, &g->mutex);
        else
            rc = pthread_cond_timedwait(&g->changed, &g->mutex, &until);
    }
    pthread_cleanup_pop(0);
    return ready(arg);
}
