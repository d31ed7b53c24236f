#include "board_signals.h"

static void ours(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1);
    sigaddset(set, SIGUSR2);
}

void board_signals_block(sigset_t *old)
{
    sigset_t set;

    ours(&set);
    sigprocmask(SIG_BLOCK, &set, old);
    /* A parent that ignores it would make every child unseen. */
    signal(SIGCHLD, SIG_DFL);
}

int board_signals_wait(const struct timespec *span, atomic_uint *level)
{
    sigset_t set;
    int sig;

    ours(&set);
    sig = sigtimedwait(&set, NULL, span);
    if (sig != SIGUSR1 && sig != SIGUSR2)
        return sig > 0 ? sig : 0;
    if (level)
        atomic_store(level, sig == SIGUSR1);
    return 0;
}
