/* linux_sys.h - monotonic time, reset and inputs of a Linux process.
 *
 * Diagnostic input N is the environment variable PORTA_INPUT_N: "0", "1",
 * "@FILE" for a file whose first character is the level and may change while
 * the program runs, or "signal" for what the board was told last: low, SIGUSR1
 * makes it high, SIGUSR2 low again. A program without a board has no such. */
#ifndef LINUX_SYS_H
#define LINUX_SYS_H

#include "handover.h"
#include "port/sys.h"

struct linux_sys {
    struct port_sys port;
    struct handover *page; /* NULL: a tool, not a device */
    bool restart_wanted;   /* a tool's restart() was called */
};

/* page NULL: a tool, whose restart() only records the wish. With a page,
 * restart() ends the process and the board boots again. */
void linux_sys_init(struct linux_sys *s, struct handover *page);

/* The same for another reason than that the program asked for it. */
void linux_sys_reset(struct linux_sys *s, enum port_reset_reason reason);

#endif
