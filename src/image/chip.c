/* Data: reference 1.2 (ids, bootloader offsets), 1.3 (mapped addresses), 1.4
 * (MMU pages). A new chip is a new row. */
#include "image/chip.h"

#include "image/image.h"

#define XTENSA 94u
#define RISCV 243u

static const struct img_chip chips[] = {
    { 0x0000,
      "esp32",
      XTENSA,
      0x1000,
      16,
      16,
      { { 0x400D0000, 0x40400000 }, { 0x3F400000, 0x3F800000 } },
      false },
    { 0x0002,
      "esp32s2",
      XTENSA,
      0x1000,
      16,
      16,
      { { 0x40080000, 0x40B80000 }, { 0x3F000000, 0x3F3F0000 } },
      false },
    { 0x0005,
      "esp32c3",
      RISCV,
      0x0,
      16,
      16,
      { { 0x42000000, 0x42800000 }, { 0x3C000000, 0x3C800000 } },
      false },
    { 0x0009,
      "esp32s3",
      XTENSA,
      0x0,
      16,
      16,
      { { 0x42000000, 0x44000000 }, { 0x3C000000, 0x3E000000 } },
      false },
    { 0x000C,
      "esp32c2",
      RISCV,
      0x0,
      14,
      16,
      { { 0x42000000, 0x42400000 }, { 0x3C000000, 0x3C400000 } },
      true },
    { 0x000D,
      "esp32c6",
      RISCV,
      0x0,
      13,
      16,
      { { 0x42000000, 0x42800000 }, { 0x42800000, 0x43000000 } },
      true },
    { 0x0010,
      "esp32h2",
      RISCV,
      0x0,
      13,
      16,
      { { 0x42000000, 0x42800000 }, { 0x42800000, 0x43000000 } },
      true },
    { 0x0012,
      "esp32p4",
      RISCV,
      0x2000,
      16,
      16,
      { { 0x40000000, 0x4C000000 }, { 0, 0 } },
      false },
    { 0x0014,
      "esp32c61",
      RISCV,
      0x0,
      13,
      16,
      { { 0x42000000, 0x42800000 }, { 0x42800000, 0x43000000 } },
      true },
    { 0x0017,
      "esp32c5",
      RISCV,
      0x2000,
      16,
      16,
      { { 0x42000000, 0x44000000 }, { 0, 0 } },
      false },
    { 0x0019,
      "esp32h21",
      RISCV,
      0x0,
      13,
      16,
      { { 0x42000000, 0x42800000 }, { 0x42800000, 0x43000000 } },
      true },
    { 0x001C,
      "esp32h4",
      RISCV,
      0x2000,
      13,
      16,
      { { 0x42000000, 0x42800000 }, { 0x42800000, 0x43000000 } },
      true },
    { 0x001F, "esp32e22", 0, 0x1000, 0, 0, { { 0, 0 }, { 0, 0 } }, false },
    { 0x0020,
      "esp32s31",
      RISCV,
      0x2000,
      16,
      18,
      { { 0x40000000, 0x54000000 }, { 0, 0 } },
      true },
    { IMG_CHIP_QEMU_VIRT_RV32,
      "qemu_virt_rv32",
      RISCV,
      0x1000,
      0,
      0,
      { { 0, 0 }, { 0, 0 } },
      true },
    { IMG_CHIP_LINUX, "linux", 0, 0x1000, 0, 0, { { 0, 0 }, { 0, 0 } }, true },
};

const struct img_chip *img_chip_at(size_t idx)
{
    return idx < sizeof(chips) / sizeof(chips[0]) ? &chips[idx] : NULL;
}

const struct img_chip *img_chip_find(uint16_t id)
{
    const struct img_chip *chip;

    for (size_t i = 0; (chip = img_chip_at(i)) != NULL; i++)
        if (chip->id == id)
            return chip;
    return NULL;
}

bool img_chip_is_mapped(const struct img_chip *chip, uint32_t addr)
{
    if (!chip)
        return false;
    for (size_t i = 0; i < 2; i++)
        if (addr >= chip->mapped[i].start_addr &&
            addr < chip->mapped[i].end_addr)
            return true;
    return false;
}

uint32_t img_chip_page_len(const struct img_chip *chip, uint8_t page_log2)
{
    uint8_t log2 = page_log2;

    if (!chip || log2 < chip->page_log2_min || log2 > chip->page_log2_max)
        log2 = IMG_PAGE_LOG2_DEFAULT;
    return 1u << (log2 < 16 ? log2 : 16);
}
