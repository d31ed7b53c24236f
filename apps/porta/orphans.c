/* A process that an application forked holds the flash and its lock as well;
 * when the application ends it is adopted by the board, which is a "subreaper",
 * and killed. It may have left the application's process group and session,
 * but not this. */
#include "orphans.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEPTH_MAX 1000

void orphans_adopt(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* 0: it is gone, or nothing can be read. proc(5): the parent is the second
 * field after the name, which is in parentheses and may hold some. */
static pid_t parent_of(const char *pid)
{
    char path[64], text[512];
    snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *end = strrchr(text, ')');
    return end && strlen(end) > 4 ? (pid_t)strtol(end + 4, NULL, 10) : 0;
}

bool orphans_is_of(pid_t pid, pid_t ancestor)
{
    /* Of processes that end meanwhile a number may come again: no end is not
     * an answer. */
    for (int i = 0; i < DEPTH_MAX && pid > 1 && pid != ancestor; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%ld", (long)pid);
        pid = parent_of(name);
    }
    return pid == ancestor;
}

static void kill_children(void)
{
    DIR *proc = opendir("/proc");
    if (!proc)
        return;
    for (struct dirent *e = readdir(proc); e; e = readdir(proc)) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        if (pid > 0 && parent_of(e->d_name) == getpid())
            kill(pid, SIGKILL);
    }
    closedir(proc);
}

/* Each death may bring its own children. */
void orphans_kill(void)
{
    int status;
    for (;;) {
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid < 0)
            return;
        if (pid > 0)
            continue;
        kill_children();
        if (waitpid(-1, &status, 0) < 0)
            return;
    }
}
