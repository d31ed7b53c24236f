/* Instead of chip_table.c: what runs on this board updates this
 * board. Other chips are named by their numbers. */
#include "image/chip.h"
#include "image/image.h"

const struct img_chip img_chips[] = {
    { IMG_CHIP_QEMU_VIRT_RV32,
      "qemu_virt_rv32",
      243,
      0x1000,
      0,
      0,
      { { 0, 0 }, { 0, 0 } },
      true },
};

const size_t img_chip_cnt = sizeof(img_chips) / sizeof(img_chips[0]);
