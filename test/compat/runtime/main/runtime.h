/* Each check is a line "ok NAME" or "FAILED NAME". */
#pragma once

#include <stdbool.h>

void check(const char *name, bool holds);
void check_tasks(void);
void check_timers(void);
void check_world(void);
