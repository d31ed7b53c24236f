/* parts.h - other partitions: one that is staged, and files that go with the
 * application. */
#ifndef TORTURE_PARTS_H
#define TORTURE_PARTS_H

#include "world.h"

/* A data partition by way of the slot, with a note in nvs. */
MUST_CHECK esp_err_t parts_staged_prepare(struct world *w, const char **why);
MUST_CHECK esp_err_t parts_staged_write(struct world *w);
/* What an application does at its start: finishes what was interrupted. */
MUST_CHECK esp_err_t parts_staged_start(struct world *w);
const char *parts_staged_check(struct world *w, bool *done);

/* The same by an application: esp_ota_set_final_partition(), with a copy. */
MUST_CHECK esp_err_t parts_staged_appl(struct world *w);
MUST_CHECK esp_err_t parts_staged_appl_start(struct world *w);
const char *parts_staged_appl_check(struct world *w, bool *done);

/* NAME_i with the application in ota_i. */
MUST_CHECK esp_err_t parts_pair_prepare(struct world *w, const char **why);
MUST_CHECK esp_err_t parts_pair_write(struct world *w);
const char *parts_pair_check(struct world *w, bool *done);

#endif
