/* tail_slot.c - behind an image in a slot anything may follow. Any other place
 * is one that this build does not know, and refuses. */
#include "image/check_parts.h"

void img_tail_feed(struct img_check *c, const uint8_t *p, size_t len)
{
    (void)p;
    if (c->rules.place != IMG_PLACE_SLOT)
        img_fail(c, IMG_FAULT_TRAILING, (uint32_t)len, 0);
}

void img_tail_finish(struct img_check *c)
{
    (void)c;
}
