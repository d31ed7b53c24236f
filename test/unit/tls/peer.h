/* A TLS server in a process of its own, on a port that the system chose, and
 * certificates made for it. One connection at a time, until peer_stop(). */
#ifndef TEST_TLS_PEER_H
#define TEST_TLS_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <mbedtls/pk.h>

#define PEER_PEM_LEN 2048u

struct peer_ident {
    mbedtls_pk_context key;
    char subject[64];
    char pem[PEER_PEM_LEN];
};

/* Validity as "YYYYMMDDhhmmss". issuer NULL: self-signed. */
struct peer_cert {
    const char *cn;
    const char *const *dns; /* NULL-terminated, or NULL */
    const uint8_t *ip4;     /* 4 bytes, or NULL */
    const char *from, *to;  /* NULL: 2020 to 2099 */
    bool ca;
    int rsa_bits; /* 0: P-256 */
    /* The same subject and key as this one, whose certificate it stands
     * beside. */
    struct peer_ident *key_of;
    struct peer_ident *issuer;
    bool forged; /* names its issuer, but signed itself */
};
void peer_ident_make(struct peer_ident *out, const struct peer_cert *cert);
void peer_ident_free(struct peer_ident *id);

enum peer_kind {
    PEER_TLS,        /* answers "ping" with "pong" and says good-bye */
    PEER_TLS_BARE,   /* the same, but closes TCP without good-bye */
    PEER_TLS_ALERT,  /* answers with the alert 80, internal error */
    PEER_HTTP,       /* answers a request with "pong" and closes */
    PEER_HTTP_ALERT, /* promises more, and sends the alert 80 after "pong" */
    PEER_TLS_SILENT, /* shakes hands, then never answers */
    PEER_RAW,        /* sends .raw, then closes */
    PEER_SILENT,     /* accepts and says nothing */
    PEER_CLOSE       /* accepts and closes */
};

struct peer_conf {
    enum peer_kind kind;
    const struct peer_ident *ident;     /* NULL: PSK only */
    const struct peer_ident *chain[3];  /* sent after it */
    const struct peer_ident *client_ca; /* a client certificate is required */
    const char *psk, *psk_identity;
    int version; /* 0: any, 2: TLS 1.2, 3: TLS 1.3 */
    bool tickets;
    const char *const *alpn;
    const char *raw;
    size_t raw_len;
};

struct peer {
    pid_t pid;
    uint16_t port;
};

void peer_start(struct peer *p, const struct peer_conf *conf);
void peer_stop(struct peer *p);

#endif
