/* esp_flash.h: the device's own flash, by absolute addresses. */
#include "api/device.h"

#include "esp_flash.h"
#include "esp_flash_partitions.h"

/* What an application holds is a name for the device's flash. */
struct esp_flash_t {
    char name[8];
};

static struct esp_flash_t main_chip = { "main" };
esp_flash_t *esp_flash_default_chip = &main_chip;

uint32_t esp_flash_bootloader_offset(void)
{
    return api_bootloader_off();
}

uint32_t esp_flash_partition_table_offset(void)
{
    return api_device()->boot.table_off;
}

static bool is_main(const esp_flash_t *chip)
{
    return chip == NULL || chip == &main_chip;
}

esp_err_t esp_flash_get_size(esp_flash_t *chip, uint32_t *out_size)
{
    if (!out_size || !is_main(chip))
        return ESP_ERR_INVALID_ARG;
    *out_size = api_device()->flash.size_len;
    return ESP_OK;
}

/* The whole chip, as a partition that nobody named. */
static struct part_entry whole(void)
{
    return (struct part_entry){ .len = api_device()->flash.size_len };
}

esp_err_t esp_flash_read(esp_flash_t *chip, void *buffer, uint32_t address,
                         uint32_t length)
{
    struct part_entry all = whole();

    if (!is_main(chip) || !buffer)
        return ESP_ERR_INVALID_ARG;
    return part_read(&api_device()->parts, &all, address, buffer, length);
}

esp_err_t esp_flash_write(esp_flash_t *chip, const void *buffer,
                          uint32_t address, uint32_t length)
{
    struct part_entry all = whole();
    esp_err_t err;

    if (!is_main(chip) || !buffer)
        return ESP_ERR_INVALID_ARG;
    api_lock();
    err = part_prog(&api_device()->parts, &all, address, buffer, length);
    api_unlock();
    return err;
}

esp_err_t esp_flash_erase_region(esp_flash_t *chip, uint32_t start,
                                 uint32_t len)
{
    struct part_entry all = whole();
    uint32_t sector = api_device()->flash.erase_len;
    esp_err_t err = ESP_OK;

    if (!is_main(chip) || start % sector || len % sector)
        return ESP_ERR_INVALID_ARG;
    if (start > all.len || len > all.len - start)
        return ESP_ERR_INVALID_SIZE;
    for (uint32_t at = 0; !err && at < len; at += sector) {
        api_lock();
        err = part_erase_sector(&api_device()->parts, &all, start + at);
        api_unlock();
    }
    return err;
}
