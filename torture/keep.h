/* keep.h - what sessions keep, in the device's own nvs partition. */
#ifndef TORTURE_KEEP_H
#define TORTURE_KEEP_H

#include "part/part.h"
#include "port/heap.h"
#include "update/update.h"

struct keep {
    struct part_dev *parts;
    const struct part_entry *part; /* NULL: nothing can be kept */
    const struct port_heap *heap;
};

/* As an application has it: mounted for each call, as after a reset. *k is
 * borrowed. */
struct upd_store keep_store(struct keep *k);

#endif
