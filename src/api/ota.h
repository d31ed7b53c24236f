/* api/ota.h - what the files of esp_ota_ops.h share. */
#ifndef API_OTA_H
#define API_OTA_H

#include "api/device.h"
#include "boot/boot.h"

#include "esp_ota_ops.h"

#define OTA_TAG "esp_ota_ops"

/* The boot records, read under the lock. */
struct api_records {
    struct otadata_place at;
    struct otadata o;
    uint32_t slot_cnt;
    uint32_t active; /* index of the record that counts, or OTA_REC_NONE */
};

/* ESP_ERR_NOT_FOUND: the table has no otadata; else errors of reading it. */
MUST_CHECK esp_err_t api_records_read(struct api_records *r);

/* Confirms the running program, or gives it up; who and why are filled in by
 * the caller, conditions and text too. Errors of the esp_ota_mark_app
 * functions. */
MUST_CHECK esp_err_t api_ota_confirm(struct ota_event *event);
MUST_CHECK esp_err_t api_ota_give_up(struct ota_event *event);
/* Milliseconds since the program started. */
uint32_t api_uptime_ms(void);
/* Resets in its trial so far; false: the running program is not on trial. */
bool api_ota_trial(uint32_t *resets);

static inline bool api_is_ota_app(const esp_partition_t *p)
{
    return p->type == ESP_PARTITION_TYPE_APP &&
           p->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
           p->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MAX;
}

/* The partition of a slot, NULL if the table has none. */
const esp_partition_t *api_slot_partition(uint32_t slot);
/* Does the image in it verify? Silent. */
bool api_partition_boots(const esp_partition_t *partition);

#endif
