/* part_place.c - is an entry's place its own? Asked before it is written. */
#include "part/rules.h"

#include <string.h>

#include "base/text.h"

/* An entry's label, fit to be shown. */
struct name {
    char text[PART_LABEL_LEN + 1];
};

static struct name name_of(const struct part_entry *e)
{
    struct name n;

    (void)text_clean(span_str(e->label), n.text, sizeof(n.text));
    return n;
}

bool part_overlap(const struct part_entry *a, const struct part_entry *b)
{
    return a->off < (uint64_t)b->off + b->len &&
           b->off < (uint64_t)a->off + a->len;
}

static bool is_same(const struct part_entry *a, const struct part_entry *b)
{
    return a->off == b->off && a->len == b->len && a->type == b->type &&
           a->subtype == b->subtype && strcmp(a->label, b->label) == 0;
}

static esp_err_t check_sectors(const struct part_dev *dev,
                               const struct part_entry *e, struct diag *d)
{
    uint32_t sector_len = dev->flash->erase_len;

    if (e->off > dev->flash->size_len || e->len > dev->flash->size_len - e->off)
        return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                         "%s, 0x%x bytes at 0x%x, leaves the flash of 0x%x "
                         "bytes",
                         name_of(e).text, (unsigned)e->len, (unsigned)e->off,
                         (unsigned)dev->flash->size_len);
    if (e->len > 0 && e->off % sector_len == 0 && e->len % sector_len == 0)
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_SIZE,
                     "%s, 0x%x bytes at 0x%x, is no whole number of sectors of "
                     "0x%x: writing it would destroy what is beside it; "
                     "correct the partition table",
                     name_of(e).text, (unsigned)e->len, (unsigned)e->off,
                     (unsigned)sector_len);
}

/* What lies before the end of the table is the bootloader's and the table's. */
static esp_err_t check_system(const struct part_dev *dev,
                              const struct part_entry *e, struct diag *d)
{
    uint64_t end = (uint64_t)dev->table_off + PART_TABLE_SECTOR;

    if (e->off >= end || part_is_system(e))
        return ESP_OK;
    return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_ARG,
                     "%s, 0x%x bytes at 0x%x, lies on the bootloader or the "
                     "partition table, which end at 0x%llx; correct the "
                     "partition table",
                     name_of(e).text, (unsigned)e->len, (unsigned)e->off,
                     (unsigned long long)end);
}

static esp_err_t check_others(const struct part_entry *e,
                              const struct part_entry *list, uint32_t cnt,
                              struct diag *d)
{
    for (uint32_t i = 0; i < cnt; i++) {
        if (is_same(e, &list[i]) || !part_overlap(e, &list[i]))
            continue;
        return diag_fail(d, DIAG_STAGE_FLASH, ESP_ERR_INVALID_ARG,
                         "%s, 0x%x bytes at 0x%x, overlaps %s, 0x%x bytes at "
                         "0x%x: writing one destroys the other; correct the "
                         "partition table",
                         name_of(e).text, (unsigned)e->len, (unsigned)e->off,
                         name_of(&list[i]).text, (unsigned)list[i].len,
                         (unsigned)list[i].off);
    }
    return ESP_OK;
}

esp_err_t part_check_place(const struct part_dev *dev,
                           const struct part_entry *e, struct diag *d)
{
    esp_err_t err = check_sectors(dev, e, d);

    if (!err)
        err = check_system(dev, e, d);
    if (!err)
        err = check_others(e, dev->table.entries, dev->table.cnt, d);
    if (!err)
        err = check_others(e, dev->extra, dev->extra_cnt, d);
    return err;
}
