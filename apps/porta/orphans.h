/* orphans.h - what an application leaves behind when it ends. */
#ifndef ORPHANS_H
#define ORPHANS_H

/* From now on processes whose parent ended become children of this process,
 * whatever session or group they are in. */
void orphans_adopt(void);

/* Kills all children of this process, and theirs, until there are none. */
void orphans_kill(void);

#endif
