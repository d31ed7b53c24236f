/* image/check_parts.h - parts of the verifier that are built in two ways: for
 * tools and applications, and in few bytes for bootloaders. */
#ifndef IMAGE_CHECK_PARTS_H
#define IMAGE_CHECK_PARTS_H

#include "image/image.h"

/* The first fault sticks, and ends the check. */
/* lint-ok: function, a fault is two numbers */
void img_fail(struct img_check *c, enum img_fault_kind kind, uint32_t got,
              uint32_t want);

/* Bytes behind an image and its signature, and what they were when no more
 * follow. tail.c knows what wire and file may bring; a bootloader looks into
 * slots, where anything may follow, and has tail_slot.c. */
void img_tail_feed(struct img_check *c, const uint8_t *p, size_t len);
void img_tail_finish(struct img_check *c);

/* A word whose four bytes, XORed, are the XOR of all len bytes. sum.c takes
 * many at a time, sum_small.c one. */
uint32_t img_sum(const uint8_t *p, size_t len);

#endif
