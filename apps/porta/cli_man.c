/* Manual pages, made from the table that command lines are parsed by. */
#include <string.h>

#include "cli_table.h"

/* Text for troff: a backslash, a hyphen that is copied as one, and a dot or a
 * quote that begins a line would be commands. */
static void put_text(const char *text, FILE *to)
{
    bool begin = true;

    for (; *text; text++) {
        if (begin && (*text == '.' || *text == '\''))
            fputs("\\&", to);
        begin = *text == '\n';
        if (*text == '\\')
            fputs("\\e", to);
        else if (*text == '-')
            fputs("\\-", to);
        else
            fputc(*text, to);
    }
}

/* An empty line is a request of its own in a manual. */
static void put_paragraphs(const char *text, FILE *to)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        char line[512];

        snprintf(line, sizeof(line), "%.*s", (int)len, text);
        if (len == 0)
            fputs(".PP", to);
        else
            put_text(line, to);
        fputc('\n', to);
        text += len + (text[len] == '\n');
    }
}

/* "flash create" as "flash-create", for names of pages. */
static void put_page_name(const char *name, FILE *to)
{
    fputs("porta", to);
    if (name[0])
        fputs("\\-", to);
    for (; *name; name++)
        fputs(*name == ' ' || *name == '-' ? "\\-" : (char[]){ *name, 0 }, to);
}

static void put_head(const char *name, const char *summary, FILE *to)
{
    fputs(".TH \"", to);
    put_page_name(name, to);
    fputs("\" 1 \"\" \"porta\" \"porta manual\"\n.SH NAME\n", to);
    put_page_name(name, to);
    fputs(" \\- ", to);
    put_text(summary, to);
    fputs("\n.SH SYNOPSIS\n.B porta ", to);
    put_text(name, to);
    fputc('\n', to);
}

static void put_option(const struct cli_opt *o, FILE *to)
{
    fputs(".TP\n\\fB", to);
    put_text(o->name, to);
    fputs("\\fR", to);
    if (o->meta) {
        fputs(" \\fI", to);
        put_text(o->meta, to);
        fputs("\\fR", to);
    }
    fputc('\n', to);
    put_text(o->help, to);
    fputc('\n', to);
}

static void put_examples(const char *text, FILE *to)
{
    fputs(".SH EXAMPLES\n.nf\n", to);
    put_text(text, to);
    fputs("\n.fi\n", to);
}

static void put_foot(FILE *to)
{
    fputs(".SH EXIT STATUS\n"
          "0 done, 1 failed or the answer is no, 2 the command line is wrong, "
          "3 nothing to do.\n"
          ".SH SEE ALSO\n.BR porta (1)\n",
          to);
}

void cli_man_page(const struct cli_verb *verb, FILE *to)
{
    const struct cli_opt *o;

    put_head(verb->name, verb->summary, to);
    fputs("[\\fIOPTIONS\\fR]", to);
    if (verb->usage[0]) {
        fputs(" \\fI", to);
        put_text(verb->usage, to);
        fputs("\\fR", to);
    }
    fputc('\n', to);
    if (verb->text) {
        fputs(".SH DESCRIPTION\n", to);
        put_paragraphs(verb->text, to);
    }
    fputs(".SH OPTIONS\n", to);
    for (size_t i = 0; (o = cli_opt_at(verb, i)) != NULL; i++)
        put_option(o, to);
    if (verb->example)
        put_examples(verb->example, to);
    put_foot(to);
}

/* lint-ok: function, a list is its rows and their number */
static void put_verbs(const char *group, const struct cli_sub *subs, size_t cnt,
                      FILE *to)
{
    char name[64];

    fputs("\\fIVERB\\fR [\\fIOPTIONS\\fR] [\\fIARGS\\fR]\n.SH VERBS\n", to);
    for (size_t i = 0; i < cnt; i++) {
        snprintf(name, sizeof(name), "%s%s%s", group, group[0] ? " " : "",
                 subs[i].name);
        fputs(".TP\n.BR ", to);
        put_page_name(name, to);
        fputs(" (1)\n", to);
        put_text(subs[i].summary, to);
        fputc('\n', to);
    }
}

void cli_man_group(const char *name, const struct cli_sub *subs, size_t cnt,
                   FILE *to)
{
    const char *summary = "";

    for (size_t i = 0; i < cli_verb_cnt; i++)
        if (strcmp(cli_verbs[i].name, name) == 0)
            summary = cli_verbs[i].summary;
    put_head(name, summary, to);
    put_verbs(name, subs, cnt, to);
    put_foot(to);
}

void cli_man_main(FILE *to)
{
    put_head("", "firmware updates over HTTPS, as ESP-IDF does them", to);
    put_verbs("", cli_verbs, cli_verb_cnt, to);
    fputs(".SH ENVIRONMENT\n.TP\nNO_COLOR\nno colours, even on a terminal\n",
          to);
    put_foot(to);
}
