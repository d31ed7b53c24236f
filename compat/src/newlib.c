#include "porta/newlib.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if !__GLIBC_PREREQ(2, 38)
size_t strlcpy(char *dst, const char *src, size_t size)
{
    size_t len = strlen(src);

    if (size > 0) {
        size_t fits = len < size ? len : size - 1;
        memcpy(dst, src, fits);
        dst[fits] = '\0';
    }
    return len;
}

size_t strlcat(char *dst, const char *src, size_t size)
{
    size_t have = strnlen(dst, size);

    return have + strlcpy(dst + have, src, size - have);
}
#endif

char *strnstr(const char *text, const char *word, size_t len)
{
    size_t word_len = strlen(word);

    len = strnlen(text, len);
    for (size_t i = 0; i + word_len <= len; i++)
        if (memcmp(text + i, word, word_len) == 0)
            return (char *)(uintptr_t)(text + i);
    return NULL;
}

char *strlwr(char *text)
{
    for (char *c = text; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return text;
}

char *strupr(char *text)
{
    for (char *c = text; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return text;
}

char *utoa(unsigned value, char *out, int base)
{
    char digits[8 * sizeof(value)];
    size_t cnt = 0;

    *out = '\0';
    if (base < 2 || base > 36)
        return NULL;
    do {
        digits[cnt++] =
            "0123456789abcdefghijklmnopqrstuvwxyz"[value % (unsigned)base];
        value /= (unsigned)base;
    } while (value > 0);
    for (size_t i = 0; i < cnt; i++)
        out[i] = digits[cnt - 1 - i];
    out[cnt] = '\0';
    return out;
}

char *itoa(int value, char *out, int base)
{
    bool minus = base == 10 && value < 0;

    if (minus)
        out[0] = '-';
    return utoa(minus ? 0u - (unsigned)value : (unsigned)value, out + minus,
                base)
               ? out
               : NULL;
}
