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
/* NULL: the calling task. */
char *pcTaskGetName(TaskHandle_t xTaskToQuery);
UBaseType_t uxTaskGetNumberOfTasks(void);

#define taskYIELD() vTaskDelay(0)

#ifdef __cplusplus
}
#endif

#endif
