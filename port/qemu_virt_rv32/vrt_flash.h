/* vrt_flash.h - flash bank 1 as port/flash.h wants it.
 *
 * The chips have blocks of 256 KiB, and the emulator lets a program raise
 * bits. Both are put right here: a program that would raise a bit changes
 * nothing and is refused, and a sector of 4 KiB, which the flash layout of the
 * chips that porta knows needs, is erased by programming it with ones. That
 * works on this emulator and on no real chip. */
#ifndef VRT_FLASH_H
#define VRT_FLASH_H

#include "base/err.h"
#include "port/flash.h"

#define VRT_FLASH_SECTOR_LEN 4096u

struct vrt_flash_stats {
    uint32_t progs, erases;
    uint32_t longest_us; /* of one call of prog() or erase() */
};

struct vrt_flash {
    struct port_flash port;
    struct vrt_flash_stats stats;
};

/* ESP_ERR_NOT_FOUND: there are no such chips. The struct must not move. */
MUST_CHECK esp_err_t vrt_flash_init(struct vrt_flash *f);

#endif
