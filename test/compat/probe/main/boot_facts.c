#include "boot_facts.h"

#include "esp_app_format.h"
#include "esp_efuse.h"
#include "esp_flash.h"
#include "esp_ota_ops.h"

static void image_facts(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    const esp_app_desc_t *desc = esp_app_get_description();
    esp_image_header_t header;
    uint32_t size = 0;

    fact("version", "%s", desc->version);
    fact("made", "'%s' '%s' %s", desc->date, desc->time, desc->idf_ver);
    fact("secure_version", "%u", (unsigned)desc->secure_version);
    if (esp_partition_read(running, 0, &header, sizeof(header)) == ESP_OK)
        fact("spi_size", "%u", (unsigned)header.spi_size);
    if (esp_flash_get_size(NULL, &size) == ESP_OK)
        fact("flash_size", "%u", (unsigned)size);
    fact("running", "%s@%x", running->label, (unsigned)running->address);
    fact("table_offset", "%x", (unsigned)ESP_PARTITION_TABLE_OFFSET);
}

/* Chooses the other slot, when there is something in it. */
static void choose_facts(void)
{
    const esp_partition_t *next = esp_ota_get_next_update_partition(NULL);
    esp_ota_img_states_t state;
    esp_app_desc_t desc;

    fact("slots", "%u", (unsigned)esp_ota_get_app_partition_count());
    fact("fuses", "%u", (unsigned)esp_efuse_read_secure_version());
    if (next == NULL || esp_ota_get_partition_description(next, &desc) != 0)
        return;
    esp_err_t err = esp_ota_set_boot_partition(next);
    fact_err("choose", err);
    if (err == ESP_OK && esp_ota_get_state_partition(next, &state) == ESP_OK)
        fact("chosen_state", "%x", (unsigned)state);
}

void boot_facts(void)
{
    image_facts();
    choose_facts();
#if CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    fact_err("raise", esp_efuse_update_secure_version(
                          esp_efuse_read_secure_version() + 1));
#endif
}
