/* tls/server.h - the other side: a session that a client asked for.
 *
 * Order: tls_accept(), tls_shake() until it is not ESP_ERR_TIMEOUT, then bytes
 * and tls_close() as on the client's side. */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include "tls/tls.h"

struct mbedtls_ssl_context; /* the library's own, for `select` */

struct tls_tickets; /* keys that make tickets; lives in env->heap */

/* Spans and strings are borrowed until the handshake is over. */
struct tls_server_conf {
    struct span cert, key, key_password; /* with its chain; PEM or DER */
    struct span client_ca;               /* a client certificate is required */
    bool client_optional;                /* ... or only asked for */
    struct span psk, psk_identity;
    const char *const *alpn; /* in the server's order */
    enum tls_version min, max;
    const int *suites;
    /* Asked after the client's first message, when the name it wants and the
     * protocol are known; may set another certificate. Not 0: refused. */
    int (*select)(struct mbedtls_ssl_context *library_session);
    void *select_ctx; /* the configuration's user data */
    const struct tls_tickets *tickets;
    enum pol_cert_dates dates;
};

/* ESP_ERR_MBEDTLS_SSL_SETUP_FAILED: neither certificate, select nor psk. */
MUST_CHECK esp_err_t tls_accept(struct tls_session **out,
                                const struct port_net *net,
                                struct port_conn *conn,
                                const struct tls_server_conf *conf,
                                struct diag *d);

/* Shared by sessions, which end before. NULL: out of memory. */
struct tls_tickets *tls_tickets_new(uint32_t lifetime_s);
void tls_tickets_free(struct tls_tickets *t); /* NULL is a no-op */

#endif
