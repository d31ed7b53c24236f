#include "base/log.h"

#include <stddef.h>

/* Process-wide on purpose: a message may come from any depth, and a logger
 * handed through every call would be in the way of what the calls do. */
static log_sink_fn log_sink;
static void *log_sink_ctx;

void log_set_sink(log_sink_fn sink, void *ctx)
{
    log_sink = sink;
    log_sink_ctx = ctx;
}

void log_vwrite(enum log_level level, const char *tag, const char *fmt,
                va_list args)
{
    if (log_sink)
        log_sink(log_sink_ctx, level, tag, fmt, args);
}

void log_write(enum log_level level, const char *tag, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_vwrite(level, tag, fmt, args);
    va_end(args);
}
