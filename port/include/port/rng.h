/* port/rng.h - contract: random bytes fit for keys. */
#ifndef PORT_RNG_H
#define PORT_RNG_H

#include <stddef.h>

#include "esp_err.h"

struct port_rng {
    void *ctx;
    /* Fills all of dst or fails; never a weaker source. */
    esp_err_t (*fill)(void *ctx, void *dst, size_t len);
};

#endif
