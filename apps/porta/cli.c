#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "cli_table.h"
#include "cli_term.h"
#include "suggest.h"

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

/* Not NULL during a walk: verbs then show what they would parse by. */
static const struct cli_visitor *visiting;

bool cli_opt_takes_value(const struct cli_opt *o)
{
    switch (o->kind) {
    case CLI_KIND_FLAG:
    case CLI_KIND_ON:
    case CLI_KIND_OFF:
        return false;
    default:
        return true;
    }
}

/* Where the common options go. */
struct common {
    bool json, quiet, verbose, help;
};

const struct cli_opt cli_common[] = {
    CLI_OPT_JSON(struct common, json),
    { "--quiet", NULL, "no progress and no notes, only failures and warnings",
      CLI_KIND_FLAG, offsetof(struct common, quiet) },
    { "--verbose", NULL, "what happens inside, on standard error",
      CLI_KIND_FLAG, offsetof(struct common, verbose) },
    { "--help", NULL, "this page", CLI_KIND_FLAG,
      offsetof(struct common, help) },
    CLI_OPT_END,
};

bool cli_json(void)
{
    return json_wanted;
}

static bool is_named(const struct cli_opt *o, const char *name, size_t len)
{
    return strlen(o->name) == len && memcmp(o->name, name, len) == 0;
}

static const struct cli_opt *row_find(const struct cli_opt *o, const char *name,
                                      size_t len)
{
    for (; o && o->name; o++)
        if (is_named(o, name, len))
            return o;
    return NULL;
}

static bool is_common(const struct cli_opt *o)
{
    return o >= cli_common &&
           o < cli_common + sizeof(cli_common) / sizeof(cli_common[0]);
}

const struct cli_opt *cli_opt_at(const struct cli_verb *verb, size_t i)
{
    const struct cli_opt *o = verb->opts;

    for (; o && o->name; o++)
        if (i-- == 0)
            return o;
    for (o = cli_common; o->name; o++) {
        if (row_find(verb->opts, o->name, strlen(o->name)))
            continue;
        if (i-- == 0)
            return o;
    }
    return NULL;
}

static const struct cli_opt *opt_find(const struct cli_verb *verb,
                                      const char *name, size_t len)
{
    const struct cli_opt *o;

    for (size_t i = 0; (o = cli_opt_at(verb, i)) != NULL; i++)
        if (is_named(o, name, len))
            return o;
    return NULL;
}

/* What the unknown option may have been meant to be. */
static int opt_unknown(const struct cli_verb *verb, const char *name, int len)
{
    char word[64];
    struct suggest s;
    const struct cli_opt *o;

    snprintf(word, sizeof(word), "%.*s", len, name);
    suggest_begin(&s, word);
    for (size_t i = 0; (o = cli_opt_at(verb, i)) != NULL; i++)
        suggest_try(&s, o->name);
    if (s.best)
        return cli_usage(verb, "unknown option %.*s, did you mean %s?", len,
                         name, s.best);
    return cli_usage(verb, "unknown option %.*s", len, name);
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
    default:
        return set_number(verb, o, field, value);
    }
}

/* The command line, and where we are in it. */
struct line {
    int argc;
    char **argv;
    int at;
    struct common common;
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
        return opt_unknown(verb, arg, (int)name_len);
    if (!cli_opt_takes_value(o)) {
        if (eq)
            return cli_usage(verb, "%s takes no value", o->name);
    } else if (!eq) {
        if (l->at + 1 >= l->argc)
            return cli_usage(verb, "%s needs a value: %s", o->name, o->meta);
        value = l->argv[++l->at];
    }
    return opt_set(verb, o, is_common(o) ? &l->common : opts, value);
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
                         args->cnt, verb->usage[0] ? verb->usage : "none");
    return CLI_GO;
}

static bool is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

static bool is_option(const char *arg)
{
    return arg[0] == '-' && arg[1] != '\0';
}

/* One word of the command line that is not behind "--". */
static int parse_word(const struct cli_verb *verb, struct line *l, void *opts,
                      struct cli_args *args)
{
    const char *arg = l->argv[l->at];

    if (is_option(arg))
        return parse_option(verb, l, opts);
    if (args->cnt == CLI_ARGS_MAX)
        return cli_usage(verb, "there are more than %d arguments",
                         CLI_ARGS_MAX);
    args->val[args->cnt++] = arg;
    return CLI_GO;
}

static int show_help(const struct cli_verb *verb)
{
    if (json_wanted)
        return cli_json_print(verb, cli_verb_json(verb), CLI_DONE);
    cli_help_page(verb, stdout);
    return cli_finish(verb, CLI_DONE);
}

/* --quiet and --verbose are of the whole process. */
static int settle(const struct cli_verb *verb, const struct line *l,
                  const struct cli_args *args)
{
    if (l->common.quiet && l->common.verbose)
        return cli_usage(verb, "--quiet and --verbose exclude each other");
    term_set(l->common.quiet, l->common.verbose);
    if (l->common.verbose)
        cli_log_to_stderr(LOG_DEBUG);
    return check_arg_cnt(verb, args);
}

/* lint-ok: function, a command line is two values */
int cli_parse(const struct cli_verb *verb, int argc, char **argv, void *opts,
              struct cli_args *args)
{
    struct line l = { argc, argv, 1, { 0 } };
    int status = CLI_GO;

    args->cnt = 0;
    if (visiting) {
        visiting->verb(visiting->ctx, verb);
        return CLI_DONE;
    }
    json_wanted = has_json(argc, argv);
    for (; l.at < argc && strcmp(argv[l.at], "--") != 0; l.at++) {
        if (is_help(argv[l.at]))
            return show_help(verb);
        status = parse_word(verb, &l, opts, args);
        if (status != CLI_GO)
            return status;
    }
    for (l.at++; l.at < argc && status == CLI_GO; l.at++) {
        if (args->cnt == CLI_ARGS_MAX)
            return cli_usage(verb, "there are more than %d arguments",
                             CLI_ARGS_MAX);
        args->val[args->cnt++] = argv[l.at];
    }
    return settle(verb, &l, args);
}

void cli_walk(const struct cli_sub *verbs, size_t cnt,
              const struct cli_visitor *visitor)
{
    visiting = visitor;
    for (size_t i = 0; i < cnt; i++) {
        char name[32];
        char *argv[] = { name, NULL };

        snprintf(name, sizeof(name), "%s", verbs[i].name);
        (void)verbs[i].run(1, argv);
    }
    visiting = NULL;
}

static int dispatch_visit(const char *name, const struct cli_sub *subs,
                          size_t sub_cnt)
{
    const struct cli_visitor *v = visiting;

    v->group(v->ctx, name, subs, sub_cnt);
    cli_walk(subs, sub_cnt, v);
    visiting = v;
    return CLI_DONE;
}

void cli_begin(int argc, char **argv)
{
    json_wanted = has_json(argc, argv);
}

/* Where a verb is to stand there is an option. */
static int fail_before_verb(const struct cli_verb *group, const char *word)
{
    const char *space = group->name[0] ? " " : "";
    struct diag d = DIAG_NONE;

    (void)diag_fail(&d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                    "%.60s stands where the verb is missing: options come "
                    "after it; see: porta help%s%s",
                    word, space, group->name);
    return cli_fail(group, &d, json_wanted);
}

int cli_no_such(const char *group, const struct cli_sub *subs, size_t cnt,
                const char *word)
{
    const struct cli_verb verb = { .name = group };
    struct diag d = DIAG_NONE;
    struct suggest s;

    if (is_option(word))
        return fail_before_verb(&verb, word);
    suggest_begin(&s, word);
    for (size_t i = 0; i < cnt; i++)
        suggest_try(&s, subs[i].name);
    (void)diag_fail(&d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                    "there is no verb '%s%s%.60s'%s%s%s; see: porta help%s%s",
                    group, group[0] ? " " : "", word,
                    s.best ? ", did you mean " : "", s.best ? s.best : "",
                    s.best ? "?" : "", group[0] ? " " : "", group);
    return cli_fail(&verb, &d, json_wanted);
}

static int no_sub(const char *name)
{
    const struct cli_verb verb = { .name = name };
    struct diag d = DIAG_NONE;

    (void)diag_fail(&d, DIAG_STAGE_ARGS, ESP_ERR_INVALID_ARG,
                    "a verb is missing; see: porta help %s", name);
    return cli_fail(&verb, &d, json_wanted);
}

int cli_dispatch(const char *name, const struct cli_sub *subs, size_t sub_cnt,
                 int argc, char **argv)
{
    if (visiting)
        return dispatch_visit(name, subs, sub_cnt);
    json_wanted = has_json(argc, argv);
    if (argc >= 2 && is_help(argv[1])) {
        const struct cli_verb verb = { .name = name };

        if (json_wanted)
            return cli_json_print(&verb, cli_verbs_json(subs, sub_cnt, ""),
                                  CLI_DONE);
        cli_help_group(name, subs, sub_cnt, stdout);
        return cli_finish(&verb, CLI_DONE);
    }
    if (argc < 2)
        return no_sub(name);
    for (size_t i = 0; i < sub_cnt; i++)
        if (strcmp(subs[i].name, argv[1]) == 0)
            return subs[i].run(argc - 1, argv + 1);
    return cli_no_such(name, subs, sub_cnt, argv[1]);
}
