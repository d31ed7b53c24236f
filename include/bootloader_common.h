/* bootloader_common.h - the rules for boot records and chips that bootloader
 * and application share. */
#ifndef BOOTLOADER_COMMON_H
#define BOOTLOADER_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_app_format.h"
#include "esp_err.h"
#include "esp_flash_partitions.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { ESP_IMAGE_BOOTLOADER, ESP_IMAGE_APPLICATION } esp_image_type;

uint32_t bootloader_common_ota_select_crc(const esp_ota_select_entry_t *s);
bool bootloader_common_ota_select_valid(const esp_ota_select_entry_t *s);
bool bootloader_common_ota_select_invalid(const esp_ota_select_entry_t *s);
/* Index of the record that counts, -1 when none does. */
int bootloader_common_get_active_otadata(esp_ota_select_entry_t *two_otadata);
int bootloader_common_select_otadata(const esp_ota_select_entry_t *two_otadata,
                                     bool *valid_two_otadata, bool max);
esp_err_t bootloader_common_read_otadata(const esp_partition_pos_t *ota_info,
                                         esp_ota_select_entry_t *two_otadata);
/* SHA-256 as esp_partition_get_sha256(). */
esp_err_t bootloader_common_get_sha256_of_partition(uint32_t address,
                                                    uint32_t size, int type,
                                                    uint8_t *out_sha_256);
/* ESP_FAIL: the image is for another chip or revision. */
esp_err_t bootloader_common_check_chip_validity(
    const esp_image_header_t *img_hdr, esp_image_type type);
/* True when label stands in the list, separated by commas or blanks. */
bool bootloader_common_label_search(const char *list, char *label);

#ifdef __cplusplus
}
#endif

#endif
