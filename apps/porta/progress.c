#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"
#include "cli_term.h"
#include "linux_time.h"

#define REDRAW_MS 100u
#define LINE_MS 3000u
#define BAR_MAX 40u

static uint64_t rate_of(const struct progress_state *s)
{
    return s->elapsed_ms ? s->done_len * 1000 / s->elapsed_ms : 0;
}

/* "1.2 MB/s", "340 KB/s". */
static void rate_text(uint64_t rate, char *out, size_t len)
{
    if (rate >= 1024 * 1024)
        snprintf(
            out, len, "%llu.%llu MB/s",
            (unsigned long long)(rate / (1024 * 1024)),
            (unsigned long long)(rate % (1024 * 1024) * 10 / (1024 * 1024)));
    else
        snprintf(out, len, "%llu KB/s", (unsigned long long)(rate / 1024));
}

static void left_text(const struct progress_state *s, char *out, size_t len)
{
    uint64_t rate = rate_of(s);
    uint64_t left_s;

    out[0] = '\0';
    if (s->total_len == PROGRESS_UNKNOWN || rate == 0 ||
        s->done_len >= s->total_len)
        return;
    left_s = (s->total_len - s->done_len + rate - 1) / rate;
    if (left_s >= 60)
        snprintf(out, len, ", %llu min %llu s left",
                 (unsigned long long)(left_s / 60),
                 (unsigned long long)(left_s % 60));
    else
        snprintf(out, len, ", %llu s left", (unsigned long long)left_s);
}

static uint64_t percent_of(const struct progress_state *s)
{
    if (s->total_len == 0 || s->done_len >= s->total_len)
        return 100;
    return s->done_len * 100 / s->total_len;
}

void progress_line(const struct progress_state *s, char *out, size_t len)
{
    char done[32], total[32], rate[32], left[40];

    rate_text(rate_of(s), rate, sizeof(rate));
    left_text(s, left, sizeof(left));
    cli_thousands(s->done_len, done, sizeof(done));
    if (s->unit && s->total_len == PROGRESS_UNKNOWN) {
        snprintf(out, len, "%s %s %s", s->phase, done, s->unit);
        return;
    }
    if (s->total_len == PROGRESS_UNKNOWN) {
        snprintf(out, len, "%s %s bytes, %s", s->phase, done, rate);
        return;
    }
    cli_thousands(s->total_len, total, sizeof(total));
    if (s->unit) {
        snprintf(out, len, "%s %3llu%% %s of %s %s%s", s->phase,
                 (unsigned long long)percent_of(s), done, total, s->unit, left);
        return;
    }
    snprintf(out, len, "%s %3llu%% %s of %s bytes, %s%s", s->phase,
             (unsigned long long)percent_of(s), done, total, rate, left);
}

void progress_bar(const struct progress_state *s, uint32_t columns, char *out,
                  size_t len)
{
    char text[160], bar[BAR_MAX + 1];
    size_t width, full;

    progress_line(s, text, sizeof(text));
    if (columns > len - 1)
        columns = (uint32_t)(len - 1);
    if (s->total_len == PROGRESS_UNKNOWN || strlen(text) + 8 > columns) {
        snprintf(out, len, "%.*s", (int)columns, text);
        return;
    }
    width = columns - strlen(text) - 3;
    if (width > BAR_MAX)
        width = BAR_MAX;
    full = (size_t)(percent_of(s) * width / 100);
    memset(bar, '-', width);
    memset(bar, '#', full);
    bar[width] = '\0';
    snprintf(out, len, "[%s] %s", bar, text);
}

void progress_begin(struct progress *p, const char *name)
{
    struct winsize size;

    *p = (struct progress){ .name = name, .columns = 79 };
    p->tty = isatty(STDERR_FILENO);
    if (p->tty && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 &&
        size.ws_col > 10)
        p->columns = size.ws_col - 1u;
    p->start_ms = linux_mono_ms();
    p->shown_ms = p->start_ms;
}

void progress_show(struct progress *p, const char *phase, uint64_t done_len,
                   uint64_t total_len)
{
    uint64_t now_ms = linux_mono_ms();
    struct progress_state s = { phase, done_len, total_len,
                                now_ms - p->start_ms, p->unit };
    char line[256];

    if (term_quiet() || now_ms - p->shown_ms < (p->tty ? REDRAW_MS : LINE_MS))
        return;
    p->shown_ms = now_ms;
    if (!p->tty) {
        progress_line(&s, line, sizeof(line));
        fprintf(stderr, "%s: %s\n", p->name, line);
        return;
    }
    progress_bar(&s, p->columns, line, sizeof(line));
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    p->drawn = true;
}

void progress_end(struct progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}
