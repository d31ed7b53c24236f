/* esp_rom_sys.h - printing and waiting without an operating system. */
#ifndef ESP_ROM_SYS_H
#define ESP_ROM_SYS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* To the console. Returns the number of bytes. */
int esp_rom_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void esp_rom_delay_us(uint32_t us);

#define ets_printf esp_rom_printf

#ifdef __cplusplus
}
#endif

#endif
