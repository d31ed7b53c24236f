/* keys.h - a key set that comes with an update, in the device's key store. */
#ifndef TORTURE_KEYS_H
#define TORTURE_KEYS_H

#include "world.h"

MUST_CHECK esp_err_t keys_prepare(struct world *w, const char **why);
MUST_CHECK esp_err_t keys_install(struct world *w);
const char *keys_check(struct world *w, bool *done);

#endif
