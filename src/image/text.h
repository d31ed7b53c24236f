/* image/text.h - faults and names as sentences. Not linked by a bootloader. */
#ifndef IMAGE_TEXT_H
#define IMAGE_TEXT_H

#include "image/image.h"

/* One sentence with the numbers and what to do, without a full stop at the
 * end. Returns out. */
const char *img_fault_text(const struct img_fault *fault, char *out,
                           size_t out_len);
/* "esp32", "esp32c3", "linux", "qemu_virt_rv32"; "chip 0x%04x" in buf. */
const char *img_chip_name(uint16_t chip_id, char buf[16]);
/* false: no chip has this name. */
bool img_chip_by_name(const char *name, uint16_t *chip_id);
/* Where the chip's ROM looks for the bootloader (reference 1.2). linux and
 * unknown chips: 0x1000. */
uint32_t img_chip_bootloader_off(uint16_t chip_id);

#endif
