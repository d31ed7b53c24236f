/* part/csv.h - partition tables as people write them (reference 2.3), and the
 * tables that everybody knows by name. Pure; not linked by a bootloader.
 *
 * Text is UTF-8, or UTF-16 or UTF-32 with a byte order mark. */
#ifndef PART_CSV_H
#define PART_CSV_H

#include "base/diag.h"
#include "part/part.h"
#include "part/rules.h"
#include "part/words.h"

/* Rows, MD5 row and end mark have to fit into PART_TABLE_MAX_LEN. */
#define PART_CSV_MAX_ROWS 94u
#define PART_CSV_MAX_LEN 8192u /* of what part_csv_write() makes */

/* Zero is the default of every field. */
struct part_csv_opts {
    struct part_rules rules;
    const struct part_word *extra; /* subtypes that the project adds */
    size_t extra_cnt;
    /* Value of a variable, NULL: unknown. No function: none is known. */
    const char *(*env)(void *ctx, const char *name);
    void *env_ctx;
};

/* Lays the rows out and checks them with part_check(). The sentence in d names
 * the line. On failure out->cnt is 0. */
MUST_CHECK esp_err_t part_csv_parse(struct span text,
                                    const struct part_csv_opts *opts,
                                    struct part_table *out, struct diag *d);

/* Writes the table as text that part_csv_parse() reads back to the same table;
 * in labels that the grammar cannot express, bytes become '?'. Returns the
 * length; the text is terminated. */
size_t part_csv_write(const struct part_table *table,
                      char out[PART_CSV_MAX_LEN]);

/* "two_ota": the table of that name, laid out after the table's own place.
 * ESP_ERR_NOT_FOUND: there is none. ESP_ERR_INVALID_SIZE: it passes 4 GiB. */
MUST_CHECK esp_err_t part_builtin(const char *name,
                                  const struct part_rules *rules,
                                  struct part_table *out);
/* Names, idx from 0; NULL past the last one. */
const char *part_builtin_name(size_t idx);

#endif
