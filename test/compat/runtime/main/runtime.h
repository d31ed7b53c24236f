/* Each check is a line "ok NAME" or "FAILED NAME". */
#pragma once

#include <stdbool.h>

void check(const char *name, bool holds);
void check_tasks(void);
void check_timers(void);
void check_world(void);
void check_chip(void);
void check_newlib(void);

/* The boots in their order; each ends with the reset that the next names. */
void boot_first(void);
void boot_after_restart(void);
void boot_after_sleep(void);
void boot_after_watchdog(void);
void boot_after_crash(void);
