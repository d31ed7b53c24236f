/* The bootloader's helpers that applications use, too: records, labels, an
 * image's SHA-256. */
#include "api/device.h"

#include <string.h>

#include "bootloader_common.h"

_Static_assert(sizeof(esp_ota_select_entry_t) == OTADATA_REC_LEN, "record");

static struct ota_rec rec_of(const esp_ota_select_entry_t *s)
{
    struct ota_rec rec = { .seq = s->ota_seq,
                           .state = s->ota_state,
                           .crc = s->crc };

    memcpy(rec.label, s->seq_label, sizeof(rec.label));
    return rec;
}

uint32_t bootloader_common_ota_select_crc(const esp_ota_select_entry_t *s)
{
    return ota_rec_crc(s->ota_seq);
}

bool bootloader_common_ota_select_valid(const esp_ota_select_entry_t *s)
{
    struct ota_rec rec = rec_of(s);

    return ota_rec_valid(&rec);
}

bool bootloader_common_ota_select_invalid(const esp_ota_select_entry_t *s)
{
    struct ota_rec rec = rec_of(s);

    return ota_rec_invalid(&rec);
}

int bootloader_common_select_otadata(const esp_ota_select_entry_t *two_otadata,
                                     bool *valid_two_otadata, bool max)
{
    uint32_t a, b;

    if (!two_otadata || !valid_two_otadata)
        return -1;
    if (!valid_two_otadata[0] || !valid_two_otadata[1])
        return valid_two_otadata[0] ? 0 : valid_two_otadata[1] ? 1 : -1;
    a = two_otadata[0].ota_seq;
    b = two_otadata[1].ota_seq;
    if (a == b)
        return 0;
    return (a > b) == max ? 0 : 1;
}

int bootloader_common_get_active_otadata(esp_ota_select_entry_t *two_otadata)
{
    bool valid[2];

    if (!two_otadata)
        return -1;
    valid[0] = bootloader_common_ota_select_valid(&two_otadata[0]);
    valid[1] = bootloader_common_ota_select_valid(&two_otadata[1]);
    return bootloader_common_select_otadata(two_otadata, valid, true);
}

esp_err_t bootloader_common_read_otadata(const esp_partition_pos_t *ota_info,
                                         esp_ota_select_entry_t *two_otadata)
{
    struct otadata_place at = { &api_device()->flash, 0 };
    struct otadata o;
    esp_err_t err;

    if (!ota_info || !two_otadata || ota_info->offset == 0)
        return ESP_ERR_INVALID_ARG;
    at.off = ota_info->offset;
    err = otadata_read(&at, ota_info->size, &o);
    for (int i = 0; !err && i < 2; i++) {
        uint8_t bytes[OTADATA_REC_LEN];
        ota_rec_pack(&o.rec[i], bytes);
        memcpy(&two_otadata[i], bytes, sizeof(bytes));
    }
    return err;
}

esp_err_t bootloader_common_get_sha256_of_partition(uint32_t address,
                                                    uint32_t size, int type,
                                                    uint8_t *out_sha_256)
{
    esp_partition_t place = { .address = address,
                              .size = size,
                              .type = (esp_partition_type_t)type };

    return esp_partition_get_sha256(&place, out_sha_256);
}

/* The rule of the image check, on a header that is in memory. */
esp_err_t bootloader_common_check_chip_validity(
    const esp_image_header_t *img_hdr, esp_image_type type)
{
    const struct api_boot *boot = &api_device()->boot;
    uint16_t max = img_hdr->max_chip_rev_full;

    if ((uint16_t)img_hdr->chip_id != boot->chip_id)
        return ESP_FAIL;
    if (!boot->check_rev)
        return ESP_OK;
    if (boot->chip_rev < img_hdr->min_chip_rev_full)
        return ESP_FAIL;
    if (type == ESP_IMAGE_APPLICATION && max != 0 && max != UINT16_MAX &&
        boot->chip_rev > max)
        return ESP_FAIL;
    return ESP_OK;
}

bool bootloader_common_label_search(const char *list, char *label)
{
    size_t len;

    if (!list || !label || label[0] == '\0')
        return false;
    len = strlen(label);
    while (*list) {
        size_t word = strcspn(list, ", ");
        if (word == len && memcmp(list, label, len) == 0)
            return true;
        list += word;
        list += strspn(list, ", ");
    }
    return false;
}
