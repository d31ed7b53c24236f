/* compat.h - what the files of compat/ know of each other. */
#ifndef COMPAT_H
#define COMPAT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The last task has ended, or there is one again. */
void compat_set_idle(bool idle);

/* Monotonic milliseconds at which tick 0 was. */
uint64_t compat_start_ms(void);

/* A mutex with a condition on the monotonic clock: what queues, semaphores and
 * event groups are made of. A task that is deleted while it waits gives the
 * mutex back. */
struct compat_gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

void compat_gate_init(struct compat_gate *g);
void compat_gate_deinit(struct compat_gate *g);
void compat_gate_enter(struct compat_gate *g);
void compat_gate_leave(struct compat_gate *g);
/* Inside, after a change. */
void compat_gate_wake(struct compat_gate *g);

/* Inside: waits until ready(arg), for at most so many ticks. Returns
 * ready(arg). */
bool compat_gate_wait(struct compat_gate *g, bool (*ready)(const void *arg),
                      const void *arg, uint32_t ticks);

#endif
