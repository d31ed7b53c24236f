#include "update/hex.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

void upd_hex_put(const uint8_t *bytes, uint32_t len, char *out)
{
    for (uint32_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

bool upd_hex_get(struct span in, uint8_t *out)
{
    for (size_t i = 0; i < in.len; i++) {
        const char *at = memchr(digits, in.ptr[i], 16);
        if (!at)
            return false;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | (at - digits));
    }
    return true;
}
