/* serve_accept.h - hands new connections to the development server.
 *
 * The library's own loop asks again at once when the system has no descriptor
 * for a connection, and takes a whole core until one of them ends. */
#ifndef SERVE_ACCEPT_H
#define SERVE_ACCEPT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"

struct MHD_Daemon;

struct serve_accept {
    struct MHD_Daemon *daemon; /* borrowed until serve_accept_stop() */
    int fd;                    /* that listens; not ours to close */
    atomic_bool stopping;
    pthread_t thread;
};

/* With a thread of its own; *a must not move until serve_accept_stop().
 * ESP_ERR_NO_MEM: there is none. */
MUST_CHECK esp_err_t serve_accept_start(struct serve_accept *a,
                                        struct MHD_Daemon *daemon, int fd);
/* No connection is handed over after it; the socket listens no more. */
void serve_accept_stop(struct serve_accept *a);

#endif
