/* sign_file.h - a file and the signature behind it. */
#ifndef SIGN_FILE_H
#define SIGN_FILE_H

#include "cli.h"
#include "key_file.h"

/* What is to be signed. */
struct sign_job {
    const char *name;   /* of the file, for sentences */
    struct span file;   /* all of it */
    size_t content_len; /* of it, without signature and its padding */
    enum img_scheme scheme;
};

/* *out: the content, padded, with its signatures; one more than in the file.
 * Free it with cli_bytes_free(). What comes out, a device accepts. */
MUST_CHECK esp_err_t sign_file(const struct sign_job *job, struct key_file *key,
                               struct cli_bytes *out, struct diag *d);

#endif
