/* fuses.c - where a device's emulated fuses are. */
#include "boot/exec.h"

esp_err_t boot_fuse_open(struct fuse_emul *e, const struct part_table *table,
                         const struct fuse_place *place,
                         const struct fuse_field *field)
{
    const struct part_entry *part =
        table ? part_find(table, PART_TYPE_DATA, PART_DATA_EFUSE, NULL) : NULL;
    struct fuse_place at = *place;

    at.off = part ? part->off : 0;
    at.len = part ? part->len : 0;
    esp_err_t err = fuse_emul_open(e, &at, field);
    return part ? err : ESP_ERR_NOT_FOUND;
}
