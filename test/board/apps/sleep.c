/* Sleeps, and the second time for good: nothing is to wake it. */
#include "esp_sleep.h"
#include "esp_system.h"

void app_main(void)
{
    if (esp_reset_reason() == ESP_RST_POWERON)
        esp_deep_sleep(200000);
    esp_deep_sleep_start();
}
