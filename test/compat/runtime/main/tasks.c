/* FreeRTOS calls, as an application makes them. */
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "runtime.h"

/* --- stacks --------------------------------------------------------------- */

static UBaseType_t deep_left, flat_left;

static int use_stack(int bytes);
/* So that no compiler makes a loop of it, or less of the block. */
static int (*volatile deeper)(int bytes) = use_stack;

static int use_stack(int bytes)
{
    char block[1024];

    memset(block, 0x5c, sizeof(block));
    __asm__ volatile("" : : "r"(block) : "memory");
    return bytes > 0 ? deeper(bytes - 1024) + block[7] : block[7];
}

static void stack_task(void *arg)
{
    int bytes = *(int *)arg;

    use_stack(bytes);
    UBaseType_t left = uxTaskGetStackHighWaterMark(NULL);
    if (bytes > 0)
        deep_left = left;
    else
        flat_left = left;
    xTaskNotifyGive(xTaskGetHandle("checks"));
    vTaskDelete(NULL);
}

static void check_stacks(void)
{
    static int deep = 100 * 1024, flat = 0;

    xTaskCreate(stack_task, "deep", 4096, &deep, 3, NULL);
    ulTaskNotifyTake(pdFALSE, pdMS_TO_TICKS(5000));
    xTaskCreate(stack_task, "flat", 4096, &flat, 3, NULL);
    ulTaskNotifyTake(pdFALSE, pdMS_TO_TICKS(5000));
    check("high-water mark of a task that used 100 KiB",
          flat_left > deep_left && flat_left - deep_left >= 100 * 1024);
    check("high-water mark is not nothing", deep_left > 0);
}

/* --- notifications -------------------------------------------------------- */

static TaskHandle_t checks;

/* The second comes when the first has been read. */
static void notify_task(void *arg)
{
    (void)arg;
    vTaskDelay(2);
    xTaskNotify(checks, 0x10, eSetBits);
    ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    xTaskNotify(checks, 77, eSetValueWithOverwrite);
    vTaskDelete(NULL);
}

static void check_notifications(void)
{
    TaskHandle_t other;
    uint32_t value = 0;

    check("nothing to take", ulTaskNotifyTake(pdTRUE, 1) == 0);
    xTaskNotifyGive(checks);
    xTaskNotifyGive(checks);
    check("counted", ulTaskNotifyTake(pdFALSE, 0) == 2 &&
                         ulTaskNotifyTake(pdTRUE, 0) == 1);
    xTaskCreate(notify_task, "notify", 4096, NULL, 4, &other);
    check("bits",
          xTaskNotifyWait(0, 0xffffffff, &value, portMAX_DELAY) == pdTRUE &&
              value == 0x10);
    xTaskNotifyGive(other);
    check("value",
          xTaskNotifyWait(0, 0, &value, pdMS_TO_TICKS(5000)) == pdTRUE &&
              value == 77);
    xTaskNotify(checks, 1, eSetValueWithOverwrite);
    check("a value that waits is not lost",
          xTaskNotify(checks, 2, eSetValueWithoutOverwrite) == pdFAIL);
    xTaskNotifyWait(0, 0xffffffff, &value, 0);
}

/* --- the others ----------------------------------------------------------- */

static void check_objects(void)
{
    QueueHandle_t queue = xQueueCreate(1, sizeof(int));
    EventGroupHandle_t group = xEventGroupCreate();
    SemaphoreHandle_t mutex = xSemaphoreCreateRecursiveMutex();
    int one = 1, two = 2, got = 0;

    check("a queue of one is full",
          xQueueSend(queue, &one, 0) == pdTRUE &&
              xQueueSend(queue, &two, 1) == errQUEUE_FULL);
    xQueueOverwrite(queue, &two);
    check("overwritten", xQueueReceive(queue, &got, 0) == pdTRUE && got == 2);
    xEventGroupSetBits(group, BIT0 | BIT3);
    check("bits of a group", xEventGroupWaitBits(group, BIT0 | BIT3, pdTRUE,
                                                 pdTRUE, 0) == (BIT0 | BIT3) &&
                                 xEventGroupGetBits(group) == 0);
    check("a mutex may be taken again by its owner",
          xSemaphoreTakeRecursive(mutex, 0) &&
              xSemaphoreTakeRecursive(mutex, 0) &&
              xSemaphoreGiveRecursive(mutex) &&
              xSemaphoreGiveRecursive(mutex) &&
              !xSemaphoreGiveRecursive(mutex));
    vQueueDelete(queue);
    vEventGroupDelete(group);
    vSemaphoreDelete(mutex);
}

static void check_priorities(void)
{
    vTaskPrioritySet(NULL, 9);
    check("a priority is told again", uxTaskPriorityGet(NULL) == 9);
    check("a name is told again", strcmp(pcTaskGetName(NULL), "checks") == 0);
    static portMUX_TYPE mux = portMUX_INITIALIZER_UNLOCKED;
    taskENTER_CRITICAL(&mux);
    taskENTER_CRITICAL(&mux);
    taskEXIT_CRITICAL(&mux);
    taskEXIT_CRITICAL(&mux);
}

static void checks_task(void *arg)
{
    checks = xTaskGetCurrentTaskHandle();
    check_priorities();
    check_objects();
    check_notifications();
    check_stacks();
    xSemaphoreGive((SemaphoreHandle_t)arg);
    vTaskDelete(NULL);
}

void check_tasks(void)
{
    SemaphoreHandle_t done = xSemaphoreCreateBinary();

    xTaskCreate(checks_task, "checks", 8192, done, 5, NULL);
    check("tasks ended", xSemaphoreTake(done, pdMS_TO_TICKS(20000)) == pdTRUE);
}
