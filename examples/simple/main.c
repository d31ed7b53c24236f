/* simple - a device that looks for a new version when it starts.
 *
 * The whole update is one call, esp_https_ota(). What is around it is what
 * every product needs: a new version confirms itself once it knows that it
 * works, and a version that was rolled back is not fetched again at once. */
#include <stdbool.h>
#include <stddef.h>

#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "settings.h"

static const char *TAG = "simple";

static struct settings settings;

static esp_err_t do_firmware_upgrade(void)
{
    esp_http_client_config_t config = {
        .url = settings.url,
        .cert_pem = settings.cert_pem,
        .timeout_ms = 10000,
        .keep_alive_enable = true,
    };
    esp_https_ota_config_t ota_config = {
        .http_config = &config,
    };

    ESP_LOGI(TAG, "looking for a new version at %s", config.url);
    esp_err_t ret = esp_https_ota(&ota_config);
    if (ret == ESP_OK) {
        ESP_LOGI(TAG, "the new version is in place, restarting");
        esp_restart();
    }
    ESP_LOGE(TAG, "refused: %s", esp_err_to_name(ret));
    return ESP_FAIL;
}

/* Is this the first start of a version that nobody confirmed yet? */
static bool is_on_trial(void)
{
    esp_ota_img_states_t state;

    return esp_ota_get_state_partition(esp_ota_get_running_partition(),
                                       &state) == ESP_OK &&
           state == ESP_OTA_IMG_PENDING_VERIFY;
}

/* Did the version before this start crash before it confirmed itself? */
static bool was_rolled_back(void)
{
    return esp_reset_reason() == ESP_RST_PANIC &&
           esp_ota_get_last_invalid_partition() != NULL;
}

/* What has to work before a version may stay. A product also tries its
 * sensors, its network and its server here. */
static bool self_check(void)
{
    return settings_load(&settings) == ESP_OK;
}

static void confirm_or_go_back(bool works)
{
    if (works && esp_ota_mark_app_valid_cancel_rollback() == ESP_OK) {
        ESP_LOGI(TAG, "this version works and is confirmed");
        return;
    }
    ESP_LOGE(TAG, "the self-check failed, going back");
    esp_ota_mark_app_invalid_rollback_and_reboot();
}

void app_main(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    const char *version = esp_app_get_description()->version;
    bool works = self_check();

    ESP_LOGI(TAG, "version %s runs from %s", version, running->label);
    if (is_on_trial())
        confirm_or_go_back(works);
    else if (was_rolled_back())
        ESP_LOGW(TAG, "the last update crashed and was rolled back");
    else if (works)
        do_firmware_upgrade();
    while (true) {
        ESP_LOGI(TAG, "version %s keeps running", version);
        vTaskDelay(1000 / portTICK_PERIOD_MS);
    }
}
