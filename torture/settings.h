/* settings.h - the key/value store of the device's own nvs partition: three
 * keys of our own change, in order; every other key must stay as it is. */
#ifndef TORTURE_SETTINGS_H
#define TORTURE_SETTINGS_H

#include "world.h"

/* Writes the values from before. */
MUST_CHECK esp_err_t settings_prepare(struct world *w);
MUST_CHECK esp_err_t settings_change(struct world *w);
/* What a start does: mounts, which ends what a cut interrupted. */
MUST_CHECK esp_err_t settings_mount(struct world *w);
/* NULL: each key has its value from before or after, in order, and the other
 * keys are as they were; *done: all are from after. */
const char *settings_check(struct world *w, bool *done);

/* The same for an image that keeps its settings in another form: its values
 * are from after, the old image's from before. */
MUST_CHECK esp_err_t settings_migrate_prepare(struct world *w);
MUST_CHECK esp_err_t settings_migrate(struct world *w);
const char *settings_migrate_check(struct world *w, bool *done);

#endif
