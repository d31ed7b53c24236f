/* settings.h - the key/value store of the device's own nvs partition: three
 * keys of our own change, in order; every other key must stay as it is. */
#ifndef TORTURE_SETTINGS_H
#define TORTURE_SETTINGS_H

#include "world.h"

/* NULL: there is no such partition. */
const struct part_entry *settings_part(const struct world *w);
/* Writes the values from before. */
MUST_CHECK esp_err_t settings_prepare(struct world *w);
MUST_CHECK esp_err_t settings_change(struct world *w);
/* What a start does: mounts, which ends what a cut interrupted. */
MUST_CHECK esp_err_t settings_mount(struct world *w);
/* NULL: each key has its value from before or after, in order, and the other
 * keys have the digest that they had; *done: all are from after. */
const char *settings_check(struct world *w, uint32_t others, bool *done);
/* Of all keys that are not ours. */
MUST_CHECK esp_err_t settings_others(struct world *w, uint32_t *digest);

#endif
