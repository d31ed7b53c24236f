/* cap_file.h - capability records (image/cap.h) on the command line. */
#ifndef CAP_FILE_H
#define CAP_FILE_H

#include <cjson/cJSON.h>

#include "cli.h"
#include "image/cap.h"

struct cap_args {
    const char *client; /* yes, no, or an ELF file; NULL: no record */
    const char *table;
    struct cli_list trusts;
    uint32_t need; /* 0: one */
    bool override;
};

/* Rows of an option table; `field` is a struct cap_args in `type`. */
#define CAP_OPTS(type, field)                                             \
    { "--ota-client", "WHAT",                                             \
      "yes, no, or an ELF file with symbols that tells: can the program " \
      "fetch updates?",                                                   \
      CLI_KIND_TEXT, offsetof(type, field.client) },                      \
        { "--for-table", "TABLE", "the partition table it is made for",   \
          CLI_KIND_TEXT, offsetof(type, field.table) },                   \
        { "--trusts", "PUB",                                              \
          "a key whose signature its updates need; may be repeated",      \
          CLI_KIND_LIST, offsetof(type, field.trusts) },                  \
        { "--need-keys", "N", "so many of them have to sign (1)",         \
          CLI_KIND_NUM, offsetof(type, field.need) },                     \
    {                                                                     \
        "--install-anyway", NULL,                                         \
            "signed, it is installed also where no update could follow",  \
            CLI_KIND_FLAG, offsetof(type, field.override)                 \
    }

/* false: the others are there without --ota-client. */
bool cap_args_ok(const struct cap_args *a);

/* cap->state stays ABSENT where there is nothing to say: no --ota-client, or
 * an ELF file without a client. */
MUST_CHECK esp_err_t cap_fill(const struct cap_args *a, struct img_cap *cap,
                              struct diag *d);

/* For people; for `image info --json`: null, or an object. NULL: no memory. */
void cap_show(const struct img_cap *cap);
cJSON *cap_json(const struct img_cap *cap);

#endif
