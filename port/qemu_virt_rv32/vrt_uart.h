/* vrt_uart.h - the console: a 16550 that is never busy. */
#ifndef VRT_UART_H
#define VRT_UART_H

void vrt_putc(char c);
void vrt_puts(const char *text);

#endif
