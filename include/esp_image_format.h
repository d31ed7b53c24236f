/* esp_image_format.h - verify and describe images in flash. */
#ifndef ESP_IMAGE_FORMAT_H
#define ESP_IMAGE_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_app_format.h"
#include "esp_err.h"
#include "esp_flash_partitions.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_IMAGE_HASH_LEN 32

typedef struct {
    uint32_t start_addr; /* of the image in flash */
    esp_image_header_t image;
    esp_image_segment_header_t segments[ESP_IMAGE_MAX_SEGMENTS];
    uint32_t segment_data[ESP_IMAGE_MAX_SEGMENTS]; /* in flash */
    uint32_t image_len;
    uint8_t image_digest[32]; /* the appended one; zeros when there is none */
    uint32_t secure_version;
    uint32_t mmu_page_size;
} esp_image_metadata_t;

typedef enum {
    ESP_IMAGE_VERIFY = 0,
    ESP_IMAGE_VERIFY_SILENT = 1
} esp_image_load_mode_t;

/* Header, chip, segments, checksum and appended digest of the image in *part.
 * ESP_ERR_INVALID_ARG: NULL, or more than 16 MiB; ESP_FAIL: for another chip
 * or revision; ESP_ERR_IMAGE_INVALID; ESP_ERR_IMAGE_FLASH_FAIL. *data is
 * zeroed on failure. */
esp_err_t esp_image_verify(esp_image_load_mode_t mode,
                           const esp_partition_pos_t *part,
                           esp_image_metadata_t *data);
/* Walks over the headers only. */
esp_err_t esp_image_get_metadata(const esp_partition_pos_t *part,
                                 esp_image_metadata_t *metadata);
/* The bootloader's region. length may be NULL. */
esp_err_t esp_image_verify_bootloader(uint32_t *length);
esp_err_t esp_image_verify_bootloader_data(esp_image_metadata_t *data);
/* Bytes of ESP_IMAGE_FLASH_SIZE_*; 0 when unknown. */
int esp_image_get_flash_size(esp_image_flash_size_t app_flash_size);
/* Where bootloader images are verified; the primary place unless set. */
uint32_t esp_image_bootloader_offset_get(void);
void esp_image_bootloader_offset_set(const uint32_t offset);

#ifdef __cplusplus
}
#endif

#endif
