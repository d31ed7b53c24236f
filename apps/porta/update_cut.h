/* update_cut.h - porta update --power-cut: the process ends as the power does,
 * and says so with its last words. */
#ifndef UPDATE_CUT_H
#define UPDATE_CUT_H

#include "linux_flash.h"

/* The power goes before this operation; 0: it does not. Whoever watches tells
 * it from another SIGKILL by the sentence on standard error or, with --json,
 * by {"result": "power_cut", "flash_operation"}. */
void update_cut_at(struct linux_flash *flash, uint32_t op);

#endif
