/* What a bootloader takes from a C library, in few bytes. */
#include <string.h>

void *memcpy(void *dst, const void *src, size_t len)
{
    char *to = dst;
    const char *from = src;

    while (len--)
        *to++ = *from++;
    return dst;
}

void *memset(void *dst, int byte, size_t len)
{
    char *to = dst;

    while (len--)
        *to++ = (char)byte;
    return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a, *y = b;

    for (; len--; x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *text)
{
    size_t len = 0;

    while (text[len])
        len++;
    return len;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a - *b;
}
