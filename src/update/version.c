/* version.c - anti-rollback: may this image be installed?
 *
 * Asked of the image's head, before anything is erased, and again when all of
 * it was verified: whatever way it came (resumed, in parts, decrypted), it
 * passes the second question. The bootloader asks a third time. */
#include "update/priv.h"

#include "base/log.h"

static const char tag[] = "update";

static bool is_asked(const struct upd *u)
{
    return u->target.kind == UPD_KIND_APP &&
           pol_anti_rollback(u->env.device->policy);
}

static esp_err_t read_fuses(struct upd *u, uint32_t *least)
{
    esp_err_t err = fuse_read_version(u->env.device->fuse, least);

    if (!err)
        return ESP_OK;
    return upd_fail(u, DIAG_STAGE_FLASH, err,
                    "anti-rollback is on and the device's secure version "
                    "cannot be read (%s), so no image can be accepted",
                    err_name(err));
}

esp_err_t upd_version_begin(struct upd *u)
{
    uint32_t least;

    return is_asked(u) ? read_fuses(u, &least) : ESP_OK;
}

static esp_err_t compare(struct upd *u, const struct img_desc *desc,
                         uint32_t least)
{
    uint32_t bit_cnt = u->env.device->fuse->bit_cnt;

    if (!desc->present)
        return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_OTA_SMALL_SEC_VER,
                        "the image has no description and so no secure "
                        "version; this device starts %u and above only",
                        (unsigned)least);
    if (desc->secure_version < least)
        return upd_fail(u, DIAG_STAGE_IMAGE, ESP_ERR_OTA_SMALL_SEC_VER,
                        "the image's secure version is %u and this device "
                        "starts %u and above only: it would be a downgrade",
                        (unsigned)desc->secure_version, (unsigned)least);
    if (desc->secure_version > bit_cnt && !u->done)
        LOGW(tag,
             "the image's secure version is %u and the device counts to %u: "
             "it will not keep %u from being installed later",
             (unsigned)desc->secure_version, (unsigned)bit_cnt,
             (unsigned)bit_cnt);
    return ESP_OK;
}

esp_err_t upd_version_check(struct upd *u, const struct img_desc *desc)
{
    uint32_t least;
    esp_err_t err;

    if (!is_asked(u))
        return ESP_OK;
    err = read_fuses(u, &least);
    return err ? err : compare(u, desc, least);
}
