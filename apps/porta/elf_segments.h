/* elf_segments.h - what a program file loads, for chips: 32-bit little-endian
 * ELF. Pure; reads no byte outside the span it is given. */
#ifndef ELF_SEGMENTS_H
#define ELF_SEGMENTS_H

#include "base/diag.h"
#include "image/build.h"
#include "image/chip.h"

struct elf_segments {
    uint32_t entry_addr;
    struct img_build_seg segs[IMG_MAX_SEGMENTS]; /* into the ELF's bytes */
    uint32_t cnt;
};

/* Any ELF file at all. */
bool elf_is(struct span bytes);

/* ESP_ERR_INVALID_ARG: not an ELF file for this chip, or a damaged one.
 * ESP_ERR_INVALID_SIZE: more segments than an image can have. */
MUST_CHECK esp_err_t elf_segments_read(struct span elf,
                                       const struct img_chip *chip,
                                       struct elf_segments *out,
                                       struct diag *d);

#endif
