/* tls/tls.h - one TLS session over a port_net connection.
 *
 * The back end is the file that is built (tls_mbedtls.c). tls_init() owns the
 * library's process-wide hooks: memory (port_heap) and random numbers
 * (port_rng); it is called once, before the first session.
 * Trust fails closed: without ca, store, bundle, attach or psk and without
 * skip_verify no session opens. The host name is checked unless
 * skip_name_check. Dates are judged by the rule in `dates`, see tls/date.h. */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/policy.h"
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

struct tls_store;  /* tls/store.h */
struct tls_ticket; /* a session to go on with; lives in env->heap */

/* The latest time that is known to have passed, kept by the caller from one
 * session to the next: a clock that shows less is not believed. It is raised
 * to the clock's time when a server was verified by it. */
struct tls_floor {
    int64_t s; /* since 1970; 0: none is known */
    /* Asked to keep s when it has grown by a day or more. NULL: nobody. */
    void (*keep)(void *ctx, int64_t s);
    void *ctx;
};

/* All spans and strings are borrowed until the handshake is over. */
struct tls_conf {
    struct span ca;                /* PEM (several allowed, with or without its
                                       NUL) or DER */
    struct span bundle;            /* compact, see tls/bundle.h */
    const struct tls_store *store; /* parsed already */
    struct span client_cert;       /* PEM or DER; needs client_key */
    struct span client_key;
    struct span client_key_password;
    struct span psk, psk_identity;
    const char *name;     /* checked and sent as SNI; NULL: the host */
    bool skip_name_check; /* neither checked nor sent */
    bool skip_verify;     /* insecure, for tests */
    uint16_t record_len;  /* longest that is received; 0: tls_record_room() */
    enum tls_version min, max;
    const char *const *alpn; /* NULL-terminated list, or NULL */
    /* Attaches further trust to the library's configuration object, as
     * crt_bundle_attach does; NULL: none. */
    esp_err_t (*attach)(void *library_conf);
    enum pol_cert_dates dates;
    struct tls_floor *floor; /* NULL: only build_s */
    int64_t build_s;         /* a clock that shows less is not believed; 0: when
                                this library was built */
    const int *suites;       /* IANA numbers, 0 at the end; NULL: ours */
    bool keep_ticket;        /* for tls_take_ticket() */
    bool keep_cert; /* of the server, after the handshake: for those who ask
                       the library for it. Else its memory is free then */
};

/* What the library said, for reports. */
struct tls_fault {
    int code;       /* the library's number, 0 if none */
    uint32_t flags; /* verification flags of the chain */
    int alert;      /* alert received, 0 if none */
    uint16_t room;  /* of a record, when conf said less; 0: it did not */
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
/* What the policy says about conf: the rule for dates; how long records may
 * be; a key without the
 * option for it does not count; who has nothing to verify by is still let
 * through by skip_cert_verify, with a warning that no log level silences. */
void tls_conf_obey(struct tls_conf *conf, const struct policy *policy,
                   const char *host);

/* Where the handshake goes. */
struct tls_dial {
    const struct port_net *net;
    struct port_conn *conn; /* stays the caller's; outlives the session */
    const char *host;
    uint64_t deadline_ms;
    const struct tls_ticket *ticket; /* offered when it still fits; NULL */
    struct tls_fault fault;          /* out: of a handshake that failed */
};

/* Shakes hands. On failure *out is NULL and d holds a sentence that names the
 * cause: unknown issuer and its name, wrong host name with the names offered,
 * expired with the date, alert. */
MUST_CHECK esp_err_t tls_open(struct tls_session **out, struct tls_dial *dial,
                              const struct tls_conf *conf, struct diag *d);

/* The same in steps: tls_begin() sends nothing; tls_shake() goes on until the
 * handshake is over or the deadline passed (ESP_ERR_TIMEOUT: call it again).
 * After another error there is only tls_close(). */
MUST_CHECK esp_err_t tls_begin(struct tls_session **out,
                               const struct tls_dial *dial,
                               const struct tls_conf *conf, struct diag *d);
MUST_CHECK esp_err_t tls_shake(struct tls_session *s, uint64_t deadline_ms,
                               struct diag *d);

/* Would tls_open() believe a server that shows this chain, its own certificate
 * first? The same decision without a connection, with the same errors and
 * sentences; of the dial only host and fault are used, whose flags are then
 * those of all certificates. */
MUST_CHECK esp_err_t tls_judge_chain(struct span chain, struct tls_dial *dial,
                                     const struct tls_conf *conf,
                                     struct diag *d);

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
/* Decrypted bytes that tls_recv() gives without waiting. */
size_t tls_pending(const struct tls_session *s);
/* The session went on with a ticket: nothing was verified anew. */
bool tls_resumed(const struct tls_session *s);
/* What the next session with this server can go on with, NULL: nothing was
 * given so far (TLS 1.3 gives it with the first bytes). The caller's, who
 * offers it only where the same is trusted. */
struct tls_ticket *tls_take_ticket(struct tls_session *s);
void tls_ticket_free(struct tls_ticket *t); /* wipes; NULL is a no-op */
/* The protocol that ALPN agreed on, or NULL. */
const char *tls_alpn(const struct tls_session *s);
/* The numbers that the library knows, 0 at the end. */
const int *tls_suites(void);
/* What tls_shake() ended in waits for room to send, not for bytes. */
bool tls_wants_write(const struct tls_session *s);
/* The library's own session object. */
void *tls_library_session(struct tls_session *s);
/* "handshake failure"; "unknown" for numbers without a name. */
const char *tls_alert_name(int alert);
/* The verification flags in words: "expired, unknown issuer". */
void tls_verify_text(uint32_t flags, char *out, size_t out_len);
/* What ended a session, as half a sentence: the alert that came, or what is
 * wrong with what came. */
void tls_fault_text(const struct tls_fault *fault, char *out, size_t out_len);
/* Longest record that can be received: 16384, or less in a small build, which
 * asks servers for shorter ones (max_fragment_length). */
size_t tls_record_room(void);
/* "TLSv1.3" and the suite's name, for reports. */
const char *tls_version_name(const struct tls_session *s);
const char *tls_suite_name(const struct tls_session *s);
/* Sends close_notify if that does not wait, frees all. NULL is a no-op. */
void tls_close(struct tls_session *s);

#endif
