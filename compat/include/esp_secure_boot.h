/* esp_secure_boot.h - there is no secure boot in hardware; signatures are
 * verified all the same where the options ask for it (docs/security.md). */
#ifndef ESP_SECURE_BOOT_H
#define ESP_SECURE_BOOT_H

#include <stdbool.h>

static inline bool esp_secure_boot_enabled(void)
{
    return false;
}

#endif
