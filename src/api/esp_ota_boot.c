/* What boots next, what runs, and what the images say. */
#include "api/ota.h"

#include <string.h>

#include "base/log.h"
#include "boot/deny.h"
#include "boot/exec.h"
#include "image/text.h"

#include "bootloader_common.h"

esp_err_t api_records_read(struct api_records *r)
{
    struct api_device *dev = api_device();
    const struct part_entry *part = boot_otadata_part(&dev->parts.table);
    esp_err_t err;

    if (!part)
        return ESP_ERR_NOT_FOUND;
    r->at = (struct otadata_place){ &dev->flash, part->off };
    err = otadata_read(&r->at, part->len, &r->o);
    if (err)
        return err;
    r->slot_cnt = part_ota_cnt(&dev->parts.table);
    r->active = ota_active_idx(r->o.rec);
    return ESP_OK;
}

const esp_partition_t *api_slot_partition(uint32_t slot)
{
    const struct part_entry *e = part_ota(&api_device()->parts.table, slot);

    return e ? api_partition_of(e) : NULL;
}

/* --- choose what boots ---------------------------------------------------- */

/* Was this very image verified, and nothing written to it since? */
static bool has_receipt(const esp_partition_t *p)
{
    const struct api_device *dev = api_device();
    const struct img_receipt *r = &dev->receipt;
    struct part_entry e = { .off = p->address, .len = p->size };

    return r->verdict == VERDICT_ACCEPT && r->bound && r->off == e.off &&
           r->gen == part_gen(&dev->parts, &e);
}

static esp_err_t verify(const esp_partition_t *p)
{
    struct img_check check;
    struct img_receipt receipt;
    char text[200];
    esp_err_t err;

    if (has_receipt(p))
        return ESP_OK;
    err = api_image_check(p, &check, &receipt);
    if (!err) {
        api_device()->receipt = receipt;
        return ESP_OK;
    }
    if (err == ESP_ERR_NO_MEM)
        return err;
    LOGE(OTA_TAG, "%s is not made bootable: %s", p->label,
         img_fault_text(&check.fault, text, sizeof(text)));
    return ESP_ERR_OTA_VALIDATE_FAILED;
}

/* With the policy: an image that failed on this device stays off. */
static esp_err_t refuse_denied(const esp_partition_t *p)
{
    struct api_device *dev = api_device();
    struct part_entry part = api_entry(p);
    uint8_t digest[SHA256_LEN];
    bool denied = false;
    esp_err_t err;

    if (!pol_deny(dev->boot.policy))
        return ESP_OK;
    err = deny_identity(&dev->parts, &part, digest);
    if (err == ESP_ERR_NOT_FOUND)
        return ESP_OK; /* no image, which nobody has seen fail */
    if (!err)
        err = deny_has(&dev->parts, digest, &denied);
    if (!err && denied) {
        LOGE(OTA_TAG,
             "%s is not made bootable: its image failed on this "
             "device before",
             p->label);
        err = ESP_ERR_NOT_ALLOWED;
    }
    return err;
}

/* Blank records let the factory boot. The one that counts goes last. */
static esp_err_t boot_factory(void)
{
    struct api_records r;
    struct ota_rec blank;
    esp_err_t err = api_records_read(&r);
    uint32_t first;

    if (err)
        return err;
    memset(&blank, 0xFF, sizeof(blank));
    first = r.active == OTA_REC_NONE ? 0 : 1 - r.active;
    err = otadata_change(&r.at, &r.o, first, &blank);
    if (!err)
        err = otadata_change(&r.at, &r.o, 1 - first, &blank);
    return err;
}

static esp_err_t boot_slot(uint32_t slot)
{
    const struct api_device *dev = api_device();
    struct api_records r;
    struct otadata_request req;
    esp_err_t err = api_records_read(&r);

    if (err)
        return err;
    req.slot = slot;
    req.slot_cnt = r.slot_cnt;
    req.running_is_slot = dev->upd.running_is_slot;
    req.running_slot = dev->upd.running_slot;
    req.state = pol_rollback(dev->boot.policy) ? (uint32_t)OTA_STATE_NEW
                                               : OTA_STATE_UNDEFINED;
    return otadata_activate(&r.at, &r.o, &req);
}

esp_err_t esp_ota_set_boot_partition_skip_validate(
    const esp_partition_t *partition)
{
    esp_err_t err;

    if (!partition || partition->type != ESP_PARTITION_TYPE_APP)
        return ESP_ERR_INVALID_ARG;
    api_lock();
    if (partition->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY)
        err = boot_factory();
    else if (api_is_ota_app(partition))
        err = refuse_denied(partition);
    else
        err = ESP_ERR_INVALID_ARG;
    if (!err && api_is_ota_app(partition))
        err = boot_slot(partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN);
    api_unlock();
    return err;
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    esp_err_t err;

    if (!partition)
        return ESP_ERR_INVALID_ARG;
    err = verify(partition);
    if (!err && partition->type == ESP_PARTITION_TYPE_APP)
        err = api_version_check(partition);
    return err ? err : esp_ota_set_boot_partition_skip_validate(partition);
}

/* --- what boots, what runs ------------------------------------------------ */

static const esp_partition_t *default_partition(void)
{
    const esp_partition_t *p = esp_partition_find_first(
        ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY, NULL);

    for (uint32_t i = 0; !p && i < BOOT_MAX_SLOTS; i++)
        p = esp_partition_find_first(ESP_PARTITION_TYPE_APP,
                                     ESP_PARTITION_SUBTYPE_OTA(i), NULL);
    if (!p)
        p = esp_partition_find_first(ESP_PARTITION_TYPE_APP,
                                     ESP_PARTITION_SUBTYPE_APP_TEST, NULL);
    return p;
}

/* What the record that counts names: images are not looked at, and a trial
 * that is going on is not given up. */
const esp_partition_t *esp_ota_get_boot_partition(void)
{
    struct api_records r;
    esp_err_t err;

    api_lock();
    err = api_records_read(&r);
    api_unlock();
    if (err)
        return NULL;
    return r.active == OTA_REC_NONE || r.slot_cnt == 0
               ? default_partition()
               : api_slot_partition(
                     ota_seq_slot(r.o.rec[r.active].seq, r.slot_cnt));
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
    const struct api_device *dev = api_device();
    const struct part_table *table = &dev->parts.table;

    for (uint32_t i = 0; i < table->cnt; i++) {
        const struct part_entry *e = &table->entries[i];
        if (e->type == PART_TYPE_APP && e->off == dev->boot.running_off)
            return api_partition_of(e);
    }
    return NULL;
}

uint8_t esp_ota_get_app_partition_count(void)
{
    return (uint8_t)part_ota_cnt(&api_device()->parts.table);
}

const esp_partition_t *esp_ota_get_next_update_partition(
    const esp_partition_t *start_from)
{
    const esp_partition_t *first = NULL;
    uint32_t start = UINT32_MAX;

    start_from = start_from ? esp_partition_verify(start_from)
                            : esp_ota_get_running_partition();
    if (start_from && api_is_ota_app(start_from))
        start = start_from->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN;
    for (uint32_t i = 0; i < BOOT_MAX_SLOTS; i++) {
        const esp_partition_t *p = esp_partition_find_first(
            ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_OTA(i), NULL);
        if (p && !first)
            first = p;
        if (p && start != UINT32_MAX && i > start)
            return p;
    }
    return first;
}

/* --- descriptions --------------------------------------------------------- */

esp_err_t esp_ota_get_partition_description(const esp_partition_t *partition,
                                            esp_app_desc_t *app_desc)
{
    esp_app_desc_t desc;
    esp_err_t err;

    if (!partition || !app_desc)
        return ESP_ERR_INVALID_ARG;
    if (partition->type != ESP_PARTITION_TYPE_APP)
        return ESP_ERR_NOT_SUPPORTED;
    err = esp_partition_read(partition, IMG_APP_DESC_OFF, &desc, sizeof(desc));
    if (err)
        return err;
    if (desc.magic_word != ESP_APP_DESC_MAGIC_WORD)
        return ESP_ERR_NOT_FOUND;
    *app_desc = desc;
    return ESP_OK;
}

esp_err_t esp_ota_get_bootloader_description(
    const esp_partition_t *bootloader_partition, esp_bootloader_desc_t *desc)
{
    esp_partition_t primary = { .address = api_bootloader_off() };
    esp_bootloader_desc_t found;
    esp_err_t err;

    if (!desc)
        return ESP_ERR_INVALID_ARG;
    primary.size = api_device()->boot.table_off - primary.address;
    if (!bootloader_partition)
        bootloader_partition = &primary;
    err = esp_partition_read(bootloader_partition, IMG_APP_DESC_OFF, &found,
                             sizeof(found));
    if (err)
        return err;
    if (found.magic_byte != ESP_BOOTLOADER_DESC_MAGIC_BYTE)
        return ESP_ERR_NOT_FOUND;
    *desc = found;
    return ESP_OK;
}

/* --- headers -------------------------------------------------------------- */

esp_err_t esp_ota_check_image_validity(esp_partition_type_t part_type,
                                       const esp_image_header_t *img_hdr,
                                       const esp_app_desc_t *app_desc)
{
    uint8_t mine = esp_app_get_description()->spi_flash_mode;
    bool is_app = part_type == ESP_PARTITION_TYPE_APP;

    if (!img_hdr || (!is_app && part_type != ESP_PARTITION_TYPE_BOOTLOADER))
        return ESP_ERR_INVALID_ARG;
    if (bootloader_common_check_chip_validity(
            img_hdr, is_app ? ESP_IMAGE_APPLICATION : ESP_IMAGE_BOOTLOADER))
        return ESP_ERR_INVALID_VERSION;
    if (is_app && app_desc && mine != 0 && app_desc->spi_flash_mode != 0 &&
        mine != app_desc->spi_flash_mode)
        return ESP_ERR_OTA_SPI_MODE_MISMATCH;
    return ESP_OK;
}
