/* Whether it listens is read from the kernel's tables: a socket that listens
 * and that the guard or one of its descendants has open. Who is one does not
 * depend on sessions and groups, which daemons leave: a process whose parent
 * ended becomes the guard's own child. */
#include "emu_server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "board_signals.h"
#include "cli_term.h"
#include "linux_time.h"
#include "orphans.h"

#define READY_MS 10000u
#define POLL_MS 10u
#define STATE_LISTEN 0x0a
#define SOCKETS_MAX 256u

/* --- does it listen? ------------------------------------------------------ */

struct listening {
    unsigned long inode[SOCKETS_MAX];
    size_t cnt;
};

/* proc(5): "sl: local remote state queues timer retransmit uid timeout inode",
 * each between blanks. */
static void add_listening(struct listening *l, const char *path)
{
    char line[512];
    unsigned state;
    unsigned long inode;
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (l->cnt < SOCKETS_MAX &&
            sscanf(line, "%*s %*s %*s %x %*s %*s %*s %*s %*s %lu", &state,
                   &inode) == 2 &&
            state == STATE_LISTEN)
            l->inode[l->cnt++] = inode;
    if (f)
        fclose(f);
}

static bool is_listening(const struct listening *l, const char *link)
{
    unsigned long inode;
    if (sscanf(link, "socket:[%lu]", &inode) != 1)
        return false;
    for (size_t i = 0; i < l->cnt; i++)
        if (l->inode[i] == inode)
            return true;
    return false;
}

static bool process_listens(const struct listening *l, long pid)
{
    char path[64], link[64];
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%ld/fd", pid);
    DIR *fds = opendir(path);
    if (!fds)
        return false;
    for (struct dirent *e = readdir(fds); e && !found; e = readdir(fds)) {
        ssize_t n = readlinkat(dirfd(fds), e->d_name, link, sizeof(link) - 1);
        link[n > 0 ? n : 0] = '\0';
        found = is_listening(l, link);
    }
    closedir(fds);
    return found;
}

static bool tree_listens(pid_t guard)
{
    struct listening l = { .cnt = 0 };
    bool found = false;
    add_listening(&l, "/proc/self/net/tcp");
    add_listening(&l, "/proc/self/net/tcp6");
    DIR *proc = l.cnt > 0 ? opendir("/proc") : NULL;
    if (!proc)
        return false;
    for (struct dirent *e = readdir(proc); e && !found; e = readdir(proc)) {
        long pid = strtol(e->d_name, NULL, 10);
        found = pid > 0 && orphans_is_of((pid_t)pid, guard) &&
                process_listens(&l, pid);
    }
    closedir(proc);
    return found;
}

/* --- the process between -------------------------------------------------- */

/* Nothing of the board's stays open: its flash is locked by a descriptor. */
static void files_settle(const struct emu_server *s)
{
    int in = open("/dev/null", O_RDONLY);
    int out = open(s->log_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    closefrom(STDERR_FILENO + 1);
}

/* As a shell has it: 128 and more, a signal. */
static int as_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* A command that went well and left processes has started a daemon: that is
 * the server then, as long as there is one of them. *status: of the command,
 * then of who ended last. */
static bool is_over(pid_t command, bool *done, int *status)
{
    int how;
    pid_t pid;
    while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
        if (pid == command || *done)
            *status = how;
        *done = *done || pid == command;
        if (pid == command && how != 0)
            return true;
    }
    return pid < 0;
}

/* Ends with the status of the server, or when it is told to. */
static void guard_run(const struct emu_server *s, pid_t parent)
{
    sigset_t set, none;
    bool done = false;
    int status = 0;
    setpgid(0, 0);
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_SETMASK, &set, NULL);
    orphans_adopt();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    files_settle(s);
    pid_t pid = fork();
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, &none, NULL);
        execl("/bin/sh", "sh", "-c", s->command, (char *)NULL);
        _exit(127);
    }
    int sig = pid < 0 ? SIGTERM : SIGCHLD;
    while (sig == SIGCHLD && !is_over(pid, &done, &status))
        sig = sigwaitinfo(&set, NULL);
    orphans_kill();
    _exit(as_status(status));
}

/* --- the whole ------------------------------------------------------------ */

/* True: it is gone, with *status. */
static bool has_ended(struct emu_server *s, int *status)
{
    if (waitpid(s->guard, status, WNOHANG) != s->guard)
        return false;
    s->guard = 0;
    *status = as_status(*status);
    return true;
}

static esp_err_t wait_for_it(struct emu_server *s, struct diag *d)
{
    const struct timespec nap = { .tv_nsec = POLL_MS * 1000000L };
    uint64_t until = linux_mono_ms() + READY_MS;
    int status = 0, sig = 0;
    while (!tree_listens(s->guard)) {
        if (has_ended(s, &status))
            return diag_fail(d, DIAG_STAGE_BOOT, ESP_ERR_NOT_FOUND,
                             "the server ended with status %d before it "
                             "listened; what it said is in %s",
                             status, s->log_path);
        if ((sig != 0 && sig != SIGCHLD) ||
            (s->deadline_ms && linux_mono_ms() >= s->deadline_ms))
            return ESP_ERR_NOT_FINISHED;
        if (linux_mono_ms() >= until)
            return diag_fail(d, DIAG_STAGE_BOOT, ESP_ERR_TIMEOUT,
                             "the server listens on no TCP port after %u "
                             "seconds; what it said is in %s",
                             READY_MS / 1000, s->log_path);
        sig = board_signals_wait(&nap, NULL);
    }
    return ESP_OK;
}

void emu_server_look(struct emu_server *s)
{
    int status = 0;
    if (s->guard > 0 && has_ended(s, &status))
        term_note("board: the server ended with status %d; what it said is in "
                  "%s\n",
                  status, s->log_path);
}

esp_err_t emu_server_start(struct emu_server *s, struct diag *d)
{
    pid_t parent = getpid();
    fflush(NULL);
    s->guard = fork();
    if (s->guard == 0)
        guard_run(s, parent);
    if (s->guard < 0)
        return diag_fail(d, DIAG_STAGE_BOOT, ESP_FAIL,
                         "cannot start the server: %s", strerror(errno));
    setpgid(s->guard, s->guard); /* whoever of both comes first */
    esp_err_t err = wait_for_it(s, d);
    if (err)
        emu_server_stop(s);
    return err;
}

void emu_server_stop(struct emu_server *s)
{
    if (s->guard <= 0)
        return;
    kill(s->guard, SIGTERM);
    waitpid(s->guard, NULL, 0);
    s->guard = 0;
}
