/* An image that only this device's key can read: decrypted by a call-back
 * while it is downloaded. */
#include <string.h>
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "esp_system.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_encrypted_img.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

#define URL_SIZE 256

extern const char server_cert_pem_start[] asm("_binary_ca_cert_pem_start");
extern const char rsa_private_pem_start[] asm("_binary_private_pem_start");
extern const char rsa_private_pem_end[] asm("_binary_private_pem_end");

static const char *TAG = "pre_encrypted";

static esp_err_t decrypt(decrypt_cb_arg_t *args, void *user_ctx)
{
    pre_enc_decrypt_arg_t pargs = {
        .data_in = args->data_in,
        .data_in_len = args->data_in_len,
    };

    if (args == NULL || user_ctx == NULL)
        return ESP_ERR_INVALID_ARG;
    esp_err_t err =
        esp_encrypted_img_decrypt_data((esp_decrypt_handle_t)user_ctx, &pargs);
    if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED)
        return err;
    args->data_out_len = pargs.data_out_len;
    args->data_out = pargs.data_out_len > 0 ? pargs.data_out : NULL;
    return ESP_OK;
}

static esp_err_t update(const char *url, esp_decrypt_handle_t key)
{
    esp_https_ota_handle_t handle = NULL;
    esp_http_client_config_t config = {
        .url = url,
        .cert_pem = server_cert_pem_start,
        .timeout_ms = 5000,
        .keep_alive_enable = true,
    };
    esp_https_ota_config_t ota_config = {
        .http_config = &config,
#ifdef CONFIG_EXAMPLE_ENABLE_PARTIAL_HTTP_DOWNLOAD
        .partial_http_download = true,
        .max_http_request_size = 64 * 1024,
#endif
        .decrypt_cb = decrypt,
        .decrypt_user_ctx = key,
        .enc_img_header_size = esp_encrypted_img_get_header_size(),
    };
    esp_err_t err = esp_https_ota_begin(&ota_config, &handle);

    if (err != ESP_OK) {
        esp_encrypted_img_decrypt_abort(key);
        return err;
    }
    do {
        err = esp_https_ota_perform(handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (!esp_https_ota_is_complete_data_received(handle)) {
        ESP_LOGE(TAG, "Complete data was not received.");
        esp_encrypted_img_decrypt_abort(key);
        esp_https_ota_abort(handle);
        return ESP_FAIL;
    }
    err = esp_encrypted_img_decrypt_end(key);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the tag does not fit");
        esp_https_ota_abort(handle);
        return err;
    }
    return esp_https_ota_finish(handle);
}

static void update_task(void *arg)
{
    char url[URL_SIZE];
    esp_decrypt_cfg_t cfg = {
        .rsa_priv_key = rsa_private_pem_start,
        .rsa_priv_key_len = rsa_private_pem_end - rsa_private_pem_start,
    };

    example_configure_stdin_stdout();
    if (fgets(url, URL_SIZE, stdin) == NULL) {
        ESP_LOGI(TAG, "no URL on the console, nothing to do");
        vTaskDelete(NULL);
    }
    url[strlen(url) - 1] = '\0';
    esp_decrypt_handle_t key = esp_encrypted_img_decrypt_start(&cfg);
    esp_err_t err = key != NULL ? update(url, key) : ESP_FAIL;
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "ESP_HTTPS_OTA upgrade successful. Rebooting ...");
        esp_restart();
    }
    ESP_LOGE(TAG, "ESP_HTTPS_OTA upgrade failed: %s", esp_err_to_name(err));
    vTaskDelete(NULL);
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s starts", esp_app_get_description()->version);
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    xTaskCreate(&update_task, "update_task", 8192, NULL, 5, NULL);
}
