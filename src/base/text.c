#include "base/text.h"

#include <string.h>

/* How many bytes the first one announces; 0: it cannot be a first one. */
static size_t lead_len(uint8_t c)
{
    if (c < 0x80)
        return 1;
    if (c >= 0xC2 && c <= 0xDF)
        return 2;
    if (c >= 0xE0 && c <= 0xEF)
        return 3;
    if (c >= 0xF0 && c <= 0xF4)
        return 4;
    return 0;
}

/* RFC 3629 section 4: where the second byte is bounded more tightly. */
static bool second_ok(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0;
    case 0xED:
        return second <= 0x9F;
    case 0xF0:
        return second >= 0x90;
    case 0xF4:
        return second <= 0x8F;
    default:
        return true;
    }
}

size_t text_utf8_len(struct span s)
{
    size_t len = s.len ? lead_len(s.ptr[0]) : 0;

    if (len > s.len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((s.ptr[i] & 0xC0) != 0x80)
            return 0;
    }
    return len > 1 && !second_ok(s.ptr[0], s.ptr[1]) ? 0 : len;
}

/* ASCII controls, DEL, and U+0080 to U+009F. */
static bool is_control(const uint8_t *c)
{
    return c[0] < 0x20 || c[0] == 0x7F || (c[0] == 0xC2 && c[1] < 0xA0);
}

const char *text_clean(struct span in, char *out, size_t out_len)
{
    size_t at = 0;

    while (in.len > 0) {
        size_t len = text_utf8_len(in);
        bool show = len > 0 && !is_control(in.ptr);

        if (at + (show ? len : 1) >= out_len)
            break;
        if (show)
            memmove(out + at, in.ptr, len);
        else
            out[at] = '?';
        at += show ? len : 1;
        in = span_from(in, len ? len : 1);
    }
    out[at] = '\0';
    return out;
}

struct text_name text_name(const char *s)
{
    size_t len = strlen(s);
    struct text_name n = { "..." };
    char *at = n.text;
    size_t room = sizeof(n.text);

    if (len >= room) {
        at += 3;
        room -= 3;
        s += len - (room - 1);
    }
    memmove(at, s, strlen(s) + 1);
    return n;
}
