/* The snippets of the product's brief: the one-shot upgrade and the advanced
 * skeleton as they stand; the GitHub and token snippets corrected: they pass
 * the HTTP configuration where ESP-IDF wants that of the update. */
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

static const char *TAG = "brief";

extern const uint8_t server_cert_pem_start[] asm("_binary_ca_cert_pem_start");

#define github_server_start_pem server_cert_pem_start
#define servidor_certificado (char *)server_cert_pem_start

#include "snippets/one_shot.inc"

static esp_err_t _http_client_init_cb(esp_http_client_handle_t client)
{
    return esp_http_client_set_header(client, "X-Brief", "1");
}

static void skeleton(void)
{
#include "snippets/skeleton.inc"
ota_end:
    esp_https_ota_abort(https_ota_handle);
    ESP_LOGE(TAG, "ESP_HTTPS_OTA upgrade failed");
}

/* These two name servers of the internet: they are compiled, not called. */
void github(void);
void github(void)
{
#include "snippets/github.inc"
}

void token(void);
void token(void)
{
#include "snippets/token.inc"
}

static void update_task(void *arg)
{
#ifdef CONFIG_BRIEF_ONE_SHOT
    if (do_firmware_upgrade() != ESP_OK)
        ESP_LOGE(TAG, "one-shot failed");
    (void)skeleton;
#else
    skeleton();
    (void)do_firmware_upgrade;
#endif
    vTaskDelete(NULL);
}

/* Confirms itself: the brief leaves that to the reader. */
static bool confirm(void)
{
    esp_ota_img_states_t state;

    return esp_ota_get_state_partition(esp_ota_get_running_partition(),
                                       &state) == ESP_OK &&
           state == ESP_OTA_IMG_PENDING_VERIFY &&
           esp_ota_mark_app_valid_cancel_rollback() == ESP_OK;
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s starts", esp_app_get_description()->version);
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    if (confirm())
        ESP_LOGI(TAG, "confirmed");
    else
        xTaskCreate(update_task, "update_task", 8192, NULL, 5, NULL);
}
