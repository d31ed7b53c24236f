#include "board_signals.h"

static void ours(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

void board_signals_block(sigset_t *old)
{
    sigset_t set;

    ours(&set);
    sigprocmask(SIG_BLOCK, &set, old);
    /* A parent that ignores it would make every child unseen. */
    signal(SIGCHLD, SIG_DFL);
}

int board_signals_wait(const struct timespec *span)
{
    sigset_t set;
    int sig;

    ours(&set);
    sig = sigtimedwait(&set, NULL, span);
    return sig > 0 ? sig : 0;
}
