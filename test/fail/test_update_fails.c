/* An update, and one that goes on with an earlier one: each allocation and each
 * call of a port fails in turn, those of TLS included.
 *
 * Afterwards there is a sentence, the memory is back, no connection is open,
 * the bootloader starts the old program or the whole new one, and the next
 * update succeeds. In short only some of TLS's thousands fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ports.h"
#include "sim_clock.h"
#include "sim_rng.h"
#include "tlsweb.h"
#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define HOST "device.test"
#define NOW 4070908800 /* 2099-01-01: later than any build */
#define BODY 20000u
#define HALF 12000u
#define NAMES 12u

/* Mbed TLS 3.6 itself loses what a transform of TLS 1.3 holds already when
 * there is no memory for more of it (mbedtls_ssl_tls13_populate_transform):
 * at most four allocations of each of a handshake's two. See test/unit/tls. */
#define LIBRARY_LEAKS 8u

struct scene {
    const char *claim;
    int tls; /* 0: plain http:, else the version */
    bool resumed, behind, retries;
};

struct sum {
    uint32_t armed, fired, failed, announced, leaks;
    struct {
        const char *what;
        uint32_t cnt;
    } of[NAMES];
};

static struct sim_heap heap;
static struct sim_rng rng;
static struct sim_clock wall;
static struct peer_ident ca, server;

/* --- one update ----------------------------------------------------------- */

/* The device looks at its flash through ports. */
static void reboot(struct rig *r)
{
    assert_int_equal(part_dev_open(&r->parts, &ports.flash, PART_TABLE_OFF),
                     ESP_OK);
}

static void open_rig(struct rig *r, const struct scene *s)
{
    struct rig_image how = { .filler = 1, .body_len = BODY };

    rig_open(r);
    free(r->image);
    r->image = rig_make_image(&how, &r->image_len);
    rig_serve(r, r->image, r->image_len);
    r->web.etag = "\"a\"";
    ports.to_flash = &r->flash;
    ports.to_net = s->tls ? tlsweb_net(&r->web, s->tls) : &r->web.port;
    ports.to_store = &r->store.port;
    ports.sys = &r->sys;
    ports_init();
    ports_arm(FAIL_CALLS, FAIL_NET_BROKEN, 0);
    reboot(r);
    r->env.http.net = &ports.net;
    r->env.http.heap = &ports.heap;
    r->env.http.rng = &ports.rng;
    r->opts.store = &ports.store;
    r->opts.checkpoint_len = 8192;
    r->opts.retry_cnt = s->retries ? 2 : 0;
    if (s->tls) {
        r->opts.url = "https://" HOST "/fw.bin";
        r->http.tls.ca = span_str(ca.pem);
        r->policy.cert_dates = POL_DATES_STRICT;
    }
    if (s->behind)
        rig_write_behind(r, true);
    if (!s->resumed)
        return;
    r->web.cut_at = HALF;
    r->web.cut_cnt = 1;
    assert_int_not_equal(rig_update(r, NULL), ESP_OK);
    assert_true(r->store.text[0] != '\0');
    r->web.cut_cnt = 0;
    reboot(r);
}

static void note(struct sum *sum, const char *what)
{
    size_t i = 0;

    while (i < NAMES - 1 && sum->of[i].what &&
           strcmp(sum->of[i].what, what) != 0)
        i++;
    sum->of[i].what = what;
    sum->of[i].cnt++;
}

static void need_whole(struct rig *r)
{
    assert_int_equal(rig_boots(r), 1);
    assert_memory_equal(rig_bytes(r, RIG_SLOT_1), r->image, r->image_len);
}

/* What the update left: *sum counts it. */
static void judge(struct rig *r, const char *claim, esp_err_t err,
                  struct sum *sum)
{
    bool new = rig_boots(r) == 1;

    if (err && (r->diag.text[0] == '\0' || r->diag.err == ESP_OK))
        fail_msg("%s: %s no %u: no sentence", claim, ports.what, ports.at);
    if (new != (!err || strstr(r->diag.text, "all the same")) ||
        (!new &&rig_boots(r) != 0))
        fail_msg("%s: %s no %u: %u boots after 0x%x %s", claim, ports.what,
                 ports.at, (unsigned)rig_boots(r), (unsigned)err, r->diag.text);
    if (r->web.alive_cnt != 0)
        fail_msg("%s: %s no %u: a connection is open", claim, ports.what,
                 ports.at);
    if (new)
        need_whole(r);
    sum->failed += err != ESP_OK;
    sum->announced += err && new;
}

static void once_more(struct rig *r, const char *claim)
{
    const char *what = ports.what;
    uint32_t at = ports.at;
    esp_err_t err;

    if (rig_boots(r) == 1)
        return;
    ports_arm(FAIL_CALLS, FAIL_NET_BROKEN, 0);
    reboot(r);
    err = rig_update(r, NULL);
    if (err)
        fail_msg("%s: %s no %u: the next update: %s", claim, what, at,
                 r->diag.text);
    need_whole(r);
}

/* --- sweeps --------------------------------------------------------------- */

struct turn {
    const struct scene *scene;
    enum fail_sweep sweep;
    enum fail_net how;
};

static uint32_t next_call(uint32_t at, const struct turn *t)
{
    const char *slow = getenv("PORTA_SANITIZE");
    uint32_t step = !t->scene->tls ? 13 : at < 300 ? 41 : 307;

    if (getenv("PORTA_DEEP"))
        step = 1;
    else if (slow && strcmp(slow, "1") == 0)
        step *= 3;
    return at + (at < 20 || t->sweep == FAIL_CALLS ? 1 : step);
}

/* false: nothing failed, there are no such calls left. */
static bool fail_one(const struct turn *t, uint32_t at, struct sum *sum)
{
    size_t before = heap.cur_len;
    bool fired;
    struct rig r;
    esp_err_t err;

    open_rig(&r, t->scene);
    assert_int_equal(heap.cur_len, before);
    ports_arm(t->sweep, t->how, at);
    err = rig_update(&r, NULL);
    fired = ports.fired;
    sum->armed++;
    sum->fired += fired;
    if (!fired)
        assert_int_equal(err, ESP_OK);
    else
        note(sum, ports.what);
    if (heap.cur_len != before && t->scene->tls != 3)
        fail_msg("%s: %s no %u: %zu bytes are lost", t->scene->claim,
                 ports.what, at, heap.cur_len - before);
    sum->leaks += heap.cur_len != before;
    judge(&r, t->scene->claim, err, sum);
    once_more(&r, t->scene->claim);
    rig_close(&r);
    return fired;
}

static void sweep(const struct turn *t)
{
    static const char *const names[] = { "allocations", "reads", "calls" };
    struct sum sum = { .armed = 0 };
    uint32_t at = 1;

    while (fail_one(t, at, &sum))
        at = next_call(at, t);
    print_message("# %s, %s%s: %u of %u faults fired", t->scene->claim,
                  names[t->sweep],
                  t->how == FAIL_NET_TIMEOUT ? ", network too late" : "",
                  (unsigned)sum.fired, (unsigned)(sum.armed - 1));
    for (size_t i = 0; i < NAMES && sum.of[i].what; i++)
        print_message(", %u %s", (unsigned)sum.of[i].cnt, sum.of[i].what);
    print_message("; %u updates failed, %u of them installed the new image\n",
                  (unsigned)sum.failed, (unsigned)sum.announced);
    /* The last one found nothing left. */
    assert_int_equal(sum.fired + 1, sum.armed);
    assert_true(sum.fired > 4);
    assert_in_range(sum.leaks, 0, LIBRARY_LEAKS);
}

static void test_all(void **state)
{
    static const struct scene scenes[] = {
        { "http:", .tls = 0 },
        { "http:, with retries", .retries = true },
        { "http:, resumed", .resumed = true },
        { "http:, written behind", .behind = true },
        { "TLS 1.2", .tls = 2 },
        { "TLS 1.2, resumed", .tls = 2, .resumed = true },
        { "TLS 1.3", .tls = 3 },
    };

    (void)state;
    for (size_t i = 0; i < CNT(scenes); i++) {
        sweep(&(struct turn){ &scenes[i], FAIL_ALLOCS, FAIL_NET_BROKEN });
        sweep(&(struct turn){ &scenes[i], FAIL_READS, FAIL_NET_BROKEN });
        sweep(&(struct turn){ &scenes[i], FAIL_CALLS, FAIL_NET_BROKEN });
        if (i == 0 || getenv("PORTA_DEEP"))
            sweep(&(struct turn){ &scenes[i], FAIL_CALLS, FAIL_NET_TIMEOUT });
    }
}

/* --- the world ------------------------------------------------------------ */

static int group_open(void **state)
{
    static const char *const names[] = { HOST, NULL };
    struct peer_cert root = { .cn = "test CA", .ca = true };
    struct peer_cert leaf = { .cn = HOST, .dns = names, .issuer = &ca };
    const struct tls_env env = { &ports.heap, &ports.rng, &ports.clock };
    static struct sim_flash nothing;

    (void)state;
    sim_heap_init(&heap);
    sim_rng_init(&rng, 1);
    sim_clock_init(&wall, NOW);
    ports.to_heap = &heap.port;
    ports.to_rng = &rng.port;
    ports.to_clock = &wall.port;
    ports.to_flash = &nothing;
    ports_init();
    if (tls_init(&env))
        return -1;
    peer_ident_make(&ca, &root);
    peer_ident_make(&server, &leaf);
    tlsweb_open(&server);
    return 0;
}

static int group_close(void **state)
{
    (void)state;
    tlsweb_close();
    peer_ident_free(&ca);
    peer_ident_free(&server);
    tls_deinit();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
    };

    return cmocka_run_group_tests(tests, group_open, group_close);
}
