/* Completion for bash and zsh, made from the table that command lines are
 * parsed by. */
#include <stdlib.h>
#include <string.h>

#include "cli_table.h"
#include "image/chip.h"

#define CHOICES_LEN 512

/* The words that an option's value is one of: "a|b" names them, and a chip is
 * one that we know. "": it is something else, most often a file. */
static const char *choices(const struct cli_opt *o, char out[CHOICES_LEN])
{
    size_t at = 0;

    out[0] = '\0';
    if (o->meta && strcmp(o->meta, "C") == 0) {
        for (size_t i = 0; img_chip_at(i); i++)
            at += (size_t)snprintf(out + at, CHOICES_LEN - at, "%s%s",
                                   i ? " " : "", img_chip_at(i)->name);
        return out;
    }
    if (!o->meta || !strchr(o->meta, '|') || strpbrk(o->meta, "[:' "))
        return out;
    snprintf(out, CHOICES_LEN, "%s", o->meta);
    for (; out[at]; at++)
        if (out[at] == '|')
            out[at] = ' ';
    return out;
}

/* --- bash ----------------------------------------------------------------- */

static void bash_names(const struct cli_sub *subs, size_t cnt, FILE *to)
{
    for (size_t i = 0; i < cnt; i++)
        fprintf(to, "%s%s", i ? " " : "", subs[i].name);
}

/* The group's name opens a case for its second word. */
static void bash_group(void *ctx, const char *name, const struct cli_sub *subs,
                       size_t cnt)
{
    fprintf(ctx, "    '%s') words='", name);
    bash_names(subs, cnt, ctx);
    fputs("' ;;\n", ctx);
}

static void bash_verb(void *ctx, const struct cli_verb *verb)
{
    char words[CHOICES_LEN];
    const struct cli_opt *o;

    fprintf(ctx, "    '%s')\n        options='", verb->name);
    for (size_t i = 0; (o = cli_opt_at(verb, i)) != NULL; i++)
        fprintf(ctx, "%s%s", i ? " " : "", o->name);
    fputs("'\n        case $prev in\n", ctx);
    for (size_t i = 0; (o = cli_opt_at(verb, i)) != NULL; i++)
        if (cli_opt_takes_value(o))
            fprintf(ctx, "        %s) takes=y values='%s' ;;\n", o->name,
                    choices(o, words));
    fputs("        esac ;;\n", ctx);
}

static void bash_is_group(void *ctx, const char *name,
                          const struct cli_sub *subs, size_t cnt)
{
    (void)subs;
    (void)cnt;
    fprintf(ctx, "|%s", name);
}

static void no_verb(void *ctx, const struct cli_verb *verb)
{
    (void)ctx;
    (void)verb;
}

void cli_complete_bash(FILE *to)
{
    const struct cli_visitor groups = { to, bash_is_group, no_verb };
    const struct cli_visitor all = { to, bash_group, bash_verb };

    fputs("# bash completion for porta; made by `porta help --complete bash`.\n"
          "_porta()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]}\n"
          "    local prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local verb=${COMP_WORDS[1]} words= options= takes= values=\n\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        verb=\n"
          "    elif [ \"$COMP_CWORD\" -gt 2 ]; then\n"
          "        case $verb in\n        -",
          to);
    cli_walk(cli_verbs, cli_verb_cnt, &groups);
    fputs(") verb=\"$verb ${COMP_WORDS[2]}\" ;;\n"
          "        help) verb=${COMP_WORDS[2]} ;;\n        esac\n    fi\n"
          "    case $verb in\n    '') words='",
          to);
    bash_names(cli_verbs, cli_verb_cnt, to);
    fputs("' options='--help --version' ;;\n", to);
    cli_walk(cli_verbs, cli_verb_cnt, &all);
    fputs("    esac\n"
          "    if [ \"$verb\" = help ] && [ \"${cur#-}\" = \"$cur\" ]; then\n"
          "        words='",
          to);
    bash_names(cli_verbs, cli_verb_cnt, to);
    fputs(
        "'\n    fi\n"
        "    if [ -n \"$takes\" ]; then\n        words=$values\n"
        "    elif [ \"${cur#-}\" != \"$cur\" ]; then\n"
        "        words=$options\n    fi\n"
        "    if [ -n \"$words\" ]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
        "    fi\n"
        "}\ncomplete -o default -F _porta porta\n",
        to);
}

/* --- zsh ------------------------------------------------------------------ */

/* Text inside '...[text]': the shell's quote, and what _arguments reads. */
static void zsh_text(const char *text, FILE *to)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", to);
        else if (strchr("[]:\\", *text))
            fprintf(to, "\\%c", *text);
        else
            fputc(*text, to);
    }
}

static void zsh_subs(const struct cli_sub *subs, size_t cnt, FILE *to)
{
    fputs("        words=(\n", to);
    for (size_t i = 0; i < cnt; i++) {
        fprintf(to, "            '%s:", subs[i].name);
        zsh_text(subs[i].summary, to);
        fputs("'\n", to);
    }
    fputs("        )\n        _describe verb words ;;\n", to);
}

static void zsh_group(void *ctx, const char *name, const struct cli_sub *subs,
                      size_t cnt)
{
    fprintf(ctx, "    '%s')\n", name);
    zsh_subs(subs, cnt, ctx);
}

static void zsh_option(const struct cli_opt *o, FILE *to)
{
    char words[CHOICES_LEN];

    fprintf(to, " \\\n            '%s%s[", o->kind == CLI_KIND_LIST ? "*" : "",
            o->name);
    zsh_text(o->help, to);
    fputc(']', to);
    if (cli_opt_takes_value(o)) {
        fputc(':', to);
        zsh_text(o->meta, to);
        if (choices(o, words)[0])
            fprintf(to, ":(%s)", words);
        else
            fputs(":_files", to);
    }
    fputc('\'', to);
}

static void zsh_verb(void *ctx, const struct cli_verb *verb)
{
    const struct cli_opt *o;

    fprintf(ctx, "    '%s')\n        _arguments", verb->name);
    for (size_t i = 0; (o = cli_opt_at(verb, i)) != NULL; i++)
        zsh_option(o, ctx);
    fputs(" \\\n            '*:file:_files' ;;\n", ctx);
}

void cli_complete_zsh(FILE *to)
{
    const struct cli_visitor groups = { to, bash_is_group, no_verb };
    const struct cli_visitor all = { to, zsh_group, zsh_verb };

    fputs("#compdef porta\n"
          "# zsh completion for porta; made by `porta help --complete zsh`.\n"
          "_porta()\n{\n"
          "    local verb=${words[2]} skip=1\n"
          "    if (( CURRENT == 2 )); then\n        verb=\n"
          "    elif (( CURRENT > 3 )); then\n        case $verb in\n        -",
          to);
    cli_walk(cli_verbs, cli_verb_cnt, &groups);
    fputs(") verb=\"$verb ${words[3]}\" skip=2 ;;\n        esac\n    fi\n"
          "    if [[ -n $verb ]] && (( CURRENT > skip + 1 )); then\n"
          "        words=(porta \"${(@)words[skip+2,-1]}\")\n"
          "        (( CURRENT -= skip ))\n    fi\n"
          "    case $verb in\n    '')\n",
          to);
    zsh_subs(cli_verbs, cli_verb_cnt, to);
    cli_walk(cli_verbs, cli_verb_cnt, &all);
    fputs("    *) _files ;;\n    esac\n}\n"
          "if [ \"$funcstack[1]\" = _porta ]; then _porta \"$@\"; "
          "else compdef _porta porta; fi\n",
          to);
}
