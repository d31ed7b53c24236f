/* orphans.h - what an application leaves behind when it ends. */
#ifndef ORPHANS_H
#define ORPHANS_H

#include <stdbool.h>
#include <sys/types.h>

/* From now on processes whose parent ended become children of this process,
 * whatever session or group they are in. */
void orphans_adopt(void);

/* Is this the ancestor itself, or was it started by it or by what it started?
 * Of one that has adopted, whatever session, group or parent they left. */
bool orphans_is_of(pid_t pid, pid_t ancestor);

/* Kills all children of this process, and theirs, until there are none. */
void orphans_kill(void);

#endif
