/* serve_cert.h - a certificate authority and a server certificate for
 * development, made once and kept in a folder:
 *
 *     ca.pem      give this to clients (--cacert, cert_pem)
 *     ca.key      only the owner can read it, as server.key
 *     server.pem, server.key
 *
 * What is there and still good is used again; so a client that trusts ca.pem
 * goes on working when the server's names change. */
#ifndef SERVE_CERT_H
#define SERVE_CERT_H

#include "base/diag.h"
#include "cli.h"

#define SERVE_CERT_NAMES_MAX 32

/* Names and literal addresses that the certificate must be good for. */
struct serve_names {
    size_t cnt;
    char name[SERVE_CERT_NAMES_MAX][256];
};

/* localhost, 127.0.0.1, ::1, this host's name, and every name given. */
void serve_names_default(struct serve_names *n);
void serve_names_add(struct serve_names *n, const char *name);

struct serve_cert {
    struct cli_bytes cert, key; /* PEM */
    char ca_path[4096];
    bool made; /* something had to be made */
};

/* Loads or makes. Free with serve_cert_free(). */
MUST_CHECK esp_err_t serve_cert_ready(const char *folder,
                                      const struct serve_names *names,
                                      struct serve_cert *out, struct diag *d);
void serve_cert_free(struct serve_cert *c); /* idempotent */

#endif
