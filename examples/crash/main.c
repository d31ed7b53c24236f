/* crash - a bad release: it crashes before it confirms itself, so that the
 * bootloader goes back to the version before. Used by `porta demo`. */
#include <stdlib.h>

#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_ota_ops.h"

static const char *TAG = "crash";

void app_main(void)
{
    ESP_LOGI(TAG, "version %s runs from %s, and crashes now",
             esp_app_get_description()->version,
             esp_ota_get_running_partition()->label);
    abort();
}
