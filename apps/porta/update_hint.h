/* update_hint.h - what to do about a failed update, in the words of this
 * command's options. The engine does not know them. */
#ifndef UPDATE_HINT_H
#define UPDATE_HINT_H

#include "base/diag.h"
#include "update/update.h"
#include "update_opts.h"

/* NULL: the sentence says all there is. Pure. */
const char *update_hint(const struct update_opts *o, const struct upd_result *r,
                        const struct diag *d);

#endif
