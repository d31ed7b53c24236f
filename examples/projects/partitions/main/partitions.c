/* Updates of everything that is in flash: the application, data, the
 * bootloader and the partition table, by the name at the end of the URL. */
#include <inttypes.h>
#include <string.h>
#include <sys/param.h>
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "esp_system.h"
#include "esp_check.h"
#include "esp_event.h"
#include "esp_flash.h"
#include "esp_flash_partitions.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_image_format.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#include "soc/soc_caps.h"

#define URL_SIZE 256

extern const uint8_t server_cert_pem_start[] asm("_binary_ca_cert_pem_start");

static const char *TAG = "partitions";

static esp_err_t update_app(esp_https_ota_config_t *config)
{
    return esp_https_ota(config);
}

static esp_err_t update_storage(esp_https_ota_config_t *config)
{
    char head[17] = "";

    config->partition.staging = NULL; /* a free application slot */
    config->partition.final = esp_partition_find_first(
        ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "storage");
    config->partition.finalize_with_copy = true;
    ESP_RETURN_ON_FALSE(config->partition.final, ESP_ERR_NOT_FOUND, TAG,
                        "there is no partition 'storage'");
    ESP_RETURN_ON_ERROR(esp_https_ota(config), TAG, "storage: not updated");
    ESP_RETURN_ON_ERROR(
        esp_partition_read(config->partition.final, 0, head, 16), TAG,
        "storage: not readable");
    ESP_LOG_BUFFER_HEXDUMP(TAG, head, 16, ESP_LOG_INFO);
    ESP_LOGI(TAG, "storage begins with %s", head);
    return ESP_OK;
}

/* Downloaded into a slot, then copied to where no partition is. */
static esp_err_t update_region(esp_https_ota_config_t *config,
                               const esp_partition_t *region)
{
    const esp_partition_t *staging = esp_ota_get_next_update_partition(NULL);

    config->partition.staging = staging;
    config->partition.final = region;
    config->partition.finalize_with_copy = false;
    ESP_RETURN_ON_ERROR(esp_https_ota(config), TAG, "%s: not updated",
                        region->label);
    return esp_partition_copy(region, 0, staging, 0, region->size);
}

static esp_err_t update_bootloader(esp_https_ota_config_t *config)
{
    const esp_partition_t *primary;

    ESP_RETURN_ON_ERROR(esp_partition_register_external(
                            NULL, ESP_PRIMARY_BOOTLOADER_OFFSET,
                            ESP_BOOTLOADER_SIZE, "PrimaryBTLDR",
                            ESP_PARTITION_TYPE_BOOTLOADER,
                            ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY, &primary),
                        TAG, "the bootloader's region cannot be named");
    esp_err_t err = update_region(config, primary);
    esp_partition_deregister_external(primary);
    return err;
}

static esp_err_t update_table(esp_https_ota_config_t *config)
{
    const esp_partition_t *primary;

    ESP_RETURN_ON_ERROR(
        esp_partition_register_external(
            NULL, ESP_PRIMARY_PARTITION_TABLE_OFFSET, ESP_PARTITION_TABLE_SIZE,
            "PrimaryPrtTable", ESP_PARTITION_TYPE_PARTITION_TABLE,
            ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY, &primary),
        TAG, "the table's region cannot be named");
    esp_err_t err = update_region(config, primary);
    esp_partition_deregister_external(primary);
    return err;
}

static esp_err_t update_by_name(const char *url, esp_https_ota_config_t *config)
{
    if (strstr(url, "partitions.bin") != NULL)
        return update_app(config);
    if (strstr(url, "storage.bin") != NULL)
        return update_storage(config);
    if (strstr(url, "bootloader.bin") != NULL)
        return update_bootloader(config);
    if (strstr(url, "partition-table.bin") != NULL)
        return update_table(config);
    ESP_LOGE(TAG, "%s: not a name that I know", url);
    return ESP_ERR_NOT_SUPPORTED;
}

static void update_task(void *arg)
{
    char url[URL_SIZE];

    example_configure_stdin_stdout();
    if (fgets(url, URL_SIZE, stdin) == NULL) {
        ESP_LOGI(TAG, "no URL on the console, nothing to do");
        vTaskDelete(NULL);
    }
    url[strlen(url) - 1] = '\0';
    esp_http_client_config_t http = {
        .url = url,
        .cert_pem = (char *)server_cert_pem_start,
        .keep_alive_enable = true,
    };
    esp_https_ota_config_t config = { .http_config = &http };
    esp_err_t err = update_by_name(url, &config);
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "OTA Succeed, Rebooting...");
        esp_restart();
    }
    ESP_LOGE(TAG, "Firmware upgrade failed: %s", esp_err_to_name(err));
    vTaskDelete(NULL);
}

static void list_partitions(void)
{
    esp_partition_iterator_t it = esp_partition_find(
        ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    uint32_t end = 0;

    for (; it != NULL; it = esp_partition_next(it)) {
        const esp_partition_t *part = esp_partition_get(it);
        ESP_LOGI(TAG, "%-10s at 0x%06" PRIx32 ", %" PRIu32 " bytes",
                 part->label, part->address, part->size);
        end = MAX(end, part->address + part->size);
    }
    esp_partition_iterator_release(it);
    ESP_LOGI(TAG, "free from 0x%" PRIx32, end);
}

void app_main(void)
{
    uint32_t size = 0;

    ESP_LOGI(TAG, "version %s starts", esp_app_get_description()->version);
    ESP_ERROR_CHECK(esp_flash_get_size(esp_flash_default_chip, &size));
    ESP_LOGI(TAG, "flash of %" PRIu32 " bytes", size);
    list_partitions();
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    xTaskCreate(&update_task, "update_task", 8192, NULL, 5, NULL);
}
