/* port/task.h - contract: a thread beside the caller, and a place where
 * threads wait for each other. */
#ifndef PORT_TASK_H
#define PORT_TASK_H

#include <stdint.h>

#include "esp_err.h"

struct port_task {
    void *ctx;
    /* Runs fn(arg) beside the caller. name is for people. ESP_ERR_NO_MEM.
     * ESP_ERR_NOT_SUPPORTED: this program has one thread. */
    esp_err_t (*start)(void *ctx, const char *name, void (*fn)(void *arg),
                       void *arg);
    /* The place is entered by one thread at a time; not recursive. */
    void (*enter)(void *ctx);
    void (*leave)(void *ctx);
    /* Inside: lets others in until one calls wake(), or for ms. UINT32_MAX:
     * for ever. Returns what is left of ms, 0 once the time is over; with one
     * thread nobody can come, and it returns 0 at once. */
    uint32_t (*wait)(void *ctx, uint32_t ms);
    /* Inside: everybody who waits goes on. */
    void (*wake)(void *ctx);
};

#endif
