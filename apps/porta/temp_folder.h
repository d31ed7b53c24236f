/* temp_folder.h - a folder of our own in TMPDIR, and its end. */
#ifndef TEMP_FOLDER_H
#define TEMP_FOLDER_H

#include <stddef.h>

#include "base/diag.h"

/* name: its first letters, such as "porta-demo". out is empty after a
 * failure. */
MUST_CHECK esp_err_t temp_folder_make(char *out, size_t out_len,
                                      const char *name, struct diag *d);
/* With all that is in it; an empty path is none. */
void temp_folder_remove(const char *path);

#endif
