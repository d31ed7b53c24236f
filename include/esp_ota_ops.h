/* esp_ota_ops.h - write an image into a partition, choose what boots next,
 * confirm or give up the running application.
 *
 * esp_ota_write() programs bytes in the order they come. An image that
 * esp_ota_end() refuses is made unbootable. */
#ifndef ESP_OTA_OPS_H
#define ESP_OTA_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_app_desc.h"
#include "esp_app_format.h"
#include "esp_bootloader_desc.h"
#include "esp_err.h"
#include "esp_flash_partitions.h"
#include "esp_partition.h"
#include "soc/soc_caps.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTA_SIZE_UNKNOWN 0xffffffff
#define OTA_WITH_SEQUENTIAL_WRITES 0xfffffffe

typedef uint32_t esp_ota_handle_t;

/* image_size: bytes to erase now (0 or OTA_SIZE_UNKNOWN: all), or
 * OTA_WITH_SEQUENTIAL_WRITES: erase while writing.
 * ESP_ERR_OTA_PARTITION_CONFLICT: the partition runs;
 * ESP_ERR_OTA_ROLLBACK_INVALID_STATE: the running image is unconfirmed;
 * ESP_ERR_OTA_ALREADY_IN_PROGRESS; ESP_ERR_INVALID_ARG: it overlaps another
 * partition; ESP_ERR_INVALID_SIZE: it is no whole number of sectors.
 * *out_handle is set with ESP_OK only: after a failure there is nothing to
 * abort. */
esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t image_size,
                        esp_ota_handle_t *out_handle);
/* Continues a write that ended at image_offset. Erases nothing now. */
esp_err_t esp_ota_resume(const esp_partition_t *partition,
                         const size_t erase_size, const size_t image_offset,
                         esp_ota_handle_t *out_handle);
/* The partition whose kind of content is written; with finalize_with_copy
 * esp_ota_end() copies it there, which a power cut interrupts; see
 * porta_ota_finish_copy() in porta/ota_control.h. */
esp_err_t esp_ota_set_final_partition(esp_ota_handle_t handle,
                                      const esp_partition_t *final_partition,
                                      bool finalize_with_copy);
/* ESP_ERR_OTA_VALIDATE_FAILED: the first byte is not an image's. */
esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size);
/* ESP_ERR_INVALID_STATE: the handle erases while writing, in order. */
esp_err_t esp_ota_write_with_offset(esp_ota_handle_t handle, const void *data,
                                    size_t size, uint32_t offset);
/* Verifies; the handle is gone whatever happens. */
esp_err_t esp_ota_end(esp_ota_handle_t handle);
esp_err_t esp_ota_abort(esp_ota_handle_t handle);

/* Verifies the image, then makes it the one that boots.
 * ESP_ERR_OTA_SMALL_SEC_VER: anti-rollback; the image is left as it is, no
 * bootloader of this device starts it. */
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition);
esp_err_t esp_ota_set_boot_partition_skip_validate(
    const esp_partition_t *partition);
/* What the boot records ask for; the image is not looked at. */
const esp_partition_t *esp_ota_get_boot_partition(void);
const esp_partition_t *esp_ota_get_running_partition(void);
/* The OTA slot after start_from (NULL: after the running one). */
const esp_partition_t *esp_ota_get_next_update_partition(
    const esp_partition_t *start_from);
uint8_t esp_ota_get_app_partition_count(void);

esp_err_t esp_ota_get_partition_description(const esp_partition_t *partition,
                                            esp_app_desc_t *app_desc);
/* partition NULL: the bootloader that the ROM starts. */
esp_err_t esp_ota_get_bootloader_description(
    const esp_partition_t *bootloader_partition, esp_bootloader_desc_t *desc);

/* Confirms the running program, never one that waits for its first start. With
 * anti-rollback it then raises the device's secure version to the program's,
 * or to what its fuses can count; when they fail their error is returned, and
 * the program is confirmed all the same. ESP_FAIL: no boot record speaks for
 * it. */
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);
/* Gives the running program up: the next reset starts the one before it.
 * ESP_ERR_OTA_ROLLBACK_FAILED: there is nothing to go back to, or it is given
 * up already; nothing is changed then. */
esp_err_t esp_ota_mark_app_invalid_rollback(void);
/* As above, then a reset: returns only on failure. */
esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void);
bool esp_ota_check_rollback_is_possible(void);
const esp_partition_t *esp_ota_get_last_invalid_partition(void);
esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition,
                                      esp_ota_img_states_t *ota_state);
/* Erases the slot that is not running, and its record. */
esp_err_t esp_ota_erase_last_boot_app_partition(void);
/* Erases the record that does not count. */
esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void);

/* May this header (and description, unless NULL) run here?
 * ESP_ERR_INVALID_VERSION: other chip or revision;
 * ESP_ERR_OTA_SPI_MODE_MISMATCH. */
esp_err_t esp_ota_check_image_validity(esp_partition_type_t part_type,
                                       const esp_image_header_t *img_hdr,
                                       const esp_app_desc_t *app_desc);

#ifdef __cplusplus
}
#endif

#endif
