/* tls/tls_mbedtls.h - what the files of the Mbed TLS back end share. Private
 * to src/tls. */
#ifndef TLS_TLS_MBEDTLS_H
#define TLS_TLS_MBEDTLS_H

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "tls/tls.h"

/* A record's header and its body come with one call of the port when they
 * arrived together; what is larger goes straight to the library's buffer. */
#define TLS_BIO_LEN 4096u

struct tls_bio {
    const struct port_net *net;
    struct port_conn *conn;
    uint64_t deadline_ms;
    esp_err_t err; /* of the last call: ESP_OK, ESP_ERR_TIMEOUT, ESP_FAIL */
    bool eof;
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
    uint32_t flags;
    bool self_signed;
    bool clock_set;
    char subject[112];
    char issuer[112];
    char names[128]; /* host names that the certificate is for */
    char date[24];   /* its end when expired, its begin when not yet valid */
};

struct tls_verify {
    const struct port_clock *clock;
    /* What an attached bundle asked for; runs first. NULL: nothing. */
    int (*next)(void *, mbedtls_x509_crt *, int, uint32_t *);
    void *next_ctx;
    struct tls_seen seen;
};

/* The callback of mbedtls_ssl_conf_verify(), ctx a struct tls_verify. */
int tls_verify_cert(void *ctx, mbedtls_x509_crt *crt, int depth,
                    uint32_t *flags);

struct tls_session {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config conf;
    mbedtls_x509_crt ca, own;
    mbedtls_pk_context key;
    const char **alpn; /* our copy of the list, not of its strings */
    struct tls_verify verify;
    struct tls_fault fault;
    bool broken; /* the library's state is no longer usable */
    bool closed_clean;
    struct tls_bio bio;
};

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

/* Writes the sentence for a handshake that ended with the library's ret, and
 * returns the code for it. */
MUST_CHECK esp_err_t tls_explain(struct tls_session *s, int ret,
                                 const char *host, struct diag *d);
/* "handshake failure"; "unknown" for numbers without a name. */
const char *tls_alert_name(int alert);

#endif
