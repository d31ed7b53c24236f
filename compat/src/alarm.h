/* alarm.h - functions that one thread calls when their time has come: what
 * esp_timer and FreeRTOS timers are made of.
 *
 * The thread is started with the first alarm. Every call may come from any
 * thread, a call-back included. */
#ifndef COMPAT_ALARM_H
#define COMPAT_ALARM_H

#include <stdbool.h>
#include <stdint.h>

struct compat_alarm {
    struct compat_alarm *next; /* in the list of those that run */
    void (*fn)(void *arg);
    void *arg;
    uint64_t due_us;
    uint64_t period_us; /* 0: once */
    bool active;
};

/* Microseconds since the start of the program. */
uint64_t compat_now_us(void);

/* From now on; one that runs begins again. False: no thread could be
 * started. */
bool compat_alarm_start(struct compat_alarm *a, uint64_t after_us,
                        uint64_t period_us);
/* Its function is not called after this; true: it had been running. */
bool compat_alarm_stop(struct compat_alarm *a);
bool compat_alarm_active(const struct compat_alarm *a);
/* Stops it, and waits until its function is not running, unless that is who
 * calls: then it may be freed. */
void compat_alarm_drop(struct compat_alarm *a);

#endif
