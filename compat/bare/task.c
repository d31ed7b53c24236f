/* What applications with one task ask of freertos/task.h. There is nobody to
 * start a second one for: xTaskCreate() says so. */
#include "freertos/task.h"

#include "api/device.h"

static void sleep_ms(uint32_t ms)
{
    const struct port_sys *sys = api_device()->boot.sys;
    sys->sleep_ms(sys->ctx, ms);
}

static uint64_t now_ms(void)
{
    const struct port_sys *sys = api_device()->boot.sys;
    return sys->mono_ms(sys->ctx);
}

void vTaskDelay(TickType_t xTicksToDelay)
{
    sleep_ms(xTicksToDelay * portTICK_PERIOD_MS);
}

TickType_t xTaskGetTickCount(void)
{
    return (TickType_t)(now_ms() / portTICK_PERIOD_MS);
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

BaseType_t xTaskCreate(TaskFunction_t pvTaskCode, const char *pcName,
                       uint32_t usStackDepth, void *pvParameters,
                       UBaseType_t uxPriority, TaskHandle_t *pxCreatedTask)
{
    (void)pvTaskCode;
    (void)pcName;
    (void)usStackDepth;
    (void)pvParameters;
    (void)uxPriority;
    if (pxCreatedTask)
        *pxCreatedTask = NULL;
    return errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY;
}
