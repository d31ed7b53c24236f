/* A bootloader knows its own chip: here the ESP32-C3. */
#include "image/chip.h"

const struct img_chip img_chips[] = {
    { 0x0005,
      "esp32c3",
      243,
      0x0,
      16,
      16,
      { { 0x42000000, 0x42800000 }, { 0x3C000000, 0x3C800000 } },
      false },
};
const size_t img_chip_cnt = 1;
