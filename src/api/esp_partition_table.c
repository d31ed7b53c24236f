/* esp_partition_*: a table as a whole, and which of the flash may be
 * written. */
#include "api/device.h"

#include "base/log.h"
#include "esp_flash_partitions.h"

_Static_assert(sizeof(esp_partition_info_t) == PART_ROW_LEN, "row");

esp_err_t esp_partition_table_verify(
    const esp_partition_info_t *partition_table, bool log_errors,
    int *num_partitions)
{
    struct part_table *table;
    esp_err_t err;

    if (!partition_table || !num_partitions)
        return ESP_ERR_INVALID_ARG;
    *num_partitions = 0;
    table = api_alloc(sizeof(*table));
    if (!table)
        return ESP_ERR_NO_MEM;
    err = part_table_parse(span_of(partition_table, PART_TABLE_MAX_LEN),
                           api_device()->flash.size_len, table);
    if (!err)
        *num_partitions = (int)table->cnt;
    else if (log_errors)
        LOGE("flash_parts", "the partition table is not usable (%s)",
             err_name(err));
    api_free(table);
    return err;
}

static bool overlaps(uint32_t addr, uint32_t size, uint32_t off, uint32_t len)
{
    return addr < (uint64_t)off + len && off < (uint64_t)addr + size;
}

bool esp_partition_is_flash_region_writable(uint32_t addr, uint32_t size)
{
    const struct api_device *dev = api_device();
    const struct part_table *table = &dev->parts.table;
    uint32_t boot_off = api_bootloader_off();

    if (overlaps(addr, size, boot_off,
                 dev->boot.table_off + PART_TABLE_SECTOR - boot_off))
        return false;
    for (uint32_t i = 0; i < table->cnt; i++) {
        const struct part_entry *e = &table->entries[i];
        if (!overlaps(addr, size, e->off, e->len))
            continue;
        if (e->flags & PART_FLAG_READONLY || e->off == dev->boot.running_off)
            return false;
    }
    return true;
}

bool esp_partition_main_flash_region_safe(uint32_t addr, uint32_t size)
{
    return esp_partition_is_flash_region_writable(addr, size);
}
