/* console.h - lines on the console, and the end of the little C library that
 * the bootloader links. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdarg.h>

#include "base/err.h"

void console_line(char letter, const char *who, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void console_vline(char letter, const char *who, const char *fmt, va_list args)
    PRINTF_LIKE(3, 0);

#endif
