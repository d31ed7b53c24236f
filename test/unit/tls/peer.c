#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <mbedtls/ecp.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/platform.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/rsa.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

#define RNG mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE

/* The library's structs have no const; it does not write through them here. */
static void *writable(const void *ptr)
{
    void *out = NULL;

    memcpy(&out, &ptr, sizeof(out));
    return out;
}

/* --- certificates --------------------------------------------------------- */

static void set_names(mbedtls_x509write_cert *crt, const struct peer_cert *c)
{
    mbedtls_x509_san_list list[8];
    size_t cnt = 0;

    memset(list, 0, sizeof(list));
    for (; c->dns && c->dns[cnt]; cnt++) {
        list[cnt].node.type = MBEDTLS_X509_SAN_DNS_NAME;
        list[cnt].node.san.unstructured_name.p = writable(c->dns[cnt]);
        list[cnt].node.san.unstructured_name.len = strlen(c->dns[cnt]);
    }
    if (c->ip4) {
        list[cnt].node.type = MBEDTLS_X509_SAN_IP_ADDRESS;
        list[cnt].node.san.unstructured_name.p = writable(c->ip4);
        list[cnt++].node.san.unstructured_name.len = 4;
    }
    for (size_t i = 0; i + 1 < cnt; i++)
        list[i].next = &list[i + 1];
    if (cnt > 0)
        assert_int_equal(
            mbedtls_x509write_crt_set_subject_alternative_name(crt, list), 0);
}

static void copy_key(mbedtls_pk_context *key, mbedtls_pk_context *from)
{
    unsigned char der[1200];
    int len = mbedtls_pk_write_key_der(from, der, sizeof(der));

    assert_true(len > 0);
    assert_int_equal(mbedtls_pk_parse_key(key, der + sizeof(der) - len,
                                          (size_t)len, NULL, 0, RNG),
                     0);
}

static void make_key(mbedtls_pk_context *key, const struct peer_cert *c)
{
    mbedtls_pk_init(key);
    if (c->key_of) {
        copy_key(key, &c->key_of->key);
        return;
    }
    if (c->rsa_bits) {
        assert_int_equal(
            mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)),
            0);
        assert_int_equal(mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), RNG,
                                             (unsigned)c->rsa_bits, 65537),
                         0);
        return;
    }
    assert_int_equal(
        mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)), 0);
    assert_int_equal(
        mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), RNG),
        0);
}

void peer_ident_make(struct peer_ident *out, const struct peer_cert *c)
{
    struct peer_ident *issuer = c->issuer ? c->issuer : out;
    unsigned char serial[4] = { 1, 2, 3, 4 };
    mbedtls_x509write_cert crt;

    make_key(&out->key, c);
    (void)snprintf(out->subject, sizeof(out->subject), "CN=%s", c->cn);
    mbedtls_x509write_crt_init(&crt);
    mbedtls_x509write_crt_set_version(&crt, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&crt, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&crt, &out->key);
    mbedtls_x509write_crt_set_issuer_key(&crt,
                                         c->forged ? &out->key : &issuer->key);
    assert_int_equal(mbedtls_x509write_crt_set_serial_raw(&crt, serial, 4), 0);
    assert_int_equal(mbedtls_x509write_crt_set_subject_name(&crt, out->subject),
                     0);
    assert_int_equal(
        mbedtls_x509write_crt_set_issuer_name(&crt, issuer->subject), 0);
    assert_int_equal(mbedtls_x509write_crt_set_validity(
                         &crt, c->from ? c->from : "20200101000000",
                         c->to ? c->to : "20991231235959"),
                     0);
    assert_int_equal(
        mbedtls_x509write_crt_set_basic_constraints(&crt, c->ca, -1), 0);
    set_names(&crt, c);
    assert_int_equal(mbedtls_x509write_crt_pem(&crt, (unsigned char *)out->pem,
                                               PEER_PEM_LEN, RNG),
                     0);
    mbedtls_x509write_crt_free(&crt);
}

void peer_ident_free(struct peer_ident *id)
{
    mbedtls_pk_free(&id->key);
}

/* --- the server ----------------------------------------------------------- */

static int sock_send(void *ctx, const unsigned char *src, size_t len)
{
    ssize_t done = send(*(int *)ctx, src, len, MSG_NOSIGNAL);

    return done < 0 ? MBEDTLS_ERR_NET_CONN_RESET : (int)done;
}

static int sock_recv(void *ctx, unsigned char *dst, size_t len)
{
    ssize_t done = recv(*(int *)ctx, dst, len, 0);

    return done < 0 ? MBEDTLS_ERR_NET_CONN_RESET : (int)done;
}

struct server {
    mbedtls_ssl_config conf;
    mbedtls_ssl_ticket_context tickets;
    mbedtls_x509_crt own, client_ca;
    mbedtls_pk_context key;
};

static void server_init(struct server *s, const struct peer_conf *c)
{
    mbedtls_ssl_config_init(&s->conf);
    mbedtls_ssl_ticket_init(&s->tickets);
    mbedtls_x509_crt_init(&s->own);
    mbedtls_x509_crt_init(&s->client_ca);
    mbedtls_ssl_config_defaults(&s->conf, MBEDTLS_SSL_IS_SERVER,
                                MBEDTLS_SSL_TRANSPORT_STREAM,
                                MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_rng(&s->conf, RNG);
    if (c->version == 2)
        mbedtls_ssl_conf_max_tls_version(&s->conf, MBEDTLS_SSL_VERSION_TLS1_2);
    if (c->version == 3)
        mbedtls_ssl_conf_min_tls_version(&s->conf, MBEDTLS_SSL_VERSION_TLS1_3);
    if (c->ident) {
        mbedtls_x509_crt_parse(&s->own, (const unsigned char *)c->ident->pem,
                               strlen(c->ident->pem) + 1);
        for (size_t i = 0; i < 3 && c->chain[i]; i++)
            mbedtls_x509_crt_parse(&s->own,
                                   (const unsigned char *)c->chain[i]->pem,
                                   strlen(c->chain[i]->pem) + 1);
        /* A copy: what the parent allocated must not be freed here, as the
         * blinding of an RSA key would be. */
        mbedtls_pk_init(&s->key);
        copy_key(&s->key, writable(&c->ident->key));
        mbedtls_ssl_conf_own_cert(&s->conf, &s->own, &s->key);
    }
    if (c->client_ca) {
        mbedtls_x509_crt_parse(&s->client_ca,
                               (const unsigned char *)c->client_ca->pem,
                               strlen(c->client_ca->pem) + 1);
        mbedtls_ssl_conf_ca_chain(&s->conf, &s->client_ca, NULL);
        mbedtls_ssl_conf_authmode(&s->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
    }
    if (c->alpn)
        mbedtls_ssl_conf_alpn_protocols(&s->conf, writable(&c->alpn[0]));
    if (c->psk)
        mbedtls_ssl_conf_psk(
            &s->conf, (const unsigned char *)c->psk, strlen(c->psk),
            (const unsigned char *)c->psk_identity, strlen(c->psk_identity));
    if (c->tickets) {
        mbedtls_ssl_ticket_setup(&s->tickets, RNG, MBEDTLS_CIPHER_AES_256_GCM,
                                 86400);
        mbedtls_ssl_conf_session_tickets_cb(&s->conf, mbedtls_ssl_ticket_write,
                                            mbedtls_ssl_ticket_parse,
                                            &s->tickets);
        mbedtls_ssl_conf_new_session_tickets(&s->conf, 3);
    }
}

static void wait_for_close(int sock)
{
    char sink[64];

    while (recv(sock, sink, sizeof(sink), 0) > 0)
        ;
}

static void answer(mbedtls_ssl_context *ssl, enum peer_kind kind)
{
    unsigned char ping[4];

    if (mbedtls_ssl_read(ssl, ping, sizeof(ping)) != sizeof(ping))
        return;
    if (kind == PEER_TLS_ALERT) {
        mbedtls_ssl_send_alert_message(ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                       MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR);
        return;
    }
    mbedtls_ssl_write(ssl, (const unsigned char *)"pong", 4);
    if (kind == PEER_TLS)
        mbedtls_ssl_close_notify(ssl);
}

static void answer_http(mbedtls_ssl_context *ssl, enum peer_kind kind)
{
    static const char whole[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npong";
    static const char half[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\npong";
    const char *text = kind == PEER_HTTP ? whole : half;
    char request[2048] = "";
    size_t len = 0;

    while (!strstr(request, "\r\n\r\n")) {
        int got = mbedtls_ssl_read(ssl, (unsigned char *)request + len,
                                   sizeof(request) - 1 - len);
        if (got <= 0)
            return;
        len += (size_t)got;
    }
    mbedtls_ssl_write(ssl, (const unsigned char *)text, strlen(text));
    if (kind == PEER_HTTP)
        mbedtls_ssl_close_notify(ssl);
    else
        mbedtls_ssl_send_alert_message(ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                       MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR);
}

static void serve_tls(struct server *s, const struct peer_conf *c, int sock)
{
    mbedtls_ssl_context ssl;

    mbedtls_ssl_init(&ssl);
    mbedtls_ssl_setup(&ssl, &s->conf);
    mbedtls_ssl_set_bio(&ssl, &sock, sock_send, sock_recv, NULL);
    if (mbedtls_ssl_handshake(&ssl) == 0 && c->kind != PEER_TLS_SILENT) {
        if (c->kind == PEER_HTTP || c->kind == PEER_HTTP_ALERT)
            answer_http(&ssl, c->kind);
        else
            answer(&ssl, c->kind);
    }
    mbedtls_ssl_free(&ssl);
    /* Closing with bytes unread would be a reset, and overtake the alert. */
    if (c->kind != PEER_TLS_SILENT)
        shutdown(sock, SHUT_WR);
    wait_for_close(sock);
}

/* What is not read is read over, so that no reset overtakes what was sent. */
static void serve_raw(const struct peer_conf *c, int sock)
{
    char hello[2048];

    if (c->kind == PEER_SILENT) {
        wait_for_close(sock);
    } else if (c->kind == PEER_RAW && recv(sock, hello, sizeof(hello), 0) > 0) {
        (void)send(sock, c->raw, c->raw_len, MSG_NOSIGNAL);
        shutdown(sock, SHUT_WR);
        wait_for_close(sock);
    }
}

static _Noreturn void run(const struct peer_conf *c, int listener)
{
    struct server s;
    int sock;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    server_init(&s, c);
    while ((sock = accept(listener, NULL, NULL)) >= 0) {
        if (c->kind <= PEER_TLS_SILENT)
            serve_tls(&s, c, sock);
        else
            serve_raw(c, sock);
        close(sock);
    }
    _exit(0);
}

void peer_start(struct peer *p, const struct peer_conf *conf)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    socklen_t len = sizeof(addr);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(listen(listener, 16), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
    p->port = ntohs(addr.sin_port);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0) {
        /* The child's memory is its own: nothing here counts as a leak. */
        mbedtls_platform_set_calloc_free(calloc, free);
        run(conf, listener);
    }
    close(listener);
}

void peer_stop(struct peer *p)
{
    if (p->pid <= 0)
        return;
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    p->pid = 0;
}
