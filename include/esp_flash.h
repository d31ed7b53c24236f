/* esp_flash.h - the device's flash chip, raw: offsets count from its start. */
#ifndef ESP_FLASH_H
#define ESP_FLASH_H

#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_flash_t esp_flash_t;

/* The one chip of this device. Every function takes NULL for it. */
extern esp_flash_t *esp_flash_default_chip;

/* ESP_ERR_INVALID_ARG: out is NULL or the chip is unknown. */
esp_err_t esp_flash_get_size(esp_flash_t *chip, uint32_t *out_size);
esp_err_t esp_flash_read(esp_flash_t *chip, void *buffer, uint32_t address,
                         uint32_t length);
/* Only clears bits. */
esp_err_t esp_flash_write(esp_flash_t *chip, const void *buffer,
                          uint32_t address, uint32_t length);
/* start and len are multiples of the sector, else ESP_ERR_INVALID_ARG. */
esp_err_t esp_flash_erase_region(esp_flash_t *chip, uint32_t start,
                                 uint32_t len);

#ifdef __cplusplus
}
#endif

#endif
