/* freertos/task.h - tasks. */
#ifndef INC_TASK_H
#define INC_TASK_H

#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

struct compat_task;
typedef struct compat_task *TaskHandle_t;

/* A stack below 256 KiB is made that large: host code needs more than a
 * chip's. A task function must not return. */
BaseType_t xTaskCreate(TaskFunction_t pvTaskCode, const char *pcName,
                       uint32_t usStackDepth, void *pvParameters,
                       UBaseType_t uxPriority, TaskHandle_t *pxCreatedTask);
BaseType_t xTaskCreatePinnedToCore(TaskFunction_t pvTaskCode,
                                   const char *pcName, uint32_t usStackDepth,
                                   void *pvParameters, UBaseType_t uxPriority,
                                   TaskHandle_t *pxCreatedTask,
                                   BaseType_t xCoreID);

/* Stack and place are accepted and not used. NULL: no memory. */
TaskHandle_t xTaskCreateStatic(TaskFunction_t pxTaskCode, const char *pcName,
                               uint32_t ulStackDepth, void *pvParameters,
                               UBaseType_t uxPriority,
                               StackType_t *puxStackBuffer,
                               StaticTask_t *pxTaskBuffer);

/* NULL: the calling task, and then it does not return. Another task ends at
 * the next place where it waits. */
void vTaskDelete(TaskHandle_t xTaskToDelete);

void vTaskDelay(TickType_t xTicksToDelay);
/* pdFALSE: the time had passed already. */
BaseType_t xTaskDelayUntil(TickType_t *pxPreviousWakeTime,
                           TickType_t xTimeIncrement);
#define vTaskDelayUntil(previous, increment) \
    ((void)xTaskDelayUntil(previous, increment))

/* NULL: the calling task. Another one stops at its next delay. */
void vTaskSuspend(TaskHandle_t xTaskToSuspend);
void vTaskResume(TaskHandle_t xTaskToResume);

TickType_t xTaskGetTickCount(void);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
/* NULL: no task of that name. */
TaskHandle_t xTaskGetHandle(const char *pcNameToQuery);
/* NULL: the calling task. */
char *pcTaskGetName(TaskHandle_t xTaskToQuery);
UBaseType_t uxTaskGetNumberOfTasks(void);

#define taskYIELD() vTaskDelay(0)
#define portYIELD() taskYIELD()
#define portYIELD_FROM_ISR(...) taskYIELD()

#define taskSCHEDULER_NOT_STARTED ((BaseType_t)1)
#define taskSCHEDULER_RUNNING ((BaseType_t)2)
#define taskSCHEDULER_SUSPENDED ((BaseType_t)0)
#define xTaskGetSchedulerState() taskSCHEDULER_RUNNING

/* Accepted, and told again; threads of the host share its processors evenly. */
UBaseType_t uxTaskPriorityGet(TaskHandle_t xTask);
void vTaskPrioritySet(TaskHandle_t xTask, UBaseType_t uxNewPriority);

/* Bytes of the stack that the task really has which it never used; 0 would be
 * the end of it. NULL: the calling task. */
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t xTask);
#define uxTaskGetStackHighWaterMark2(task) uxTaskGetStackHighWaterMark(task)

typedef enum {
    eRunning,
    eReady,
    eBlocked,
    eSuspended,
    eDeleted,
    eInvalid
} eTaskState;
/* A task that waits is eReady: what a thread waits for is not known. */
eTaskState eTaskGetState(TaskHandle_t xTask);

typedef enum {
    eNoAction,
    eSetBits,
    eIncrement,
    eSetValueWithOverwrite,
    eSetValueWithoutOverwrite
} eNotifyAction;

/* pdFAIL: there is a value that was not taken yet, and it must not be lost. */
BaseType_t xTaskNotify(TaskHandle_t xTaskToNotify, uint32_t ulValue,
                       eNotifyAction eAction);
#define xTaskNotifyGive(task) xTaskNotify((task), 0, eIncrement)
BaseType_t xTaskNotifyWait(uint32_t ulBitsToClearOnEntry,
                           uint32_t ulBitsToClearOnExit,
                           uint32_t *pulNotificationValue,
                           TickType_t xTicksToWait);
/* The count as it was before it was taken from; 0 after the wait. */
uint32_t ulTaskNotifyTake(BaseType_t xClearCountOnExit,
                          TickType_t xTicksToWait);

/* pdFALSE: there was none. NULL: the calling task. */
BaseType_t xTaskNotifyStateClear(TaskHandle_t xTask);
/* The value as it was before. */
uint32_t ulTaskNotifyValueClear(TaskHandle_t xTask, uint32_t ulBitsToClear);
BaseType_t xTaskNotifyAndQuery(TaskHandle_t xTaskToNotify, uint32_t ulValue,
                               eNotifyAction eAction,
                               uint32_t *pulPreviousNotifyValue);
/* There are no interrupts. */
#define xTaskNotifyFromISR(task, value, action, woken) \
    ((void)(woken), xTaskNotify((task), (value), (action)))
#define vTaskNotifyGiveFromISR(task, woken) \
    ((void)(woken), (void)xTaskNotifyGive(task))

#define taskENTER_CRITICAL(mux) portENTER_CRITICAL(mux)
#define taskEXIT_CRITICAL(mux) portEXIT_CRITICAL(mux)
#define taskENTER_CRITICAL_ISR(mux) portENTER_CRITICAL(mux)
#define taskEXIT_CRITICAL_ISR(mux) portEXIT_CRITICAL(mux)
#define xTaskGetTickCountFromISR() xTaskGetTickCount()
#define xPortGetCoreID() ((BaseType_t)0)

#ifdef __cplusplus
}
#endif

#endif
