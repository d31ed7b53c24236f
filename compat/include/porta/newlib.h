/* newlib.h - what a chip's C library has in string.h and stdlib.h, and this
 * machine's may lack. The build includes it before each file of an application,
 * which is written as if the names were there. */
#ifndef PORTA_NEWLIB_H
#define PORTA_NEWLIB_H

#include <features.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 38)
size_t strlcpy(char *dst, const char *src, size_t size);
size_t strlcat(char *dst, const char *src, size_t size);
#endif
char *strnstr(const char *text, const char *word, size_t len);
char *strlwr(char *text);
char *strupr(char *text);
/* base: 2 to 36, else out is "" and NULL is returned. A value below 0 has a
 * sign in base 10 only. */
char *itoa(int value, char *out, int base);
char *utoa(unsigned value, char *out, int base);

#ifdef __cplusplus
}
#endif

#endif
