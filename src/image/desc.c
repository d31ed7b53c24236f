/* Descriptions of applications (reference 1.7) and bootloaders (1.8). */
#include "image/image.h"

#include "base/le.h"

/* dst has room for len bytes and the terminator. */
static void str_get(char *dst, const uint8_t *src, size_t len)
{
    memcpy(dst, src, len);
    dst[len] = '\0';
}

void img_desc_parse(struct span bytes, struct img_desc *out)
{
    const uint8_t *p = bytes.ptr;

    *out = (struct img_desc){ 0 };
    if (bytes.len < IMG_APP_DESC_LEN || le32_get(p) != IMG_APP_DESC_MAGIC)
        return;
    out->present = true;
    out->secure_version = le32_get(p + 4);
    str_get(out->version, p + 16, 32);
    str_get(out->project, p + 48, 32);
    str_get(out->time, p + 80, 16);
    str_get(out->date, p + 96, 16);
    str_get(out->idf_ver, p + 112, 32);
    memcpy(out->elf_sha256, p + 144, sizeof(out->elf_sha256));
    out->min_blk_rev = le16_get(p + 176);
    out->max_blk_rev = le16_get(p + 178);
    out->mmu_page_log2 = p[180];
    out->spi_mode = p[181];
}

void img_boot_desc_parse(struct span bytes, struct img_boot_desc *out)
{
    const uint8_t *p = bytes.ptr;

    *out = (struct img_boot_desc){ 0 };
    if (bytes.len < IMG_BOOT_DESC_LEN || p[0] != IMG_BOOT_DESC_MAGIC)
        return;
    out->present = true;
    out->secure_version = p[3];
    out->version = le32_get(p + 4);
    str_get(out->idf_ver, p + 8, 32);
    str_get(out->date_time, p + 40, 24);
}
