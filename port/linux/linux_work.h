/* linux_work.h - a thread that does jobs beside the caller, one at a time. */
#ifndef LINUX_WORK_H
#define LINUX_WORK_H

#include <pthread.h>

#include "base/err.h"
#include "port/work.h"

struct linux_work {
    struct port_work port;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t change; /* a job came, one is done, or it is over */
    struct port_job *first, *last;
    bool open, over;
};

#define LINUX_WORK_CLOSED \
    {                     \
        .open = false     \
    }

/* Starts the thread. The struct must not move until linux_work_close().
 * ESP_ERR_NO_MEM: the system has no thread left; then it stays closed. */
MUST_CHECK esp_err_t linux_work_open(struct linux_work *w);
/* After the last job is done. Closing a closed one does nothing. */
void linux_work_close(struct linux_work *w);

#endif
