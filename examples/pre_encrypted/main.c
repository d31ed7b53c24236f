/* pre_encrypted - an update that only this product's devices can read.
 *
 * The server has the image encrypted, `porta image encrypt --key device.pub`;
 * the private key is in the device: in the program, as here, or derived of a
 * key in the fuses (CONFIG_PRE_ENCRYPTED_OTA_USE_ECIES). A callback decrypts
 * while the image comes, and looks at the first bytes that come out.
 *
 * porta/ota_decrypt.h has a callback that needs none of this; what is here
 * runs with ESP-IDF and the component esp_encrypted_img as well. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_app_format.h"
#include "esp_encrypted_img.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "settings.h"

#define CONFIG_EXAMPLE_OTA_RECV_TIMEOUT 10000
#define OTA_TASK_STACK (1024 * 8)
#define OTA_TASK_PRIORITY 5

static const char *TAG = "pre_encrypted";

static struct settings settings;

#ifdef CONFIG_PRE_ENCRYPTED_OTA_USE_ECIES
#define HMAC_UP_KEY_ID 2

static void choose_key(esp_decrypt_cfg_t *cfg)
{
    cfg->hmac_key_id = HMAC_UP_KEY_ID;
}
#else
extern const char private_pem_start[] asm("_binary_private_pem_start");
extern const char private_pem_end[] asm("_binary_private_pem_end");

static void choose_key(esp_decrypt_cfg_t *cfg)
{
    cfg->rsa_priv_key = private_pem_start;
    cfg->rsa_priv_key_len = (size_t)(private_pem_end - private_pem_start);
}
#endif

/* --- decryption ----------------------------------------------------------- */

struct decryptor {
    esp_decrypt_handle_t handle;
    bool looked; /* at the description of what comes out */
};

static esp_err_t look(const decrypt_cb_arg_t *args)
{
    const size_t off =
        sizeof(esp_image_header_t) + sizeof(esp_image_segment_header_t);
    const esp_app_desc_t *running = esp_app_get_description();
    esp_app_desc_t offered;

    if (args->data_out_len < off + sizeof(offered)) {
        ESP_LOGE(TAG, "the first piece is too short for a description");
        return ESP_ERR_INVALID_SIZE;
    }
    memcpy(&offered, args->data_out + off, sizeof(offered));
    ESP_LOGI(TAG, "running version: %s, offered: %.32s", running->version,
             offered.version);
    if (memcmp(offered.version, running->version, sizeof(offered.version)) ==
        0) {
        ESP_LOGW(TAG, "this version runs already, not updating");
        return ESP_FAIL;
    }
    return ESP_OK;
}

static esp_err_t decrypt_cb(decrypt_cb_arg_t *args, void *user_ctx)
{
    struct decryptor *d = user_ctx;
    pre_enc_decrypt_arg_t piece = { .data_in = args->data_in,
                                    .data_in_len = args->data_in_len };
    esp_err_t err = esp_encrypted_img_decrypt_data(d->handle, &piece);

    if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED) {
        ESP_LOGE(TAG, "decryption failed: %s", esp_err_to_name(err));
        return err;
    }
    args->data_out = piece.data_out;
    args->data_out_len = piece.data_out_len;
    if (d->looked || args->data_out_len == 0)
        return ESP_OK;
    d->looked = true;
    return look(args);
}

/* --- the update ----------------------------------------------------------- */

/* The tag says whether all of it is what was encrypted: it is asked before
 * the image is made bootable. */
static esp_err_t end(esp_https_ota_handle_t ota, struct decryptor *d)
{
    esp_err_t err = ESP_FAIL;

    if (esp_https_ota_is_complete_data_received(ota) &&
        esp_encrypted_img_is_complete_data_received(d->handle)) {
        err = esp_encrypted_img_decrypt_end(d->handle);
        d->handle = NULL;
    }
    if (err == ESP_OK)
        return esp_https_ota_finish(ota);
    ESP_LOGE(TAG, "the image is not taken: it is not whole, or was changed");
    esp_https_ota_abort(ota);
    return err;
}

static esp_err_t update(struct decryptor *d)
{
    esp_http_client_config_t http = {
        .url = settings.url,
        .cert_pem = settings.cert_pem,
        .timeout_ms = CONFIG_EXAMPLE_OTA_RECV_TIMEOUT,
        .keep_alive_enable = true,
    };
    esp_https_ota_config_t config = {
        .http_config = &http,
        .decrypt_cb = decrypt_cb,
        .decrypt_user_ctx = d,
        .enc_img_header_size = esp_encrypted_img_get_header_size(),
    };
    esp_https_ota_handle_t ota = NULL;
    esp_err_t err = esp_https_ota_begin(&config, &ota);

    if (err != ESP_OK)
        return err;
    do {
        err = esp_https_ota_perform(ota);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err == ESP_OK)
        return end(ota, d);
    esp_https_ota_abort(ota);
    return err;
}

static void pre_encrypted_ota_task(void *arg)
{
    esp_decrypt_cfg_t cfg = { 0 };
    struct decryptor d = { 0 };
    esp_err_t err = ESP_ERR_NOT_FOUND;

    (void)arg;
    ESP_LOGI(TAG, "Starting Pre Encrypted OTA example");
    choose_key(&cfg);
    d.handle = esp_encrypted_img_decrypt_start(&cfg);
    if (d.handle != NULL)
        err = update(&d);
    if (d.handle != NULL)
        esp_encrypted_img_decrypt_abort(d.handle);
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "ESP_HTTPS_OTA upgrade successful. Rebooting ...");
        vTaskDelay(1000 / portTICK_PERIOD_MS);
        esp_restart();
    }
    ESP_LOGE(TAG, "ESP_HTTPS_OTA upgrade failed: %s", esp_err_to_name(err));
    vTaskDelete(NULL);
}

/* A version on trial confirms itself once it knows that it works. */
static void confirm(void)
{
    esp_ota_img_states_t state;

    if (esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) ==
            ESP_OK &&
        state == ESP_OTA_IMG_PENDING_VERIFY &&
        esp_ota_mark_app_valid_cancel_rollback() == ESP_OK)
        ESP_LOGI(TAG, "this version works and is confirmed");
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s runs from %s", esp_app_get_description()->version,
             esp_ota_get_running_partition()->label);
    if (settings_load(&settings) != ESP_OK)
        return;
    confirm();
    xTaskCreate(&pre_encrypted_ota_task, "pre_encrypted_ota", OTA_TASK_STACK,
                NULL, OTA_TASK_PRIORITY, NULL);
}
