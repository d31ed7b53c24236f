/* update/json.h - the result of a session as one line of JSON (RFC 8259).
 *
 * The members and their order are fixed; what is not known is null. Texts
 * from outside are made fit to be shown first. No secret is in it. */
#ifndef UPDATE_JSON_H
#define UPDATE_JSON_H

#include "update/update.h"

/* word: "updated", "not_modified", "failed"; d: of the failure, NULL:
 * there was none. Returns the length without the NUL; out holds as much of it
 * as fits, terminated, so cap 0 asks for the length only. */
size_t upd_result_json(const struct upd_result *r, const struct diag *d,
                       const char *word, char *out, size_t cap);

#endif
