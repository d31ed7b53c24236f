/* vrt_rng.h - random bytes of the host, through a virtio device. */
#ifndef VRT_RNG_H
#define VRT_RNG_H

#include "base/err.h"
#include "port/rng.h"

/* ESP_ERR_NOT_FOUND: the machine has no such device, and fill() fails. */
MUST_CHECK esp_err_t vrt_rng_init(void);

extern const struct port_rng vrt_rng;

#endif
