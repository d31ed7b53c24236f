/* board_signals.h - the signals that a running board listens to: its child
 * ends, or somebody wants the board to end. */
#ifndef BOARD_SIGNALS_H
#define BOARD_SIGNALS_H

#include <signal.h>
#include <time.h>

/* They are kept for board_signals_wait(); *old is what to restore with
 * sigprocmask(). */
void board_signals_block(sigset_t *old);

/* The next of them, 0 after span. */
int board_signals_wait(const struct timespec *span);

#endif
