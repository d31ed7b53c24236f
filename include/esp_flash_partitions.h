/* esp_flash_partitions.h - the partition table and the boot records as they
 * are in flash, and where they are. */
#ifndef ESP_FLASH_PARTITIONS_H
#define ESP_FLASH_PARTITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_PARTITION_MAGIC 0x50AA
#define ESP_PARTITION_MAGIC_MD5 0xEBEB
#define ESP_PARTITION_MD5_OFFSET 16
#define ESP_PARTITION_TABLE_SIZE 0x1000
#define ESP_PARTITION_TABLE_MAX_LEN 0xC00
#define ESP_PARTITION_TABLE_MAX_ENTRIES \
    (ESP_PARTITION_TABLE_MAX_LEN / sizeof(esp_partition_info_t))

#define PART_TYPE_APP 0x00
#define PART_SUBTYPE_FACTORY 0x00
#define PART_SUBTYPE_OTA_FLAG 0x10
#define PART_SUBTYPE_OTA_MASK 0x0f
#define PART_SUBTYPE_TEST 0x20
#define PART_TYPE_DATA 0x01
#define PART_SUBTYPE_DATA_OTA 0x00
#define PART_SUBTYPE_DATA_RF 0x01
#define PART_SUBTYPE_DATA_WIFI 0x02
#define PART_SUBTYPE_DATA_NVS_KEYS 0x04
#define PART_SUBTYPE_DATA_EFUSE_EM 0x05
#define PART_TYPE_BOOTLOADER 0x02
#define PART_SUBTYPE_BOOTLOADER_PRIMARY 0x00
#define PART_SUBTYPE_BOOTLOADER_OTA 0x01
#define PART_SUBTYPE_BOOTLOADER_RECOVERY 0x02
#define PART_TYPE_PARTITION_TABLE 0x03
#define PART_SUBTYPE_PARTITION_TABLE_PRIMARY 0x00
#define PART_SUBTYPE_PARTITION_TABLE_OTA 0x01
#define PART_TYPE_END 0xff
#define PART_SUBTYPE_END 0xff
#define PART_FLAG_ENCRYPTED 1u
#define PART_FLAG_READONLY 2u

/* Where this device's bootloader and partition table are. ESP-IDF fixes them
 * when the application is compiled; here the device knows. */
uint32_t esp_flash_bootloader_offset(void);
uint32_t esp_flash_partition_table_offset(void);

#define ESP_PRIMARY_BOOTLOADER_OFFSET (esp_flash_bootloader_offset())
#define ESP_BOOTLOADER_OFFSET ESP_PRIMARY_BOOTLOADER_OFFSET
#define ESP_PRIMARY_PARTITION_TABLE_OFFSET (esp_flash_partition_table_offset())
#define ESP_PARTITION_TABLE_OFFSET ESP_PRIMARY_PARTITION_TABLE_OFFSET
#define ESP_BOOTLOADER_SIZE (ESP_PARTITION_TABLE_OFFSET - ESP_BOOTLOADER_OFFSET)

/* Wider than int: every compiler that we support allows it. */
__extension__ typedef enum {
    ESP_OTA_IMG_NEW = 0x0U,
    ESP_OTA_IMG_PENDING_VERIFY = 0x1U,
    ESP_OTA_IMG_VALID = 0x2U,
    ESP_OTA_IMG_INVALID = 0x3U,
    ESP_OTA_IMG_ABORTED = 0x4U,
    ESP_OTA_IMG_UNDEFINED = 0xFFFFFFFFU
} esp_ota_img_states_t;

/* One boot record: the first 32 bytes of an otadata sector. */
typedef struct {
    uint32_t ota_seq;
    uint8_t seq_label[20];
    uint32_t ota_state; /* esp_ota_img_states_t */
    uint32_t crc;       /* over ota_seq only */
} esp_ota_select_entry_t;

typedef struct {
    uint32_t offset;
    uint32_t size;
} esp_partition_pos_t;

/* One row of the table, 32 bytes. */
typedef struct {
    uint16_t magic;
    uint8_t type;
    uint8_t subtype;
    esp_partition_pos_t pos;
    uint8_t label[16]; /* not terminated when 16 long */
    uint32_t flags;
} esp_partition_info_t;

/* Checks a table that lies in memory (ESP_PARTITION_TABLE_MAX_LEN bytes).
 * ESP_ERR_INVALID_SIZE: a row leaves the flash; ESP_ERR_INVALID_STATE:
 * anything else. */
esp_err_t esp_partition_table_verify(
    const esp_partition_info_t *partition_table, bool log_errors,
    int *num_partitions);

/* False for ranges that hold what the device needs to boot: bootloader,
 * partition table, the running application. */
bool esp_partition_is_flash_region_writable(uint32_t addr, uint32_t size);
bool esp_partition_main_flash_region_safe(uint32_t addr, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
