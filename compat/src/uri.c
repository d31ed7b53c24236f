/* protocol_examples_utils.h: percent encoding. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "protocol_examples_utils.h"

static const char digits[] = "0123456789ABCDEF";

uint32_t example_uri_encode(char *dest, const char *src, size_t len)
{
    char *at = dest;
    for (size_t i = 0; src && dest && i < len && src[i]; i++) {
        unsigned char c = (unsigned char)src[i];
        if ((c < 0x80 && isalnum(c)) || strchr("-_.~", c)) {
            *at++ = (char)c;
            continue;
        }
        *at++ = '%';
        *at++ = digits[c >> 4];
        *at++ = digits[c & 15];
    }
    if (dest)
        *at = '\0';
    return (uint32_t)(at - dest);
}

static int digit(char c)
{
    const char *at = c ? strchr(digits, toupper((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

void example_uri_decode(char *dest, const char *src, size_t len)
{
    if (!src || !dest)
        return;
    for (size_t i = 0; i < len && src[i]; i++) {
        bool code = src[i] == '%' && i + 2 < len && digit(src[i + 1]) >= 0 &&
                    digit(src[i + 2]) >= 0;
        *dest++ =
            code ? (char)(digit(src[i + 1]) * 16 + digit(src[i + 2])) : src[i];
        i += code ? 2 : 0;
    }
    *dest = '\0';
}
