/* base/log.h - the front that every module logs through.
 *
 * A module logs where the decision to give up is made, once. The sink is set
 * at start-up and not changed while other threads log. Levels are those of
 * esp_log.h: 1 error, 2 warning, 3 info, 4 debug, 5 verbose. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>

#include "base/err.h"
#include "cfg.h"

enum log_level {
    LOG_NONE = 0,
    LOG_ERROR = 1,
    LOG_WARN = 2,
    LOG_INFO = 3,
    LOG_DEBUG = 4,
    LOG_VERBOSE = 5
};

typedef void (*log_sink_fn)(void *ctx, enum log_level level, const char *tag,
                            const char *fmt, va_list args);

/* A sink shows LOG_NONE as a warning, whatever level it is set to.
 * NULL: silence, which is also the state before the first call. */
void log_set_sink(log_sink_fn sink, void *ctx);
void log_write(enum log_level level, const char *tag, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void log_vwrite(enum log_level level, const char *tag, const char *fmt,
                va_list args);

/* For what makes a device unsafe: no level silences it. */
#define LOG_ALARM(...) log_write(LOG_NONE, __VA_ARGS__)

/* The compiler drops calls above CFG_LOG_LEVEL. */
#define LOG_AT(level, ...)                   \
    do {                                     \
        if (CFG_LOG_LEVEL >= (level))        \
            log_write((level), __VA_ARGS__); \
    } while (0)

#define LOGE(...) LOG_AT(LOG_ERROR, __VA_ARGS__)
#define LOGW(...) LOG_AT(LOG_WARN, __VA_ARGS__)
#define LOGI(...) LOG_AT(LOG_INFO, __VA_ARGS__)
#define LOGD(...) LOG_AT(LOG_DEBUG, __VA_ARGS__)

#endif
