/* A task is a detached thread and a block in a list. The block lives as long
 * as the thread, so a handle that outlives its task is not found in the list
 * and does nothing. The list, suspension and the count of tasks share one
 * mutex; the last task that ends tells the board that nothing will happen any
 * more. */
#include "freertos/task.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "compat.h"
#include "linux_time.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#define MIN_STACK_LEN (256u * 1024)

struct compat_task {
    struct compat_task *next;
    TaskFunction_t fn;
    void *arg;
    pthread_t thread;
    char name[configMAX_TASK_NAME_LEN];
    UBaseType_t priority;
    bool suspended;
    uint8_t *stack; /* its lowest byte */
    size_t stack_len;
    bool notified;
    uint32_t notice;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t resumed = PTHREAD_COND_INITIALIZER;
static struct compat_task *tasks;
static UBaseType_t task_cnt;
static _Thread_local struct compat_task *self;

/* --- life ----------------------------------------------------------------- */

static void list_add(struct compat_task *task)
{
    pthread_mutex_lock(&lock);
    task->next = tasks;
    tasks = task;
    task_cnt++;
    compat_set_tasks(true);
    pthread_mutex_unlock(&lock);
}

static void list_remove(struct compat_task *task)
{
    pthread_mutex_lock(&lock);
    struct compat_task **at = &tasks;
    while (*at != task)
        at = &(*at)->next;
    *at = task->next;
    if (--task_cnt == 0)
        compat_set_tasks(false);
    pthread_mutex_unlock(&lock);
}

/* A cancelled thread leaves its frames without their epilogues, and the
 * address sanitizer, which those would have told, then finds fault with
 * whatever uses that part of the stack next. */
static void frames_forget(const struct compat_task *task)
{
#if defined(__SANITIZE_ADDRESS__)
    const uint8_t *here = __builtin_frame_address(0);
    if (task == self && task->stack)
        __asan_unpoison_memory_region(task->stack,
                                      (size_t)(here - task->stack));
#else
    (void)task;
#endif
}

/* However the thread ends: deleted by itself or cancelled by another. */
static void task_end(void *arg)
{
    struct compat_task *task = arg;
    frames_forget(task);
    list_remove(task);
    free(task);
}

/* --- the stack ------------------------------------------------------------ */

#define PAINT 0xa5
#define UNPAINTED_LEN 2048 /* below the frame that paints */

static void stack_find(struct compat_task *task)
{
    pthread_attr_t attr;
    void *low;
    if (pthread_getattr_np(pthread_self(), &attr) != 0)
        return;
    if (pthread_attr_getstack(&attr, &low, &task->stack_len) == 0)
        task->stack = low;
    pthread_attr_destroy(&attr);
}

/* What is never touched keeps its paint. By hand, because no checked memset
 * may write below its caller's frame. */
__attribute__((noinline)) static void stack_paint(struct compat_task *task)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    volatile uint8_t *at = task->stack;
    while (at && (uintptr_t)at < here - UNPAINTED_LEN)
        *at++ = PAINT;
}

static void *task_main(void *arg)
{
    struct compat_task *task = arg;
    self = task;
    stack_find(task);
    stack_paint(task);
    pthread_setname_np(pthread_self(), task->name);
    pthread_cleanup_push(task_end, task);
    task->fn(task->arg);
    fprintf(stderr, "task '%s' returned; a task ends with vTaskDelete(NULL)\n",
            task->name);
    abort();
    pthread_cleanup_pop(1);
    return NULL;
}

static bool task_run(struct compat_task *task, uint32_t stack_len)
{
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (stack_len < MIN_STACK_LEN)
        stack_len = MIN_STACK_LEN;
    pthread_attr_setstacksize(&attr, (stack_len + 4095u) & ~(size_t)4095u);
    bool ok = pthread_create(&task->thread, &attr, task_main, task) == 0;
    pthread_attr_destroy(&attr);
    return ok;
}

BaseType_t xTaskCreate(TaskFunction_t pvTaskCode, const char *pcName,
                       uint32_t usStackDepth, void *pvParameters,
                       UBaseType_t uxPriority, TaskHandle_t *pxCreatedTask)
{
    struct compat_task *task = calloc(1, sizeof(*task));
    if (!task)
        return errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY;
    task->fn = pvTaskCode;
    task->arg = pvParameters;
    task->priority = uxPriority < configMAX_PRIORITIES
                         ? uxPriority
                         : configMAX_PRIORITIES - 1;
    snprintf(task->name, sizeof(task->name), "%s", pcName ? pcName : "task");
    list_add(task);
    /* Before it runs, because the task may be gone when this returns. */
    if (pxCreatedTask)
        *pxCreatedTask = task;
    if (task_run(task, usStackDepth))
        return pdPASS;
    task_end(task);
    if (pxCreatedTask)
        *pxCreatedTask = NULL;
    return errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY;
}

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t pvTaskCode,
                                   const char *pcName, uint32_t usStackDepth,
                                   void *pvParameters, UBaseType_t uxPriority,
                                   TaskHandle_t *pxCreatedTask,
                                   BaseType_t xCoreID)
{
    (void)xCoreID;
    return xTaskCreate(pvTaskCode, pcName, usStackDepth, pvParameters,
                       uxPriority, pxCreatedTask);
}

TaskHandle_t xTaskCreateStatic(TaskFunction_t pxTaskCode, const char *pcName,
                               uint32_t ulStackDepth, void *pvParameters,
                               UBaseType_t uxPriority,
                               StackType_t *puxStackBuffer,
                               StaticTask_t *pxTaskBuffer)
{
    TaskHandle_t task = NULL;
    if (!puxStackBuffer || !pxTaskBuffer)
        return NULL;
    (void)xTaskCreate(pxTaskCode, pcName, ulStackDepth, pvParameters,
                      uxPriority, &task);
    return task;
}

/* With the mutex held. */
static bool is_alive(const struct compat_task *task)
{
    const struct compat_task *t = tasks;
    while (t && t != task)
        t = t->next;
    return t != NULL;
}

void vTaskDelete(TaskHandle_t xTaskToDelete)
{
    if (!xTaskToDelete || xTaskToDelete == self)
        pthread_exit(NULL);
    pthread_mutex_lock(&lock);
    if (is_alive(xTaskToDelete))
        pthread_cancel(xTaskToDelete->thread);
    pthread_mutex_unlock(&lock);
}

/* --- suspension ----------------------------------------------------------- */

static void unlock_cleanup(void *arg)
{
    pthread_mutex_unlock(arg);
}

/* Waits while the calling task is suspended. */
static void suspension_point(void)
{
    if (!self)
        return;
    pthread_mutex_lock(&lock);
    pthread_cleanup_push(unlock_cleanup, &lock);
    while (self->suspended)
        pthread_cond_wait(&resumed, &lock);
    pthread_cleanup_pop(1);
}

static void suspended_set(struct compat_task *task, bool suspended)
{
    pthread_mutex_lock(&lock);
    if (is_alive(task))
        task->suspended = suspended;
    pthread_cond_broadcast(&resumed);
    pthread_mutex_unlock(&lock);
}

void vTaskSuspend(TaskHandle_t xTaskToSuspend)
{
    suspended_set(xTaskToSuspend ? xTaskToSuspend : self, true);
    suspension_point();
}

void vTaskResume(TaskHandle_t xTaskToResume)
{
    suspended_set(xTaskToResume, false);
}

/* --- time ----------------------------------------------------------------- */

void vTaskDelay(TickType_t xTicksToDelay)
{
    if (xTicksToDelay == 0)
        sched_yield();
    else
        linux_sleep_us((uint64_t)xTicksToDelay * compat_tick_ms() * 1000);
    suspension_point();
}

TickType_t xTaskGetTickCount(void)
{
    return (TickType_t)((linux_mono_ms() - compat_start_ms()) /
                        compat_tick_ms());
}

BaseType_t xTaskDelayUntil(TickType_t *pxPreviousWakeTime,
                           TickType_t xTimeIncrement)
{
    TickType_t wake = *pxPreviousWakeTime + xTimeIncrement;
    TickType_t left = wake - xTaskGetTickCount();
    *pxPreviousWakeTime = wake;
    if (left == 0 || left > xTimeIncrement)
        return pdFALSE;
    vTaskDelay(left);
    return pdTRUE;
}

/* --- questions ------------------------------------------------------------ */

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return self;
}

TaskHandle_t xTaskGetHandle(const char *pcNameToQuery)
{
    pthread_mutex_lock(&lock);
    struct compat_task *task = tasks;
    while (task && strcmp(task->name, pcNameToQuery) != 0)
        task = task->next;
    pthread_mutex_unlock(&lock);
    return task;
}

char *pcTaskGetName(TaskHandle_t xTaskToQuery)
{
    static char none[] = "";
    struct compat_task *task = xTaskToQuery ? xTaskToQuery : self;
    return task ? task->name : none;
}

UBaseType_t uxTaskGetNumberOfTasks(void)
{
    pthread_mutex_lock(&lock);
    UBaseType_t cnt = task_cnt;
    pthread_mutex_unlock(&lock);
    return cnt;
}

UBaseType_t uxTaskPriorityGet(TaskHandle_t xTask)
{
    struct compat_task *task = xTask ? xTask : self;
    return task ? task->priority : tskIDLE_PRIORITY;
}

void vTaskPrioritySet(TaskHandle_t xTask, UBaseType_t uxNewPriority)
{
    struct compat_task *task = xTask ? xTask : self;
    if (task && uxNewPriority < configMAX_PRIORITIES)
        task->priority = uxNewPriority;
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t xTask)
{
    struct compat_task *task = xTask ? xTask : self;
    size_t len = 0;
    if (!task || !task->stack)
        return 0;
    const volatile uint8_t *at = task->stack;
    while (len < task->stack_len && at[len] == PAINT)
        len++;
    return (UBaseType_t)len;
}

eTaskState eTaskGetState(TaskHandle_t xTask)
{
    pthread_mutex_lock(&lock);
    eTaskState state = !is_alive(xTask)   ? eDeleted
                       : xTask->suspended ? eSuspended
                       : xTask == self    ? eRunning
                                          : eReady;
    pthread_mutex_unlock(&lock);
    return state;
}

/* --- notifications -------------------------------------------------------- */

static uint32_t notice_after(const struct compat_task *task, uint32_t value,
                             eNotifyAction action)
{
    switch (action) {
    case eSetBits:
        return task->notice | value;
    case eIncrement:
        return task->notice + 1;
    case eSetValueWithOverwrite:
    case eSetValueWithoutOverwrite:
        return value;
    default:
        return task->notice;
    }
}

BaseType_t xTaskNotify(TaskHandle_t xTaskToNotify, uint32_t ulValue,
                       eNotifyAction eAction)
{
    return xTaskNotifyAndQuery(xTaskToNotify, ulValue, eAction, NULL);
}

BaseType_t xTaskNotifyAndQuery(TaskHandle_t xTaskToNotify, uint32_t ulValue,
                               eNotifyAction eAction,
                               uint32_t *pulPreviousNotifyValue)
{
    pthread_mutex_lock(&lock);
    bool alive = is_alive(xTaskToNotify);
    bool ok = alive && !(eAction == eSetValueWithoutOverwrite &&
                         xTaskToNotify->notified);
    if (alive && pulPreviousNotifyValue)
        *pulPreviousNotifyValue = xTaskToNotify->notice;
    if (ok) {
        xTaskToNotify->notice = notice_after(xTaskToNotify, ulValue, eAction);
        xTaskToNotify->notified = true;
    }
    pthread_cond_broadcast(&resumed);
    pthread_mutex_unlock(&lock);
    return ok ? pdPASS : pdFAIL;
}

/* With the mutex held: until the calling task is notified. */
static bool notice_wait(TickType_t ticks)
{
    uint64_t until = linux_mono_ms() + (uint64_t)ticks * compat_tick_ms();
    while (!self->notified && ticks == portMAX_DELAY)
        pthread_cond_wait(&resumed, &lock);
    while (!self->notified && linux_mono_ms() < until) {
        uint64_t left = until - linux_mono_ms();
        struct timespec ts;
        clock_gettime(CLOCK_REALTIME, &ts);
        uint64_t ns = (uint64_t)ts.tv_nsec + left % 1000 * 1000000;
        ts.tv_sec += (time_t)(left / 1000 + ns / 1000000000);
        ts.tv_nsec = (long)(ns % 1000000000);
        pthread_cond_timedwait(&resumed, &lock, &ts);
    }
    return self->notified;
}

BaseType_t xTaskNotifyWait(uint32_t ulBitsToClearOnEntry,
                           uint32_t ulBitsToClearOnExit,
                           uint32_t *pulNotificationValue,
                           TickType_t xTicksToWait)
{
    bool got = false;
    if (!self)
        return pdFALSE;
    pthread_mutex_lock(&lock);
    pthread_cleanup_push(unlock_cleanup, &lock);
    if (!self->notified)
        self->notice &= ~ulBitsToClearOnEntry;
    got = notice_wait(xTicksToWait);
    if (pulNotificationValue)
        *pulNotificationValue = self->notice;
    if (got)
        self->notice &= ~ulBitsToClearOnExit;
    self->notified = false;
    pthread_cleanup_pop(1);
    return got ? pdTRUE : pdFALSE;
}

uint32_t ulTaskNotifyTake(BaseType_t xClearCountOnExit, TickType_t xTicksToWait)
{
    uint32_t count = 0;
    if (!self)
        return 0;
    pthread_mutex_lock(&lock);
    pthread_cleanup_push(unlock_cleanup, &lock);
    if (self->notice == 0)
        (void)notice_wait(xTicksToWait);
    count = self->notice;
    if (count > 0)
        self->notice = xClearCountOnExit ? 0 : count - 1;
    self->notified = false;
    pthread_cleanup_pop(1);
    return count;
}

BaseType_t xTaskNotifyStateClear(TaskHandle_t xTask)
{
    struct compat_task *task = xTask ? xTask : self;
    pthread_mutex_lock(&lock);
    bool was = is_alive(task) && task->notified;
    if (was)
        task->notified = false;
    pthread_mutex_unlock(&lock);
    return was ? pdTRUE : pdFALSE;
}

uint32_t ulTaskNotifyValueClear(TaskHandle_t xTask, uint32_t ulBitsToClear)
{
    struct compat_task *task = xTask ? xTask : self;
    uint32_t was = 0;
    pthread_mutex_lock(&lock);
    if (is_alive(task)) {
        was = task->notice;
        task->notice &= ~ulBitsToClear;
    }
    pthread_mutex_unlock(&lock);
    return was;
}

/* --- critical sections ---------------------------------------------------- */

static pthread_mutex_t critical = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void vPortEnterCritical(void)
{
    pthread_mutex_lock(&critical);
}

void vPortExitCritical(void)
{
    pthread_mutex_unlock(&critical);
}
