/* linux_retry.h - system calls that a signal may interrupt, made again.
 *
 * A signal that is to end something says so elsewhere (port/limit.h); an
 * interrupted call alone is no failure. */
#ifndef LINUX_RETRY_H
#define LINUX_RETRY_H

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

/* mode counts where flags have O_CREAT. */
static inline int linux_open(const char *path, int flags, unsigned mode)
{
    int fd;

    do
        fd = open(path, flags, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static inline pid_t linux_waitpid(pid_t pid, int *status, int flags)
{
    pid_t ended;

    do
        ended = waitpid(pid, status, flags);
    while (ended < 0 && errno == EINTR);
    return ended;
}

#endif
