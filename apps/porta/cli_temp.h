/* cli_temp.h - files that are not finished go when a signal ends the process.
 *
 * SIGINT, SIGTERM and SIGHUP still end it, as they would without this; a verb
 * that catches one of them itself is left alone, and cleans up itself. */
#ifndef CLI_TEMP_H
#define CLI_TEMP_H

/* path is borrowed until it is dropped. Beyond four at a time nothing is
 * remembered. */
void cli_temp_add(const char *path);
void cli_temp_drop(const char *path); /* one that was not added: nothing */

#endif
