#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux_retry.h"
#include "linux_time.h"

#define NOT_FOUND 127
#define LOOK_MS 100u

static void become(const struct capture_what *what, int fd)
{
    int nothing = linux_open("/dev/null", O_RDWR, 0);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpgid(0, 0);
    (void)dup2(nothing, STDIN_FILENO);
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(what->no_stderr ? nothing : fd, STDERR_FILENO);
    signal(SIGPIPE, SIG_DFL);
    setenv("LC_ALL", "C", 1);
    execvp(what->words[0], (char *const *)(uintptr_t)what->words);
    _exit(NOT_FOUND);
}

/* False: it is to be ended. */
static bool look(const struct capture_watch *watch)
{
    if (watch && watch->tick)
        watch->tick(watch->ctx);
    return !watch || !watch->stop || !*watch->stop;
}

/* Waits for output. False: it is to wait no longer. */
static bool wait_output(const struct capture_what *what, int fd,
                        uint64_t end_ms)
{
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        uint64_t now_ms = linux_mono_ms();
        uint64_t left_ms = end_ms - now_ms;

        if (now_ms >= end_ms || !look(what->watch))
            return false;
        if (what->watch && left_ms > LOOK_MS)
            left_ms = LOOK_MS;
        if (poll(&p, 1, (int)left_ms) > 0)
            return true;
    }
}

/* Until the end of the output. False: it did not come in time. */
static bool listen(const struct capture_what *what, int fd, char *out,
                   size_t out_len)
{
    uint64_t end_ms = linux_mono_ms() + what->timeout_ms;
    char scrap[4096];
    size_t at = 0;

    for (;;) {
        ssize_t got;

        out[at] = '\0';
        if (!wait_output(what, fd, end_ms))
            return false;
        got = at + 1 < out_len ? read(fd, out + at, out_len - 1 - at)
                               : read(fd, scrap, sizeof(scrap));
        if (got == 0 || (got < 0 && errno != EINTR))
            return true;
        if (got > 0 && at + 1 < out_len)
            at += (size_t)got;
    }
}

int capture(const struct capture_what *what, char *out, size_t out_len)
{
    int fds[2], status = 0;
    bool in_time;
    pid_t pid;

    out[0] = '\0';
    if (pipe2(fds, O_CLOEXEC) != 0)
        return CAPTURE_FAILED;
    pid = fork();
    if (pid == 0)
        become(what, fds[1]);
    /* Here as well: it may be ended before it comes to do it itself. */
    if (pid > 0)
        (void)setpgid(pid, pid);
    close(fds[1]);
    in_time = pid > 0 && listen(what, fds[0], out, out_len);
    close(fds[0]);
    if (pid < 0)
        return CAPTURE_FAILED;
    if (!in_time)
        (void)kill(-pid, SIGKILL);
    if (linux_waitpid(pid, &status, 0) < 0)
        return CAPTURE_FAILED;
    if (!in_time)
        return CAPTURE_TIMEOUT;
    if (WIFSIGNALED(status))
        return CAPTURE_SIGNAL(WTERMSIG(status));
    return WEXITSTATUS(status) == NOT_FOUND ? CAPTURE_MISSING
                                            : WEXITSTATUS(status);
}
