#include "freertos/timers.h"

#include <string.h>

#include "alarm.h"
#include "compat.h"

struct compat_timer {
    struct compat_alarm alarm;
    TimerCallbackFunction_t fn;
    void *id;
    TickType_t period;
    bool reload;
    char name[configMAX_TASK_NAME_LEN];
};

static void on_time(void *arg)
{
    struct compat_timer *timer = arg;
    timer->fn(timer);
}

TimerHandle_t xTimerCreate(const char *pcTimerName,
                           TickType_t xTimerPeriodInTicks,
                           BaseType_t xAutoReload, void *pvTimerID,
                           TimerCallbackFunction_t pxCallbackFunction)
{
    if (xTimerPeriodInTicks == 0 || !pxCallbackFunction)
        return NULL;
    struct compat_timer *timer = calloc(1, sizeof(*timer));
    if (!timer)
        return NULL;
    timer->alarm.fn = on_time;
    timer->alarm.arg = timer;
    timer->fn = pxCallbackFunction;
    timer->id = pvTimerID;
    timer->period = xTimerPeriodInTicks;
    timer->reload = xAutoReload != pdFALSE;
    if (pcTimerName)
        snprintf(timer->name, sizeof(timer->name), "%s", pcTimerName);
    return timer;
}

BaseType_t xTimerReset(TimerHandle_t xTimer, TickType_t xTicksToWait)
{
    uint64_t us = (uint64_t)xTimer->period * compat_tick_ms() * 1000;
    (void)xTicksToWait;
    return compat_alarm_start(&xTimer->alarm, us, xTimer->reload ? us : 0)
               ? pdPASS
               : pdFAIL;
}

BaseType_t xTimerStart(TimerHandle_t xTimer, TickType_t xTicksToWait)
{
    return xTimerReset(xTimer, xTicksToWait);
}

BaseType_t xTimerStop(TimerHandle_t xTimer, TickType_t xTicksToWait)
{
    (void)xTicksToWait;
    compat_alarm_stop(&xTimer->alarm);
    return pdPASS;
}

BaseType_t xTimerChangePeriod(TimerHandle_t xTimer, TickType_t xNewPeriod,
                              TickType_t xTicksToWait)
{
    if (xNewPeriod == 0)
        return pdFAIL;
    xTimer->period = xNewPeriod;
    return xTimerReset(xTimer, xTicksToWait);
}

BaseType_t xTimerDelete(TimerHandle_t xTimer, TickType_t xTicksToWait)
{
    (void)xTicksToWait;
    compat_alarm_drop(&xTimer->alarm);
    free(xTimer);
    return pdPASS;
}

BaseType_t xTimerIsTimerActive(TimerHandle_t xTimer)
{
    return compat_alarm_active(&xTimer->alarm) ? pdTRUE : pdFALSE;
}

void *pvTimerGetTimerID(TimerHandle_t xTimer)
{
    return xTimer->id;
}

void vTimerSetTimerID(TimerHandle_t xTimer, void *pvNewID)
{
    xTimer->id = pvNewID;
}

const char *pcTimerGetName(TimerHandle_t xTimer)
{
    return xTimer->name;
}

TickType_t xTimerGetPeriod(TimerHandle_t xTimer)
{
    return xTimer->period;
}
