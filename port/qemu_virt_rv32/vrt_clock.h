/* vrt_clock.h - wall time, from the machine's real-time clock. */
#ifndef VRT_CLOCK_H
#define VRT_CLOCK_H

#include "port/clock.h"

extern const struct port_clock vrt_clock;

#endif
