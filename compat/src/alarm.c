/* One list, sorted by nothing (there are few), one condition. A call-back runs
 * without the mutex; `running` says whose it is, so that nobody frees it. */
#include "alarm.h"

#include <pthread.h>
#include <time.h>

#include "compat.h"
#include "linux_time.h"

static struct {
    pthread_once_t once;
    struct compat_gate gate;
    struct compat_alarm *list;
    struct compat_alarm *running;
    pthread_t thread;
    bool started;
} clock_ = { .once = PTHREAD_ONCE_INIT };

uint64_t compat_now_us(void)
{
    return linux_mono_us() - compat_start_ms() * 1000;
}

static void set_up(void)
{
    compat_gate_init(&clock_.gate);
}

static void enter(void)
{
    pthread_once(&clock_.once, set_up);
    compat_gate_enter(&clock_.gate);
}

static void leave(void)
{
    compat_gate_leave(&clock_.gate);
}

/* --- the thread ----------------------------------------------------------- */

static struct compat_alarm *first_due(void)
{
    struct compat_alarm *first = clock_.list;
    for (struct compat_alarm *a = clock_.list; a; a = a->next)
        if (a->due_us < first->due_us)
            first = a;
    return first;
}

static void unlink_alarm(struct compat_alarm *a)
{
    struct compat_alarm **at = &clock_.list;
    while (*at && *at != a)
        at = &(*at)->next;
    if (*at)
        *at = a->next;
    a->active = false;
    compat_set_alarms(clock_.list || clock_.running);
}

/* Inside. A period that was missed is skipped, not made up for. */
static void call(struct compat_alarm *a, uint64_t now)
{
    void (*fn)(void *) = a->fn;
    void *arg = a->arg;
    if (a->period_us == 0)
        unlink_alarm(a);
    else
        a->due_us += ((now - a->due_us) / a->period_us + 1) * a->period_us;
    clock_.running = a;
    compat_set_alarms(true);
    leave();
    fn(arg);
    enter();
    clock_.running = NULL;
    compat_set_alarms(clock_.list != NULL);
    compat_gate_wake(&clock_.gate);
}

static void wait_until(uint64_t due_us)
{
    struct timespec ts = { .tv_sec = (time_t)(due_us / 1000000),
                           .tv_nsec = (long)(due_us % 1000000) * 1000 };
    pthread_cond_timedwait(&clock_.gate.changed, &clock_.gate.mutex, &ts);
}

static void *thread_main(void *arg)
{
    (void)arg;
    enter();
    for (;;) {
        struct compat_alarm *a = first_due();
        uint64_t now = linux_mono_us();
        if (!a)
            pthread_cond_wait(&clock_.gate.changed, &clock_.gate.mutex);
        else if (a->due_us <= now)
            call(a, now);
        else
            wait_until(a->due_us);
    }
    return NULL;
}

/* Inside. */
static bool thread_start(void)
{
    if (!clock_.started) {
        pthread_attr_t attr;
        pthread_attr_init(&attr);
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        clock_.started =
            pthread_create(&clock_.thread, &attr, thread_main, NULL) == 0;
        pthread_attr_destroy(&attr);
    }
    return clock_.started;
}

/* --- alarms --------------------------------------------------------------- */

bool compat_alarm_start(struct compat_alarm *a, uint64_t after_us,
                        uint64_t period_us)
{
    enter();
    bool ok = thread_start();
    if (ok && !a->active) {
        a->next = clock_.list;
        clock_.list = a;
    }
    if (ok) {
        a->active = true;
        a->due_us = linux_mono_us() + after_us;
        a->period_us = period_us;
        compat_set_alarms(true);
    }
    compat_gate_wake(&clock_.gate);
    leave();
    return ok;
}

bool compat_alarm_stop(struct compat_alarm *a)
{
    enter();
    bool was = a->active;
    unlink_alarm(a);
    leave();
    return was;
}

bool compat_alarm_active(const struct compat_alarm *a)
{
    enter();
    bool active = a->active;
    leave();
    return active;
}

void compat_alarm_drop(struct compat_alarm *a)
{
    enter();
    unlink_alarm(a);
    while (clock_.running == a && !pthread_equal(clock_.thread, pthread_self()))
        pthread_cond_wait(&clock_.gate.changed, &clock_.gate.mutex);
    leave();
}
