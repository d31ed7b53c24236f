/* Identities, ports and one session, for the tests of TLS. */
#ifndef TEST_TLS_FIXTURE_H
#define TEST_TLS_FIXTURE_H

#include "linux_net.h"
#include "peer.h"
#include "sim_clock.h"
#include "sim_heap.h"
#include "tls/bundle_build.h"
#include "tls/tls.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define HOST "device.test"
#define NOW 1767225600 /* 2026-01-01 */

/* Mbed TLS 3.6 itself loses the first of the two cipher contexts of a
 * TLS 1.3 transform when there is no memory for the second
 * (mbedtls_ssl_tls13_compute_*_transform frees the transform without
 * mbedtls_ssl_transform_free): two allocations of a handshake, 240 bytes.
 * Nothing else may leak. */
#define LIBRARY_LEAKS 2

enum ident {
    ID_NONE,
    ID_CA,
    ID_OTHER_CA,
    ID_GOOD,
    ID_OTHER,
    ID_SELF,
    ID_EXPIRED,
    ID_FUTURE,
    ID_IP,
    ID_CN_ONLY,
    ID_CLIENT,
    ID_MIDDLE,       /* a CA that ID_CA signed */
    ID_BELOW,        /* a server that ID_MIDDLE signed */
    ID_MIDDLE_CROSS, /* ID_MIDDLE's key, signed by ID_OTHER_CA, and ended */
    ID_FORGED,       /* says that ID_CA signed it */
    ID_WEAK,         /* RSA, 1024 bits */
    ID_BELOW_WEAK,   /* signed by that */
    ID_CNT
};

extern struct peer_ident idents[ID_CNT];
extern struct sim_heap heap;
extern struct sim_clock wall;
extern struct linux_net net;
extern struct tls_env env;

struct result {
    esp_err_t err;
    struct diag d;
    struct tls_fault fault;
    char version[16];
    char answer[8];
    esp_err_t recv_err;
    bool clean;
    uint64_t took_ms;
    bool resumed;
    char alpn[16];
    struct tls_ticket *ticket; /* the caller's, when conf keeps it */
};

/* Offered by the next session(); NULL: none. */
extern const struct tls_ticket *offer;

/* Connects to 127.0.0.1, shakes hands with whom should be `host`, says "ping"
 * and reads to the end. */
void session(uint16_t port, const struct tls_conf *conf, const char *host,
             uint32_t wait_ms, struct result *r);
/* The same with a peer of its own. */
void run_one(const struct peer_conf *pc, const struct tls_conf *conf,
             struct result *r);

/* A bundle of these, until ID_NONE; in heap. */
struct span make_bundle(const enum ident *list, size_t cnt);
void *writable(const void *ptr);

int group_setup(void **state);
int group_teardown(void **state);

#endif
