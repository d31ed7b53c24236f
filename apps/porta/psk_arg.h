/* psk_arg.h - the argument of --psk: identity:key, or @FILE. */
#ifndef PSK_ARG_H
#define PSK_ARG_H

#include "cli.h"

/* Shorter keys can be guessed from a recorded handshake. */
#define PSK_MIN_LEN 16u
#define PSK_MAX_LEN 64u

struct psk_arg {
    struct cli_bytes text; /* holds what the others point to */
    struct span identity;  /* ends in NUL, which does not count */
    struct span key;
};

MUST_CHECK esp_err_t psk_arg_read(const char *arg, struct psk_arg *out,
                                  struct diag *d);
void psk_arg_free(struct psk_arg *p); /* wipes; idempotent */

#endif
