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

void build_output_line(struct build_output *o, const char *line)
{
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
        snprintf(text + at, cap - at, " (%s)", o->place);
}

bool build_output_explain(const struct build_output *o, char *text, size_t cap)
{
    if (o->header[0])
        snprintf(text, cap,
                 "the application includes %s, which neither it nor porta "
                 "has; docs/porting-from-esp-idf.md lists what is offered",
                 o->header);
    else if (o->missing_cnt > 0)
        explain_missing(o, text, cap);
    else if (o->error[0])
        snprintf(text, cap, "%s", o->error);
    else if (o->cmake[0])
        snprintf(text, cap, "%s", o->cmake);
    else
        return false;
    return true;
}
