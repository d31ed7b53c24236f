/* bare.h - an ESP-IDF application on a board without an operating system: what
 * its start-up code offers to tests and measurements. */
#ifndef BARE_H
#define BARE_H

#include <stdint.h>

struct vrt_flash_stats; /* vrt_flash.h */

/* Bytes of stack that were used at some time since start. */
uint32_t bare_stack_depth(void);
const struct vrt_flash_stats *bare_flash_stats(void);

#endif
