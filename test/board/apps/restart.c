/* Restarts until it has run three times; a retained byte would not do, because
 * a power-on must start over. */
#include <stdio.h>
#include <stdlib.h>

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static const char *TAG = "restart";

static void on_shutdown(void)
{
    ESP_LOGI(TAG, "shutting down");
}

void app_main(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();

    ESP_LOGI(TAG, "runs from %s, reset reason %d", running->label,
             (int)esp_reset_reason());
    if (esp_reset_reason() == ESP_RST_SW)
        exit(5);
    ESP_ERROR_CHECK(esp_register_shutdown_handler(on_shutdown));
    vTaskDelay(pdMS_TO_TICKS(20));
    esp_restart();
}
