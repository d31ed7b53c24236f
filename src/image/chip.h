/* image/chip.h - what the image format needs to know of each chip: one table.
 *
 * Pure, allocates nothing; part of the boot path. */
#ifndef IMAGE_CHIP_H
#define IMAGE_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMG_CHIP_ESP32 0x0000u
#define IMG_PAGE_LOG2_DEFAULT 16u

struct img_range {
    uint32_t start_addr, end_addr; /* end_addr is outside; both 0: none */
};

struct img_chip {
    uint16_t id;
    char name[16];
    uint16_t elf_machine; /* e_machine of its programs, 0: any */
    uint32_t bootloader_off;
    /* MMU page sizes it can be set to; equal: fixed, both 0: no MMU. */
    uint8_t page_log2_min, page_log2_max;
    /* Addresses that are mapped from flash, not copied (reference 1.3). */
    struct img_range mapped[2];
    bool desc_required; /* an image without description is refused */
};

/* Of chip_table.c, which has them all. A bootloader for one chip is linked
 * with a table of one row instead: images for others are refused before a row
 * is looked for. */
extern const struct img_chip img_chips[];
extern const size_t img_chip_cnt;

/* NULL: unknown. */
const struct img_chip *img_chip_find(uint16_t id);
/* The idx-th chip of the table, NULL past its end. */
const struct img_chip *img_chip_at(size_t idx);

/* chip may be NULL: nothing is known to be mapped. */
bool img_chip_is_mapped(const struct img_chip *chip, uint32_t addr);

/* The page that the mapped-segment rule works with, in bytes. page_log2 is the
 * description's; one that the chip cannot do means the default (reference 1.4).
 * Never above 64 KiB, since partitions are only aligned to that. */
uint32_t img_chip_page_len(const struct img_chip *chip, uint8_t page_log2);

#endif
