/* porta help: pages for people, and what shells and man make of them. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli_table.h"
#include "cmds.h"

struct help_opts {
    const char *complete, *write;
    bool man;
};

static const struct cli_opt options[] = {
    { "--man", NULL, "as a manual page, for man", CLI_KIND_FLAG,
      offsetof(struct help_opts, man) },
    { "--complete", "bash|zsh", "what completes command lines in that shell",
      CLI_KIND_TEXT, offsetof(struct help_opts, complete) },
    { "--write", "DIR",
      "all of that as files: man1/*.1, bash/porta, zsh/_porta", CLI_KIND_TEXT,
      offsetof(struct help_opts, write) },
    CLI_OPT_END,
};

static const struct cli_verb help_verb = {
    .name = "help",
    .usage = "[VERB...]",
    .summary = "list the verbs, or show one page about a verb",
    .text = "Every page, the manual and the completion are made of the table "
            "that command\nlines are parsed by; --json shows the table itself.",
    .example = "porta help flash create\n"
               "porta help flash create --man | man -l -\n"
               "eval \"$(porta help --complete bash)\"",
    .opts = options,
    .arg_max = 2,
};

/* --- one page ------------------------------------------------------------- */

/* The page that was asked for, while the table is walked. */
struct wanted {
    char name[64];
    bool man, found;
};

static void page_verb(void *ctx, const struct cli_verb *verb)
{
    struct wanted *w = ctx;

    if (strcmp(verb->name, w->name) != 0)
        return;
    w->found = true;
    if (w->man)
        cli_man_page(verb, stdout);
    else
        cli_help_page(verb, stdout);
}

static void page_group(void *ctx, const char *name, const struct cli_sub *subs,
                       size_t cnt)
{
    struct wanted *w = ctx;

    if (strcmp(name, w->name) != 0)
        return;
    w->found = true;
    if (w->man)
        cli_man_group(name, subs, cnt, stdout);
    else
        cli_help_group(name, subs, cnt, stdout);
}

/* A group's verbs, to say which of them was meant. */
struct group {
    const char *name;
    const struct cli_sub *subs;
    size_t cnt;
};

static void find_group(void *ctx, const char *name, const struct cli_sub *subs,
                       size_t cnt)
{
    struct group *g = ctx;

    if (strcmp(name, g->name) == 0)
        *g = (struct group){ name, subs, cnt };
}

static void no_verb(void *ctx, const struct cli_verb *verb)
{
    (void)ctx;
    (void)verb;
}

static int no_page(const struct cli_args *args)
{
    struct group g = { args->val[0], NULL, 0 };
    const struct cli_visitor visitor = { &g, find_group, no_verb };

    cli_walk(cli_verbs, cli_verb_cnt, &visitor);
    if (g.subs && args->cnt > 1)
        return cli_no_such(g.name, g.subs, g.cnt, args->val[1]);
    return cli_no_such("", cli_verbs, cli_verb_cnt, args->val[0]);
}

static int show_json(const char *name, const struct cli_args *args)
{
    cJSON *obj = cli_verbs_json(cli_verbs, cli_verb_cnt, name);

    if (obj && cJSON_GetArraySize(cJSON_GetObjectItem(obj, "verbs")) == 0) {
        cJSON_Delete(obj);
        return no_page(args);
    }
    return cli_json_print(&help_verb, obj, CLI_DONE);
}

static int show_page(const struct help_opts *o, const struct cli_args *args)
{
    struct wanted w = { .man = o->man };
    const struct cli_visitor visitor = { &w, page_group, page_verb };

    snprintf(w.name, sizeof(w.name), "%s%s%s", args->cnt ? args->val[0] : "",
             args->cnt > 1 ? " " : "", args->cnt > 1 ? args->val[1] : "");
    if (cli_json())
        return show_json(w.name, args);
    if (args->cnt == 0 && o->man)
        cli_man_main(stdout);
    else if (args->cnt == 0)
        cli_help_main(stdout);
    if (args->cnt == 0)
        return cli_finish(&help_verb, CLI_DONE);
    cli_walk(cli_verbs, cli_verb_cnt, &visitor);
    return w.found ? cli_finish(&help_verb, CLI_DONE) : no_page(args);
}

/* --- files ---------------------------------------------------------------- */

struct writer {
    const char *folder;
    struct diag diag;
};

/* A page in memory, on its way to a file. */
struct page {
    FILE *to;
    char *text;
    size_t len;
};

static bool page_begin(struct writer *w, struct page *p)
{
    *p = (struct page){ 0 };
    if (!w->diag.err)
        p->to = open_memstream(&p->text, &p->len);
    return p->to != NULL;
}

static void page_end(struct writer *w, struct page *p, const char *name)
{
    char path[4096];

    fclose(p->to);
    snprintf(path, sizeof(path), "%s/%s", w->folder, name);
    (void)!cli_write_file(path, span_of(p->text, p->len), 0644, &w->diag);
    free(p->text);
}

static void man_name(const char *verb, char out[96])
{
    snprintf(out, 96, "man1/porta%s%s.1", verb[0] ? "-" : "", verb);
    for (char *c = out; *c; c++)
        if (*c == ' ')
            *c = '-';
}

static void write_verb(void *ctx, const struct cli_verb *verb)
{
    char name[96];
    struct page p;

    if (!page_begin(ctx, &p))
        return;
    cli_man_page(verb, p.to);
    man_name(verb->name, name);
    page_end(ctx, &p, name);
}

static void write_group(void *ctx, const char *group,
                        const struct cli_sub *subs, size_t cnt)
{
    char name[96];
    struct page p;

    if (!page_begin(ctx, &p))
        return;
    cli_man_group(group, subs, cnt, p.to);
    man_name(group, name);
    page_end(ctx, &p, name);
}

static void write_other(struct writer *w, const char *name,
                        void (*make)(FILE *to))
{
    struct page p;

    if (!page_begin(w, &p))
        return;
    make(p.to);
    page_end(w, &p, name);
}

static int write_all(const char *folder)
{
    static const char *const folders[] = { "", "/man1", "/bash", "/zsh" };
    struct writer w = { folder, DIAG_NONE };
    const struct cli_visitor visitor = { &w, write_group, write_verb };
    char path[4096];

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", folder, folders[i]);
        /* What is missing shows when it is used. */
        (void)mkdir(path, 0777);
    }
    cli_walk(cli_verbs, cli_verb_cnt, &visitor);
    write_other(&w, "man1/porta.1", cli_man_main);
    write_other(&w, "bash/porta", cli_complete_bash);
    write_other(&w, "zsh/_porta", cli_complete_zsh);
    return cli_made(&help_verb, folder, &w.diag);
}

int cmd_help(int argc, char **argv)
{
    struct help_opts o = { 0 };
    struct cli_args args;
    int status = cli_parse(&help_verb, argc, argv, &o, &args);

    if (status != CLI_GO)
        return status;
    /* The names below it would be those of the root. */
    if (o.write && !*o.write)
        return cli_usage(&help_verb, "--write names no folder");
    if (o.write)
        return write_all(o.write);
    if (o.complete) {
        bool zsh = strcmp(o.complete, "zsh") == 0;

        if (!zsh && strcmp(o.complete, "bash") != 0)
            return cli_usage(&help_verb, "--complete is bash or zsh");
        if (cli_json())
            return cli_usage(&help_verb, "--json is not for a shell's text");
        (zsh ? cli_complete_zsh : cli_complete_bash)(stdout);
        return cli_finish(&help_verb, CLI_DONE);
    }
    return show_page(&o, &args);
}
