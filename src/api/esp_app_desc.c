/* What the running application says about itself. An application built for
 * this library defines esp_app_desc; one that does not is described by the
 * image that runs. */
#include "api/device.h"

#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_idf_version.h"

#define ELF_SHA_DIGITS 9 /* CONFIG_APP_RETRIEVE_LEN_ELF_SHA's default */

_Static_assert(sizeof(esp_app_desc_t) == IMG_APP_DESC_LEN, "description");

/* The only weak symbol: an application may bring its own. */
const esp_app_desc_t esp_app_desc __attribute__((weak)) = {
    .magic_word = ESP_APP_DESC_MAGIC_WORD,
    .idf_ver = "v6.2",
    .mmu_page_size = 16,
};

static bool read_running(esp_app_desc_t *out)
{
    const struct api_device *dev = api_device();
    const struct port_flash *flash = &dev->flash;
    esp_app_desc_t desc;

    if (dev->boot.running_off == UINT32_MAX ||
        flash->read(flash->ctx, dev->boot.running_off + IMG_APP_DESC_OFF, &desc,
                    sizeof(desc)))
        return false;
    if (desc.magic_word != ESP_APP_DESC_MAGIC_WORD)
        return false;
    *out = desc;
    return true;
}

const esp_app_desc_t *esp_app_get_description(void)
{
    static esp_app_desc_t running; /* of this process's one application */
    static bool known;

    if (esp_app_desc.version[0] != '\0')
        return &esp_app_desc;
    api_lock();
    if (!known)
        known = read_running(&running);
    api_unlock();
    return known ? &running : &esp_app_desc;
}

int esp_app_get_elf_sha256(char *dst, size_t size)
{
    const uint8_t *sha = esp_app_get_description()->app_elf_sha256;
    size_t digits = ELF_SHA_DIGITS;

    if (!dst || size < 2)
        return 0;
    if (digits > size - 1)
        digits = size - 1;
    for (size_t i = 0; i < digits; i++) {
        unsigned nibble = i % 2 ? sha[i / 2] & 15u : sha[i / 2] >> 4;
        dst[i] = "0123456789abcdef"[nibble];
    }
    dst[digits] = '\0';
    return (int)digits + 1;
}

char *esp_app_get_elf_sha256_str(void)
{
    static char text[ELF_SHA_DIGITS + 1];

    (void)esp_app_get_elf_sha256(text, sizeof(text));
    return text;
}
