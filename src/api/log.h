/* api/log.h - ties esp_log.h and the library's own log to a device. */
#ifndef API_LOG_H
#define API_LOG_H

#include <stdbool.h>

#include "port/sys.h"

/* From now on time stamps count from here, and the library's own lines go the
 * way of the application's. sys is borrowed for ever; NULL: time stamps are 0.
 * Before the first thread is started. */
void api_log_start(const struct port_sys *sys);

/* The library's own lines in the colours of LOG_FORMAT; before the first
 * thread is started. */
void api_log_colors(bool on);

#endif
