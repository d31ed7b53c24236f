#include "build_output.h"

#include <stdio.h>
#include <string.h>

/* The text between two marks, which may be of several bytes. */
static bool between(const char *line, const char *before, const char *after,
                    char out[BUILD_NAME_LEN])
{
    const char *from = strstr(line, before);
    if (!from)
        return false;
    from += strlen(before);
    const char *to = strstr(from, after);
    if (!to || to == from || (size_t)(to - from) >= BUILD_NAME_LEN)
        return false;
    memcpy(out, from, (size_t)(to - from));
    out[to - from] = '\0';
    return true;
}

static bool is_known(const struct build_output *o, const char *name)
{
    for (int i = 0; i < o->missing_cnt; i++)
        if (strcmp(o->missing[i], name) == 0)
            return true;
    return false;
}

/* "<objects>: main.c:12:(.text.app_main+0x5): undefined reference to ..." or,
 * without debug information, no file at all. */
static void note_place(struct build_output *o, const char *line)
{
    const char *end = strstr(line, ": undefined reference");
    const char *paren = strstr(line, ":(");
    if (paren && paren < end)
        end = paren;
    const char *at = end;
    while (at > line && at[-1] != ' ' && at[-1] != '/')
        at--;
    snprintf(o->place, sizeof(o->place), "%.*s", (int)(end - at), at);
}

static void note_missing(struct build_output *o, const char *line)
{
    char name[BUILD_NAME_LEN];
    /* In the user's language the quotes may be others. */
    if (!between(line, "undefined reference to `", "'", name) &&
        !between(line, "undefined reference to ‘", "’", name))
        return;
    if (is_known(o, name))
        return;
    o->missing_all++;
    if (o->missing_cnt == 0)
        note_place(o, line);
    if (o->missing_cnt < BUILD_NAMES_MAX)
        memcpy(o->missing[o->missing_cnt++], name, sizeof(name));
}

/* "CMake Error at FILE:LINE (command):", an empty line, then indented ones up
 * to the next empty line. */
static void note_cmake(struct build_output *o, const char *line)
{
    size_t len = strlen(o->cmake);
    if (strncmp(line, "CMake Error", 11) == 0 && len == 0) {
        o->in_cmake = true;
        snprintf(o->cmake, sizeof(o->cmake), "%s", line);
        return;
    }
    if (!o->in_cmake || !line[0])
        return;
    o->in_cmake = line[0] == ' ';
    line += strspn(line, " ");
    if (o->in_cmake)
        snprintf(o->cmake + len, sizeof(o->cmake) - len, " %s", line);
}

static void note_twice(struct build_output *o, const char *line)
{
    if (!o->twice[0] &&
        !between(line, "multiple definition of `", "'", o->twice))
        between(line, "multiple definition of ‘", "’", o->twice);
}

void build_output_line(struct build_output *o, const char *line)
{
    note_twice(o, line);
    note_missing(o, line);
    note_cmake(o, line);
    bool header = strstr(line, "No such file or directory") ||
                  strstr(line, "file not found");
    if (header && !o->header[0] &&
        !between(line, "fatal error: ", ": No such file", o->header))
        between(line, "fatal error: '", "' file not found", o->header);
    if (!o->error[0] && strstr(line, " error: "))
        snprintf(o->error, sizeof(o->error), "%s", line);
}

bool build_output_embedded(const char *symbol, char name[BUILD_NAME_LEN])
{
    size_t len = strlen(symbol);
    size_t end = len > 6 && strcmp(symbol + len - 6, "_start") == 0 ? 6
                 : len > 4 && strcmp(symbol + len - 4, "_end") == 0 ? 4
                                                                    : 0;
    if (strncmp(symbol, "_binary_", 8) != 0 || end == 0 || len <= 8 + end)
        return false;
    snprintf(name, BUILD_NAME_LEN, "%.*s", (int)(len - 8 - end), symbol + 8);
    return true;
}

/* What is not a missing function of ESP-IDF, but something of the project's
 * own that was forgotten. */
static bool explain_own(const struct build_output *o, char *text, size_t cap)
{
    char name[BUILD_NAME_LEN];
    if (is_known(o, "app_main")) {
        snprintf(text, cap,
                 "the application has no app_main(), with which it begins: a "
                 "source that idf_component_register(SRCS ...) of the "
                 "component main names must define void app_main(void), in "
                 "C++ as extern \"C\"");
        return true;
    }
    if (o->missing_cnt == 0 || !build_output_embedded(o->missing[0], name))
        return false;
    snprintf(text, cap,
             "the application uses %s, and no file of that name is embedded: "
             "EMBED_TXTFILES or EMBED_FILES of idf_component_register() must "
             "name the one that is called %s with a dot or another sign for "
             "each _ (%s)",
             o->missing[0], name, o->place);
    return true;
}

static void explain_missing(const struct build_output *o, char *text,
                            size_t cap)
{
    size_t at = (size_t)snprintf(text, cap, "the application uses ");
    for (int i = 0; i < o->missing_cnt && at < cap; i++)
        at += (size_t)snprintf(text + at, cap - at, "%s%s", i ? ", " : "",
                               o->missing[i]);
    int more = o->missing_all - o->missing_cnt;
    if (more > 0 && at < cap)
        at += (size_t)snprintf(text + at, cap - at, " and %d more", more);
    if (at < cap)
        at += (size_t)snprintf(text + at, cap - at,
                               ", which neither it nor porta has");
    if (o->place[0] && at < cap)
        at += (size_t)snprintf(text + at, cap - at, " (%s)", o->place);
    if (at < cap)
        snprintf(text + at, cap - at, "%s",
                 strchr(o->missing[0], '(')
                     ? "; C++ must see functions of C in extern \"C\""
                     : "; docs/api.md lists what is offered");
}

bool build_output_explain(const struct build_output *o, char *text, size_t cap)
{
    if (o->header[0])
        snprintf(text, cap,
                 "the application includes %s, which neither it nor porta "
                 "has",
                 o->header);
    else if (explain_own(o, text, cap))
        return true;
    else if (o->missing_cnt > 0)
        explain_missing(o, text, cap);
    else if (o->twice[0])
        snprintf(text, cap,
                 "%s is defined twice: in two sources of the project, or in "
                 "it and in porta",
                 o->twice);
    else if (o->error[0])
        snprintf(text, cap, "%s", o->error);
    else if (o->cmake[0])
        snprintf(text, cap, "%s", o->cmake);
    else
        return false;
    return true;
}
