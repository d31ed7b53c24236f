/* linux_rng.h - random bytes from getrandom(2). */
#ifndef LINUX_RNG_H
#define LINUX_RNG_H

#include "port/rng.h"

extern const struct port_rng linux_rng;

#endif
