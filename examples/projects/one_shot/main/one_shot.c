/* The whole update in one call, trusting the certificate bundle. */
#include <string.h>
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "esp_system.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_crt_bundle.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#if CONFIG_EXAMPLE_CONNECT_WIFI
#include "esp_wifi.h"
#endif

#define URL_SIZE 256
#define HASH_LEN 32

static const char *TAG = "one_shot";

static esp_err_t on_http_event(esp_http_client_event_t *event)
{
    switch (event->event_id) {
    case HTTP_EVENT_ERROR:
        ESP_LOGD(TAG, "error");
        break;
    case HTTP_EVENT_ON_CONNECTED:
        ESP_LOGD(TAG, "connected");
        break;
    case HTTP_EVENT_HEADER_SENT:
        ESP_LOGD(TAG, "request sent");
        break;
    case HTTP_EVENT_ON_HEADER:
        ESP_LOGD(TAG, "header %s: %s", event->header_key, event->header_value);
        break;
    case HTTP_EVENT_ON_HEADERS_COMPLETE:
        ESP_LOGD(TAG, "all headers");
        break;
    case HTTP_EVENT_ON_DATA:
        ESP_LOGD(TAG, "%d bytes", event->data_len);
        break;
    case HTTP_EVENT_ON_FINISH:
        ESP_LOGD(TAG, "end of the answer");
        break;
    case HTTP_EVENT_DISCONNECTED:
        ESP_LOGD(TAG, "disconnected");
        break;
    case HTTP_EVENT_REDIRECT:
        ESP_LOGD(TAG, "redirect");
        break;
    default:
        break;
    }
    return ESP_OK;
}

static void print_sha256(const uint8_t *hash, const char *label)
{
    char text[HASH_LEN * 2 + 1];

    for (int i = 0; i < HASH_LEN; i++)
        snprintf(&text[i * 2], 3, "%02x", hash[i]);
    ESP_LOGI(TAG, "%s %s", label, text);
}

static void print_what_runs(void)
{
    uint8_t hash[HASH_LEN] = { 0 };
    esp_partition_t partition;

    /* Not in the table; only these fields are looked at. */
    partition.address = ESP_BOOTLOADER_OFFSET;
    partition.size = ESP_PARTITION_TABLE_OFFSET;
    partition.type = ESP_PARTITION_TYPE_APP;
    esp_partition_get_sha256(&partition, hash);
    print_sha256(hash, "SHA-256 of the bootloader:");
    esp_partition_get_sha256(esp_ota_get_running_partition(), hash);
    print_sha256(hash, "SHA-256 of the application:");
}

static void update_task(void *arg)
{
    esp_http_client_config_t config = {
        .url = CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL,
#ifdef CONFIG_EXAMPLE_USE_CERT_BUNDLE
        .crt_bundle_attach = esp_crt_bundle_attach,
#endif
        .event_handler = on_http_event,
        .keep_alive_enable = true,
    };

#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
    char url[URL_SIZE];
    example_configure_stdin_stdout();
    if (fgets(url, URL_SIZE, stdin) == NULL) {
        ESP_LOGI(TAG, "no URL on the console, nothing to do");
        vTaskDelete(NULL);
    }
    url[strlen(url) - 1] = '\0';
    config.url = url;
#endif
#ifdef CONFIG_EXAMPLE_SKIP_COMMON_NAME_CHECK
    config.skip_cert_common_name_check = true;
#endif
    esp_https_ota_config_t ota_config = {
        .http_config = &config,
    };
    ESP_LOGI(TAG, "trying %s", config.url);
    esp_err_t ret = esp_https_ota(&ota_config);
    if (ret == ESP_OK) {
        ESP_LOGI(TAG, "OTA Succeed, Rebooting...");
        esp_restart();
    }
    ESP_LOGE(TAG, "Firmware upgrade failed: %s", esp_err_to_name(ret));
    vTaskDelete(NULL);
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
    print_what_runs();
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
#if CONFIG_EXAMPLE_CONNECT_WIFI
    esp_wifi_set_ps(WIFI_PS_NONE);
#endif
    xTaskCreate(&update_task, "update_task", 8192, NULL, 5, NULL);
}
