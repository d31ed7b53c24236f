/* image/identity.c - see identity.h. */
#include "image/identity.h"

#include <string.h>

#include "base/bytes.h"

esp_err_t img_identity(struct span head, uint8_t out[SHA256_LEN])
{
    struct img_desc desc;
    struct sha256 sha;

    if (head.len < IMG_HEAD_LEN || head.ptr[0] != IMG_MAGIC)
        return ESP_ERR_NOT_FOUND;
    img_desc_parse(span_of(head.ptr + IMG_APP_DESC_OFF, IMG_APP_DESC_LEN),
                   &desc);
    if (!desc.present)
        return ESP_ERR_NOT_FOUND;
    memcpy(out, desc.elf_sha256, SHA256_LEN);
    if (!bytes_are(out, SHA256_LEN, 0x00) && !bytes_are(out, SHA256_LEN, 0xFF))
        return ESP_OK;
    sha256_init(&sha);
    sha256_update(&sha, head.ptr, IMG_HEAD_LEN);
    sha256_final(&sha, out);
    return ESP_OK;
}
