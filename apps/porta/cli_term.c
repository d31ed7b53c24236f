#include "cli_term.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the process, as its standard streams are. */
static bool is_quiet, is_verbose;

bool term_quiet(void)
{
    return is_quiet;
}

bool term_verbose(void)
{
    return is_verbose;
}

void term_set(bool quiet, bool verbose)
{
    is_quiet = quiet;
    is_verbose = verbose;
}

void term_note(const char *fmt, ...)
{
    va_list args;

    if (is_quiet)
        return;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
}

static bool has_colour(FILE *to)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    if ((no && no[0]) || !term || strcmp(term, "dumb") == 0)
        return false;
    return isatty(fileno(to)) == 1;
}

const char *term_on(FILE *to, enum term_ink ink)
{
    static const char *const codes[] = { [TERM_BOLD] = "\033[1m",
                                         [TERM_RED] = "\033[31m",
                                         [TERM_GREEN] = "\033[32m",
                                         [TERM_YELLOW] = "\033[33m" };

    return has_colour(to) ? codes[ink] : "";
}

const char *term_off(FILE *to)
{
    return has_colour(to) ? "\033[0m" : "";
}
