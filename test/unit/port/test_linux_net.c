/* Real sockets on the loopback: what open, send and recv promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "linux_net.h"
#include "linux_time.h"
#include "sim_heap.h"

struct bench {
    struct sim_heap heap;
    struct linux_net net;
    int listener;
    uint16_t port;
};

static void listen_on(struct bench *b)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    socklen_t len = sizeof(addr);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(b->listener >= 0);
    assert_int_equal(bind(b->listener, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(listen(b->listener, 4), 0);
    assert_int_equal(getsockname(b->listener, (struct sockaddr *)&addr, &len),
                     0);
    b->port = ntohs(addr.sin_port);
}

static int setup(void **state)
{
    static struct bench b;
    sim_heap_init(&b.heap);
    linux_net_init(&b.net, &b.heap.port);
    listen_on(&b);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    if (b->listener >= 0)
        close(b->listener);
    assert_int_equal(b->heap.cur_cnt, 0);
    return 0;
}

static esp_err_t open_to(struct bench *b, const char *host, uint64_t ms,
                         struct port_conn **out, int *why)
{
    return b->net.port.open(b->net.port.ctx, host, b->port, NULL,
                            linux_mono_ms() + ms, out, why);
}

/* Both ends of one connection. */
static struct port_conn *pair(struct bench *b, int *peer)
{
    struct port_conn *conn = NULL;
    int why = -1;
    assert_int_equal(open_to(b, "127.0.0.1", 5000, &conn, &why), ESP_OK);
    assert_int_equal(why, 0);
    *peer = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(*peer >= 0);
    return conn;
}

static void test_bytes_both_ways(void **state)
{
    struct bench *b = *state;
    char buf[16];
    size_t len;
    int peer, on = 0;
    struct port_conn *conn = pair(b, &peer);
    socklen_t on_len = sizeof(on);
    assert_int_equal(getsockopt(b->net.port.fd(conn), IPPROTO_TCP, TCP_NODELAY,
                                &on, &on_len),
                     0);
    assert_true(on);
    assert_int_equal(
        b->net.port.send(conn, "hello", 5, linux_mono_ms() + 5000, &len),
        ESP_OK);
    assert_int_equal(len, 5);
    assert_int_equal(read(peer, buf, sizeof(buf)), 5);
    assert_int_equal(write(peer, "there", 5), 5);
    assert_int_equal(
        b->net.port.recv(conn, buf, sizeof(buf), linux_mono_ms() + 5000, &len),
        ESP_OK);
    assert_int_equal(len, 5);
    assert_memory_equal(buf, "there", 5);
    close(peer);
    assert_int_equal(
        b->net.port.recv(conn, buf, sizeof(buf), linux_mono_ms() + 5000, &len),
        ESP_OK);
    assert_int_equal(len, 0);
    b->net.port.close(conn);
}

static void test_recv_deadline(void **state)
{
    struct bench *b = *state;
    char buf[4];
    size_t len;
    int peer;
    struct port_conn *conn = pair(b, &peer);
    assert_int_equal(b->net.port.recv(conn, buf, 4, 0, &len), ESP_ERR_TIMEOUT);
    uint64_t start = linux_mono_ms();
    assert_int_equal(b->net.port.recv(conn, buf, 4, start + 30, &len),
                     ESP_ERR_TIMEOUT);
    assert_true(linux_mono_ms() >= start + 30);
    close(peer);
    b->net.port.close(conn);
}

static void test_send_fills_up_then_times_out(void **state)
{
    struct bench *b = *state;
    static uint8_t zeros[1 << 16];
    size_t len, total = 0;
    int peer;
    struct port_conn *conn = pair(b, &peer);
    esp_err_t err;
    do {
        err = b->net.port.send(conn, zeros, sizeof(zeros), linux_mono_ms() + 20,
                               &len);
        total += len;
    } while (!err);
    assert_int_equal(err, ESP_ERR_TIMEOUT);
    assert_true(total > 0);
    close(peer);
    b->net.port.close(conn);
}

static void test_reset(void **state)
{
    struct bench *b = *state;
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    char buf[4];
    size_t len;
    int peer;
    struct port_conn *conn = pair(b, &peer);
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(peer);
    assert_int_equal(
        b->net.port.recv(conn, buf, 4, linux_mono_ms() + 5000, &len), ESP_FAIL);
    assert_int_equal(b->net.port.last_errno(conn), ECONNRESET);
    /* A broken connection must not kill the process with SIGPIPE. */
    assert_int_equal(
        b->net.port.send(conn, "x", 1, linux_mono_ms() + 100, &len), ESP_FAIL);
    b->net.port.close(conn);
}

static void test_refused(void **state)
{
    struct bench *b = *state;
    struct port_conn *conn;
    int why = 0;
    close(b->listener);
    b->listener = -1;
    assert_int_equal(open_to(b, "127.0.0.1", 5000, &conn, &why),
                     ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
    assert_int_equal(why, ECONNREFUSED);
    assert_null(conn);
}

/* A full backlog answers nobody: connecting takes as long as it may. */
static void test_connect_deadline(void **state)
{
    struct bench *b = *state;
    struct port_conn *conn[8] = { NULL };
    esp_err_t err = ESP_OK;
    int why = 0;
    assert_int_equal(listen(b->listener, 0), 0);
    size_t cnt = 0;
    uint64_t start = 0;
    while (!err && cnt < 8) {
        start = linux_mono_ms();
        err = open_to(b, "127.0.0.1", 60, &conn[cnt], &why);
        cnt += !err;
    }
    assert_int_equal(err, ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT);
    assert_int_equal(why, ETIMEDOUT);
    assert_true(linux_mono_ms() >= start + 60);
    while (cnt > 0)
        b->net.port.close(conn[--cnt]);
}

/* RFC 6761: names under .invalid never resolve. */
static void test_no_such_name(void **state)
{
    struct bench *b = *state;
    struct port_conn *conn;
    int why = 0;
    assert_int_equal(open_to(b, "no-such-host.invalid", 20000, &conn, &why),
                     ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME);
    assert_null(conn);
}

/* Without a descriptor no name can be asked for: that says nothing about the
 * name. */
static void test_no_descriptor(void **state)
{
    static const char *const hosts[] = { "no-such-host.invalid", "localhost",
                                         "127.0.0.1" };
    struct bench *b = *state;
    struct rlimit was, none;
    struct port_conn *conn;
    int why = 0, free_fd = dup(b->listener);

    assert_true(free_fd > 0);
    close(free_fd);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = (struct rlimit){ (rlim_t)free_fd, was.rlim_max };
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        esp_err_t err = open_to(b, hosts[i], 20000, &conn, &why);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
        print_message("# %s\n", hosts[i]);
        assert_int_equal(err, ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET);
        assert_int_equal(why, EMFILE);
        assert_null(conn);
    }
}

static void test_override(void **state)
{
    struct bench *b = *state;
    struct port_conn *conn = NULL;
    char text[64];
    int why = 0;
    snprintf(text, sizeof(text), "device.invalid:%u:127.0.0.1", b->port);
    assert_int_equal(linux_net_override(&b->net, text, NULL), ESP_OK);
    assert_int_equal(open_to(b, "DEVICE.invalid", 5000, &conn, &why), ESP_OK);
    b->net.port.close(conn);
}

static const struct {
    const char *text;
    esp_err_t err;
    const char *addr;
} override_rows[] = {
    { "a:1:192.0.2.1", ESP_OK, "192.0.2.1" },
    { "a:65535:::1", ESP_OK, "::1" },
    { "a:443:[2001:db8::7]", ESP_OK, "2001:db8::7" },
    { "a:443", ESP_ERR_INVALID_ARG, NULL },
    { "a:443:", ESP_ERR_INVALID_ARG, NULL },
    { ":443:192.0.2.1", ESP_ERR_INVALID_ARG, NULL },
    { "a:0:192.0.2.1", ESP_ERR_INVALID_ARG, NULL },
    { "a:65536:192.0.2.1", ESP_ERR_INVALID_ARG, NULL },
    { "a:x:192.0.2.1", ESP_ERR_INVALID_ARG, NULL },
    { "a:443:name", ESP_ERR_INVALID_ARG, NULL },
    { "a:443:[::1", ESP_ERR_INVALID_ARG, NULL },
};

static void test_override_syntax(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof(override_rows) / sizeof(override_rows[0]);
         i++) {
        struct diag diag = DIAG_NONE;
        b->net.override_cnt = 0;
        esp_err_t err =
            linux_net_override(&b->net, override_rows[i].text, &diag);
        if (err != override_rows[i].err)
            fail_msg("'%s' gives 0x%x", override_rows[i].text, err);
        if (!err)
            assert_string_equal(b->net.overrides[0].addr,
                                override_rows[i].addr);
        else
            assert_non_null(strstr(diag.text, override_rows[i].text));
    }
    for (b->net.override_cnt = 0; b->net.override_cnt < LINUX_NET_OVERRIDES;)
        assert_int_equal(linux_net_override(&b->net, "a:1:::1", NULL), ESP_OK);
    assert_int_equal(linux_net_override(&b->net, "a:1:::1", NULL),
                     ESP_ERR_NO_MEM);
}

static void test_no_memory(void **state)
{
    struct bench *b = *state;
    struct port_conn *conn;
    int why = 0;
    b->heap.fail_at = 1;
    assert_int_equal(open_to(b, "127.0.0.1", 5000, &conn, &why),
                     ESP_ERR_NO_MEM);
    assert_null(conn);
}

static void test_no_such_interface(void **state)
{
    struct bench *b = *state;
    const struct port_net_opts opts = { .bind_if = "porta-none0" };
    struct port_conn *conn;
    int why = 0;
    assert_int_equal(b->net.port.open(b->net.port.ctx, "127.0.0.1", b->port,
                                      &opts, linux_mono_ms() + 5000, &conn,
                                      &why),
                     ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED);
    assert_int_not_equal(why, 0);
}

/* Another one than the loopback, where there is one. */
static const char *other_interface(struct if_nameindex *all)
{
    for (; all && all->if_index; all++)
        if (strcmp(all->if_name, "lo") != 0)
            return all->if_name;
    return NULL;
}

/* A device that binds its connections reaches servers on its own machine. */
static void test_loopback_through_an_interface(void **state)
{
    struct bench *b = *state;
    struct if_nameindex *all = if_nameindex();
    const struct port_net_opts opts = { .bind_if = other_interface(all) };
    struct port_conn *conn;
    int why = 0;
    if (!opts.bind_if) {
        if_freenameindex(all);
        skip(); /* there is no other one here */
    }
    assert_int_equal(b->net.port.open(b->net.port.ctx, "127.0.0.1", b->port,
                                      &opts, linux_mono_ms() + 5000, &conn,
                                      &why),
                     ESP_OK);
    b->net.port.close(conn);
    if_freenameindex(all);
}

/* --- limits --------------------------------------------------------------- */

static void *stop_it(void *limit)
{
    port_limit_stop(limit);
    return NULL;
}

static esp_err_t open_limited(struct bench *b, const char *host,
                              struct port_limit *limit, struct port_conn **out)
{
    const struct port_net_opts opts = { .limit = limit };
    int why;

    return b->net.port.open(b->net.port.ctx, host, b->port, &opts,
                            linux_mono_ms() + 60000, out, &why);
}

/* A wish of another thread ends a wait long before its deadline. */
static void test_stopped(void **state)
{
    struct bench *b = *state;
    struct port_limit limit = { .deadline_ms = 0 };
    struct port_conn *conn = NULL, *second = NULL;
    uint64_t since = linux_mono_ms();
    pthread_t thread;
    char byte;
    size_t got;

    assert_int_equal(open_limited(b, "127.0.0.1", &limit, &conn), ESP_OK);
    assert_int_equal(pthread_create(&thread, NULL, stop_it, &limit), 0);
    assert_int_equal(b->net.port.recv(conn, &byte, 1, since + 60000, &got),
                     ESP_ERR_NOT_FINISHED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(b->net.port.last_errno(conn), ECANCELED);
    assert_int_equal(b->net.port.send(conn, "x", 1, since + 60000, &got),
                     ESP_ERR_NOT_FINISHED);
    /* Names are not waited for, either. */
    assert_int_equal(open_limited(b, "localhost", &limit, &second),
                     ESP_ERR_NOT_FINISHED);
    assert_null(second);
    assert_true(linux_mono_ms() - since < 30000);
    b->net.port.close(conn);
}

/* The limit's deadline is one like any other. */
static void test_limit_deadline(void **state)
{
    struct bench *b = *state;
    struct port_limit limit = { .deadline_ms = 0 };
    struct port_conn *conn = NULL;
    char byte;
    size_t got;

    assert_int_equal(open_limited(b, "127.0.0.1", &limit, &conn), ESP_OK);
    uint64_t since = linux_mono_ms();
    limit.deadline_ms = since + 60;
    assert_int_equal(b->net.port.recv(conn, &byte, 1, since + 60000, &got),
                     ESP_ERR_TIMEOUT);
    assert_in_range(linux_mono_ms() - since, 60, 30000);
    b->net.port.close(conn);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_bytes_both_ways),
        T(test_recv_deadline),
        T(test_send_fills_up_then_times_out),
        T(test_reset),
        T(test_refused),
        T(test_connect_deadline),
        T(test_no_such_name),
        T(test_override),
        T(test_override_syntax),
        T(test_no_memory),
        T(test_no_such_interface),
        T(test_loopback_through_an_interface),
        T(test_stopped),
        T(test_limit_deadline),
        T(test_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
