/* sim_sys.h - a clock that moves only when somebody waits.
 *
 * sleep_ms() advances it at once; sim_net advances it to a deadline that
 * passes. Inputs are set by the test, restart() is recorded. */
#ifndef SIM_SYS_H
#define SIM_SYS_H

#include "port/sys.h"

#define SIM_SYS_PINS 64u

struct sim_sys {
    struct port_sys port;
    uint64_t now_ms;
    uint32_t sleep_cnt;   /* calls of sleep_ms(), those with 0 included */
    uint32_t restart_cnt; /* calls of restart() */
    enum port_reset_reason reason;
    uint64_t pins_known;
    uint64_t pins_level;
};

/* Starts at 1000 ms, reason power-on, no inputs. */
void sim_sys_init(struct sim_sys *s);

void sim_sys_set_input(struct sim_sys *s, uint32_t pin, bool level);

/* The clock goes on to ms; a time that has passed changes nothing. */
void sim_sys_advance_to(struct sim_sys *s, uint64_t ms);

#endif
