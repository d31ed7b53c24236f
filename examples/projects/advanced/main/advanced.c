/* The update step by step: events, a version check, resumption after a reset,
 * and a new version that confirms itself only when its diagnosis is good. */
#include <inttypes.h>
#include <string.h>
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "freertos/event_groups.h"
#include "esp_system.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_check.h"
#include "esp_ota_ops.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#include "progress.h"
#if CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
#include "esp_efuse.h"
#endif
#if CONFIG_EXAMPLE_CONNECT_WIFI
#include "esp_wifi.h"
#endif

#define URL_SIZE 256

extern const uint8_t server_cert_pem_start[] asm("_binary_ca_cert_pem_start");

static const char *TAG = "advanced";

static void on_ota_event(void *arg, esp_event_base_t base, int32_t id,
                         void *data)
{
    switch (id) {
    case ESP_HTTPS_OTA_START:
        ESP_LOGI(TAG, "OTA started");
        break;
    case ESP_HTTPS_OTA_CONNECTED:
        ESP_LOGI(TAG, "Connected to server");
        break;
    case ESP_HTTPS_OTA_GET_IMG_DESC:
        ESP_LOGI(TAG, "Reading Image Description");
        break;
    case ESP_HTTPS_OTA_VERIFY_CHIP_ID:
        ESP_LOGI(TAG, "Verifying chip id of new image: %d",
                 *(esp_chip_id_t *)data);
        break;
    case ESP_HTTPS_OTA_WRITE_FLASH:
        ESP_LOGD(TAG, "Writing to flash: %d written", *(int *)data);
        break;
    case ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION:
        ESP_LOGI(TAG, "Boot partition updated. Next Partition: %d",
                 *(esp_partition_subtype_t *)data);
        break;
    case ESP_HTTPS_OTA_FINISH:
        ESP_LOGI(TAG, "OTA finish");
        break;
    case ESP_HTTPS_OTA_ABORT:
        ESP_LOGI(TAG, "OTA abort");
        break;
    default:
        break;
    }
}

static esp_err_t validate(const esp_app_desc_t *new_app)
{
    esp_app_desc_t running;

    if (new_app == NULL)
        return ESP_ERR_INVALID_ARG;
    if (esp_ota_get_partition_description(esp_ota_get_running_partition(),
                                          &running) == ESP_OK)
        ESP_LOGI(TAG, "Running firmware version: %s", running.version);
#ifndef CONFIG_EXAMPLE_SKIP_VERSION_CHECK
    if (memcmp(new_app->version, running.version, sizeof(new_app->version)) ==
        0) {
        ESP_LOGW(TAG, "Current running version is the same as a new. We will "
                      "not continue the update.");
        return ESP_FAIL;
    }
#endif
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    const uint32_t hw_sec_version = esp_efuse_read_secure_version();
    if (new_app->secure_version < hw_sec_version) {
        ESP_LOGW(TAG,
                 "New firmware security version is less than eFuse "
                 "programmed, %" PRIu32 " < %" PRIu32,
                 new_app->secure_version, hw_sec_version);
        return ESP_FAIL;
    }
#endif
    return ESP_OK;
}

static esp_err_t on_client_init(esp_http_client_handle_t client)
{
    return esp_http_client_set_header(client, "X-Device", "advanced");
}

static esp_err_t download(esp_https_ota_handle_t handle, const char *url)
{
    esp_app_desc_t app_desc;
    esp_err_t ret;

    ESP_GOTO_ON_ERROR(esp_https_ota_get_img_desc(handle, &app_desc), out, TAG,
                      "no description of the image");
    ESP_GOTO_ON_ERROR(validate(&app_desc), out, TAG, "not taken");
    do {
        ret = esp_https_ota_perform(handle);
        progress_save(url, esp_https_ota_get_image_len_read(handle));
    } while (ret == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (!esp_https_ota_is_complete_data_received(handle)) {
        ESP_LOGE(TAG, "Complete data was not received.");
        ret = ret == ESP_OK ? ESP_FAIL : ret;
    }
out:
    return ret;
}

static void finish(esp_https_ota_handle_t handle)
{
    progress_clear();
    esp_err_t err = esp_https_ota_finish(handle);
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "ESP_HTTPS_OTA upgrade successful. Rebooting ...");
        vTaskDelay(100 / portTICK_PERIOD_MS);
        esp_restart();
    }
    if (err == ESP_ERR_OTA_VALIDATE_FAILED)
        ESP_LOGE(TAG, "Image validation failed, image is corrupted");
    ESP_LOGE(TAG, "ESP_HTTPS_OTA upgrade failed 0x%x", err);
}

static void update_task(void *arg)
{
    char url[URL_SIZE] = CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL;
    esp_https_ota_handle_t handle = NULL;

#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
    example_configure_stdin_stdout();
    if (fgets(url, URL_SIZE, stdin) == NULL) {
        ESP_LOGI(TAG, "no URL on the console, nothing to do");
        vTaskDelete(NULL);
    }
    url[strlen(url) - 1] = '\0';
#endif
    esp_http_client_config_t config = {
        .url = url,
        .cert_pem = (char *)server_cert_pem_start,
        .timeout_ms = CONFIG_EXAMPLE_OTA_RECV_TIMEOUT,
        .keep_alive_enable = true,
        .buffer_size = CONFIG_EXAMPLE_OTA_BUF_SIZE,
#ifdef CONFIG_EXAMPLE_ENABLE_PARTIAL_HTTP_DOWNLOAD
        .save_client_session = true,
#endif
    };
    esp_https_ota_config_t ota_config = {
        .http_config = &config,
        .http_client_init_cb = on_client_init,
#ifdef CONFIG_EXAMPLE_ENABLE_PARTIAL_HTTP_DOWNLOAD
        .partial_http_download = true,
        .max_http_request_size = CONFIG_EXAMPLE_HTTP_REQUEST_SIZE,
#endif
    };
#ifdef CONFIG_EXAMPLE_ENABLE_OTA_RESUMPTION
    size_t written = progress_load(url);
    ota_config.ota_resumption = written > 0;
    ota_config.ota_image_bytes_written = written;
    ESP_LOGI(TAG, "%u bytes are there already", (unsigned)written);
#endif
    if (esp_https_ota_begin(&ota_config, &handle) != ESP_OK) {
        ESP_LOGE(TAG, "ESP HTTPS OTA Begin failed");
        vTaskDelete(NULL);
    }
    if (download(handle, url) == ESP_OK) {
        finish(handle);
    } else {
        esp_https_ota_abort(handle);
        ESP_LOGE(TAG, "ESP_HTTPS_OTA upgrade failed");
    }
    vTaskDelete(NULL);
}

/* A version on trial stays when it has a network. */
static void diagnose(esp_err_t network)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_ota_img_states_t state;

    if (esp_ota_get_state_partition(running, &state) != ESP_OK ||
        state != ESP_OTA_IMG_PENDING_VERIFY)
        return;
    if (network != ESP_OK) {
        ESP_LOGE(TAG, "no network: back to the former version");
        esp_ota_mark_app_invalid_rollback_and_reboot();
    }
    if (esp_ota_mark_app_valid_cancel_rollback() == ESP_OK)
        ESP_LOGI(TAG, "App is valid, rollback cancelled successfully");
    else
        ESP_LOGE(TAG, "Failed to cancel rollback");
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s starts", esp_app_get_description()->version);
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES ||
        err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(esp_event_handler_register(
        ESP_HTTPS_OTA_EVENT, ESP_EVENT_ANY_ID, &on_ota_event, NULL));
    err = example_connect();
    diagnose(err);
    ESP_ERROR_CHECK(err);
#if CONFIG_EXAMPLE_CONNECT_WIFI
    esp_wifi_set_ps(WIFI_PS_NONE);
#endif
    xTaskCreate(&update_task, "update_task", 1024 * 8, NULL, 5, NULL);
}
