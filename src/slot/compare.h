/* slot/compare.h - a program that is not believed. Of src/slot only. */
#ifndef SLOT_COMPARE_H
#define SLOT_COMPARE_H

#include "base/span.h"
#include "part/part.h"

/* Programs, reads back and compares. ESP_ERR_FLASH_OP_FAIL: the flash holds
 * something else than it was told to. */
MUST_CHECK esp_err_t slot_prog_compare(struct part_dev *dev,
                                       const struct part_entry *entry,
                                       uint32_t off, struct span src);

#endif
