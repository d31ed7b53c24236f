/* appl.h - an application that updates itself with esp_ota_*, as ESP-IDF's
 * own examples do. */
#ifndef TORTURE_APPL_H
#define TORTURE_APPL_H

#include "world.h"

/* esp_ota_begin, esp_ota_write..., esp_ota_end, esp_ota_set_boot_partition. */
MUST_CHECK esp_err_t appl_update(struct world *w);

struct appl_copy {
    const char *label; /* of the final partition */
    struct span file;
};
/* The same into the next slot, and esp_ota_end() copies it to a partition that
 * does not boot; with porta_ota_options_t.keep. */
MUST_CHECK esp_err_t appl_copy(struct world *w, const struct appl_copy *copy);
/* What such an application does at its start: porta_ota_finish_copy(). */
MUST_CHECK esp_err_t appl_finish_copy(struct world *w);

#endif
