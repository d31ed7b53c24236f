/* board_signals.h - the signals that a running board listens to: its child
 * ends, somebody wants the board to end, or a diagnostic input to change. */
#ifndef BOARD_SIGNALS_H
#define BOARD_SIGNALS_H

#include <signal.h>
#include <stdatomic.h>
#include <time.h>

/* They are kept for board_signals_wait(); *old is what to restore with
 * sigprocmask(). */
void board_signals_block(sigset_t *old);

/* The next of them, 0 after span. SIGUSR1 makes *level 1 and SIGUSR2 makes it
 * 0, which returns 0 as well, maybe early; level NULL: they change nothing. */
int board_signals_wait(const struct timespec *span, atomic_uint *level);

#endif
