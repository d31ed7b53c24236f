/* sim_clock.h - a wall clock that the test sets. */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include "port/clock.h"

struct sim_clock {
    struct port_clock port;
    int64_t now_s; /* 0: never set */
};

void sim_clock_init(struct sim_clock *c, int64_t now_s);

#endif
