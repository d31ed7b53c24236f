/* What the runtime promises beyond the network: tasks, timers, pins, log,
 * resets. The first boot ends with esp_restart(), the second with a crash. */
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

static void first_handler(void)
{
    printf("handler first\n");
}

static void second_handler(void)
{
    printf("handler second\n");
}

static void never_handler(void)
{
    printf("handler never\n");
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

static void restart_with_handlers(void)
{
    check("shutdown handlers",
          esp_register_shutdown_handler(first_handler) == ESP_OK &&
              esp_register_shutdown_handler(second_handler) == ESP_OK &&
              esp_register_shutdown_handler(never_handler) == ESP_OK &&
              esp_unregister_shutdown_handler(never_handler) == ESP_OK &&
              esp_register_shutdown_handler(first_handler) ==
                  ESP_ERR_INVALID_STATE);
    esp_restart();
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
        restart_with_handlers();
        break;
    case ESP_RST_SW:
        printf("reset software\n");
        esp_system_abort("on purpose");
        break;
    case ESP_RST_PANIC:
        printf("reset panic\n");
        break;
    default:
        printf("reset unknown\n");
        break;
    }
}
