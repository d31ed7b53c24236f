/* cli_term.h - how a command talks to people: how much, and in which colours.
 *
 * Set once per process, from --quiet and --verbose, by cli_parse(). */
#ifndef CLI_TERM_H
#define CLI_TERM_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

enum term_ink { TERM_BOLD, TERM_RED, TERM_GREEN, TERM_YELLOW };

/* Neither progress nor notes on standard error: only failures and warnings. */
bool term_quiet(void);
bool term_verbose(void);
void term_set(bool quiet, bool verbose);

/* A line on standard error that is no failure and no warning: nothing with
 * --quiet. */
void term_note(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The escape sequence for `ink`, and the one that ends it: empty unless `to`
 * is a terminal that is not dumb and NO_COLOR is not set (no-color.org). */
const char *term_on(FILE *to, enum term_ink ink);
const char *term_off(FILE *to);

#endif
