/* store_file.h - FLASH.porta: what updates of a flash file keep beside it.
 *
 * Keys and values are texts, one pair a line; the file is read once and
 * written whole, with mode 0600, for it may hold a refresh token. It is safe
 * to delete, but a refresh token is then gone. A file that is there and cannot
 * be read counts as empty and stays as it is: whoever needs what is in it asks
 * store_file_check(). */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include "cli.h"
#include "update/update.h"

#define STORE_FILE_ITEMS 16

struct store_file {
    char *path;      /* NULL: closed */
    struct diag why; /* there is a file that cannot be read */
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
/* An error: the file is there and could not be read. */
MUST_CHECK esp_err_t store_file_check(const struct store_file *s,
                                      struct diag *d);
/* NULL: not there. Valid until the next change. */
const char *store_file_get(const struct store_file *s, const char *key);
/* Replaces and writes the file; value NULL removes, and the file goes with the
 * last pair. key: letters, digits, '.', '_', '-'. Where there is no room, the
 * oldest pair of the same kind goes: of a key that begins alike, up to the last
 * '.'. ESP_ERR_NO_MEM: there is none; errors of the file system, that of
 * store_file_check() among them. */
MUST_CHECK esp_err_t store_file_set(struct store_file *s, const char *key,
                                    const char *value, struct diag *d);
/* As sessions want it; borrows s. */
struct upd_store store_file_keep(struct store_file *s);
void store_file_close(struct store_file *s); /* wipes; idempotent */

#endif
