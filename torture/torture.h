/* torture.h - every flash operation of every path that writes, cut.
 *
 * A path is something that a device does to its flash: an update, a
 * confirmation, a pass of the bootloader. It is run once undisturbed on a copy
 * of the caller's flash, to list its flash operations; then once for every way
 * in which each operation can be cut: before it, inside it (a program tears at
 * each page, a short one at each word; an erase stops half way and leaves
 * random or unstable bits), after it, or with the flash reporting failure, or
 * in a sector that no longer works.
 * After each: the records say old or new, our bootloader and the reference's
 * (witness.h) boot an image that is whole, and the update succeeds when it is
 * tried again. Depth 2 cuts the recovery as well.
 *
 * Order:  tort_open, then tort_all, tort_random or tort_replay, tort_close.
 * Memory: the C library's heap; five copies of the flash.
 * The caller's flash and image are never written to. */
#ifndef TORTURE_TORTURE_H
#define TORTURE_TORTURE_H

#include "base/diag.h"
#include "torture/conf.h"

struct tort;

/* Plays every path undisturbed. Fails, with a sentence, when the flash does
 * not boot or the image cannot be installed on it. */
MUST_CHECK esp_err_t tort_open(struct tort **out, const struct tort_conf *conf,
                               struct diag *d);
void tort_close(struct tort *t);

/* After a fork: this process is one of several. */
void tort_set_worker(struct tort *t, uint32_t worker, uint32_t workers);

/* How many first cuts tort_all() will make, in all workers together. */
uint64_t tort_run_total(const struct tort *t);

void tort_all(struct tort *t, struct tort_result *out);
/* cnt sequences of up to TORT_CUTS_MAX cuts. */
void tort_random(struct tort *t, uint64_t seed, uint64_t cnt,
                 struct tort_result *out);
/* out->bad_cnt is 1 when it fails again. ESP_ERR_INVALID_ARG: the path has no
 * such operation or is not possible here. */
MUST_CHECK esp_err_t tort_replay(struct tort *t, const struct tort_seq *seq,
                                 struct tort_result *out, struct diag *d);

/* Adds what another worker found. */
void tort_result_add(struct tort_result *sum, const struct tort_result *part);

#endif
