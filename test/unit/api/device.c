#include "unit/api/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sim_task.h"

static esp_err_t fuse_read(void *ctx, uint32_t *bits)
{
    *bits = ((struct device *)ctx)->fuse_bits;
    return ESP_OK;
}

static esp_err_t fuse_burn(void *ctx, uint32_t mask)
{
    ((struct device *)ctx)->fuse_bits |= mask;
    return ESP_OK;
}

void device_restart(struct device *d, uint32_t running_off)
{
    api_device_stop();
    d->boot.running_off = running_off;
    assert_int_equal(api_device_start(&d->boot), ESP_OK);
}

void device_open(struct device *d)
{
    memset(d, 0, sizeof(*d));
    rig_open(&d->rig);
    sim_clock_init(&d->clock, 0);
    sim_rng_init(&d->rng, 1);
    d->fuse = (struct port_fuse){ d, 16, fuse_read, fuse_burn };
    d->boot.flash = &d->rig.flash.port;
    d->boot.sys = &d->rig.sys.port;
    d->boot.heap = &d->rig.heap.port;
    d->boot.net = &d->rig.web.port;
    d->boot.clock = &d->clock.port;
    d->boot.rng = &d->rng.port;
    d->boot.lock = &sim_lock;
    d->boot.task = &sim_task;
    d->boot.fuse = &d->fuse;
    d->boot.policy = &d->rig.policy;
    d->boot.chip_id = RIG_CHIP;
    d->boot.fuse_chip = RIG_CHIP;
    d->boot.chip_rev = 100;
    d->boot.check_rev = true;
    device_restart(d, RIG_SLOT_0);
}

void device_close(struct device *d)
{
    api_device_stop();
    rig_close(&d->rig);
}
