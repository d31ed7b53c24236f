/* fuses.h - a confirmation with anti-rollback: the record, then the fuses. */
#ifndef TORTURE_FUSES_H
#define TORTURE_FUSES_H

#include "world.h"

/* An image with a higher secure version is on trial. */
MUST_CHECK esp_err_t fuses_prepare(struct world *w, const char **why);
MUST_CHECK esp_err_t fuses_confirm(struct world *w);
/* NULL: the version is the old one or the new one, the new one only once the
 * record says VALID, and then a reset makes it so; *done: it is the new one. */
const char *fuses_check(struct world *w, bool *done);

#endif
