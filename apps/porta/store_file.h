/* store_file.h - FLASH.porta: what updates of a flash file keep beside it.
 *
 * Keys and values are texts, one pair a line; the file is read once and
 * written whole, with mode 0600, for it may hold a refresh token. It is safe
 * to delete. What cannot be read is not there: nothing depends on it. */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include "cli.h"

#define STORE_FILE_ITEMS 16

struct store_file {
    char *path; /* NULL: closed */
    int cnt;
    struct {
        char *key, *value;
    } item[STORE_FILE_ITEMS];
};
#define STORE_FILE_CLOSED \
    {                     \
        .path = NULL      \
    }

/* ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t store_file_open(struct store_file *s,
                                     const char *flash_path, struct diag *d);
/* NULL: not there. Valid until the next change. */
const char *store_file_get(const struct store_file *s, const char *key);
/* Replaces and writes the file; value NULL removes, and the file goes with the
 * last pair. key: letters, digits, '.', '_', '-'. ESP_ERR_NO_MEM: no room;
 * errors of the file system. */
MUST_CHECK esp_err_t store_file_set(struct store_file *s, const char *key,
                                    const char *value, struct diag *d);
void store_file_close(struct store_file *s); /* wipes; idempotent */

#endif
