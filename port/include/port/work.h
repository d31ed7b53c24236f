/* port/work.h - contract: jobs that are done beside the caller, one after the
 * other in the order in which they came.
 *
 * Left of the bar: what is put here are erases and programs of a flash that
 * takes its time. A job may use the port's other contracts as the caller does;
 * the port makes the calls of the two take turns. A job cannot be taken back:
 * whoever put one waits for it before its memory goes. */
#ifndef PORT_WORK_H
#define PORT_WORK_H

#include <stdatomic.h>
#include <stdbool.h>

struct port_job {
    void (*run)(struct port_job *job);
    /* The port's own, from put() until the job is done. */
    struct port_job *next;
    atomic_bool done;
};

struct port_work {
    void *ctx;
    /* The job belongs to the port until it is done. Does not wait. */
    void (*put)(void *ctx, struct port_job *job);
    /* Is it done? What it wrote is then the caller's to read. */
    bool (*is_done)(void *ctx, const struct port_job *job);
    /* Waits until it is. */
    void (*wait)(void *ctx, const struct port_job *job);
};

#endif
