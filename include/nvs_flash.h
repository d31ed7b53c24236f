/* nvs_flash.h - partitions of key/value stores: initialise, erase.
 *
 * The usual start: nvs_flash_init(); on ESP_ERR_NVS_NO_FREE_PAGES or
 * ESP_ERR_NVS_NEW_VERSION_FOUND nvs_flash_erase() and once more. */
#ifndef NVS_FLASH_H
#define NVS_FLASH_H

#include "esp_partition.h"
#include "nvs.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NVS_KEY_SIZE 32

typedef struct {
    uint8_t eky[NVS_KEY_SIZE];
    uint8_t tky[NVS_KEY_SIZE];
} nvs_sec_cfg_t;

/* The partition "nvs" of type data, subtype nvs. Initialised already: ESP_OK.
 * ESP_ERR_NOT_FOUND: no such partition. ESP_ERR_NVS_NO_FREE_PAGES: too small
 * or truncated. ESP_ERR_NVS_NEW_VERSION_FOUND: written by later code.
 * ESP_ERR_NVS_WRONG_ENCRYPTION: the partition is flash-encrypted.
 * ESP_ERR_NOT_SUPPORTED: not on a flash whose bytes are programmed once. */
esp_err_t nvs_flash_init(void);
/* ESP_ERR_INVALID_ARG: no label, or one above 16 characters. */
esp_err_t nvs_flash_init_partition(const char *partition_label);
esp_err_t nvs_flash_init_partition_ptr(const esp_partition_t *partition);

/* Closes every handle of the partition. ESP_ERR_NVS_NOT_INITIALIZED. */
esp_err_t nvs_flash_deinit(void);
esp_err_t nvs_flash_deinit_partition(const char *partition_label);

/* De-initialises if need be and erases all of it. ESP_ERR_NOT_FOUND. */
esp_err_t nvs_flash_erase(void);
esp_err_t nvs_flash_erase_partition(const char *part_name);
esp_err_t nvs_flash_erase_partition_ptr(const esp_partition_t *partition);

/* cfg NULL: as without "secure". ESP_ERR_NVS_ENCR_NOT_SUPPORTED otherwise:
 * values are never written in the clear to a store that was to be encrypted. */
esp_err_t nvs_flash_secure_init(nvs_sec_cfg_t *cfg);
esp_err_t nvs_flash_secure_init_partition(const char *partition_label,
                                          nvs_sec_cfg_t *cfg);

#ifdef __cplusplus
}
#endif

#endif
