/* Reports of a session, its silences and ends, and its memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "linux_time.h"

static const char alert_70[] = "\x15\x03\x01\x00\x02\x02\x46";

/* --- reports -------------------------------------------------------------- */

static void test_fault_numbers(void **state)
{
    struct peer_conf pc = { .ident = &idents[ID_GOOD] };
    struct tls_conf conf = { .ca = span_str(idents[ID_OTHER_CA].pem) };
    struct result r;

    (void)state;
    run_one(&pc, &conf, &r);
    assert_int_equal(r.fault.code, -0x2700);
    assert_int_equal(r.fault.flags, 0x08);
    assert_int_equal(r.fault.alert, 0);
    pc = (struct peer_conf){ .kind = PEER_RAW,
                             .raw = alert_70,
                             .raw_len = sizeof(alert_70) - 1 };
    run_one(&pc, &conf, &r);
    assert_int_equal(r.fault.code, -0x7780);
    assert_int_equal(r.fault.alert, 70);
}

static void test_alert_later(void **state)
{
    struct peer_conf pc = { .kind = PEER_TLS_ALERT, .ident = &idents[ID_GOOD] };
    struct tls_conf conf = { .ca = span_str(idents[ID_CA].pem) };
    struct result r;

    (void)state;
    run_one(&pc, &conf, &r);
    assert_int_equal(r.err, ESP_OK);
    assert_int_equal(r.recv_err, ESP_FAIL);
    assert_int_equal(r.fault.alert, 80);
}

static void test_bare_close(void **state)
{
    struct peer_conf pc = { .kind = PEER_TLS_BARE, .ident = &idents[ID_GOOD] };
    struct tls_conf conf = { .ca = span_str(idents[ID_CA].pem) };
    struct result r;

    (void)state;
    run_one(&pc, &conf, &r);
    assert_int_equal(r.err, ESP_OK);
    assert_string_equal(r.answer, "pong");
    assert_int_equal(r.recv_err, ESP_OK);
    assert_false(r.clean);
}

static void test_silence_after_handshake(void **state)
{
    struct peer_conf pc = { .kind = PEER_TLS_SILENT,
                            .ident = &idents[ID_GOOD] };
    struct tls_conf conf = { .ca = span_str(idents[ID_CA].pem) };
    struct port_net_opts opts = { .bind_if = NULL };
    struct tls_session *s = NULL;
    struct port_conn *conn = NULL;
    struct tls_dial dial;
    struct peer peer = { .pid = 0 };
    uint64_t start_ms;
    size_t done = 9;
    char buf[4];
    int sys_errno = 0;

    (void)state;
    peer_start(&peer, &pc);
    start_ms = linux_mono_ms();
    assert_int_equal(net.port.open(net.port.ctx, "127.0.0.1", peer.port, &opts,
                                   start_ms + 5000, &conn, &sys_errno),
                     ESP_OK);
    dial = (struct tls_dial){ .net = &net.port,
                              .conn = conn,
                              .host = HOST,
                              .deadline_ms = start_ms + 5000 };
    assert_int_equal(tls_open(&s, &dial, &conf, NULL), ESP_OK);
    start_ms = linux_mono_ms();
    for (int i = 0; i < 2; i++) { /* may be asked again */
        assert_int_equal(tls_recv(s, buf, sizeof(buf), start_ms + 50, &done),
                         ESP_ERR_TIMEOUT);
        assert_int_equal(done, 0);
    }
    assert_true(linux_mono_ms() >= start_ms + 50);
    assert_int_equal(tls_send(s, "late", 4, start_ms + 5000, &done), ESP_OK);
    tls_close(s);
    net.port.close(conn);
    peer_stop(&peer);
}

static void test_alpn(void **state)
{
    static const char *const names[] = { "http/1.1", NULL };
    static const char *const empty[] = { "", NULL };
    struct peer_conf pc = { .ident = &idents[ID_GOOD] };
    struct tls_conf conf = { .ca = span_str(idents[ID_CA].pem), .alpn = names };
    struct result r;

    (void)state;
    run_one(&pc, &conf, &r);
    assert_int_equal(r.err, ESP_OK);
    conf.alpn = empty;
    run_one(&pc, &conf, &r);
    assert_int_equal(r.err, ESP_ERR_MBEDTLS_SSL_CONF_ALPN_PROTOCOLS_FAILED);
}

static esp_err_t attach_refuses(void *conf)
{
    return conf ? ESP_ERR_NOT_FOUND : ESP_OK;
}

static void test_attach_is_asked(void **state)
{
    struct peer_conf pc = { .ident = &idents[ID_GOOD] };
    struct tls_conf conf = { .attach = attach_refuses };
    struct result r;

    (void)state;
    run_one(&pc, &conf, &r);
    assert_int_equal(r.err, ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(r.d.text, "bundle"));
}

static void test_init_is_counted(void **state)
{
    struct sim_clock other_clock;
    struct tls_env other = env;

    (void)state;
    sim_clock_init(&other_clock, NOW);
    other.clock = &other_clock.port;
    assert_int_equal(tls_init(&env), ESP_OK);
    assert_int_equal(tls_init(&other), ESP_ERR_INVALID_STATE);
    tls_deinit();
}

/* --- memory --------------------------------------------------------------- */

/* Most of the thousands are alike (big numbers of the key exchange): after
 * the first few hundred each 41st is made to fail; fewer when there is less
 * time, each of which costs a handshake. */
static uint32_t next_failure(uint32_t at)
{
    bool deep = getenv("PORTA_DEEP") != NULL;

    if (at < 60)
        return at + 1;
    if (at < 300)
        return at + (deep ? 1 : 13);
    return at + (deep ? 41 : 211);
}

static void fail_each(const struct peer_conf *pc, struct tls_conf *conf)
{
    struct peer peer = { .pid = 0 };
    struct sim_heap saved = heap;
    struct result r;
    uint32_t at = 0;
    unsigned leaks = 0;

    peer_start(&peer, pc);
    do {
        size_t before = heap.cur_cnt;
        heap.alloc_cnt = 0;
        at = next_failure(at);
        heap.fail_at = at;
        session(peer.port, conf, HOST, 5000, &r);
        heap.fail_at = 0;
        leaks += heap.cur_cnt != before;
        if (r.err && r.err != ESP_ERR_NO_MEM)
            fail_msg("allocation %u: 0x%x %s", (unsigned)at, (unsigned)r.err,
                     r.d.text);
    } while (heap.alloc_cnt >= at);
    peer_stop(&peer);
    print_message("# %u allocations in a handshake, %u leaks\n",
                  (unsigned)heap.alloc_cnt, leaks);
    assert_int_equal(r.err, ESP_OK);
    assert_true(at > 50);
    assert_in_range(leaks, 0, pc->version == 2 ? 0 : LIBRARY_LEAKS);
    heap.fail_at = saved.fail_at;
}

static void test_each_allocation_fails(void **state)
{
    struct peer_conf pc = { .ident = &idents[ID_GOOD] };
    struct tls_conf conf = { .ca = span_str(idents[ID_CA].pem) };

    (void)state;
    wall.now_s = NOW;
    fail_each(&pc, &conf);
    pc.version = 2;
    fail_each(&pc, &conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_numbers),
        cmocka_unit_test(test_alert_later),
        cmocka_unit_test(test_bare_close),
        cmocka_unit_test(test_silence_after_handshake),
        cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_attach_is_asked),
        cmocka_unit_test(test_init_is_counted),
        cmocka_unit_test(test_each_allocation_fails),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
