/* Heap, clock, random bytes and the scripted network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "sim_clock.h"
#include "sim_heap.h"
#include "sim_net.h"
#include "sim_rng.h"
#include "sim_sys.h"

static void test_heap_counts(void **state)
{
    struct sim_heap h;
    (void)state;
    sim_heap_init(&h);
    void *a = h.port.alloc(h.port.ctx, 100);
    char *b = h.port.alloc(h.port.ctx, 50);
    assert_non_null(a);
    assert_non_null(b);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(b[i], 0);
    assert_int_equal(h.cur_len, 150);
    assert_int_equal(h.cur_cnt, 2);
    h.port.free(h.port.ctx, a);
    h.port.free(h.port.ctx, NULL);
    assert_int_equal(h.cur_len, 50);
    assert_int_equal(h.peak_len, 150);
    assert_int_equal(h.alloc_cnt, 2);
    h.port.free(h.port.ctx, b);
    assert_int_equal(h.cur_len, 0);
    assert_int_equal(h.cur_cnt, 0);
}

static void test_heap_refuses(void **state)
{
    struct sim_heap h;
    (void)state;
    sim_heap_init(&h);
    h.fail_at = 2;
    h.cap_len = 100;
    void *a = h.port.alloc(h.port.ctx, 60);
    assert_non_null(a);
    assert_null(h.port.alloc(h.port.ctx, 1));
    assert_null(h.port.alloc(h.port.ctx, 41));
    void *b = h.port.alloc(h.port.ctx, 40);
    assert_non_null(b);
    h.port.free(h.port.ctx, a);
    h.port.free(h.port.ctx, b);
    assert_int_equal(h.cur_len, 0);
}

static void test_sys(void **state)
{
    struct sim_sys s;
    bool level = false;
    (void)state;
    sim_sys_init(&s);
    uint64_t start = s.port.mono_ms(s.port.ctx);
    s.port.sleep_ms(s.port.ctx, 250);
    assert_int_equal(s.port.mono_ms(s.port.ctx) - start, 250);
    s.port.restart(s.port.ctx);
    assert_int_equal(s.restart_cnt, 1);
    assert_int_equal(s.port.reset_reason(s.port.ctx), PORT_RESET_POWERON);
    assert_int_equal(s.port.input(s.port.ctx, 4, &level),
                     ESP_ERR_NOT_SUPPORTED);
    sim_sys_set_input(&s, 4, true);
    assert_int_equal(s.port.input(s.port.ctx, 4, &level), ESP_OK);
    assert_true(level);
    sim_sys_set_input(&s, 4, false);
    assert_int_equal(s.port.input(s.port.ctx, 4, &level), ESP_OK);
    assert_false(level);
}

static void test_clock_and_rng(void **state)
{
    struct sim_clock c;
    struct sim_rng r, same;
    int64_t now = 0;
    uint8_t a[8], b[8];
    (void)state;
    sim_clock_init(&c, 0);
    assert_int_equal(c.port.now_s(c.port.ctx, &now), ESP_ERR_INVALID_STATE);
    c.now_s = 1700000000;
    assert_int_equal(c.port.now_s(c.port.ctx, &now), ESP_OK);
    assert_int_equal(now, 1700000000);
    sim_rng_init(&r, 7);
    sim_rng_init(&same, 7);
    assert_int_equal(r.port.fill(r.port.ctx, a, sizeof(a)), ESP_OK);
    assert_int_equal(same.port.fill(same.port.ctx, b, sizeof(b)), ESP_OK);
    assert_memory_equal(a, b, sizeof(a));
    assert_int_equal(r.port.fill(r.port.ctx, b, sizeof(b)), ESP_OK);
    assert_memory_not_equal(a, b, sizeof(a));
    r.broken = true;
    assert_int_equal(r.port.fill(r.port.ctx, b, sizeof(b)), ESP_FAIL);
}

/* --- network: what one recv() of 4 bytes meets, 100 ms at a time ---------- */

static const struct sim_net_step talk[] = {
    { .kind = SIM_NET_DATA, .data = "abcdef" },
    { .kind = SIM_NET_DATA, .data = "\0x", .len = 2 },
    { .kind = SIM_NET_DELAY, .ms = 250 },
    { .kind = SIM_NET_DATA, .data = "late" },
    { .kind = SIM_NET_SILENCE },
    { .kind = SIM_NET_RESET },
};

static const struct {
    esp_err_t err;
    const char *bytes;
    size_t len;
    uint64_t ms; /* passed since the last */
} hears[] = {
    { ESP_OK, "abcd", 4, 0 },        { ESP_OK, "ef", 2, 0 },
    { ESP_OK, "\0x", 2, 0 },         { ESP_ERR_TIMEOUT, "", 0, 100 },
    { ESP_ERR_TIMEOUT, "", 0, 100 }, { ESP_OK, "late", 4, 50 },
    { ESP_ERR_TIMEOUT, "", 0, 100 }, { ESP_FAIL, "", 0, 0 },
    { ESP_FAIL, "", 0, 0 },
};

static struct port_conn *net_connect(struct sim_net *net)
{
    struct port_conn *conn = NULL;
    int why = 0;
    assert_int_equal(net->port.open(net->port.ctx, "h", 443, NULL,
                                    net->sys->now_ms + 100, &conn, &why),
                     ESP_OK);
    assert_non_null(conn);
    return conn;
}

static void test_net_recv(void **state)
{
    const struct sim_net_script script = { .steps = talk, .step_cnt = 6 };
    struct sim_sys sys;
    struct sim_net net;
    uint8_t buf[4];
    size_t len;
    (void)state;
    sim_sys_init(&sys);
    sim_net_init(&net, &sys, &script, 1);
    struct port_conn *conn = net_connect(&net);
    for (size_t i = 0; i < sizeof(hears) / sizeof(hears[0]); i++) {
        uint64_t start = sys.now_ms;
        esp_err_t err = net.port.recv(conn, buf, 4, start + 100, &len);
        assert_int_equal(err, hears[i].err);
        assert_int_equal(len, hears[i].len);
        assert_memory_equal(buf, hears[i].bytes, len);
        assert_int_equal(sys.now_ms - start, hears[i].ms);
    }
    assert_int_equal(net.port.last_errno(conn), ECONNRESET);
    net.port.close(conn);
    assert_int_equal(net.alive_cnt, 0);
    sim_net_deinit(&net);
}

static void test_net_send_and_limits(void **state)
{
    const struct sim_net_script script = { .steps = talk,
                                           .step_cnt = 1,
                                           .max_recv = 1,
                                           .max_send = 3,
                                           .send_fail_at = 5 };
    struct sim_sys sys;
    struct sim_net net;
    uint8_t buf[8];
    size_t len;
    (void)state;
    sim_sys_init(&sys);
    sim_net_init(&net, &sys, &script, 1);
    struct port_conn *conn = net_connect(&net);
    assert_int_equal(net.port.recv(conn, buf, 8, 0, &len), ESP_OK);
    assert_int_equal(len, 1);
    assert_int_equal(net.port.send(conn, "GET /", 5, 0, &len), ESP_OK);
    assert_int_equal(len, 3);
    assert_int_equal(net.port.send(conn, " / x", 4, 0, &len), ESP_OK);
    assert_int_equal(len, 2);
    assert_int_equal(net.port.send(conn, "x", 1, 0, &len), ESP_FAIL);
    assert_string_equal((char *)net.sent, "GET /");
    net.port.close(conn);
    sim_net_deinit(&net);
}

static void test_net_open_fails(void **state)
{
    const struct sim_net_script script = {
        .open_err = ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT
    };
    struct port_conn *conn;
    struct sim_sys sys;
    struct sim_net net;
    int why;
    (void)state;
    sim_sys_init(&sys);
    sim_net_init(&net, &sys, &script, 1);
    assert_int_equal(
        net.port.open(&net, "a.example", 80, NULL, 5000, &conn, &why),
        ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT);
    assert_null(conn);
    assert_int_equal(sys.now_ms, 5000);
    assert_int_equal(
        net.port.open(&net, "b.example", 81, NULL, 6000, &conn, &why),
        ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
    assert_int_equal(why, ECONNREFUSED);
    assert_string_equal(net.host, "b.example");
    assert_int_equal(net.tcp_port, 81);
    assert_int_equal(net.open_cnt, 2);
    sim_net_deinit(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heap_counts),
        cmocka_unit_test(test_heap_refuses),
        cmocka_unit_test(test_sys),
        cmocka_unit_test(test_clock_and_rng),
        cmocka_unit_test(test_net_recv),
        cmocka_unit_test(test_net_send_and_limits),
        cmocka_unit_test(test_net_open_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
