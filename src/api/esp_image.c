/* esp_image_*: the one verifier (image/check.h) behind ESP-IDF's names. */
#include "api/device.h"

#include <string.h>

#include "base/log.h"
#include "crypto/sha256.h"
#include "image/text.h"
#include "image/walk.h"

#include "esp_image_format.h"

#define BUF_LEN 4096u
#define TAG "esp_image"

_Static_assert(sizeof(esp_image_header_t) == IMG_HEADER_LEN, "header");
_Static_assert(sizeof(esp_image_segment_header_t) == IMG_SEG_HEADER_LEN,
               "segment header");

/* A bootloader is known by its place or by its partition's type. */
static enum img_kind kind_of(const esp_partition_t *p)
{
    const struct api_device *dev = api_device();

    return p->type == ESP_PARTITION_TYPE_BOOTLOADER ||
                   p->address == api_bootloader_off() ||
                   p->address == dev->image_boot_off
               ? IMG_KIND_BOOTLOADER
               : IMG_KIND_APP;
}

static esp_err_t walk(const esp_partition_t *p, const struct img_rules *rules,
                      struct img_check *check, struct img_receipt *receipt)
{
    struct api_device *dev = api_device();
    struct part_entry e = { .off = p->address, .len = p->size };
    uint8_t *buf = api_alloc(BUF_LEN);
    esp_err_t err;

    if (!buf)
        return ESP_ERR_NO_MEM;
    err = img_check_flash(&dev->flash, e.off, e.len, part_gen(&dev->parts, &e),
                          rules, NULL, buf, BUF_LEN, check, receipt);
    api_free(buf);
    return err;
}

esp_err_t api_image_check(const esp_partition_t *partition,
                          struct img_check *check, struct img_receipt *receipt)
{
    const struct api_device *dev = api_device();
    struct img_rules rules = {
        .kind = kind_of(partition),
        .place = IMG_PLACE_SLOT,
        .chip_id = dev->boot.chip_id,
        .chip_rev = dev->boot.chip_rev,
        .check_rev = dev->boot.check_rev,
        .require_hash = pol_require_hash(dev->boot.policy),
        .keys = img_keys_for(pol_require_signed(dev->boot.policy), &dev->keys),
    };

    return walk(partition, &rules, check, receipt);
}

esp_err_t api_image_digest(const esp_partition_t *partition,
                           struct img_receipt *receipt)
{
    struct img_rules rules = {
        .kind = kind_of(partition),
        .place = IMG_PLACE_SLOT,
        .any_chip = true,
    };
    struct img_check check;

    return walk(partition, &rules, &check, receipt);
}

/* --- metadata ------------------------------------------------------------- */

static void fill_segments(const struct img_info *info,
                          const esp_partition_pos_t *part,
                          esp_image_metadata_t *data)
{
    for (uint32_t i = 0; i < info->header.seg_cnt; i++) {
        data->segments[i].load_addr = info->segs[i].load_addr;
        data->segments[i].data_len = info->segs[i].len;
        data->segment_data[i] = part->offset + info->segs[i].off;
    }
}

static esp_err_t fill_metadata(const struct img_info *info,
                               const esp_partition_pos_t *part,
                               esp_image_metadata_t *data)
{
    const struct port_flash *flash = &api_device()->flash;

    data->start_addr = part->offset;
    data->image_len = info->image_len;
    fill_segments(info, part, data);
    if (info->desc.present)
        data->secure_version = info->desc.secure_version;
    if (info->desc.present && info->desc.mmu_page_log2 < 32)
        data->mmu_page_size = 1u << info->desc.mmu_page_log2;
    if (info->header.hash_appended)
        memcpy(data->image_digest, info->digest, sizeof(data->image_digest));
    return flash->read(flash->ctx, part->offset, &data->image,
                       sizeof(data->image));
}

static void complain(const esp_partition_pos_t *part,
                     const struct img_fault *fault)
{
    char text[200];

    LOGE(TAG, "image at 0x%x: %s", (unsigned)part->offset,
         img_fault_text(fault, text, sizeof(text)));
}

esp_err_t esp_image_verify(esp_image_load_mode_t mode,
                           const esp_partition_pos_t *part,
                           esp_image_metadata_t *data)
{
    esp_partition_t place = { .type = ESP_PARTITION_TYPE_APP };
    struct img_check check;
    struct img_receipt receipt;
    esp_err_t err;

    if (!data || !part)
        return ESP_ERR_INVALID_ARG;
    memset(data, 0, sizeof(*data));
    if (part->size > IMG_MAX_LEN)
        return ESP_ERR_INVALID_ARG;
    place.address = part->offset;
    place.size = part->size;
    err = api_image_check(&place, &check, &receipt);
    if (err && err != ESP_ERR_NO_MEM && mode != ESP_IMAGE_VERIFY_SILENT)
        complain(part, &check.fault);
    if (!err)
        err = fill_metadata(&check.info, part, data);
    if (err)
        memset(data, 0, sizeof(*data));
    return err;
}

/* Header by header; what is between them is skipped. */
static esp_err_t walk_headers(const esp_partition_pos_t *part,
                              esp_image_metadata_t *data)
{
    const struct port_flash *flash = &api_device()->flash;
    uint32_t off = IMG_HEADER_LEN;

    if (flash->read(flash->ctx, part->offset, &data->image,
                    sizeof(data->image)))
        return ESP_ERR_IMAGE_FLASH_FAIL;
    if (data->image.magic != IMG_MAGIC ||
        data->image.segment_count > IMG_MAX_SEGMENTS)
        return ESP_ERR_IMAGE_INVALID;
    for (uint32_t i = 0; i < data->image.segment_count; i++) {
        if (off + IMG_SEG_HEADER_LEN > part->size)
            return ESP_ERR_IMAGE_INVALID;
        if (flash->read(flash->ctx, part->offset + off, &data->segments[i],
                        IMG_SEG_HEADER_LEN))
            return ESP_ERR_IMAGE_FLASH_FAIL;
        off += IMG_SEG_HEADER_LEN;
        data->segment_data[i] = part->offset + off;
        if (data->segments[i].data_len % 4 ||
            data->segments[i].data_len >= IMG_MAX_LEN)
            return ESP_ERR_IMAGE_INVALID;
        off += data->segments[i].data_len;
    }
    /* Reference 1.5: the checksum ends a row of 16 bytes. */
    data->image_len = (off + 1 + 15) & ~15u;
    if (data->image_len > part->size)
        return ESP_ERR_IMAGE_INVALID;
    return ESP_OK;
}

static esp_err_t read_digest(const esp_partition_pos_t *part,
                             esp_image_metadata_t *data)
{
    const struct port_flash *flash = &api_device()->flash;
    uint32_t at = data->image_len;

    if (!data->image.hash_appended)
        return ESP_OK;
    if (part->size - at < SHA256_LEN)
        return ESP_ERR_IMAGE_INVALID;
    data->image_len += SHA256_LEN;
    return flash->read(flash->ctx, part->offset + at, data->image_digest,
                       SHA256_LEN)
               ? ESP_ERR_IMAGE_FLASH_FAIL
               : ESP_OK;
}

esp_err_t esp_image_get_metadata(const esp_partition_pos_t *part,
                                 esp_image_metadata_t *metadata)
{
    esp_err_t err;

    if (!part || !metadata || part->size > IMG_MAX_LEN)
        return ESP_ERR_INVALID_ARG;
    memset(metadata, 0, sizeof(*metadata));
    metadata->start_addr = part->offset;
    err = walk_headers(part, metadata);
    if (!err)
        err = read_digest(part, metadata);
    if (err)
        memset(metadata, 0, sizeof(*metadata));
    return err;
}

/* --- the bootloader ------------------------------------------------------- */

esp_err_t esp_image_verify_bootloader_data(esp_image_metadata_t *data)
{
    const struct api_device *dev = api_device();
    esp_partition_pos_t part = { api_bootloader_off(), 0 };

    part.size = dev->boot.table_off - part.offset;
    return esp_image_verify(ESP_IMAGE_VERIFY, &part, data);
}

esp_err_t esp_image_verify_bootloader(uint32_t *length)
{
    esp_image_metadata_t data;
    esp_err_t err = esp_image_verify_bootloader_data(&data);

    if (length)
        *length = err ? 0 : data.image_len;
    return err;
}

uint32_t esp_image_bootloader_offset_get(void)
{
    return api_device()->image_boot_off;
}

void esp_image_bootloader_offset_set(const uint32_t offset)
{
    api_device()->image_boot_off = offset;
}

int esp_image_get_flash_size(esp_image_flash_size_t app_flash_size)
{
    int idx = (int)app_flash_size;

    if (idx < 0 || idx >= (int)ESP_IMAGE_FLASH_SIZE_MAX)
        return 0;
    return 1024 * 1024 << idx;
}
