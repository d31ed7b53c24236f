/* cli.h - what every verb of the command line shares.
 *
 * A verb is `int cmd_<verb>(int argc, char **argv)`, argv[0] being the verb's
 * own name; it returns an exit status. It describes itself in one static
 * struct cli_verb: options are parsed by that table and the help page is
 * printed from it, so neither can forget what the other knows.
 *
 *     struct opts { const char *chip; bool json; } o = { 0 };
 *     struct cli_args args;
 *     int status = cli_parse(&verb, argc, argv, &o, &args);
 *     if (status != CLI_GO)
 *         return status;
 *
 * Standard output carries results only; everything else goes to standard
 * error. Failures are collected in a struct diag and end in cli_fail(). */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "base/diag.h"
#include "base/log.h"
#include "base/span.h"

enum cli_status {
    CLI_GO = -1,    /* cli_parse(): carry on */
    CLI_DONE = 0,   /* done */
    CLI_FAILED = 1, /* the operation failed, or the answer is no */
    CLI_USAGE = 2,  /* the command line is wrong */
    CLI_NOTHING = 3 /* nothing to do */
};

/* --- command lines -------------------------------------------------------- */

#define CLI_ARGS_MAX 32
#define CLI_LIST_MAX 32

struct cli_args {
    int cnt;
    const char *val[CLI_ARGS_MAX];
};

/* Field of an option that may be given several times. */
struct cli_list {
    int cnt;
    const char *val[CLI_LIST_MAX];
};

/* Field of a pair --x / --no-x. */
enum cli_tri { CLI_UNSET = 0, CLI_ON, CLI_OFF };

enum cli_kind {                  /* and the type of the field: */
                CLI_KIND_FLAG,   /* bool */
                CLI_KIND_ON,     /* enum cli_tri, becomes CLI_ON */
                CLI_KIND_OFF,    /* enum cli_tri, becomes CLI_OFF */
                CLI_KIND_TEXT,   /* const char *; the last one given counts */
                CLI_KIND_LIST,   /* struct cli_list */
                CLI_KIND_NUM,    /* uint32_t, decimal or 0x */
                CLI_KIND_SIZE,   /* uint32_t, also K, M */
                CLI_KIND_SECONDS /* uint32_t ms, from decimal seconds > 0 */
};

struct cli_opt {
    const char *name; /* "--chip", "-o"; NULL ends the table */
    const char *meta; /* what the value is called in the help; NULL: none */
    const char *help;
    enum cli_kind kind;
    size_t off; /* offsetof(struct of the verb, field) */
};

/* The table's last row, and the rows that many verbs have in common. */
#define CLI_OPT_END                        \
    {                                      \
        NULL, NULL, NULL, CLI_KIND_FLAG, 0 \
    }
#define CLI_OPT_JSON(type, field)                                            \
    {                                                                        \
        "--json", NULL, "one JSON object on standard output", CLI_KIND_FLAG, \
            offsetof(type, field)                                            \
    }

struct cli_verb {
    const char *name;           /* "update", "flash create" */
    const char *usage;          /* positional arguments: "FLASH URL" */
    const char *summary;        /* one line, no full stop */
    const char *text;           /* paragraphs for the help page, or NULL */
    const char *example;        /* complete commands, one a line, no indent */
    const struct cli_opt *opts; /* besides those of cli_table.h */
    int arg_min, arg_max;
};

/* Fills opts (which the caller has set to its defaults) and args. CLI_GO, or
 * the status to end with: CLI_DONE after --help, CLI_USAGE after a sentence.
 * Options and arguments mix; "--" ends the options; "--name=value" works. */
MUST_CHECK int cli_parse(const struct cli_verb *verb, int argc, char **argv,
                         void *opts, struct cli_args *args);

/* Before the verb is known: a failure is told as JSON, too, if that is asked
 * for anywhere. */
void cli_begin(int argc, char **argv);

/* A verb of verbs: argv[1] picks one of `subs` (run with its own argv[0]). */
struct cli_sub {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
};
MUST_CHECK int cli_dispatch(const char *name, const struct cli_sub *subs,
                            size_t sub_cnt, int argc, char **argv);

/* Prints "porta VERB: args: ..." and where the help is. Returns CLI_USAGE. */
int cli_usage(const struct cli_verb *verb, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/* "There is no ... '%s', did you mean ...": the end of a command line whose
 * verb is unknown, or an option. group is "" for the verbs themselves. Returns
 * CLI_USAGE. */
int cli_no_such(const char *group, const struct cli_sub *subs, size_t cnt,
                const char *word);

void cli_help_page(const struct cli_verb *verb, FILE *to);
void cli_help_group(const char *name, const struct cli_sub *subs, size_t cnt,
                    FILE *to);

/* Is --json in the command line that cli_parse() saw? For verbs without a
 * field of their own. */
bool cli_json(void);

/* Decimal seconds such as 0.5 as milliseconds, 1 ms to 49 days. */
MUST_CHECK esp_err_t cli_parse_seconds(const char *text, uint32_t *out_ms);

/* --- results -------------------------------------------------------------- */

/* One sentence "porta VERB: STAGE: message" on standard error; with json also
 * {"error": {...}} on standard output. Returns CLI_FAILED, or CLI_USAGE when
 * the stage is DIAG_STAGE_ARGS. */
int cli_fail(const struct cli_verb *verb, const struct diag *d, bool json);
/* The same with a text that may be longer than a struct diag holds. */
int cli_fail_text(const struct cli_verb *verb, const struct diag *d,
                  const char *text, bool json);

/* {"stage", "code", "name", "message"}; NULL when memory ran out. */
cJSON *cli_json_error(const struct diag *d);

/* Prints obj as one line on standard output and frees it; obj NULL means that
 * memory ran out while it was built. Returns status, or CLI_FAILED. */
int cli_json_print(const struct cli_verb *verb, cJSON *obj, int status);

/* The end of a verb that makes a file: the failure in *d if there is one, or
 * with --json {"file", "size"}. */
int cli_made(const struct cli_verb *verb, const char *path,
             const struct diag *d);

/* The end of a verb that makes one text: into the file `path`, as cli_made()
 * ends, or to standard output when path is NULL or "-". */
int cli_put(const struct cli_verb *verb, const char *path, struct span text,
            struct diag *d);

/* Flushes standard output; CLI_FAILED with a sentence when that fails (full
 * disk, closed pipe), so that no result is lost silently. */
int cli_finish(const struct cli_verb *verb, int status);

/* Log lines of `level` and above go to standard error. */
void cli_log_to_stderr(enum log_level level);

/* "893,536" into buf (at least 27 bytes); returns buf. */
const char *cli_thousands(uint64_t n, char *buf, size_t len);

/* --- files ---------------------------------------------------------------- */

struct cli_bytes {
    uint8_t *ptr; /* one NUL byte follows, not counted in len */
    size_t len;
};
#define CLI_BYTES_NONE \
    {                  \
        NULL, 0        \
    }

/* Reads a whole file of at most max_len bytes ("-": standard input). Failures
 * name the file and have DIAG_STAGE_FILE (exit status 1). */
MUST_CHECK esp_err_t cli_read_file(const char *path, size_t max_len,
                                   struct cli_bytes *out, struct diag *d);
/* Wipes and frees; idempotent. */
void cli_bytes_free(struct cli_bytes *b);

/* T or @FILE (without the line end at its end). Never shown anywhere. */
MUST_CHECK esp_err_t cli_read_secret(const char *arg, struct cli_bytes *out,
                                     struct diag *d);

/* An output file that appears whole, with its final name, or not at all. A
 * symbolic link stays one: what it leads to is replaced. What cannot be
 * replaced is written as it comes: a pipe, a device, "-" and /dev/stdout; the
 * last two not with --json, whose object stands there alone. */
struct cli_out {
    int fd;           /* -1: closed */
    const char *path; /* borrowed */
    char tmp[4096];   /* where it is until it is committed; "": in place. One
                         of mkstemp()'s names: the final one and 7 more */
};
#define CLI_OUT_CLOSED \
    {                  \
        -1, NULL, ""   \
    }

MUST_CHECK esp_err_t cli_out_open(struct cli_out *o, const char *path,
                                  mode_t mode, struct diag *d);
MUST_CHECK esp_err_t cli_out_write(struct cli_out *o, const void *data,
                                   size_t len, struct diag *d);
MUST_CHECK esp_err_t cli_out_commit(struct cli_out *o, struct diag *d);
void cli_out_discard(struct cli_out *o); /* idempotent; after commit nothing */
/* NULL, "-" and the other names of standard output. */
bool cli_is_stdout(const char *path);
/* Can path be an output? For those who have it to write only after long work:
 * nothing is left there meanwhile. */
MUST_CHECK esp_err_t cli_out_probe(const char *path, struct diag *d);

/* What a command reads is spared when an output names it by mistake: a flash
 * file, a key. ESP_ERR_INVALID_STATE: both are one file. NULL names none. */
MUST_CHECK esp_err_t cli_other_file(const char *out, const char *in,
                                    struct diag *d);

/* All of it in one call. */
MUST_CHECK esp_err_t cli_write_file(const char *path, struct span data,
                                    mode_t mode, struct diag *d);

#endif
