#include "freertos/semphr.h"

#include "compat.h"
#include "freertos/task.h"

struct compat_semaphore {
    struct compat_gate gate;
    UBaseType_t cnt, max_cnt;
    bool is_mutex;
    /* Of a mutex: who holds it, and how often. */
    pthread_t owner;
    UBaseType_t depth;
};

static SemaphoreHandle_t semaphore_new(UBaseType_t max_cnt, UBaseType_t cnt,
                                       bool is_mutex)
{
    struct compat_semaphore *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    compat_gate_init(&s->gate);
    s->max_cnt = max_cnt;
    s->cnt = cnt;
    s->is_mutex = is_mutex;
    return s;
}

SemaphoreHandle_t xSemaphoreCreateBinary(void)
{
    return semaphore_new(1, 0, false);
}

SemaphoreHandle_t xSemaphoreCreateCounting(UBaseType_t uxMaxCount,
                                           UBaseType_t uxInitialCount)
{
    return semaphore_new(uxMaxCount, uxInitialCount, false);
}

SemaphoreHandle_t xSemaphoreCreateMutex(void)
{
    return semaphore_new(1, 1, true);
}

SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void)
{
    return semaphore_new(1, 1, true);
}

void vSemaphoreDelete(SemaphoreHandle_t xSemaphore)
{
    compat_gate_deinit(&xSemaphore->gate);
    free(xSemaphore);
}

static bool is_free(const void *arg)
{
    const struct compat_semaphore *s = arg;
    return s->cnt > 0;
}

/* Inside. */
static bool holds(const struct compat_semaphore *s)
{
    return s->is_mutex && s->depth > 0 &&
           pthread_equal(s->owner, pthread_self());
}

static BaseType_t take(SemaphoreHandle_t s, TickType_t ticks, bool recursive)
{
    compat_gate_enter(&s->gate);
    bool again = recursive && holds(s);
    bool ok = again || compat_gate_wait(&s->gate, is_free, s, ticks);
    if (ok && !again)
        s->cnt--;
    if (ok && s->is_mutex) {
        s->owner = pthread_self();
        s->depth++;
    }
    compat_gate_leave(&s->gate);
    return ok ? pdTRUE : pdFALSE;
}

static BaseType_t give(SemaphoreHandle_t s)
{
    compat_gate_enter(&s->gate);
    bool ok = s->is_mutex ? holds(s) : s->cnt < s->max_cnt;
    if (ok && s->is_mutex)
        s->depth--;
    if (ok && s->depth == 0)
        s->cnt++;
    compat_gate_wake(&s->gate);
    compat_gate_leave(&s->gate);
    return ok ? pdTRUE : pdFALSE;
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t xSemaphore, TickType_t xTicksToWait)
{
    return take(xSemaphore, xTicksToWait, false);
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t xSemaphore)
{
    return give(xSemaphore);
}

BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t xMutex,
                                   TickType_t xTicksToWait)
{
    return take(xMutex, xTicksToWait, true);
}

BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t xMutex)
{
    return give(xMutex);
}

UBaseType_t uxSemaphoreGetCount(SemaphoreHandle_t xSemaphore)
{
    compat_gate_enter(&xSemaphore->gate);
    UBaseType_t cnt = xSemaphore->cnt;
    compat_gate_leave(&xSemaphore->gate);
    return cnt;
}
