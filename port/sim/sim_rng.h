/* sim_rng.h - the same bytes for the same seed. For tests, never for keys. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

#include "port/rng.h"

struct sim_rng {
    struct port_rng port;
    uint64_t state;
    bool broken; /* every call fails */
};

void sim_rng_init(struct sim_rng *r, uint64_t seed);

/* The generator behind it, splitmix64, for tests that need numbers. */
uint64_t sim_rng_next(uint64_t *state);

#endif
