/* appl.h - an application that updates itself with esp_ota_*, as ESP-IDF's
 * own examples do. */
#ifndef TORTURE_APPL_H
#define TORTURE_APPL_H

#include "world.h"

/* esp_ota_begin, esp_ota_write..., esp_ota_end, esp_ota_set_boot_partition. */
MUST_CHECK esp_err_t appl_update(struct world *w);

#endif
