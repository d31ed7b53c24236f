/* emu_net.h - which network an emulated board is on.
 *
 * The emulator's user network makes the board's connections from this process,
 * so the board reaches what this process does. In a network namespace of its
 * own that is a loopback interface and nothing else: the server beside the
 * board, and no other machine. A namespace needs no name and no clean-up; it
 * ends with the last process in it, however that ends. */
#ifndef EMU_NET_H
#define EMU_NET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/diag.h"

enum emu_net_kind {
    EMU_NET_KIND_AUTO, /* its own where this is allowed */
    EMU_NET_KIND_OWN,
    EMU_NET_KIND_USER,
    EMU_NET_KIND_NONE /* no network card */
};

const char *emu_net_name(enum emu_net_kind kind);

struct emu_net {
    enum emu_net_kind kind; /* what it is, never AUTO */
    int why;                /* errno: USER, because its own is not possible */
    pid_t dns;
};

/* Moves this process, for good, to a namespace in which every name has the
 * board's host for its address. resolv_path: a file that it may make, which
 * takes the place of /etc/resolv.conf there. Fails when OWN is not possible;
 * AUTO is USER then, and fails only when what could be tried fails now. */
MUST_CHECK esp_err_t emu_net_enter(struct emu_net *net, enum emu_net_kind want,
                                   const char *resolv_path, struct diag *d);
void emu_net_leave(struct emu_net *net);

#define EMU_DNS_LEN 512u

/* The answer to a question for a name: the host's address, or that there is no
 * such name (in .invalid). Returns its length, 0: not worth an answer. */
size_t emu_dns_answer(const uint8_t *query, size_t len,
                      uint8_t out[EMU_DNS_LEN]);

#endif
