/* esp_efuse.h: the secure version, and nothing else of the fuses. */
#include "api/device.h"

#include "base/log.h"
#include "image/image.h"

#include "esp_efuse.h"
#include "esp_ota_ops.h"

#define TAG "esp_efuse"

uint32_t esp_efuse_read_secure_version(void)
{
    const struct port_fuse *fuse = api_device()->boot.fuse;
    uint32_t version;
    esp_err_t err;

    if (fuse->bit_cnt == 0 && !pol_anti_rollback(api_device()->boot.policy))
        return 0;
    api_lock();
    err = fuse_read_version(fuse, &version);
    api_unlock();
    if (err)
        LOGE(TAG, "the secure version cannot be read: %s", err_name(err));
    return version;
}

bool esp_efuse_check_secure_version(uint32_t secure_version)
{
    return secure_version >= esp_efuse_read_secure_version();
}

esp_err_t esp_efuse_update_secure_version(uint32_t secure_version)
{
    const struct port_fuse *fuse = api_device()->boot.fuse;
    uint32_t now;
    esp_err_t err;

    if (secure_version > fuse->bit_cnt)
        return ESP_ERR_INVALID_ARG;
    api_lock();
    err = fuse_read_version(fuse, &now);
    if (!err && now > secure_version)
        err = ESP_FAIL;
    if (!err && now < secure_version)
        err = fuse_raise(fuse, secure_version);
    api_unlock();
    return err;
}

/* --- anti-rollback -------------------------------------------------------- */

static esp_err_t compare(const esp_partition_t *partition,
                         const esp_app_desc_t *desc)
{
    uint32_t least;
    esp_err_t err;

    api_lock();
    err = fuse_read_version(api_device()->boot.fuse, &least);
    api_unlock();
    if (err)
        LOGE(TAG,
             "anti-rollback is on and the secure version cannot be read: %s",
             err_name(err));
    if (err || desc->secure_version >= least)
        return err;
    LOGE(TAG,
         "the image in %s has secure version %u, this device starts %u and "
         "above only",
         partition->label, (unsigned)desc->secure_version, (unsigned)least);
    return ESP_ERR_OTA_SMALL_SEC_VER;
}

esp_err_t api_version_check(const esp_partition_t *partition)
{
    esp_app_desc_t desc;

    if (!pol_anti_rollback(api_device()->boot.policy))
        return ESP_OK;
    if (esp_ota_get_partition_description(partition, &desc)) {
        LOGE(TAG, "the image in %s does not say its secure version",
             partition->label);
        return ESP_ERR_OTA_SMALL_SEC_VER;
    }
    return compare(partition, &desc);
}

esp_err_t esp_efuse_set_recovery_bootloader_offset(const uint32_t offset)
{
    (void)offset;
    return ESP_ERR_NOT_SUPPORTED;
}
