/* junit.h - results in JUnit's XML, as the CI services read it. */
#ifndef JUNIT_H
#define JUNIT_H

#include <stdint.h>
#include <stdio.h>

#include "cli.h"

struct junit {
    FILE *to; /* NULL: nobody asked for it */
    char *cases;
    size_t cases_len;
    uint32_t cnt, fail_cnt, skip_cnt;
    uint64_t total_ms;
    const char *path; /* borrowed */
};
#define JUNIT_CLOSED \
    {                \
        .to = NULL   \
    }

struct junit_case {
    const char *group; /* "porta.torture.update" */
    const char *name;
    uint64_t elapsed_ms;
    const char *failure; /* a sentence; NULL: it passed */
    const char *skipped; /* why it was not run; NULL: it was */
};

/* path NULL: every call after does nothing. A file that cannot be made is a
 * failure now. */
MUST_CHECK esp_err_t junit_open(struct junit *j, const char *path,
                                struct diag *d);
void junit_add(struct junit *j, const struct junit_case *c);
/* Writes the file. */
MUST_CHECK esp_err_t junit_close(struct junit *j, const char *suite,
                                 struct diag *d);
void junit_discard(struct junit *j); /* idempotent; after close nothing */

#endif
