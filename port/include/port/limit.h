/* port/limit.h - what ends the waits of a session before their own deadline.
 *
 * Whoever waits looks at it at least every PORT_LIMIT_SLICE_MS. Asking to
 * stop is safe from any thread and from a signal handler, and cannot be taken
 * back. NULL limits nothing. */
#ifndef PORT_LIMIT_H
#define PORT_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PORT_LIMIT_SLICE_MS 50u

struct port_limit {
    atomic_bool stop;
    uint64_t deadline_ms; /* in port_sys milliseconds, 0: none; belongs to the
                             thread that waits */
};

static inline void port_limit_stop(struct port_limit *l)
{
    atomic_store(&l->stop, true);
}

static inline bool port_limit_stopped(struct port_limit *l)
{
    return l && atomic_load(&l->stop);
}

/* The nearer one of the two deadlines. */
static inline uint64_t port_limit_until(const struct port_limit *l,
                                        uint64_t deadline_ms)
{
    if (!l || l->deadline_ms == 0 || deadline_ms < l->deadline_ms)
        return deadline_ms;
    return l->deadline_ms;
}

#endif
