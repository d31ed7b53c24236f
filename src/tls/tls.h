/* tls/tls.h - one TLS client session over a port_net connection.
 *
 * The back end is the file that is built (tls_mbedtls.c). tls_init() owns the
 * library's process-wide hooks: memory (port_heap) and random numbers
 * (port_rng); it is called once, before the first session.
 * Trust fails closed: without ca, bundle or psk and without skip_verify no
 * session opens. The host name is checked unless skip_name_check. Dates are
 * checked when the clock is set. */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/span.h"
#include "port/clock.h"
#include "port/heap.h"
#include "port/net.h"
#include "port/rng.h"

struct tls_env {
    const struct port_heap *heap;
    const struct port_rng *rng;
    const struct port_clock *clock;
};

enum tls_version { TLS_VERSION_ANY = 0, TLS_VERSION_1_2, TLS_VERSION_1_3 };

/* All spans are borrowed until tls_open() returned. */
struct tls_conf {
    struct span ca;          /* PEM (several allowed, with or without its
                                 NUL) or DER */
    struct span client_cert; /* PEM or DER; needs client_key */
    struct span client_key;
    struct span client_key_password;
    struct span psk, psk_identity;
    const char *name;     /* checked and sent as SNI; NULL: the host */
    bool skip_name_check; /* neither checked nor sent */
    bool skip_verify;     /* insecure, for tests */
    enum tls_version min, max;
    const char *const *alpn; /* NULL-terminated list, or NULL */
    /* Attaches further trust to the library's configuration object, as
     * crt_bundle_attach does; NULL: none. */
    esp_err_t (*attach)(void *library_conf);
};

/* What the library said, for reports. */
struct tls_fault {
    int code;       /* the library's number, 0 if none */
    uint32_t flags; /* verification flags of the chain */
    int alert;      /* alert received, 0 if none */
};

struct tls_session; /* lives in env->heap */

/* May be called again with the same ports, and is undone as often.
 * ESP_ERR_INVALID_STATE: other ports are in use. */
MUST_CHECK esp_err_t tls_init(const struct tls_env *env);
void tls_deinit(void);

/* Is there anything to verify a server by? ESP_ERR_MBEDTLS_SSL_SETUP_FAILED:
 * no. tls_open() asks, too; callers ask before they connect. */
MUST_CHECK esp_err_t tls_conf_check(const struct tls_conf *conf,
                                    struct diag *d);

/* Where the handshake goes. */
struct tls_dial {
    const struct port_net *net;
    struct port_conn *conn; /* stays the caller's; outlives the session */
    const char *host;
    uint64_t deadline_ms;
    struct tls_fault fault; /* out: of a handshake that failed */
};

/* Shakes hands. On failure *out is NULL and d holds a sentence that names the
 * cause: unknown issuer and its name, wrong host name with the names offered,
 * expired with the date, alert. */
MUST_CHECK esp_err_t tls_open(struct tls_session **out, struct tls_dial *dial,
                              const struct tls_conf *conf, struct diag *d);

/* As port_net.send/recv: at least one byte, ESP_ERR_TIMEOUT, ESP_FAIL; a send
 * that timed out may only be repeated with the same bytes. *done_len 0: the
 * peer closed. */
MUST_CHECK esp_err_t tls_send(struct tls_session *s, const void *src,
                              size_t len, uint64_t deadline_ms,
                              size_t *done_len);
MUST_CHECK esp_err_t tls_recv(struct tls_session *s, void *dst, size_t len,
                              uint64_t deadline_ms, size_t *done_len);
/* The peer closed with TLS's close_notify, not with a bare TCP close. */
bool tls_closed_clean(const struct tls_session *s);
void tls_last_fault(const struct tls_session *s, struct tls_fault *out);
/* "TLSv1.3" and the suite's name, for reports. */
const char *tls_version_name(const struct tls_session *s);
const char *tls_suite_name(const struct tls_session *s);
/* Sends close_notify if that does not wait, frees all. NULL is a no-op. */
void tls_close(struct tls_session *s);

#endif
