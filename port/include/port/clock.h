/* port/clock.h - contract: wall time, for certificate dates only. */
#ifndef PORT_CLOCK_H
#define PORT_CLOCK_H

#include <stdint.h>

#include "esp_err.h"

struct port_clock {
    void *ctx;
    /* Seconds since 1970-01-01 UTC. ESP_ERR_INVALID_STATE: the clock was
     * never set. */
    esp_err_t (*now_s)(void *ctx, int64_t *out);
};

#endif
