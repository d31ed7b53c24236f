#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

/* The longest "  -x, NAME META" column of a help page. */
#define HELP_COLUMN 30

/* Known before the command line is: what is wrong with it is told so, too. */
static bool json_wanted;

static bool has_json(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

int cli_usage(const struct cli_verb *verb, const char *fmt, ...)
{
    struct diag d = DIAG_NONE;
    char text[200];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    (void)diag_fail(&d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                    "%s; see: porta help %s", text, verb->name);
    return cli_fail(verb, &d, json_wanted);
}

static bool opt_takes_value(const struct cli_opt *o)
{
    switch (o->kind) {
    case CLI_KIND_FLAG:
    case CLI_KIND_ON:
    case CLI_KIND_OFF:
        return false;
    case CLI_KIND_LATER:
        return o->meta != NULL;
    default:
        return true;
    }
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
    fputs("\nexample:\n", to);
    while (*text) {
        size_t len = strcspn(text, "\n");

        fprintf(to, "  %.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

void cli_help_page(const struct cli_verb *verb, FILE *to)
{
    fprintf(to, "usage: porta %s%s%s%s\n\n%s\n", verb->name,
            verb->opts && verb->opts->name ? " [OPTIONS]" : "",
            verb->usage[0] ? " " : "", verb->usage, verb->summary);
    if (verb->text)
        fprintf(to, "\n%s\n", verb->text);
    if (verb->opts && verb->opts->name)
        fputs("\noptions:\n", to);
    for (const struct cli_opt *o = verb->opts; o && o->name; o++)
        if (o->kind != CLI_KIND_LATER)
            help_option(o, to);
    if (verb->example)
        help_example(verb->example, to);
}

static const struct cli_opt *opt_find(const struct cli_verb *verb,
                                      const char *name, size_t len)
{
    for (const struct cli_opt *o = verb->opts; o && o->name; o++)
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
            return o;
    return NULL;
}

esp_err_t cli_parse_seconds(const char *text, uint32_t *out_ms)
{
    size_t whole_len = strspn(text, "0123456789");
    uint64_t whole = 0, ms;
    uint32_t unit = 100, part = 0;

    if (whole_len == 0 ||
        num_parse_u64(span_of(text, whole_len), &whole) != ESP_OK ||
        whole > UINT32_MAX / 1000 - 1)
        return ESP_ERR_INVALID_ARG;
    text += whole_len;
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
            part += (uint32_t)(*text - '0') * unit;
    ms = whole * 1000 + part;
    if (*text || ms == 0)
        return ESP_ERR_INVALID_ARG;
    *out_ms = (uint32_t)ms;
    return ESP_OK;
}

static int set_list(const struct cli_verb *verb, const struct cli_opt *o,
                    struct cli_list *list, const char *value)
{
    if (list->cnt == CLI_LIST_MAX)
        return cli_usage(verb, "%s is given more than %d times", o->name,
                         CLI_LIST_MAX);
    list->val[list->cnt++] = value;
    return CLI_GO;
}

static int set_number(const struct cli_verb *verb, const struct cli_opt *o,
                      uint32_t *field, const char *value)
{
    struct span text = span_str(value);
    esp_err_t err;

    if (o->kind == CLI_KIND_SECONDS)
        err = cli_parse_seconds(value, field);
    else if (o->kind == CLI_KIND_SIZE)
        err = num_parse_size(text, field);
    else
        err = num_parse_u32(text, field);
    if (err == ESP_OK)
        return CLI_GO;
    return cli_usage(verb, "%s %s: '%s' is not %s", o->name, o->meta, value,
                     o->kind == CLI_KIND_SECONDS ? "a number of seconds > 0"
                     : o->kind == CLI_KIND_SIZE
                         ? "a size (examples: 4096, 0x1000, 64K, 4M)"
                         : "a number (decimal, or 0x and hexadecimal)");
}

static int opt_set(const struct cli_verb *verb, const struct cli_opt *o,
                   void *opts, const char *value)
{
    void *field = (char *)opts + o->off;

    switch (o->kind) {
    case CLI_KIND_FLAG:
        *(bool *)field = true;
        return CLI_GO;
    case CLI_KIND_ON:
        *(enum cli_tri *)field = CLI_ON;
        return CLI_GO;
    case CLI_KIND_OFF:
        *(enum cli_tri *)field = CLI_OFF;
        return CLI_GO;
    case CLI_KIND_TEXT:
        *(const char **)field = value;
        return CLI_GO;
    case CLI_KIND_LIST:
        return set_list(verb, o, field, value);
    case CLI_KIND_LATER:
        return cli_usage(verb, "%s is not in this version of porta", o->name);
    default:
        return set_number(verb, o, field, value);
    }
}

/* The command line, and where we are in it. */
struct line {
    int argc;
    char **argv;
    int at;
};

/* The current word is an option; moves on to its value if that is apart. */
static int parse_option(const struct cli_verb *verb, struct line *l, void *opts)
{
    const char *arg = l->argv[l->at];
    const char *eq = arg[1] == '-' ? strchr(arg, '=') : NULL;
    size_t name_len = eq ? (size_t)(eq - arg) : strlen(arg);
    const struct cli_opt *o = opt_find(verb, arg, name_len);
    const char *value = eq ? eq + 1 : NULL;

    if (!o)
        return cli_usage(verb, "unknown option %.*s", (int)name_len, arg);
    if (!opt_takes_value(o)) {
        if (eq)
            return cli_usage(verb, "%s takes no value", o->name);
    } else if (o->kind != CLI_KIND_LATER && !eq) {
        if (l->at + 1 >= l->argc)
            return cli_usage(verb, "%s needs a value: %s", o->name, o->meta);
        value = l->argv[++l->at];
    }
    return opt_set(verb, o, opts, value);
}

static int check_arg_cnt(const struct cli_verb *verb,
                         const struct cli_args *args)
{
    if (args->cnt < verb->arg_min)
        return cli_usage(verb, "arguments are missing, it takes: %s",
                         verb->usage);
    if (args->cnt > verb->arg_max)
        /* Not the words: one of them may be a URL with a password. */
        return cli_usage(verb, "there are %d arguments, it takes: %s",
                         args->cnt, verb->usage);
    return CLI_GO;
}

static bool is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* lint-ok: function, a command line is two values */
int cli_parse(const struct cli_verb *verb, int argc, char **argv, void *opts,
              struct cli_args *args)
{
    struct line l = { argc, argv, 1 };
    bool only_args = false;

    args->cnt = 0;
    json_wanted = has_json(argc, argv);
    for (; l.at < argc; l.at++) {
        const char *arg = argv[l.at];
        int status = CLI_GO;

        if (!only_args && strcmp(arg, "--") == 0) {
            only_args = true;
        } else if (!only_args && is_help(arg)) {
            cli_help_page(verb, stdout);
            return cli_finish(verb, CLI_DONE);
        } else if (!only_args && arg[0] == '-' && arg[1]) {
            status = parse_option(verb, &l, opts);
        } else if (args->cnt == CLI_ARGS_MAX) {
            status = cli_usage(verb, "there are more than %d arguments",
                               CLI_ARGS_MAX);
        } else {
            args->val[args->cnt++] = arg;
        }
        if (status != CLI_GO)
            return status;
    }
    return check_arg_cnt(verb, args);
}

static void list_subs(const char *name, const struct cli_sub *subs,
                      size_t sub_cnt, FILE *to)
{
    fprintf(to, "usage: porta %s VERB ...\n\n", name);
    for (size_t i = 0; i < sub_cnt; i++)
        fprintf(to, "  porta %s %-10s %s\n", name, subs[i].name,
                subs[i].summary);
    fprintf(to, "\nporta help %s VERB shows one page with an example.\n", name);
}

int cli_dispatch(const char *name, const struct cli_sub *subs, size_t sub_cnt,
                 int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr,
                "porta %s: args: a verb is missing; see: porta help "
                "%s\n",
                name, name);
        return CLI_USAGE;
    }
    if (is_help(argv[1])) {
        const struct cli_verb verb = { .name = name };

        list_subs(name, subs, sub_cnt, stdout);
        return cli_finish(&verb, CLI_DONE);
    }
    for (size_t i = 0; i < sub_cnt; i++)
        if (strcmp(subs[i].name, argv[1]) == 0)
            return subs[i].run(argc - 1, argv + 1);
    fprintf(stderr, "porta %s: args: there is no '%s'; see: porta help %s\n",
            name, argv[1], name);
    return CLI_USAGE;
}
