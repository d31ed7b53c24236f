#include "serve_accept.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linux_time.h"

#define PAUSE_US 100000u /* nobody tells when a descriptor is free again */

/* The connection went before it was taken, or nothing happened at all. */
static bool is_over(int why)
{
    return why == EINTR || why == ECONNABORTED || why == EPROTO;
}

/* Whoever connects meanwhile waits in the queue of the socket. */
static void wait_for_room(int why, bool *told)
{
    if (!*told)
        fprintf(stderr,
                "porta serve: WARNING: no connection can be accepted: %s; new "
                "ones wait until others end%s\n",
                strerror(why),
                why == EMFILE ? " (ulimit -n is the limit)" : "");
    *told = true;
    linux_sleep_us(PAUSE_US);
}

static void *accept_all(void *arg)
{
    struct serve_accept *a = arg;
    bool told = false;

    for (;;) {
        struct sockaddr_storage from;
        socklen_t len = sizeof(from);
        int fd = accept4(a->fd, (struct sockaddr *)&from, &len,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
        int why = errno;

        if (atomic_load(&a->stopping)) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        /* It closes what it does not take. */
        if (fd >= 0)
            (void)MHD_add_connection(a->daemon, fd, (struct sockaddr *)&from,
                                     len);
        else if (!is_over(why))
            wait_for_room(why, &told);
    }
}

esp_err_t serve_accept_start(struct serve_accept *a, struct MHD_Daemon *daemon,
                             int fd)
{
    a->daemon = daemon;
    a->fd = fd;
    atomic_init(&a->stopping, false);
    return pthread_create(&a->thread, NULL, accept_all, a) == 0
               ? ESP_OK
               : ESP_ERR_NO_MEM;
}

void serve_accept_stop(struct serve_accept *a)
{
    atomic_store(&a->stopping, true);
    (void)shutdown(a->fd, SHUT_RDWR); /* wakes accept4() */
    pthread_join(a->thread, NULL);
}
