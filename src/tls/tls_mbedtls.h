/* tls/tls_mbedtls.h - what the files of the Mbed TLS back end share. Private
 * to src/tls. */
#ifndef TLS_TLS_MBEDTLS_H
#define TLS_TLS_MBEDTLS_H

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "crypto/sha256.h"
#include "tls/bundle.h"
#include "tls/date.h"
#include "tls/tls.h"

#define TLS_RSA_MIN_BITS 2048u
#define TLS_RECORD_MAX_LEN 16384u
#define TLS_NAME_LEN 256u

/* Only a library with room for every record can be told to have less. */
#define TLS_ROOM_VARIES (MBEDTLS_SSL_IN_CONTENT_LEN == TLS_RECORD_MAX_LEN)

/* The library's functions take what they only read without const. */
static inline void *tls_writable(const void *ptr)
{
    void *out = NULL;

    memcpy(&out, &ptr, sizeof(out));
    return out;
}

/* A key or certificate as the library wants it: PEM needs its terminator
 * inside the length, which text that came from a file does not have. */
struct tls_blob {
    const uint8_t *ptr;
    size_t len;
    uint8_t *copy; /* NULL: none was needed */
};

bool tls_is_pem(struct span s);
MUST_CHECK esp_err_t tls_blob_open(struct tls_blob *b, struct span s);
void tls_blob_close(struct tls_blob *b); /* wipes the copy */

/* A record's header and its body come with one call of the port when they
 * arrived together; what is larger goes straight to the library's buffer. */
#define TLS_BIO_LEN ((uint32_t)CFG_TLS_READ_AHEAD)

struct tls_bio {
    const struct port_net *net;
    struct port_conn *conn;
    uint64_t deadline_ms;
    esp_err_t err; /* of the last call: ESP_OK, ESP_ERR_TIMEOUT, ESP_FAIL */
    bool eof;
    uint16_t room; /* of a record, when there is less than the library's; 0 */
    uint8_t head[5], head_cnt; /* of the record that begins */
    uint32_t left;             /* of the one that passes */
    size_t pos, len;
    uint8_t buf[TLS_BIO_LEN];
};

void tls_bio_init(struct tls_bio *b, const struct port_net *net,
                  struct port_conn *conn);
/* The callbacks of mbedtls_ssl_set_bio(). */
int tls_bio_send(void *ctx, const unsigned char *src, size_t len);
int tls_bio_recv(void *ctx, unsigned char *dst, size_t len);

/* The first certificate that failed, as people should hear of it. */
struct tls_seen {
    int depth; /* 0: the peer's own */
    bool self_signed;
    char key[24];
    char subject[112];
    char issuer[112];
    char names[128]; /* host names that the certificate is for */
    char date[24];   /* its end when expired, its begin when not yet valid */
};

struct tls_verify {
    struct tls_now now;
    /* What an attached callback asked for; runs first. NULL: nothing. */
    int (*next)(void *, mbedtls_x509_crt *, int, uint32_t *);
    void *next_ctx;
    const struct tls_bundle *bundle; /* NULL: none */
    bool began, anchored; /* of the chain: a root was seen; it is trusted */
    int64_t until_s;      /* when the first certificate of the chain ends */
    uint32_t flags;       /* of the first certificate that failed; 0: none */
    bool no_clock;
    struct tls_seen *seen; /* its words; NULL: none, or no memory for them */
};
void tls_verify_forget(struct tls_verify *v);

/* The callback of mbedtls_ssl_conf_verify(), ctx a struct tls_verify. */
int tls_verify_cert(void *ctx, mbedtls_x509_crt *crt, int depth,
                    uint32_t *flags);
int64_t tls_time_seconds(const mbedtls_x509_time *t);
bool tls_key_is_weak(const mbedtls_pk_context *pk);

/* The bundle's key for the certificate's issuer signed it. */
bool tls_bundle_signed(const struct tls_bundle *b, const mbedtls_x509_crt *crt);
/* What tls_bundle_attach() put there, NULL: nothing. */
const struct tls_bundle *tls_bundle_attached(const mbedtls_ssl_config *conf);
/* A list of certificates that verifies nothing. */
mbedtls_x509_crt *tls_no_certs(void);

struct tls_store {
    mbedtls_x509_crt certs;
};

/* What a later session goes on with. It has the server's certificate no more:
 * that was verified, and until_s says for how long. */
struct tls_ticket {
    mbedtls_ssl_session saved;
    bool verified;
    int64_t until_s;
    uint8_t trust[SHA256_LEN]; /* what it was verified by */
    char name[]; /* the server's, as it was verified; "": it was not */
};

/* Offers the ticket if it fits; session_shake() tells whether it was taken. */
void tls_ticket_offer(struct tls_session *s, const struct tls_ticket *t);
/* Kilobytes that nobody asks for again. */
void tls_drop_certificate(mbedtls_ssl_session *session);
/* Keeps what the library has to offer, in the place of what was kept. */
void tls_ticket_keep(struct tls_session *s);

/* A certificate to show, and its key. */
struct tls_identity {
    mbedtls_x509_crt cert;
    mbedtls_pk_context key;
};

struct tls_session {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config conf;
    bool is_server;
    mbedtls_x509_crt ca;
    struct tls_identity *own; /* NULL: none */
    const char **alpn;        /* our copy of the list, not of its strings */
    struct tls_verify verify;
    struct tls_bundle bundle;
    struct tls_floor *floor;
    bool keep_ticket, keep_cert, skip_verify;
    bool by_address;           /* the peer's name is a literal address */
    uint8_t trust[SHA256_LEN]; /* a mark of what the peer is verified by */
    bool met_cert; /* the peer showed a certificate, or could have */
    bool offered;  /* a ticket */
    struct tls_ticket *ticket; /* for the next session */
    struct tls_fault fault;
    bool wants_write;
    bool broken; /* the library's state is no longer usable */
    bool closed_clean;
    struct tls_bio bio;
};

/* The longest record that this session receives. */
static inline size_t tls_room(const struct tls_session *s)
{
    return TLS_ROOM_VARIES && s->bio.room ? s->bio.room : tls_record_room();
}

/* Of the peer; "": not checked. */
static inline const char *tls_name(const struct tls_session *s)
{
    const char *name = s->ssl.MBEDTLS_PRIVATE(hostname);

    return name ? name : "";
}

/* The owner of the library's hooks. */
const struct tls_env *tls_lib_env(void);
/* How many allocations of the library were refused so far. */
unsigned tls_lib_refused_cnt(void);
/* ESP_ERR_NO_MEM if one was refused since the counter read `before`, else
 * err: the library's own codes for it are many. */
MUST_CHECK esp_err_t tls_lib_err(unsigned before, esp_err_t err);

/* Fills s->conf, with what conf gives parsed into s. */
MUST_CHECK esp_err_t tls_conf_load(struct tls_session *s,
                                   const struct tls_conf *conf, struct diag *d);
/* The parts that a client and a server have in common. */
struct tls_own {
    struct span cert, key, password;
    const char *whose; /* "client", "server" */
};
MUST_CHECK esp_err_t tls_load_own(struct tls_session *s,
                                  const struct tls_own *own, struct diag *d);
MUST_CHECK esp_err_t tls_load_certs(mbedtls_x509_crt *out, struct span text,
                                    const char *what, struct diag *d);
MUST_CHECK esp_err_t tls_load_psk(struct tls_session *s, struct span key,
                                  struct span identity, struct diag *d);
MUST_CHECK esp_err_t tls_load_alpn(struct tls_session *s,
                                   const char *const *names, struct diag *d);
void tls_load_versions(struct tls_session *s, enum tls_version min,
                       enum tls_version max);
/* Defaults of the library, random numbers and suites (NULL: ours). */
MUST_CHECK esp_err_t tls_load_base(struct tls_session *s, const int *suites,
                                   struct diag *d);

struct tls_session *tls_session_new(void);
MUST_CHECK esp_err_t tls_session_setup(struct tls_session *s, const char *name,
                                       struct diag *d);

/* tls_mbedtls_shed.c: what nothing reads any more goes, once the server has
 * chosen a version, and after the handshake. */
void tls_shed_choice(struct tls_session *s);
void tls_shed_handshake(struct tls_session *s);

/* Writes the sentence for a handshake that ended with the library's ret, and
 * returns the code for it. */
MUST_CHECK esp_err_t tls_explain(struct tls_session *s, int ret,
                                 struct diag *d);

#endif
