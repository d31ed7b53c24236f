/* keep.h - what sessions keep, in the device's own nvs partition. */
#ifndef TORTURE_KEEP_H
#define TORTURE_KEEP_H

#include "update/update.h"
#include "world.h"

/* As an application has it: mounted for each call, as after a reset. */
struct upd_store keep_store(struct world *w);

#endif
