/* esp_bootloader_desc.h: what a bootloader says about itself. */
#include "api/device.h"

#include <string.h>

#include "esp_bootloader_desc.h"

_Static_assert(sizeof(esp_bootloader_desc_t) == IMG_BOOT_DESC_LEN,
               "bootloader description");

const esp_bootloader_desc_t *esp_bootloader_get_description(void)
{
    static esp_bootloader_desc_t desc; /* of this process's one device */
    const struct port_flash *flash = &api_device()->flash;

    api_lock();
    if (desc.magic_byte != ESP_BOOTLOADER_DESC_MAGIC_BYTE &&
        (flash->read(flash->ctx, api_bootloader_off() + IMG_APP_DESC_OFF, &desc,
                     sizeof(desc)) ||
         desc.magic_byte != ESP_BOOTLOADER_DESC_MAGIC_BYTE))
        memset(&desc, 0, sizeof(desc));
    api_unlock();
    return &desc;
}
