/* table_load.h - partition tables for the verbs that take one: by name, as
 * text or as binary. */
#ifndef TABLE_LOAD_H
#define TABLE_LOAD_H

#include <cjson/cJSON.h>

#include "base/diag.h"
#include "part/csv.h"

/* arg is the name of a built-in table ("two_ota") or a file, CSV or binary
 * ("-": standard input). The table follows opts->rules. In text, $NAME stands
 * for a variable of the environment, whatever opts->env is. */
MUST_CHECK esp_err_t cli_table_load_opts(const char *arg,
                                         const struct part_csv_opts *opts,
                                         struct part_table *out,
                                         struct diag *d);

/* With the rules that need no chip; warnings are logged. flash_len 0: the end
 * is not checked. */
MUST_CHECK esp_err_t cli_table_load(const char *arg, uint32_t table_off,
                                    uint32_t flash_len, struct part_table *out,
                                    struct diag *d);

/* [{"label", "type", "subtype", "offset", "size", "flags": []}, ...]: type and
 * subtype are words, or numbers where there is none. NULL: out of memory. */
cJSON *cli_table_json(const struct part_table *table);

#endif
