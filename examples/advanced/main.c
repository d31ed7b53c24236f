/* advanced - the update in its steps: look at the image before it is taken,
 * compare versions, show progress, decide at the end. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "driver/gpio.h"
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

#define CONFIG_EXAMPLE_OTA_RECV_TIMEOUT 10000
#define CONFIG_EXAMPLE_GPIO_DIAGNOSTIC 4
#define OTA_TASK_STACK (1024 * 8)
#define OTA_TASK_PRIORITY 5

static const char *TAG = "advanced";

static struct settings settings;

/* Is what the server offers worth having? The running version is not, and
 * neither is one that was rolled back. */
static esp_err_t validate_image_header(const esp_app_desc_t *new_app_info)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    const esp_partition_t *invalid = esp_ota_get_last_invalid_partition();
    esp_app_desc_t known;

    if (esp_ota_get_partition_description(running, &known) == ESP_OK) {
        ESP_LOGI(TAG, "running version: %s, offered: %s", known.version,
                 new_app_info->version);
        if (memcmp(new_app_info->version, known.version,
                   sizeof(known.version)) == 0) {
            ESP_LOGW(TAG, "this version runs already, not updating");
            return ESP_FAIL;
        }
    }
    if (invalid != NULL &&
        esp_ota_get_partition_description(invalid, &known) == ESP_OK &&
        memcmp(new_app_info->version, known.version, sizeof(known.version)) ==
            0) {
        ESP_LOGW(TAG, "version %s was rolled back before, not updating",
                 known.version);
        return ESP_FAIL;
    }
    return ESP_OK;
}

static esp_err_t _http_client_init_cb(esp_http_client_handle_t http_client)
{
    return esp_http_client_set_header(http_client, "X-Device-Version",
                                      esp_app_get_description()->version);
}

static void show_progress(esp_https_ota_handle_t handle)
{
    static int shown;
    int len = esp_https_ota_get_image_len_read(handle);
    int size = esp_https_ota_get_image_size(handle);
    int percent = size > 0 ? (int)(100LL * len / size) : 0;

    ESP_LOGD(TAG, "Image bytes read: %d", len);
    if (percent / 10 == shown)
        return;
    shown = percent / 10;
    ESP_LOGI(TAG, "%d %% of %d bytes", percent, size);
}

static void advanced_ota_task(void *arg)
{
    (void)arg;
    ESP_LOGI(TAG, "Starting Advanced OTA example");

    esp_err_t ota_finish_err = ESP_OK;
    esp_https_ota_handle_t https_ota_handle = NULL;
    esp_http_client_config_t config = {
        .url = settings.url,
        .cert_pem = settings.cert_pem,
        .timeout_ms = CONFIG_EXAMPLE_OTA_RECV_TIMEOUT,
        .keep_alive_enable = true,
    };
    esp_https_ota_config_t ota_config = {
        .http_config = &config,
        .http_client_init_cb = _http_client_init_cb,
    };

    esp_err_t err = esp_https_ota_begin(&ota_config, &https_ota_handle);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "ESP HTTPS OTA Begin failed: %s", esp_err_to_name(err));
        vTaskDelete(NULL);
    }

    esp_app_desc_t app_desc;
    err = esp_https_ota_get_img_desc(https_ota_handle, &app_desc);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_https_ota_get_img_desc failed: %s",
                 esp_err_to_name(err));
        goto ota_end;
    }
    err = validate_image_header(&app_desc);
    if (err != ESP_OK)
        goto ota_end;

    while (1) {
        err = esp_https_ota_perform(https_ota_handle);
        if (err != ESP_ERR_HTTPS_OTA_IN_PROGRESS)
            break;
        show_progress(https_ota_handle);
    }

    if (esp_https_ota_is_complete_data_received(https_ota_handle) != true) {
        ESP_LOGE(TAG, "Complete data was not received: %s",
                 esp_err_to_name(err));
    } else {
        ota_finish_err = esp_https_ota_finish(https_ota_handle);
        if (err == ESP_OK && ota_finish_err == ESP_OK) {
            ESP_LOGI(TAG, "ESP_HTTPS_OTA upgrade successful. Rebooting ...");
            vTaskDelay(1000 / portTICK_PERIOD_MS);
            esp_restart();
        }
        ESP_LOGE(TAG, "ESP_HTTPS_OTA upgrade failed: %s",
                 esp_err_to_name(ota_finish_err));
        vTaskDelete(NULL);
    }

ota_end:
    esp_https_ota_abort(https_ota_handle);
    vTaskDelete(NULL);
}

/* The board's diagnostic input: low says that something is wrong. */
static bool diagnostic(void)
{
    const gpio_config_t config = { .pin_bit_mask =
                                       1ULL << CONFIG_EXAMPLE_GPIO_DIAGNOSTIC,
                                   .mode = GPIO_MODE_INPUT,
                                   .pull_up_en = GPIO_PULLUP_ENABLE };

    gpio_config(&config);
    return gpio_get_level(CONFIG_EXAMPLE_GPIO_DIAGNOSTIC) != 0;
}

/* A version on trial confirms itself once it knows that it works. */
static void confirm(void)
{
    esp_ota_img_states_t state;

    if (esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) !=
            ESP_OK ||
        state != ESP_OTA_IMG_PENDING_VERIFY)
        return;
    if (!diagnostic()) {
        ESP_LOGE(TAG, "the diagnosis failed, back to the version before");
        esp_ota_mark_app_invalid_rollback_and_reboot();
        return; /* there is none to go back to */
    }
    if (esp_ota_mark_app_valid_cancel_rollback() == ESP_OK)
        ESP_LOGI(TAG, "this version works and is confirmed");
    else
        ESP_LOGE(TAG, "this version cannot be confirmed");
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s runs from %s", esp_app_get_description()->version,
             esp_ota_get_running_partition()->label);
    if (settings_load(&settings) != ESP_OK)
        return;
    confirm();
    xTaskCreate(&advanced_ota_task, "advanced_ota_task", OTA_TASK_STACK, NULL,
                OTA_TASK_PRIORITY, NULL);
}
