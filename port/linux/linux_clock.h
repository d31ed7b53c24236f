/* linux_clock.h - the wall clock; one before 2020 was never set. */
#ifndef LINUX_CLOCK_H
#define LINUX_CLOCK_H

#include "port/clock.h"

extern const struct port_clock linux_clock;

#endif
