/* freertos/FreeRTOS.h - the types and constants that ESP-IDF applications use.
 *
 * Tasks are threads of the host; priorities and cores are accepted and have
 * no effect. */
#ifndef INC_FREERTOS_H
#define INC_FREERTOS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_attr.h"
#include "esp_bit_defs.h"
#include "esp_err.h"
#include "esp_heap_caps.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int BaseType_t;
typedef unsigned int UBaseType_t;
typedef uint32_t TickType_t;
typedef uint8_t StackType_t;
typedef void (*TaskFunction_t)(void *);

#define pdFALSE ((BaseType_t)0)
#define pdTRUE ((BaseType_t)1)
#define pdFAIL pdFALSE
#define pdPASS pdTRUE
#define errQUEUE_EMPTY ((BaseType_t)0)
#define errQUEUE_FULL ((BaseType_t)0)
#define errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY ((BaseType_t)-1)

#define configTICK_RATE_HZ CONFIG_FREERTOS_HZ
#define configMAX_PRIORITIES 25
#define configMINIMAL_STACK_SIZE 1536
#define configMAX_TASK_NAME_LEN 16
#define configASSERT(x) assert(x)

#define portTICK_PERIOD_MS ((TickType_t)1000 / configTICK_RATE_HZ)
#define portTICK_RATE_MS portTICK_PERIOD_MS
#define portMAX_DELAY ((TickType_t)0xffffffffUL)
#define portNUM_PROCESSORS 1

#define pdMS_TO_TICKS(ms) \
    ((TickType_t)(((uint64_t)(ms)*configTICK_RATE_HZ) / 1000))
#define pdTICKS_TO_MS(ticks) \
    ((TickType_t)(((uint64_t)(ticks)*1000) / configTICK_RATE_HZ))

/* One lock for all of them, which a task may enter again. */
typedef struct {
    int nothing;
} portMUX_TYPE;
#define portMUX_INITIALIZER_UNLOCKED \
    {                                \
        0                            \
    }
void vPortEnterCritical(void);
void vPortExitCritical(void);
#define portMUX_INITIALIZE(mux) ((void)(mux))
#define spinlock_initialize(mux) ((void)(mux))
#define portENTER_CRITICAL(mux) ((void)(mux), vPortEnterCritical())
#define portEXIT_CRITICAL(mux) ((void)(mux), vPortExitCritical())
#define portENTER_CRITICAL_ISR(mux) portENTER_CRITICAL(mux)
#define portEXIT_CRITICAL_ISR(mux) portEXIT_CRITICAL(mux)
#define portENTER_CRITICAL_SAFE(mux) portENTER_CRITICAL(mux)
#define portEXIT_CRITICAL_SAFE(mux) portEXIT_CRITICAL(mux)

/* The place that a program gives an object. It is accepted and not used: an
 * object of the host is larger, so it is allocated all the same. */
typedef struct {
    void *unused[4];
} StaticTask_t;
typedef StaticTask_t StaticQueue_t;
typedef StaticTask_t StaticSemaphore_t;
typedef StaticTask_t StaticEventGroup_t;
typedef StaticTask_t StaticTimer_t;

#define pvPortMalloc(len) malloc(len)
#define vPortFree(ptr) free(ptr)
#define xPortGetFreeHeapSize() esp_get_free_heap_size()
#define xPortGetMinimumEverFreeHeapSize() esp_get_minimum_free_heap_size()
#define xPortInIsrContext() pdFALSE /* there are no interrupts */

#define tskIDLE_PRIORITY ((UBaseType_t)0)
#define tskNO_AFFINITY ((BaseType_t)0x7fffffff)

#ifdef __cplusplus
}
#endif

#endif
