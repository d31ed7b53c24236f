/* naive.h - a second verifier, written from the format text alone: it has the
 * whole file in memory, and no state, no steps and no speed. */
#ifndef NAIVE_H
#define NAIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

/* Any chip, no revision, hash not required, no size limit but the format's. */
bool naive_accepts(const uint8_t *file, size_t len, enum img_kind kind,
                   enum img_place place);

#endif
