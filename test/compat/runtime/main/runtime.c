/* What the runtime promises beyond the network: tasks, timers, pins, log,
 * resets. */
#include "runtime.h"

#include <stdio.h>

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

void check(const char *name, bool holds)
{
    printf("%s %s\n", holds ? "ok" : "FAILED", name);
}

static void check_log(void)
{
    esp_log_level_set("quiet", ESP_LOG_ERROR);
    esp_log_level_set("loud", ESP_LOG_DEBUG);
    ESP_LOGI("quiet", "line one");
    ESP_LOGE("quiet", "line two");
    ESP_LOGD("loud", "line three");
    ESP_LOGD("other", "line four");
    check("level of a tag", esp_log_level_get("quiet") == ESP_LOG_ERROR);
}

void app_main(void)
{
    switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
        printf("reset power-on\n");
        check_log();
        check_tasks();
        check_timers();
        check_world();
        check_chip();
        check_newlib();
        boot_first();
        break;
    case ESP_RST_SW:
        printf("reset software\n");
        boot_after_restart();
        break;
    case ESP_RST_DEEPSLEEP:
        printf("reset deep-sleep\n");
        boot_after_sleep();
        break;
    case ESP_RST_TASK_WDT:
        printf("reset task-watchdog\n");
        boot_after_watchdog();
        break;
    case ESP_RST_PANIC:
        printf("reset panic\n");
        boot_after_crash();
        break;
    default:
        printf("reset unknown\n");
        break;
    }
}
