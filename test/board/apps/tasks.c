/* What ESP-IDF applications do with tasks, queues, semaphores and events;
 * says "all is well" or what is not, and ends its last task. */
#include <stdbool.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

static const char *TAG = "tasks";

ESP_EVENT_DEFINE_BASE(TEST_EVENT);

static QueueHandle_t queue;
static EventGroupHandle_t group;
static int seen_id, seen_data;

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    ESP_LOGE(TAG, "wrong: %s", what);
    esp_system_abort(what);
}

static void sender(void *arg)
{
    for (int i = 0; i < 10; i++)
        xQueueSend(queue, &i, portMAX_DELAY);
    xEventGroupSetBits(group, (EventBits_t)(uintptr_t)arg);
    vTaskDelete(NULL);
}

static void sleeper(void *arg)
{
    (void)arg;
    for (;;)
        vTaskDelay(1);
}

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    check(base == TEST_EVENT, "the event's base");
    seen_id = id;
    memcpy(&seen_data, data, sizeof(seen_data));
    xSemaphoreGive((SemaphoreHandle_t)arg);
}

/* A task that is done is there for a moment yet, and in what it used last. */
static bool is_alone(void)
{
    for (int i = 0; i < 500 && uxTaskGetNumberOfTasks() > 1; i++)
        vTaskDelay(1);
    return uxTaskGetNumberOfTasks() == 1;
}

static void use_queue(void)
{
    int got = -1;

    queue = xQueueCreate(3, sizeof(int));
    group = xEventGroupCreate();
    check(xTaskCreate(sender, "sender", 2048, (void *)4, 5, NULL) == pdPASS,
          "creating a task");
    for (int i = 0; i < 10; i++) {
        check(xQueueReceive(queue, &got, pdMS_TO_TICKS(5000)), "a queue");
        check(got == i, "the order of a queue");
    }
    check(xEventGroupWaitBits(group, 4, pdTRUE, pdTRUE, pdMS_TO_TICKS(5000)) ==
              4,
          "waiting for bits");
    check(xEventGroupGetBits(group) == 0, "bits cleared on exit");
    check(!xQueueReceive(queue, &got, 1), "an empty queue");
    check(is_alone(), "a task that ends itself");
    vQueueDelete(queue);
    vEventGroupDelete(group);
}

static void use_mutex(void)
{
    SemaphoreHandle_t mutex = xSemaphoreCreateRecursiveMutex();

    check(xSemaphoreTakeRecursive(mutex, 0), "taking a mutex");
    check(xSemaphoreTakeRecursive(mutex, 0), "taking it again");
    check(xSemaphoreGiveRecursive(mutex), "giving it back");
    check(xSemaphoreGiveRecursive(mutex), "giving it back again");
    check(!xSemaphoreGiveRecursive(mutex), "giving what one does not hold");
    vSemaphoreDelete(mutex);
}

static void use_events(void)
{
    SemaphoreHandle_t done = xSemaphoreCreateBinary();
    int data = 77;

    check(esp_event_post(TEST_EVENT, 1, NULL, 0, 0) == ESP_ERR_INVALID_STATE,
          "a post without a loop");
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    check(esp_event_loop_create_default() == ESP_ERR_INVALID_STATE,
          "a second default loop");
    ESP_ERROR_CHECK(esp_event_handler_register(TEST_EVENT, ESP_EVENT_ANY_ID,
                                               on_event, done));
    ESP_ERROR_CHECK(
        esp_event_post(TEST_EVENT, 3, &data, sizeof(data), portMAX_DELAY));
    check(xSemaphoreTake(done, pdMS_TO_TICKS(5000)), "an event");
    check(seen_id == 3 && seen_data == 77, "the event's data");
    ESP_ERROR_CHECK(esp_event_loop_delete_default());
    vSemaphoreDelete(done);
}

static void use_time(void)
{
    TickType_t start = xTaskGetTickCount();
    TickType_t wake = start;

    vTaskDelay(pdMS_TO_TICKS(50));
    check(xTaskGetTickCount() - start >= 4, "a delay");
    check(portTICK_PERIOD_MS == 10, "the tick");
    xTaskDelayUntil(&wake, 8);
    check(wake == start + 8, "a delay until");
}

static void use_delete(void)
{
    TaskHandle_t task = NULL;

    check(xTaskCreate(sleeper, "sleeper", 2048, NULL, 5, &task) == pdPASS,
          "creating a task");
    check(uxTaskGetNumberOfTasks() == 2, "the number of tasks");
    check(strcmp(pcTaskGetName(task), "sleeper") == 0, "a task's name");
    vTaskDelete(task);
    check(is_alone(), "deleting a task");
}

void app_main(void)
{
    const esp_app_desc_t *desc = esp_app_get_description();

    check(strcmp(desc->version, "3.1") == 0, "the version");
    check(strcmp(desc->project_name, "tasks") == 0, "the project");
    check(desc->secure_version == 2, "the secure version");
    check(esp_reset_reason() == ESP_RST_POWERON, "the reset reason");
    check(esp_get_free_heap_size() > 0, "free memory");
    use_queue();
    use_mutex();
    use_events();
    use_time();
    use_delete();
    ESP_LOGI(TAG, "all is well");
}
