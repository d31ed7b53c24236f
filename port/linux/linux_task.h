/* linux_task.h - threads, one place to wait in, one recursive mutex. */
#ifndef LINUX_TASK_H
#define LINUX_TASK_H

#include <pthread.h>

#include "port/lock.h"
#include "port/task.h"

struct linux_task {
    struct port_task port;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
};

/* The structs must not move, and live as long as the process. */
void linux_task_init(struct linux_task *t);

struct linux_lock {
    struct port_lock port;
    pthread_mutex_t mutex;
};

void linux_lock_init(struct linux_lock *l);

#endif
