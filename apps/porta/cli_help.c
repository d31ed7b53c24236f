/* Help pages, printed from the table that command lines are parsed by. */
#include <string.h>

#include "cli_table.h"
#include "cli_term.h"

/* The longest "--name META" column. */
#define HELP_COLUMN 30

static void heading(const char *text, FILE *to)
{
    fprintf(to, "\n%s%s:%s\n", term_on(to, TERM_BOLD), text, term_off(to));
}

static void help_option(const struct cli_opt *o, FILE *to)
{
    char left[64];

    snprintf(left, sizeof(left), "%s%s%s", o->name, o->meta ? " " : "",
             o->meta ? o->meta : "");
    if (strlen(left) > HELP_COLUMN)
        fprintf(to, "  %s\n  %-*s %s\n", left, HELP_COLUMN, "", o->help);
    else
        fprintf(to, "  %-*s %s\n", HELP_COLUMN, left, o->help);
}

static void help_example(const char *text, FILE *to)
{
    heading("example", to);
    while (*text) {
        size_t len = strcspn(text, "\n");

        fprintf(to, "  %.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

void cli_help_page(const struct cli_verb *verb, FILE *to)
{
    const struct cli_opt *o;

    fprintf(to, "%susage:%s porta %s [OPTIONS]%s%s\n\n%s\n",
            term_on(to, TERM_BOLD), term_off(to), verb->name,
            verb->usage[0] ? " " : "", verb->usage, verb->summary);
    if (verb->text)
        fprintf(to, "\n%s\n", verb->text);
    heading("options", to);
    for (size_t i = 0; (o = cli_opt_at(verb, i)) != NULL; i++)
        help_option(o, to);
    if (verb->example)
        help_example(verb->example, to);
}

void cli_help_group(const char *name, const struct cli_sub *subs, size_t cnt,
                    FILE *to)
{
    fprintf(to, "%susage:%s porta %s VERB ...\n\n", term_on(to, TERM_BOLD),
            term_off(to), name);
    for (size_t i = 0; i < cnt; i++)
        fprintf(to, "  porta %s %-10s %s\n", name, subs[i].name,
                subs[i].summary);
    fprintf(to, "\nporta help %s VERB shows one page with an example.\n", name);
}

void cli_help_main(FILE *to)
{
    fprintf(to,
            "porta: firmware updates over HTTPS, as ESP-IDF does them, on any "
            "machine\n\n%susage:%s porta VERB [OPTIONS] [ARGS]\n\n",
            term_on(to, TERM_BOLD), term_off(to));
    for (size_t i = 0; i < cli_verb_cnt; i++)
        fprintf(to, "  %-10s %s\n", cli_verbs[i].name, cli_verbs[i].summary);
    fputs("\nporta help VERB shows one page with an example.\n"
          "exit status: 0 done, 1 failed or the answer is no, 2 the command "
          "line is wrong,\n             3 nothing to do\n",
          to);
}
