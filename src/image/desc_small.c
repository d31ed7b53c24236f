/* desc_small.c - of a description what an image is judged by, for bootloaders:
 * none of its strings. */
#include "image/image.h"

#include "base/le.h"

void img_desc_parse(struct span bytes, struct img_desc *out)
{
    memset(out, 0, sizeof(*out));
    if (bytes.len < IMG_APP_DESC_LEN ||
        le32_get(bytes.ptr) != IMG_APP_DESC_MAGIC)
        return;
    out->present = true;
    out->secure_version = le32_get(bytes.ptr + 4);
    out->mmu_page_log2 = bytes.ptr[180];
}

void img_boot_desc_parse(struct span bytes, struct img_boot_desc *out)
{
    memset(out, 0, sizeof(*out));
    if (bytes.len < IMG_BOOT_DESC_LEN || bytes.ptr[0] != IMG_BOOT_DESC_MAGIC)
        return;
    out->present = true;
    out->secure_version = bytes.ptr[3];
}
