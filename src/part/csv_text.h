/* part/csv_text.h - the lines, fields and numbers of partition tables as text.
 * Internal to part. */
#ifndef PART_CSV_TEXT_H
#define PART_CSV_TEXT_H

#include "base/err.h"
#include "base/span.h"

#define CSV_LINE_MAX_LEN 512u /* comments may be longer */
#define CSV_FIELDS 6u
/* Numbers are at most this, with either sign; sizes need one more bit than
 * uint32_t because a negative one names the end of the flash. */
#define CSV_NUM_MAX ((int64_t)1 << 32)

enum csv_enc {
    CSV_ENC_UTF8,
    CSV_ENC_UTF16LE,
    CSV_ENC_UTF16BE,
    CSV_ENC_UTF32LE,
    CSV_ENC_UTF32BE
};

struct csv_reader {
    struct span rest;
    enum csv_enc enc;
    uint32_t line_no; /* of the line that was read last, from 1 */
    uint8_t line[CSV_LINE_MAX_LEN];
};

/* Detects the encoding by the byte order mark. */
void csv_open(struct csv_reader *r, struct span text);
/* The next line, as UTF-8, without blanks at both ends; it lives until the
 * next call. false: there is none. *cut: it did not fit. */
bool csv_next(struct csv_reader *r, struct span *line, bool *cut);

/* Without blanks at both ends. */
struct span csv_strip(struct span s);
/* Fields without blanks around; missing ones are empty, further ones are left
 * out. */
void csv_split(struct span line, struct span fields[CSV_FIELDS]);

typedef const char *(*csv_env_fn)(void *ctx, const char *name);

struct csv_vars {
    csv_env_fn env; /* NULL: no variable is known */
    void *ctx;
    char unknown[64]; /* the name that failed */
};
/* Replaces $NAME and ${NAME}. ESP_ERR_NOT_FOUND: vars->unknown is not known
 * (behind a backslash the text stays as it is). ESP_ERR_INVALID_SIZE: longer
 * than CSV_LINE_MAX_LEN. */
MUST_CHECK esp_err_t csv_expand(struct csv_vars *vars, struct span in,
                                uint8_t out[CSV_LINE_MAX_LEN], size_t *out_len);

/* Decimal, 0x, 0o, 0b; a sign; single underscores between digits; any number
 * of final K and M. A decimal does not start with 0, fractions are none.
 * ESP_ERR_INVALID_ARG: no number; ESP_ERR_INVALID_SIZE: beyond CSV_NUM_MAX. */
MUST_CHECK esp_err_t csv_num(struct span text, int64_t *out);

#endif
