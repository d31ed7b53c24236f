/* The 24 bytes at the start of an image: reference 1.2. */
#include "image/image.h"

#include "base/le.h"

esp_err_t img_header_parse(struct span bytes, struct img_header *out)
{
    const uint8_t *p = bytes.ptr;

    *out = (struct img_header){ 0 };
    if (bytes.len < IMG_HEADER_LEN)
        return ESP_ERR_INVALID_SIZE;
    out->magic = p[0];
    out->seg_cnt = p[1];
    out->spi_mode = p[2];
    out->spi_speed = p[3] & 0x0f;
    out->spi_size = p[3] >> 4;
    out->entry_addr = le32_get(p + 4);
    out->chip_id = le16_get(p + 12);
    out->min_rev = le16_get(p + 15); /* byte 14 is a legacy, coarser one */
    out->max_rev = le16_get(p + 17);
    out->hash_appended = p[23];
    return out->magic == IMG_MAGIC ? ESP_OK : ESP_ERR_IMAGE_INVALID;
}
