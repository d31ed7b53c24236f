/* device.h - the rig of test/unit/update as the implicit device. */
#ifndef TEST_API_DEVICE_H
#define TEST_API_DEVICE_H

#include "api/device.h"
#include "sim_clock.h"
#include "sim_rng.h"
#include "unit/update/rig.h"

struct device {
    struct rig rig;
    struct sim_clock clock;
    struct sim_rng rng;
    struct port_fuse fuse;
    uint32_t fuse_bits;
    struct api_boot boot;
};

/* rig_open(), and the device runs ota_0. */
void device_open(struct device *d);
/* A reset: the records and slots are as the flash says; running_off runs. */
void device_restart(struct device *d, uint32_t running_off);
void device_close(struct device *d);

#endif
