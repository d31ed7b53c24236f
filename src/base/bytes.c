/* bytes.c - see bytes.h. */
#include "base/bytes.h"

bool bytes_are(const uint8_t *p, size_t len, uint8_t byte)
{
    for (; len > 0; p++, len--)
        if (*p != byte)
            return false;
    return true;
}
