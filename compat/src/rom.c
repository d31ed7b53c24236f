/* What chips have in ROM: printf, a delay, checksums. */
#include <stdarg.h>
#include <stdio.h>

#include "base/crc32.h"
#include "esp_rom_crc.h"
#include "esp_rom_sys.h"
#include "linux_time.h"

int esp_rom_printf(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vprintf(fmt, args);
    va_end(args);
    return len;
}

void esp_rom_delay_us(uint32_t us)
{
    linux_sleep_us(us);
}

uint32_t esp_rom_crc32_le(uint32_t crc, uint8_t const *buf, uint32_t len)
{
    return crc32_le(crc, buf, len);
}

/* Bit by bit: these two are for a few bytes. The polynomials are reflected. */
static uint32_t crc_bits(uint32_t crc, const uint8_t *buf, uint32_t len,
                         uint32_t poly)
{
    for (uint32_t i = 0; i < len; i++) {
        crc ^= buf[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ poly : crc >> 1;
    }
    return crc;
}

uint16_t esp_rom_crc16_le(uint16_t crc, uint8_t const *buf, uint32_t len)
{
    return (uint16_t)~crc_bits((uint16_t)~crc, buf, len, 0x8408);
}

uint8_t esp_rom_crc8_le(uint8_t crc, uint8_t const *buf, uint32_t len)
{
    return (uint8_t)~crc_bits((uint8_t)~crc, buf, len, 0xe0);
}
