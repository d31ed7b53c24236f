/* cli_table.h - the table of all verbs and options, as a whole.
 *
 * There is no second list: a walk asks every verb for the struct cli_verb that
 * it parses its command line by. What is not in the table is not accepted,
 * and what is accepted is in it. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli.h"

extern const struct cli_sub cli_verbs[];
extern const size_t cli_verb_cnt;

/* The options that every verb understands besides its own: --json, --quiet,
 * --verbose, --help; the last row's name is NULL. */
extern const struct cli_opt cli_common[];

/* Is the row one of the verb's, or of all verbs and not hidden by one of its
 * own? The way to list options: i counts from 0 until NULL is returned. */
const struct cli_opt *cli_opt_at(const struct cli_verb *verb, size_t i);
bool cli_opt_takes_value(const struct cli_opt *o);

struct cli_visitor {
    void *ctx;
    /* A verb of verbs, before its own ones. */
    void (*group)(void *ctx, const char *name, const struct cli_sub *subs,
                  size_t sub_cnt);
    void (*verb)(void *ctx, const struct cli_verb *verb);
};

/* Visits in the table's order. Not from inside a visit. */
void cli_walk(const struct cli_sub *verbs, size_t cnt,
              const struct cli_visitor *visitor);

/* What is made of the table. */
void cli_man_page(const struct cli_verb *verb, FILE *to);
void cli_man_group(const char *name, const struct cli_sub *subs, size_t cnt,
                   FILE *to);
void cli_man_main(FILE *to);
/* The list of verbs. */
void cli_help_main(FILE *to);
void cli_complete_bash(FILE *to);
void cli_complete_zsh(FILE *to);
/* {"verbs": [...]}: one; or of these verbs and what is below them those of one
 * name or group, with "" all. NULL when memory ran out. */
cJSON *cli_verb_json(const struct cli_verb *verb);
cJSON *cli_verbs_json(const struct cli_sub *verbs, size_t cnt,
                      const char *name);

#endif
