/* The update by hand: esp_http_client reads, esp_ota_* write, and a pin says
 * whether a new version works. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "esp_system.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_app_format.h"
#include "esp_http_client.h"
#include "esp_flash_partitions.h"
#include "esp_partition.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "driver/gpio.h"
#include "protocol_examples_common.h"
#if CONFIG_EXAMPLE_CONNECT_WIFI
#include "esp_wifi.h"
#endif

#define BUFFSIZE 1024
#define URL_SIZE 256
#define HEAD_LEN                                                       \
    (sizeof(esp_image_header_t) + sizeof(esp_image_segment_header_t) + \
     sizeof(esp_app_desc_t))

extern const uint8_t server_cert_pem_start[] asm("_binary_ca_cert_pem_start");

static const char *TAG = "native";

static char buffer[BUFFSIZE + 1];

static void __attribute__((noreturn)) task_fatal_error(void)
{
    ESP_LOGE(TAG, "Exiting task due to fatal error...");
    (void)vTaskDelete(NULL);
    while (1) {
        ;
    }
}

static void __attribute__((noreturn))
give_up(esp_http_client_handle_t client, esp_ota_handle_t update)
{
    esp_http_client_close(client);
    esp_http_client_cleanup(client);
    if (update != 0)
        esp_ota_abort(update);
    task_fatal_error();
}

/* Is the image whose head is in the buffer one to install? */
static bool is_wanted(void)
{
    esp_app_desc_t fresh, running, bad;

    memcpy(&fresh, &buffer[HEAD_LEN - sizeof(fresh)], sizeof(fresh));
    ESP_LOGI(TAG, "New firmware version: %s", fresh.version);
    if (esp_ota_get_partition_description(esp_ota_get_last_invalid_partition(),
                                          &bad) == ESP_OK &&
        memcmp(bad.version, fresh.version, sizeof(fresh.version)) == 0) {
        ESP_LOGW(TAG, "New version is the same as invalid version.");
        return false;
    }
    if (esp_ota_get_partition_description(esp_ota_get_running_partition(),
                                          &running) == ESP_OK &&
        memcmp(running.version, fresh.version, sizeof(fresh.version)) == 0) {
        ESP_LOGW(TAG, "Current running version is the same as a new.");
        return false;
    }
    return true;
}

static esp_http_client_handle_t connect_to(const char *url)
{
    esp_http_client_config_t config = {
        .url = url,
        .cert_pem = (char *)server_cert_pem_start,
        .timeout_ms = CONFIG_EXAMPLE_OTA_RECV_TIMEOUT,
        .keep_alive_enable = true,
    };
    esp_http_client_handle_t client = esp_http_client_init(&config);

    if (client == NULL) {
        ESP_LOGE(TAG, "Failed to initialise HTTP connection");
        task_fatal_error();
    }
    esp_err_t err = esp_http_client_open(client, 0);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Failed to open HTTP connection: %s",
                 esp_err_to_name(err));
        esp_http_client_cleanup(client);
        task_fatal_error();
    }
    /* A redirect is followed by hand here. */
    for (int i = 0; i < 5; i++) {
        esp_http_client_fetch_headers(client);
        int status = esp_http_client_get_status_code(client);
        if (status < 301 || status > 308)
            break;
        esp_http_client_set_redirection(client);
        if (esp_http_client_open(client, 0) != ESP_OK)
            break;
    }
    return client;
}

/* At least one kilobyte of the image, when there is so much. */
static int read_block(esp_http_client_handle_t client)
{
    int len = 0;

    while (len < BUFFSIZE) {
        errno = 0;
        int got = esp_http_client_read(client, buffer + len, BUFFSIZE - len);
        if (got < 0)
            return got;
        if (got == 0 && (errno == ECONNRESET || errno == ENOTCONN ||
                         esp_http_client_is_complete_data_received(client)))
            break;
        if (got == 0 && len == 0)
            break;
        len += got;
        if (got == 0)
            break;
    }
    return len;
}

static void update_task(void *arg)
{
    char url[URL_SIZE] = CONFIG_EXAMPLE_FIRMWARE_UPG_URL;
    esp_ota_handle_t update = 0;
    int total = 0;

    if (strcmp(url, "FROM_STDIN") == 0) {
        example_configure_stdin_stdout();
        if (fgets(url, URL_SIZE, stdin) == NULL) {
            ESP_LOGI(TAG, "no URL on the console, nothing to do");
            vTaskDelete(NULL);
        }
        url[strlen(url) - 1] = '\0';
    }
    const esp_partition_t *target = esp_ota_get_next_update_partition(NULL);
    esp_http_client_handle_t client = connect_to(url);
    ESP_LOGI(TAG, "Writing to partition subtype %d at offset 0x%" PRIx32,
             target->subtype, target->address);
    for (;;) {
        int len = read_block(client);
        if (len < 0) {
            ESP_LOGE(TAG, "Error: SSL data read error");
            give_up(client, update);
        }
        if (len == 0)
            break;
        if (update == 0) {
            if (len < (int)HEAD_LEN) {
                ESP_LOGE(TAG, "received package is not fit len");
                give_up(client, update);
            }
            if (!is_wanted())
                give_up(client, update);
            if (esp_ota_begin(target, OTA_WITH_SEQUENTIAL_WRITES, &update) !=
                ESP_OK) {
                ESP_LOGE(TAG, "esp_ota_begin failed");
                give_up(client, 0);
            }
            ESP_LOGI(TAG, "esp_ota_begin succeeded");
        }
        if (esp_ota_write(update, buffer, len) != ESP_OK)
            give_up(client, update);
        total += len;
    }
    ESP_LOGI(TAG, "Total Write binary data length: %d", total);
    if (!esp_http_client_is_complete_data_received(client)) {
        ESP_LOGE(TAG, "Error in receiving complete file");
        give_up(client, update);
    }
    esp_err_t err = esp_ota_end(update);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_ota_end failed (%s)!", esp_err_to_name(err));
        give_up(client, 0);
    }
    err = esp_ota_set_boot_partition(target);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_ota_set_boot_partition failed (%s)!",
                 esp_err_to_name(err));
        give_up(client, 0);
    }
    ESP_LOGI(TAG, "Prepare to restart system!");
    esp_restart();
}

static bool diagnostic(void)
{
    gpio_config_t io_conf = {
        .intr_type = GPIO_INTR_DISABLE,
        .mode = GPIO_MODE_INPUT,
        .pin_bit_mask = (1ULL << CONFIG_EXAMPLE_GPIO_DIAGNOSTIC),
        .pull_down_en = GPIO_PULLDOWN_DISABLE,
        .pull_up_en = GPIO_PULLUP_ENABLE,
    };

    gpio_config(&io_conf);
    ESP_LOGI(TAG, "Diagnostics...");
    vTaskDelay(50 / portTICK_PERIOD_MS);
    bool diagnostic_is_ok = gpio_get_level(CONFIG_EXAMPLE_GPIO_DIAGNOSTIC);
    gpio_reset_pin(CONFIG_EXAMPLE_GPIO_DIAGNOSTIC);
    return diagnostic_is_ok;
}

static void confirm_or_go_back(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_ota_img_states_t ota_state;

    if (esp_ota_get_state_partition(running, &ota_state) != ESP_OK ||
        ota_state != ESP_OTA_IMG_PENDING_VERIFY)
        return;
    if (diagnostic()) {
        ESP_LOGI(TAG, "Diagnostics completed successfully!");
        esp_ota_mark_app_valid_cancel_rollback();
    } else {
        ESP_LOGE(TAG, "Diagnostics failed! Start rollback to the previous "
                      "version ...");
        esp_ota_mark_app_invalid_rollback_and_reboot();
    }
}

static void print_sha256(uint32_t address, uint32_t size, int type,
                         const char *label)
{
    uint8_t sha[32] = { 0 };
    char text[sizeof(sha) * 2 + 1];
    esp_partition_t partition;

    partition.address = address;
    partition.size = size;
    partition.type = type;
    esp_partition_get_sha256(&partition, sha);
    for (size_t i = 0; i < sizeof(sha); i++)
        snprintf(&text[i * 2], 3, "%02x", sha[i]);
    ESP_LOGI(TAG, "SHA-256 for %s: %s", label, text);
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s starts", esp_app_get_description()->version);
    print_sha256(ESP_PARTITION_TABLE_OFFSET, ESP_PARTITION_TABLE_MAX_LEN,
                 ESP_PARTITION_TYPE_DATA, "the partition table");
    print_sha256(ESP_BOOTLOADER_OFFSET, ESP_PARTITION_TABLE_OFFSET,
                 ESP_PARTITION_TYPE_APP, "bootloader");
    confirm_or_go_back();
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES ||
        err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
#if CONFIG_EXAMPLE_CONNECT_WIFI
    esp_wifi_set_ps(WIFI_PS_NONE);
#endif
    xTaskCreate(&update_task, "update_task", 8192, NULL, 5, NULL);
}
