/* floor.c - the least an update over TLS can cost: connect, read, hash once,
 * write.
 *
 *     floor HOST PORT PATH CAFILE OUT LEN
 *
 * The same Mbed TLS, the same SHA-256 (by the processor's instructions where
 * porta takes them) and the same kind of file (mapped, existing, on the
 * caller's file system) as porta uses, and nothing else: no
 * redirects, no image format, no NOR rules, no read-back. What porta needs
 * beyond this is the price of being safe. Prints one JSON object. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "crypto/sha256.h"
#include "mbedtls/ssl.h"
#include "mbedtls/ssl_ciphersuites.h"
#include "mbedtls/x509_crt.h"
#include "psa/crypto.h"

static void die(const char *what, int code)
{
    fprintf(stderr, "floor: %s failed (%d)\n", what, code);
    exit(1);
}

/* Mbed TLS is built for a port that brings its own random numbers. */
psa_status_t mbedtls_psa_external_get_random(
    mbedtls_psa_external_random_context_t *ctx, uint8_t *out, size_t len,
    size_t *out_len)
{
    (void)ctx;
    *out_len = len;
    return getrandom(out, len, 0) == (ssize_t)len
               ? PSA_SUCCESS
               : PSA_ERROR_INSUFFICIENT_ENTROPY;
}

static int rng(void *ctx, unsigned char *out, size_t len)
{
    (void)ctx;
    return getrandom(out, len, 0) == (ssize_t)len ? 0 : -1;
}

static int sock_send(void *ctx, const unsigned char *buf, size_t len)
{
    return (int)send(*(int *)ctx, buf, len, MSG_NOSIGNAL);
}

static int sock_recv(void *ctx, unsigned char *buf, size_t len)
{
    return (int)recv(*(int *)ctx, buf, len, 0);
}

static int tcp_connect(const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    int fd = -1;
    int one = 1;

    if (getaddrinfo(host, port, &hints, &list) != 0)
        die("getaddrinfo", 0);
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        die("connect", errno);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void load_ca(mbedtls_x509_crt *ca, const char *path)
{
    static unsigned char pem[65536];
    FILE *f = fopen(path, "rb");

    if (!f)
        die("open CA", errno);
    size_t len = fread(pem, 1, sizeof pem - 1, f);
    fclose(f);
    pem[len] = 0;
    int rc = mbedtls_x509_crt_parse(ca, pem, len + 1);
    if (rc)
        die("parse CA", rc);
}

static size_t ssl_read_some(mbedtls_ssl_context *ssl, unsigned char *buf,
                            size_t cap)
{
    int n;

    do {
        n = mbedtls_ssl_read(ssl, buf, cap);
    } while (n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);
    if (n <= 0)
        die("read", n);
    return (size_t)n;
}

/* Reads the answer's head, returns the offset of the body in buf. */
static size_t read_head(mbedtls_ssl_context *ssl, unsigned char *buf,
                        size_t cap, size_t *fill)
{
    *fill = 0;
    while (*fill < cap - 1) {
        *fill += ssl_read_some(ssl, buf + *fill, cap - 1 - *fill);
        buf[*fill] = 0;
        char *end = strstr((char *)buf, "\r\n\r\n");
        if (end)
            return (size_t)(end + 4 - (char *)buf);
    }
    die("head too long", 0);
    return 0;
}

struct floor {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config conf;
    mbedtls_x509_crt ca;
    int fd;
    double tcp_s, tls_s; /* what connecting took */
};

/* What porta offers first, so that both sides pay for the same cipher. */
static const int suites[] = {
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    0,
};

/* With a name that valgrind finds, so that its instructions can be counted. */
void floor_connect(struct floor *f, char **argv);

void floor_connect(struct floor *f, char **argv)
{
    int rc;

    mbedtls_ssl_init(&f->ssl);
    mbedtls_ssl_config_init(&f->conf);
    mbedtls_x509_crt_init(&f->ca);
    if (psa_crypto_init() != PSA_SUCCESS)
        die("psa_crypto_init", 0);
    load_ca(&f->ca, argv[4]);
    rc = mbedtls_ssl_config_defaults(&f->conf, MBEDTLS_SSL_IS_CLIENT,
                                     MBEDTLS_SSL_TRANSPORT_STREAM,
                                     MBEDTLS_SSL_PRESET_DEFAULT);
    if (rc)
        die("config", rc);
    mbedtls_ssl_conf_authmode(&f->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(&f->conf, &f->ca, NULL);
    mbedtls_ssl_conf_rng(&f->conf, rng, NULL);
    mbedtls_ssl_conf_ciphersuites(&f->conf, suites);
    if ((rc = mbedtls_ssl_setup(&f->ssl, &f->conf)) != 0 ||
        (rc = mbedtls_ssl_set_hostname(&f->ssl, argv[1])) != 0)
        die("setup", rc);
    double t0 = now_s();
    f->fd = tcp_connect(argv[1], argv[2]);
    f->tcp_s = now_s() - t0;
    mbedtls_ssl_set_bio(&f->ssl, &f->fd, sock_send, sock_recv, NULL);
    t0 = now_s();
    if ((rc = mbedtls_ssl_handshake(&f->ssl)) != 0)
        die("handshake", rc);
    f->tls_s = now_s() - t0;
}

/* Asks for the file and moves its len bytes to dst, hashing each once. */
static void download(struct floor *f, char **argv, unsigned char *dst,
                     size_t len, unsigned char digest[32])
{
    static unsigned char buf[16384];
    struct sha256 sha;
    size_t fill, off, done = 0;

    int n = snprintf((char *)buf, sizeof buf,
                     "GET %s HTTP/1.1\r\nHost: %s:%s\r\n\r\n", argv[3], argv[1],
                     argv[2]);
    if (mbedtls_ssl_write(&f->ssl, buf, (size_t)n) != n)
        die("write", n);
    sha256_init(&sha);
    off = read_head(&f->ssl, buf, sizeof buf, &fill);
    for (;;) {
        size_t have = fill - off < len - done ? fill - off : len - done;
        sha256_update(&sha, buf + off, have);
        memcpy(dst + done, buf + off, have);
        done += have;
        if (done == len)
            break;
        fill = ssl_read_some(&f->ssl, buf, sizeof buf);
        off = 0;
    }
    sha256_final(&sha, digest);
}

static unsigned char *map_file(const char *path, size_t len)
{
    int fd = open(path, O_RDWR);

    if (fd < 0)
        die("open OUT", errno);
    void *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        die("mmap", errno);
    close(fd);
    return map;
}

int main(int argc, char **argv)
{
    static struct floor f;
    unsigned char digest[32];

    if (argc != 7) {
        fprintf(stderr, "usage: floor HOST PORT PATH CAFILE OUT LEN\n");
        return 2;
    }
    size_t len = strtoul(argv[6], NULL, 0);
    unsigned char *map = map_file(argv[5], len);
    floor_connect(&f, argv);
    double t1 = now_s();
    download(&f, argv, map, len, digest);
    double t2 = now_s();

    printf("{\"connect_s\": %.6f, \"handshake_s\": %.6f, "
           "\"download_s\": %.6f, \"sha256\": \"",
           f.tcp_s, f.tls_s, t2 - t1);
    for (size_t i = 0; i < sizeof digest; i++)
        printf("%02x", digest[i]);
    printf("\", \"version\": \"%s\", \"suite\": \"%s\"}\n",
           mbedtls_ssl_get_version(&f.ssl),
           mbedtls_ssl_get_ciphersuite(&f.ssl));
    mbedtls_ssl_close_notify(&f.ssl);
    mbedtls_ssl_free(&f.ssl);
    mbedtls_ssl_config_free(&f.conf);
    mbedtls_x509_crt_free(&f.ca);
    munmap(map, len);
    close(f.fd);
    return 0;
}
