#include "vrt_uart.h"

#include "vrt_map.h"

#define THR 0u
#define LSR 5u
#define LSR_THR_EMPTY 0x20u
#define POLL_MAX 100000u

static volatile uint8_t *reg(uint32_t idx)
{
    return (volatile uint8_t *)(uintptr_t)(VRT_UART + idx);
}

void vrt_putc(char c)
{
    for (uint32_t i = 0; i < POLL_MAX; i++)
        if (*reg(LSR) & LSR_THR_EMPTY)
            break;
    *reg(THR) = (uint8_t)c;
}

void vrt_puts(const char *text)
{
    while (*text)
        vrt_putc(*text++);
}
