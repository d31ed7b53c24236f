#include "console.h"

#include <stdio.h>

#include "vrt_uart.h"

void console_vline(char letter, const char *who, const char *fmt, va_list args)
{
    char text[256];
    vsnprintf(text, sizeof(text), fmt, args);
    vrt_putc(letter);
    vrt_puts(" (0) ");
    vrt_puts(who);
    vrt_puts(": ");
    vrt_puts(text);
    vrt_putc('\n');
}

void console_line(char letter, const char *who, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    console_vline(letter, who, fmt, args);
    va_end(args);
}
