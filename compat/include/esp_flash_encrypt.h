/* esp_flash_encrypt.h - the flash of a device on Linux is not encrypted. */
#ifndef ESP_FLASH_ENCRYPT_H
#define ESP_FLASH_ENCRYPT_H

#include <stdbool.h>

typedef enum {
    ESP_FLASH_ENC_MODE_DISABLED,
    ESP_FLASH_ENC_MODE_DEVELOPMENT,
    ESP_FLASH_ENC_MODE_RELEASE
} esp_flash_enc_mode_t;

static inline bool esp_flash_encryption_enabled(void)
{
    return false;
}

static inline esp_flash_enc_mode_t esp_get_flash_encryption_mode(void)
{
    return ESP_FLASH_ENC_MODE_DISABLED;
}

#endif
