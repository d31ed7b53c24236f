/* progress.h - how far long work is: a bar on a terminal, elsewhere a line
 * every few seconds. On standard error, never on standard output. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_UNKNOWN UINT64_MAX

struct progress {
    const char *name; /* "porta update" */
    const char *unit; /* NULL: bytes, with their rate */
    bool tty;
    uint32_t columns;
    uint64_t start_ms, shown_ms;
    bool drawn; /* a bar stands in the current line */
};

/* One moment of the work. */
struct progress_state {
    const char *phase;
    uint64_t done_len;
    uint64_t total_len; /* PROGRESS_UNKNOWN */
    uint64_t elapsed_ms;
    const char *unit; /* what is counted; NULL: bytes, with their rate */
};

void progress_begin(struct progress *p, const char *name);
/* Shows it if it is time to; call as often as you like. */
void progress_show(struct progress *p, const char *phase, uint64_t done_len,
                   uint64_t total_len);
/* Clears the bar, so that a message may follow. Idempotent. */
void progress_end(struct progress *p);

/* Pure: the line for a state, without a line end, at most columns wide. */
void progress_bar(const struct progress_state *s, uint32_t columns, char *out,
                  size_t len);
void progress_line(const struct progress_state *s, char *out, size_t len);

#endif
