/* freertos/semphr.h - semaphores and mutexes. */
#ifndef SEMAPHORE_H
#define SEMAPHORE_H

#include "freertos/queue.h"

#ifdef __cplusplus
extern "C" {
#endif

struct compat_semaphore;
typedef struct compat_semaphore *SemaphoreHandle_t;

/* NULL: no memory. A binary one starts taken, a mutex starts free. */
SemaphoreHandle_t xSemaphoreCreateBinary(void);
SemaphoreHandle_t xSemaphoreCreateCounting(UBaseType_t uxMaxCount,
                                           UBaseType_t uxInitialCount);
SemaphoreHandle_t xSemaphoreCreateMutex(void);
SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void);
void vSemaphoreDelete(SemaphoreHandle_t xSemaphore);

BaseType_t xSemaphoreTake(SemaphoreHandle_t xSemaphore,
                          TickType_t xTicksToWait);
BaseType_t xSemaphoreGive(SemaphoreHandle_t xSemaphore);
BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t xMutex,
                                   TickType_t xTicksToWait);
BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t xMutex);
UBaseType_t uxSemaphoreGetCount(SemaphoreHandle_t xSemaphore);

#define xSemaphoreCreateBinaryStatic(place) \
    ((void)(place), xSemaphoreCreateBinary())
#define xSemaphoreCreateCountingStatic(max_cnt, cnt, place) \
    ((void)(place), xSemaphoreCreateCounting((max_cnt), (cnt)))
#define xSemaphoreCreateMutexStatic(place) \
    ((void)(place), xSemaphoreCreateMutex())
#define xSemaphoreCreateRecursiveMutexStatic(place) \
    ((void)(place), xSemaphoreCreateRecursiveMutex())
/* There are no interrupts; who calls these does not wait. */
#define xSemaphoreGiveFromISR(semaphore, woken) \
    ((void)(woken), xSemaphoreGive(semaphore))
#define xSemaphoreTakeFromISR(semaphore, woken) \
    ((void)(woken), xSemaphoreTake((semaphore), 0))

#ifdef __cplusplus
}
#endif

#endif
