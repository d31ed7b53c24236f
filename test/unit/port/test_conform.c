/* The conformance test: the ports of this tree pass it, and a port that breaks
 * one rule is refused for that rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "conform/conform.h"
#include "fuse/fuse.h"
#include "linux_clock.h"
#include "linux_flash.h"
#include "linux_heap.h"
#include "linux_net.h"
#include "linux_rng.h"
#include "linux_sys.h"
#include "sim_flash.h"

static void say(void *ctx, const char *claim, int ok)
{
    const char **broken = ctx;
    if (ok)
        return;
    if (!*broken)
        *broken = claim;
    print_message("does not hold: %s\n", claim);
}

/* --- the ports that are there --------------------------------------------- */

static void sim_flash_keeps_the_contract(void **state)
{
    (void)state;
    static const struct sim_flash_conf confs[] = {
        { .size_len = 0 },
        { .prog_len = 16, .prog_once = true },
        { .erase_len = 65536, .size_len = 4 * 65536 },
    };
    for (unsigned i = 0; i < sizeof(confs) / sizeof(confs[0]); i++) {
        struct sim_flash flash = SIM_FLASH_CLOSED;
        const char *broken = NULL;
        assert_int_equal(sim_flash_init(&flash, &confs[i]), ESP_OK);
        struct conform c = { .flash = &flash.port, .say = say, .ctx = &broken };
        assert_int_equal(conform_run(&c), 0);
        assert_true(c.passed >= 15);
        sim_flash_deinit(&flash);
    }
}

static void linux_flash_keeps_the_contract(void **state)
{
    (void)state;
    char path[] = "/tmp/conform-XXXXXX";
    int fd = mkstemp(path);
    struct linux_flash flash;
    struct diag diag = DIAG_NONE;
    const char *broken = NULL;
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    assert_int_equal(linux_flash_create(&flash, path, 1u << 20, &diag), ESP_OK);
    struct conform c = {
        .flash = &flash.port, .scratch_off = 0x4000, .say = say, .ctx = &broken
    };
    unsigned failed = conform_run(&c);
    linux_flash_close(&flash);
    unlink(path);
    assert_int_equal(failed, 0);
}

static void emulated_fuses_keep_the_contract(void **state)
{
    (void)state;
    struct sim_flash flash = SIM_FLASH_CLOSED;
    struct fuse_emul emul;
    const char *broken = NULL;
    assert_int_equal(sim_flash_init(&flash, NULL), ESP_OK);
    const struct fuse_place place = { &flash.port, 0x4000, 8192, 0 };
    assert_int_equal(fuse_emul_open(&emul, &place, fuse_field_find(0x7F01)),
                     ESP_OK);
    struct conform c = { .fuse = &emul.port, .say = say, .ctx = &broken };
    assert_int_equal(conform_run(&c), 0);
    sim_flash_deinit(&flash);
}

/* Sends back what comes, and closes when a byte 0xff does. */
static void *echo(void *arg)
{
    int listener = *(int *)arg, conn;
    while ((conn = accept(listener, NULL, NULL)) >= 0) {
        uint8_t buf[4096];
        ssize_t n;
        while ((n = recv(conn, buf, sizeof(buf), 0)) > 0 &&
               !memchr(buf, 0xff, (size_t)n))
            (void)!send(conn, buf, (size_t)n, MSG_NOSIGNAL);
        close(conn);
    }
    return NULL;
}

static uint16_t bind_any(int *fd, bool to_listen)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    socklen_t len = sizeof(addr);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&addr, len), 0);
    if (to_listen)
        assert_int_equal(listen(*fd, 4), 0);
    getsockname(*fd, (struct sockaddr *)&addr, &len);
    return ntohs(addr.sin_port);
}

static void linux_ports_keep_the_contracts(void **state)
{
    (void)state;
    int listener, closed;
    uint16_t open_port = bind_any(&listener, true);
    uint16_t closed_port = bind_any(&closed, false); /* bound: nobody else's */
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, echo, &listener), 0);
    struct linux_sys sys;
    struct linux_net net;
    const char *broken = NULL;
    linux_sys_init(&sys, NULL);
    linux_net_init(&net, &linux_heap);
    struct conform c = { .sys = &sys.port,
                         .clock = &linux_clock,
                         .rng = &linux_rng,
                         .heap = &linux_heap,
                         .net = &net.port,
                         .echo_host = "127.0.0.1",
                         .echo_port = open_port,
                         .closed_port = closed_port,
                         .say = say,
                         .ctx = &broken };
    unsigned failed = conform_run(&c);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    close(closed);
    assert_int_equal(failed, 0);
    assert_true(c.passed >= 20);
}

/* --- ports that break one rule -------------------------------------------- */

static struct sim_flash sim; /* what the bad ports are made of */
static uint32_t calls;

/* A port that breaks one rule still keeps out of others' memory. */
static bool is_inside(uint32_t off, size_t len)
{
    return off <= sim.port.size_len && len <= sim.port.size_len - off;
}

static esp_err_t prog_raises(void *ctx, uint32_t off, const void *src,
                             size_t len)
{
    (void)ctx;
    if (!is_inside(off, len))
        return ESP_ERR_INVALID_SIZE;
    memcpy(sim.bytes + off, src, len);
    return ESP_OK;
}

static esp_err_t prog_half(void *ctx, uint32_t off, const void *src, size_t len)
{
    (void)ctx;
    return sim.port.prog(sim.port.ctx, off, src, len > 1 ? len - 1 : len);
}

static esp_err_t prog_spills(void *ctx, uint32_t off, const void *src,
                             size_t len)
{
    (void)ctx;
    if (is_inside(off, len + 1))
        sim.bytes[off + len] = 0;
    return sim.port.prog(sim.port.ctx, off, src, len);
}

static esp_err_t erase_half(void *ctx, uint32_t off)
{
    (void)ctx;
    if (off % 4096)
        return ESP_ERR_INVALID_ARG;
    if (off >= sim.port.size_len)
        return ESP_ERR_INVALID_SIZE;
    memset(sim.bytes + off, 0xff, 2048);
    return ESP_OK;
}

static esp_err_t erase_two(void *ctx, uint32_t off)
{
    (void)ctx;
    esp_err_t err = sim.port.erase(sim.port.ctx, off);
    if (!err && off + 8192 <= sim.port.size_len)
        err = sim.port.erase(sim.port.ctx, off + 4096);
    return err;
}

static esp_err_t erase_anywhere(void *ctx, uint32_t off)
{
    (void)ctx;
    return sim.port.erase(sim.port.ctx, off / 4096 * 4096);
}

static esp_err_t read_anywhere(void *ctx, uint32_t off, void *dst, size_t len)
{
    (void)ctx;
    if (off >= sim.port.size_len || len > sim.port.size_len - off) {
        memset(dst, 0xff, len);
        return ESP_OK;
    }
    return sim.port.read(sim.port.ctx, off, dst, len);
}

struct bad_flash {
    const char *claim;
    esp_err_t (*read)(void *, uint32_t, void *, size_t);
    esp_err_t (*prog)(void *, uint32_t, const void *, size_t);
    esp_err_t (*erase)(void *, uint32_t);
    uint32_t page_len;
};

static const struct bad_flash bad_flashes[] = {
    { .claim = "flash: a program that would raise a bit is refused",
      .prog = prog_raises },
    { .claim = "flash: two sectors can be erased and programmed",
      .prog = prog_half },
    { .claim = "flash: it raises every bit of its sector",
      .erase = erase_half },
    { .claim = "flash: and nothing of the next one", .erase = erase_two },
    { .claim = "flash: an erase from the middle of a sector is refused",
      .erase = erase_anywhere },
    { .claim = "flash: what is around it stays erased", .prog = prog_spills },
    { .claim = "flash: a read past the end is refused", .read = read_anywhere },
    { .claim = "flash: sizes fit into each other", .page_len = 300 },
};

static void flash_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(bad_flashes) / sizeof(bad_flashes[0]);
         i++) {
        const struct bad_flash *bad = &bad_flashes[i];
        const char *broken = NULL;
        assert_int_equal(sim_flash_init(&sim, NULL), ESP_OK);
        struct port_flash port = sim.port;
        port.read = bad->read ? bad->read : port.read;
        port.prog = bad->prog ? bad->prog : port.prog;
        port.erase = bad->erase ? bad->erase : port.erase;
        port.page_len = bad->page_len ? bad->page_len : port.page_len;
        struct conform c = { .flash = &port, .say = say, .ctx = &broken };
        assert_true(conform_run(&c) > 0);
        assert_string_equal(broken, bad->claim);
        sim_flash_deinit(&sim);
    }
}

static uint64_t mono_back(void *ctx)
{
    (void)ctx;
    return ++calls % 1000 == 999 ? calls - 2 : calls;
}

static void nap_none(void *ctx, uint32_t ms)
{
    (void)ctx;
    (void)ms;
}

static enum port_reset_reason reason_42(void *ctx)
{
    (void)ctx;
    return (enum port_reset_reason)42;
}

static enum port_reset_reason reason_sleep(void *ctx)
{
    (void)ctx;
    return PORT_RESET_DEEPSLEEP;
}

static void time_is_refused(void **state)
{
    (void)state;
    struct linux_sys sys;
    const char *broken = NULL;
    linux_sys_init(&sys, NULL);
    struct port_sys port = sys.port;
    struct conform c = { .sys = &port, .say = say, .ctx = &broken };
    port.mono_ms = mono_back;
    assert_true(conform_run(&c) > 0);
    assert_string_equal(broken, "sys: the milliseconds never go back");
    port = sys.port;
    port.sleep_ms = nap_none;
    broken = NULL;
    assert_true(conform_run(&c) > 0);
    assert_string_equal(broken, "sys: a sleep lasts at least as long as asked");
    port = sys.port;
    port.reset_reason = reason_42;
    broken = NULL;
    assert_true(conform_run(&c) > 0);
    assert_string_equal(broken,
                        "sys: the reset reason is one of the contract's");
    port.reset_reason = reason_sleep;
    c.failed = 0;
    assert_int_equal(conform_run(&c), 0);
}

static esp_err_t clock_back(void *ctx, int64_t *out)
{
    (void)ctx;
    *out = 2000000000 - ++calls / 1000;
    return ESP_OK;
}

static esp_err_t clock_ms(void *ctx, int64_t *out)
{
    (void)ctx;
    *out = 2000000000000;
    return ESP_OK;
}

static esp_err_t rng_short(void *ctx, void *dst, size_t len)
{
    (void)ctx;
    return linux_rng.fill(linux_rng.ctx, dst, len - 1);
}

static esp_err_t rng_spills(void *ctx, void *dst, size_t len)
{
    (void)ctx;
    ((uint8_t *)dst)[len] = 0x5a;
    return linux_rng.fill(linux_rng.ctx, dst, len);
}

static esp_err_t rng_fails(void *ctx, void *dst, size_t len)
{
    (void)ctx;
    (void)dst;
    (void)len;
    return ESP_FAIL;
}

static esp_err_t rng_same(void *ctx, void *dst, size_t len)
{
    (void)ctx;
    memset(dst, 0x5a, len);
    return ESP_OK;
}

static void *heap_dirty(void *ctx, size_t len)
{
    (void)ctx;
    void *out = len > SIZE_MAX / 4 ? NULL : malloc(len);
    if (out)
        memset(out, 0x77, len);
    return out;
}

static void heap_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

static esp_err_t fuse_read(void *ctx, uint32_t *bits)
{
    (void)ctx;
    *bits = calls;
    return ESP_OK;
}

static esp_err_t fuse_forgets(void *ctx, uint32_t mask)
{
    (void)ctx;
    calls = mask;
    return ESP_OK;
}

/* All below the bit that is asked for, too. */
static esp_err_t fuse_burns_more(void *ctx, uint32_t mask)
{
    (void)ctx;
    if (mask)
        calls |= mask | (mask - 1);
    return ESP_OK;
}

static esp_err_t fuse_burns_nothing(void *ctx, uint32_t mask)
{
    (void)ctx;
    (void)mask;
    return ESP_OK;
}

static void others_are_refused(void **state)
{
    (void)state;
    const struct port_clock clock = { NULL, clock_back };
    const struct port_clock of_ms = { NULL, clock_ms };
    const struct port_rng spills = { NULL, rng_spills };
    const struct port_rng fails = { NULL, rng_fails };
    const struct port_fuse greedy = { NULL, 8, fuse_read, fuse_burns_more };
    const struct port_fuse lazy = { NULL, 8, fuse_read, fuse_burns_nothing };
    const struct port_fuse none = { NULL, 0, fuse_read, fuse_burns_nothing };
    const struct port_rng too_short = { NULL, rng_short };
    const struct port_rng same = { NULL, rng_same };
    const struct port_heap dirty = { NULL, heap_dirty, heap_free };
    const struct port_fuse fuse = { NULL, 8, fuse_read, fuse_forgets };
    const struct {
        const char *claim;
        struct conform c;
    } rows[] = {
        { "clock: it does not go back", { .clock = &clock } },
        { "clock: it counts seconds since 1970", { .clock = &of_ms } },
        { "rng: it fills", { .rng = &fails } },
        { "rng: and nothing more", { .rng = &spills } },
        { "rng: all of what it was asked for", { .rng = &too_short } },
        { "rng: not the same twice", { .rng = &same } },
        { "heap: memory is zero", { .heap = &dirty } },
        { "fuse: burning nothing changes nothing", { .fuse = &fuse } },
        { "fuse: a bit is burnt, and no other one", { .fuse = &greedy } },
        { "fuse: a bit is burnt, and no other one", { .fuse = &lazy } },
        { "fuse: the field has 1 to 32 bits", { .fuse = &none } },
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct conform c = rows[i].c;
        const char *broken = NULL;
        calls = 1;
        c.say = say;
        c.ctx = &broken;
        assert_true(conform_run(&c) > 0);
        assert_string_equal(broken, rows[i].claim);
    }
}

/* --- networks that break one rule ----------------------------------------- */

static const struct port_net *good; /* what they are made of */
static uint64_t (*now_ms)(void *ctx);
static void *now_ctx;

/* lint-ok: function, the contract's own list */
static esp_err_t open_unclear(void *ctx, const char *host, uint16_t port,
                              const struct port_net_opts *opts,
                              uint64_t deadline_ms, struct port_conn **out,
                              int *sys_errno)
{
    esp_err_t err =
        good->open(ctx, host, port, opts, deadline_ms, out, sys_errno);
    return err ? ESP_FAIL : ESP_OK;
}

/* lint-ok: function, the contract's own list */
static esp_err_t open_dangles(void *ctx, const char *host, uint16_t port,
                              const struct port_net_opts *opts,
                              uint64_t deadline_ms, struct port_conn **out,
                              int *sys_errno)
{
    struct port_conn *conn = *out;
    esp_err_t err =
        good->open(ctx, host, port, opts, deadline_ms, &conn, sys_errno);
    if (!err)
        *out = conn;
    return err;
}

static esp_err_t recv_swaps(struct port_conn *conn, void *dst, size_t len,
                            uint64_t deadline_ms, size_t *done_len)
{
    esp_err_t err = good->recv(conn, dst, len, deadline_ms, done_len);
    uint8_t *bytes = dst;
    if (!err && *done_len > 1) {
        uint8_t first = bytes[0];
        bytes[0] = bytes[1];
        bytes[1] = first;
    }
    return err;
}

static esp_err_t recv_never_late(struct port_conn *conn, void *dst, size_t len,
                                 uint64_t deadline_ms, size_t *done_len)
{
    bool waits =
        deadline_ms > 0 && len == 1 && deadline_ms < now_ms(now_ctx) + 200;
    return good->recv(conn, dst, len, waits ? 0 : deadline_ms, done_len);
}

static esp_err_t recv_silence_is_the_end(struct port_conn *conn, void *dst,
                                         size_t len, uint64_t deadline_ms,
                                         size_t *done_len)
{
    esp_err_t err = good->recv(conn, dst, len, deadline_ms, done_len);
    return err == ESP_ERR_TIMEOUT ? ESP_OK : err;
}

static esp_err_t recv_does_not_stop(struct port_conn *conn, void *dst,
                                    size_t len, uint64_t deadline_ms,
                                    size_t *done_len)
{
    esp_err_t err = good->recv(conn, dst, len, deadline_ms, done_len);
    return err == ESP_ERR_NOT_FINISHED ? ESP_ERR_TIMEOUT : err;
}

static esp_err_t recv_end_is_a_failure(struct port_conn *conn, void *dst,
                                       size_t len, uint64_t deadline_ms,
                                       size_t *done_len)
{
    esp_err_t err = good->recv(conn, dst, len, deadline_ms, done_len);
    return !err && *done_len == 0 ? ESP_FAIL : err;
}

static const struct bad_net {
    const char *claim;
    esp_err_t (*open)(void *, const char *, uint16_t,
                      const struct port_net_opts *, uint64_t,
                      struct port_conn **, int *);
    esp_err_t (*recv)(struct port_conn *, void *, size_t, uint64_t, size_t *);
} bad_nets[] = {
    { .claim = "net: a refusal is that error", .open = open_unclear },
    { .claim = "net: and leaves no connection", .open = open_dangles },
    { .claim = "net: bytes go there and come back, in order",
      .recv = recv_swaps },
    { .claim = "net: a deadline of 0 does not wait",
      .recv = recv_silence_is_the_end },
    { .claim = "net: a deadline is waited for, and not much longer",
      .recv = recv_never_late },
    { .claim = "net: a wish to stop ends the next call",
      .recv = recv_does_not_stop },
    { .claim = "net: the peer's end is no error and no byte",
      .recv = recv_end_is_a_failure },
};

static void networks_are_refused(void **state)
{
    (void)state;
    int listener, closed;
    uint16_t open_port = bind_any(&listener, true);
    uint16_t closed_port = bind_any(&closed, false);
    pthread_t thread;
    struct linux_sys sys;
    struct linux_net net;
    assert_int_equal(pthread_create(&thread, NULL, echo, &listener), 0);
    linux_sys_init(&sys, NULL);
    linux_net_init(&net, &linux_heap);
    good = &net.port;
    now_ms = sys.port.mono_ms;
    now_ctx = sys.port.ctx;
    for (unsigned i = 0; i < sizeof(bad_nets) / sizeof(bad_nets[0]); i++) {
        struct port_net port = net.port;
        const char *broken = NULL;
        port.open = bad_nets[i].open ? bad_nets[i].open : port.open;
        port.recv = bad_nets[i].recv ? bad_nets[i].recv : port.recv;
        struct conform c = { .sys = &sys.port,
                             .net = &port,
                             .echo_host = "127.0.0.1",
                             .echo_port = open_port,
                             .closed_port = closed_port,
                             .say = say,
                             .ctx = &broken };
        assert_true(conform_run(&c) > 0);
        assert_non_null(broken);
        assert_string_equal(broken, bad_nets[i].claim);
    }
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    close(closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_flash_keeps_the_contract),
        cmocka_unit_test(linux_flash_keeps_the_contract),
        cmocka_unit_test(emulated_fuses_keep_the_contract),
        cmocka_unit_test(linux_ports_keep_the_contracts),
        cmocka_unit_test(flash_is_refused),
        cmocka_unit_test(time_is_refused),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(networks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
