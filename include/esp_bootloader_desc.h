/* esp_bootloader_desc.h - what a bootloader image says about itself: 80 bytes
 * at offset 32 of the image. */
#ifndef ESP_BOOTLOADER_DESC_H
#define ESP_BOOTLOADER_DESC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_BOOTLOADER_DESC_MAGIC_BYTE 80

typedef struct {
    uint8_t magic_byte;
    uint8_t reserved[2];
    uint8_t secure_version;
    uint32_t version;
    char idf_ver[32];
    char date_time[24];
    uint8_t reserved2[16];
} esp_bootloader_desc_t;

/* The description of the bootloader in flash, read at the first call; a zeroed
 * one (magic_byte 0) when there is none. Static storage. */
const esp_bootloader_desc_t *esp_bootloader_get_description(void);

#ifdef __cplusplus
}
#endif

#endif
