#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "linux_rng.h"
#include "linux_time.h"

struct peer_ident idents[ID_CNT];
struct sim_heap heap;
struct sim_clock wall;
struct linux_net net;
struct tls_env env;

static void make_idents(void)
{
    static const char *const good[] = { HOST, "alias.test", NULL };
    static const char *const other[] = { "elsewhere.test", "*.wild.test",
                                         NULL };
    static const uint8_t ip4[] = { 192, 0, 2, 7 };
    static const struct peer_cert certs[ID_CNT] = {
        [ID_CA] = { .cn = "Test Authority", .ca = true },
        [ID_OTHER_CA] = { .cn = "Other Authority", .ca = true },
        [ID_GOOD] = { .cn = HOST, .dns = good, .issuer = &idents[ID_CA] },
        [ID_OTHER] = { .cn = HOST, .dns = other, .issuer = &idents[ID_CA] },
        [ID_SELF] = { .cn = HOST, .dns = good },
        [ID_EXPIRED] = { .cn = HOST,
                         .dns = good,
                         .issuer = &idents[ID_CA],
                         .to = "20240229123456" },
        [ID_FUTURE] = { .cn = HOST,
                        .dns = good,
                        .issuer = &idents[ID_CA],
                        .from = "20270101000000" },
        [ID_IP] = { .cn = "by address", .ip4 = ip4, .issuer = &idents[ID_CA] },
        [ID_CN_ONLY] = { .cn = "old.test", .issuer = &idents[ID_CA] },
        [ID_CLIENT] = { .cn = "a device", .issuer = &idents[ID_CA] },
        [ID_MIDDLE] = { .cn = "Middle Authority",
                        .ca = true,
                        .issuer = &idents[ID_CA] },
        [ID_BELOW] = { .cn = HOST, .dns = good, .issuer = &idents[ID_MIDDLE] },
        [ID_MIDDLE_CROSS] = { .cn = "Middle Authority",
                              .ca = true,
                              .key_of = &idents[ID_MIDDLE],
                              .issuer = &idents[ID_OTHER_CA],
                              .to = "20210930141500" },
        [ID_FORGED] = { .cn = HOST,
                        .dns = good,
                        .forged = true,
                        .issuer = &idents[ID_CA] },
        [ID_WEAK] = { .cn = HOST,
                      .dns = good,
                      .rsa_bits = 1024,
                      .issuer = &idents[ID_CA] },
        [ID_BELOW_WEAK] = { .cn = "below", .issuer = &idents[ID_WEAK] },
    };

    for (size_t i = 1; i < ID_CNT; i++)
        peer_ident_make(&idents[i], &certs[i]);
}

const struct tls_ticket *offer;

static void talk(struct tls_session *s, struct result *r)
{
    uint64_t deadline_ms = linux_mono_ms() + 5000;
    size_t done = 0;
    size_t len = 0;

    (void)strncpy(r->version, tls_version_name(s), sizeof(r->version) - 1);
    assert_non_null(tls_suite_name(s));
    assert_int_equal(tls_send(s, "ping", 4, deadline_ms, &done), ESP_OK);
    assert_int_equal(done, 4);
    do {
        r->recv_err = tls_recv(s, r->answer + len, sizeof(r->answer) - 1 - len,
                               deadline_ms, &done);
        len += done;
    } while (r->recv_err == ESP_OK && done > 0);
    r->clean = tls_closed_clean(s);
    r->resumed = tls_resumed(s);
    r->ticket = tls_take_ticket(s);
    if (tls_alpn(s))
        (void)strncpy(r->alpn, tls_alpn(s), sizeof(r->alpn) - 1);
    tls_last_fault(s, &r->fault);
}

void session(uint16_t port, const struct tls_conf *conf, const char *host,
             uint32_t wait_ms, struct result *r)
{
    struct port_net_opts opts = { .bind_if = NULL };
    struct tls_session *s = NULL;
    struct port_conn *conn = NULL;
    uint64_t start_ms = linux_mono_ms();
    int sys_errno = 0;

    struct tls_conf dated = *conf;

    /* Rows choose the clock; when this was built must not matter to them. */
    dated.build_s = conf->build_s ? conf->build_s : 1;
    *r = (struct result){ .err = ESP_OK };
    r->err = net.port.open(net.port.ctx, "127.0.0.1", port, &opts,
                           start_ms + 5000, &conn, &sys_errno);
    if (r->err)
        return;
    struct tls_dial dial = { .net = &net.port,
                             .conn = conn,
                             .host = host,
                             .ticket = offer,
                             .deadline_ms = start_ms + wait_ms };
    r->err = tls_open(&s, &dial, &dated, &r->d);
    r->fault = dial.fault;
    r->took_ms = linux_mono_ms() - start_ms;
    if (!r->err)
        talk(s, r);
    tls_close(s);
    net.port.close(conn);
}

void run_one(const struct peer_conf *pc, const struct tls_conf *conf,
             struct result *r)
{
    struct peer peer = { .pid = 0 };

    wall.now_s = NOW;
    peer_start(&peer, pc);
    session(peer.port, conf, HOST, 5000, r);
    peer_stop(&peer);
}

void *writable(const void *ptr)
{
    void *out = NULL;

    memcpy(&out, &ptr, sizeof(out));
    return out;
}

struct span make_bundle(const enum ident *list, size_t cnt)
{
    struct tls_bundle_build b = { .heap = &heap.port };
    struct span out;

    for (size_t i = 0; i < cnt && list[i]; i++)
        assert_int_equal(
            tls_bundle_add(&b, span_str(idents[list[i]].pem), NULL), ESP_OK);
    assert_int_equal(tls_bundle_finish(&b, &out, NULL), ESP_OK);
    tls_bundle_build_free(&b);
    return out;
}

/* The library keeps the room for its first key until tls_deinit(). */
static void warm_up(void)
{
    struct peer_conf pc = { .ident = &idents[ID_GOOD] };
    struct tls_conf conf = { .ca = span_str(idents[ID_CA].pem) };
    struct peer peer = { .pid = 0 };
    struct result r;

    peer_start(&peer, &pc);
    session(peer.port, &conf, HOST, 5000, &r);
    peer_stop(&peer);
    assert_int_equal(r.err, ESP_OK);
}

int group_setup(void **state)
{
    (void)state;
    sim_heap_init(&heap);
    sim_clock_init(&wall, NOW);
    linux_net_init(&net, &heap.port);
    env = (struct tls_env){ &heap.port, &linux_rng, &wall.port };
    assert_int_equal(tls_init(&env), ESP_OK);
    make_idents();
    warm_up();
    return 0;
}

int group_teardown(void **state)
{
    (void)state;
    for (size_t i = 1; i < ID_CNT; i++)
        peer_ident_free(&idents[i]);
    tls_deinit();
    assert_in_range(heap.cur_cnt, 0, LIBRARY_LEAKS);
    return 0;
}
