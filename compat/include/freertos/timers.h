/* freertos/timers.h - functions that are called after so many ticks.
 *
 * Call-backs run one after the other on one thread. Commands take effect at
 * once; the time to wait for a queue is accepted. */
#ifndef TIMERS_H
#define TIMERS_H

#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

struct compat_timer;
typedef struct compat_timer *TimerHandle_t;
typedef void (*TimerCallbackFunction_t)(TimerHandle_t xTimer);

/* NULL: no memory, or a period of 0. It does not run yet. */
TimerHandle_t xTimerCreate(const char *pcTimerName,
                           TickType_t xTimerPeriodInTicks,
                           BaseType_t xAutoReload, void *pvTimerID,
                           TimerCallbackFunction_t pxCallbackFunction);

BaseType_t xTimerStart(TimerHandle_t xTimer, TickType_t xTicksToWait);
BaseType_t xTimerReset(TimerHandle_t xTimer, TickType_t xTicksToWait);
BaseType_t xTimerStop(TimerHandle_t xTimer, TickType_t xTicksToWait);
/* Starts it, too. */
BaseType_t xTimerChangePeriod(TimerHandle_t xTimer, TickType_t xNewPeriod,
                              TickType_t xTicksToWait);
/* Not after this call; one that is running is not interrupted. */
BaseType_t xTimerDelete(TimerHandle_t xTimer, TickType_t xTicksToWait);

#define xTimerCreateStatic(name, period, reload, id, fn, place) \
    ((void)(place), xTimerCreate((name), (period), (reload), (id), (fn)))
#define xTimerStartFromISR(timer, woken) \
    ((void)(woken), xTimerStart((timer), 0))
#define xTimerResetFromISR(timer, woken) \
    ((void)(woken), xTimerReset((timer), 0))
#define xTimerStopFromISR(timer, woken) ((void)(woken), xTimerStop((timer), 0))
#define xTimerChangePeriodFromISR(timer, period, woken) \
    ((void)(woken), xTimerChangePeriod((timer), (period), 0))

BaseType_t xTimerIsTimerActive(TimerHandle_t xTimer);
void *pvTimerGetTimerID(TimerHandle_t xTimer);
void vTimerSetTimerID(TimerHandle_t xTimer, void *pvNewID);
const char *pcTimerGetName(TimerHandle_t xTimer);
TickType_t xTimerGetPeriod(TimerHandle_t xTimer);

#ifdef __cplusplus
}
#endif

#endif
