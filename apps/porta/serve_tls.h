/* serve_tls.h - the development server's side of TLS: certificate, key that
 * both know, and who the clients are. By GnuTLS. */
#ifndef SERVE_TLS_H
#define SERVE_TLS_H

#include <stdbool.h>

#include <microhttpd.h>

#include "base/span.h"

struct serve_tls {
    const char *cert, *key; /* PEM; both NULL and no psk: plain HTTP */
    const char *client_ca;  /* PEM; NULL: clients need no certificate */
    struct span psk;        /* instead of a certificate; len 0: none */
    const char *psk_identity;
};

static inline bool serve_tls_on(const struct serve_tls *t)
{
    return t->cert || t->psk.len > 0;
}

#define SERVE_TLS_OPTIONS_CNT 6

/* What the daemon is to be started with; ends the list. */
void serve_tls_options(struct serve_tls *t,
                       struct MHD_OptionItem out[SERVE_TLS_OPTIONS_CNT]);
/* The client has shown a certificate that client_ca signed, or need not. */
bool serve_tls_client_ok(const struct serve_tls *t,
                         struct MHD_Connection *conn);

#endif
