/* port/sys.h - contract: time that only goes forward, reset, inputs.
 *
 * Left of the bar: the bootloader uses it too. */
#ifndef PORT_SYS_H
#define PORT_SYS_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

enum port_reset_reason {
    PORT_RESET_UNKNOWN = 0,
    PORT_RESET_POWERON = 1,
    PORT_RESET_SW = 3,       /* the program asked for it */
    PORT_RESET_PANIC = 4,    /* the program crashed or ended unasked */
    PORT_RESET_TASK_WDT = 6, /* a task did not say that it lives */
    PORT_RESET_WDT = 7,
    PORT_RESET_DEEPSLEEP = 8, /* it woke */
    PORT_RESET_BROWNOUT = 9
};

struct port_sys {
    void *ctx;
    /* Milliseconds since some start; never goes back. */
    uint64_t (*mono_ms)(void *ctx);
    /* Gives way for at least ms milliseconds; 0 yields and feeds watchdogs. */
    void (*sleep_ms)(void *ctx, uint32_t ms);
    /* Resets the device. Does not return on a device; a tool's port records
     * the wish and returns. */
    void (*restart)(void *ctx);
    enum port_reset_reason (*reset_reason)(void *ctx);
    /* Level of a diagnostic input. ESP_ERR_NOT_SUPPORTED: no such input. */
    esp_err_t (*input)(void *ctx, uint32_t pin, bool *level);
};

#endif
