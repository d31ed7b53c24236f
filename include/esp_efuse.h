/* esp_efuse.h - the secure version: a counter of fuses that only rises.
 *
 * A device without such a field (the host, unless its flash has a partition
 * `data, efuse`) reads version 0 and refuses to raise it. Fuses that are there
 * and cannot be read, or that anti-rollback needs and are not there, read as
 * UINT32_MAX: nothing is new enough. */
#ifndef ESP_EFUSE_H
#define ESP_EFUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_EFUSE 0x1600
#define ESP_OK_EFUSE_CNT (ESP_ERR_EFUSE + 0x01)
#define ESP_ERR_EFUSE_CNT_IS_FULL (ESP_ERR_EFUSE + 0x02)
#define ESP_ERR_EFUSE_REPEATED_PROG (ESP_ERR_EFUSE + 0x03)
#define ESP_ERR_CODING (ESP_ERR_EFUSE + 0x04)
#define ESP_ERR_NOT_ENOUGH_UNUSED_KEY_BLOCKS (ESP_ERR_EFUSE + 0x05)
#define ESP_ERR_DAMAGED_READING (ESP_ERR_EFUSE + 0x06)
#define ESP_ERR_BURN_WR_DIS (ESP_ERR_EFUSE + 0x07)

/* Number of fuses burnt. */
uint32_t esp_efuse_read_secure_version(void);
/* May an application of this version run? */
bool esp_efuse_check_secure_version(uint32_t secure_version);
/* Raises the counter. ESP_ERR_INVALID_ARG: more than the field holds;
 * ESP_FAIL: the device is at a higher version already; errors of the fuses
 * when they cannot be read or burnt. */
esp_err_t esp_efuse_update_secure_version(uint32_t secure_version);
/* ESP_ERR_NOT_SUPPORTED: this device has no recovery bootloader. */
esp_err_t esp_efuse_set_recovery_bootloader_offset(const uint32_t offset);

#ifdef __cplusplus
}
#endif

#endif
