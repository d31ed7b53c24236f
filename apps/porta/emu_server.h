/* emu_server.h - a server beside an emulated board, on its network.
 *
 * The command is one of the shell's; it may be a server, or start one as a
 * daemon and end with 0. A process of ours between it and the board
 * ends it, with all that it has started, when the board ends: SIGKILL of the
 * board included. What it says is kept in a file. */
#ifndef EMU_SERVER_H
#define EMU_SERVER_H

#include <sys/types.h>

#include "base/diag.h"

struct emu_server {
    const char *command; /* NULL: none */
    const char *log_path;
    uint64_t deadline_ms; /* of the board; 0: none */
    pid_t guard; /* leads the process group of the server; <= 0: none */
};

/* Returns once it listens on a TCP port. Signals are blocked
 * (board_signals.h). An error: it ended before it did, or did not within 10
 * seconds; ESP_ERR_NOT_FINISHED: the board is to end before that. Nothing of it
 * is left then. */
MUST_CHECK esp_err_t emu_server_start(struct emu_server *s, struct diag *d);
/* Says so, once, when it has ended meanwhile. */
void emu_server_look(struct emu_server *s);
void emu_server_stop(struct emu_server *s);

#endif
