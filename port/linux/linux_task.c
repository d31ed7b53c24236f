#include "linux_task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "linux_time.h"

/* --- threads -------------------------------------------------------------- */

struct start {
    void (*fn)(void *arg);
    void *arg;
    char name[16];
};

static void *thread_main(void *arg)
{
    struct start s = *(struct start *)arg;
    free(arg);
    pthread_setname_np(pthread_self(), s.name);
    s.fn(s.arg);
    return NULL;
}

static esp_err_t thread_start(struct start *s)
{
    pthread_attr_t attr;
    pthread_t thread;
    if (pthread_attr_init(&attr) != 0)
        return ESP_ERR_NO_MEM;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int rc = pthread_create(&thread, &attr, thread_main, s);
    pthread_attr_destroy(&attr);
    return rc == 0 ? ESP_OK : ESP_ERR_NO_MEM;
}

static esp_err_t task_start(void *ctx, const char *name, void (*fn)(void *arg),
                            void *arg)
{
    (void)ctx;
    struct start *s = calloc(1, sizeof(*s));
    if (!s)
        return ESP_ERR_NO_MEM;
    s->fn = fn;
    s->arg = arg;
    snprintf(s->name, sizeof(s->name), "%s", name);
    esp_err_t err = thread_start(s);
    if (err)
        free(s);
    return err;
}

/* --- the place ------------------------------------------------------------ */

static void task_enter(void *ctx)
{
    struct linux_task *t = ctx;
    pthread_mutex_lock(&t->mutex);
}

static void task_leave(void *ctx)
{
    struct linux_task *t = ctx;
    pthread_mutex_unlock(&t->mutex);
}

static uint32_t task_wait(void *ctx, uint32_t ms)
{
    struct linux_task *t = ctx;
    if (ms == UINT32_MAX) {
        pthread_cond_wait(&t->cond, &t->mutex);
        return UINT32_MAX;
    }
    uint64_t until = linux_mono_ms() + ms;
    struct timespec ts = { .tv_sec = (time_t)(until / 1000),
                           .tv_nsec = (long)(until % 1000) * 1000000 };
    if (pthread_cond_timedwait(&t->cond, &t->mutex, &ts) == ETIMEDOUT)
        return 0;
    uint64_t now = linux_mono_ms();
    return now < until ? (uint32_t)(until - now) : 0;
}

static void task_wake(void *ctx)
{
    struct linux_task *t = ctx;
    pthread_cond_broadcast(&t->cond);
}

void linux_task_init(struct linux_task *t)
{
    pthread_condattr_t attr;
    t->port = (struct port_task){ .ctx = t,
                                  .start = task_start,
                                  .enter = task_enter,
                                  .leave = task_leave,
                                  .wait = task_wait,
                                  .wake = task_wake };
    pthread_mutex_init(&t->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&t->cond, &attr);
    pthread_condattr_destroy(&attr);
}

/* --- the lock ------------------------------------------------------------- */

static void lock_lock(void *ctx)
{
    struct linux_lock *l = ctx;
    pthread_mutex_lock(&l->mutex);
}

static void lock_unlock(void *ctx)
{
    struct linux_lock *l = ctx;
    pthread_mutex_unlock(&l->mutex);
}

void linux_lock_init(struct linux_lock *l)
{
    pthread_mutexattr_t attr;
    l->port = (struct port_lock){ l, lock_lock, lock_unlock };
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&l->mutex, &attr);
    pthread_mutexattr_destroy(&attr);
}
