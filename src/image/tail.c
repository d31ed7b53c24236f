/* tail.c - what follows an image on the wire and in a file. */
#include "image/check_parts.h"

#define SIG_V2_MAGIC 0xE7u

/* Signature blocks are recognised by their first bytes (reference 5.2, 5.3). A
 * V1 block directly follows the image and starts with a zero word; a V2 sector
 * starts at the next multiple of 4096 with 0xE7 and its version. */
static enum img_tail tail_start(const struct img_check *c, uint8_t byte)
{
    uint32_t sector_off = (0u - c->info.image_len) % IMG_SIG_SECTOR_LEN;

    if (byte == 0xFF)
        return IMG_TAIL_PADDING;
    if (c->rules.keys)
        return IMG_TAIL_UNKNOWN;
    if (c->tail_len == sector_off && byte == SIG_V2_MAGIC)
        return IMG_TAIL_SIG_V2;
    if (c->tail_len == 0 && byte == 0)
        return IMG_TAIL_SIG_V1;
    return IMG_TAIL_UNKNOWN;
}

static bool tail_goes_on(const struct img_check *c, uint8_t byte)
{
    switch (c->tail) {
    case IMG_TAIL_SIG_V1:
        if (c->sig_len < 4)
            return byte == 0;
        return c->sig_len < IMG_SIG_V1_LEN || byte == 0xFF;
    case IMG_TAIL_SIG_V2:
        if (c->sig_len == 1)
            return byte == 2 || byte == 3;
        return c->sig_len < IMG_SIG_SECTOR_LEN || byte == 0xFF;
    default:
        return false;
    }
}

static void tail_byte(struct img_check *c, uint8_t byte)
{
    if (c->tail == IMG_TAIL_PADDING)
        c->tail = tail_start(c, byte);
    else if (!tail_goes_on(c, byte))
        c->tail = IMG_TAIL_UNKNOWN;
    if (c->tail == IMG_TAIL_SIG_V1 || c->tail == IMG_TAIL_SIG_V2)
        c->sig_len++;
    c->tail_len++;
}

/* Whether it is all explained is said at the end, with the full number. */
void img_tail_feed(struct img_check *c, const uint8_t *p, size_t len)
{
    uint32_t room = UINT32_MAX - c->fed_len;
    uint32_t cap = c->rules.cap_len;

    if (c->rules.place == IMG_PLACE_SLOT)
        return;
    if (cap > 0 && cap - c->fed_len < room)
        room = cap - c->fed_len;
    if (len > room) {
        img_fail(c, IMG_FAULT_TOO_LARGE, c->fed_len + room + (cap > 0), cap);
        return;
    }
    for (size_t i = 0; i < len; i++)
        tail_byte(c, p[i]);
    c->fed_len += (uint32_t)len;
}

void img_tail_finish(struct img_check *c)
{
    if (c->tail == IMG_TAIL_SIG_V2 && c->sig_len < IMG_SIG_SECTOR_LEN)
        img_fail(c, IMG_FAULT_TRUNCATED, c->fed_len,
                 c->fed_len - c->sig_len + IMG_SIG_SECTOR_LEN);
    else if (c->tail == IMG_TAIL_UNKNOWN ||
             (c->tail == IMG_TAIL_SIG_V1 && c->sig_len < IMG_SIG_V1_LEN))
        img_fail(c, IMG_FAULT_TRAILING, c->tail_len, 0);
}
