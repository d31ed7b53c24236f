/* A thousand updates that fail, in one process and for sixteen reasons, over
 * the ports of Linux: afterwards it holds no more memory, descriptors and
 * threads than before, and the next update succeeds. */
#include <dirent.h>
#include <malloc.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "linux_flash.h"
#include "linux_net.h"
#include "linux_rng.h"
#include "linux_sys.h"
#include "linux_time.h"
#include "ports.h"
#include "sim_clock.h"
#include "site.h"
#include "tlsweb.h"
#include "unit/image/signer.h"
#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NOW 4070908800 /* 2099-01-01: later than any build */
#define TIMES 1000u
#define WARM 100u /* until what is kept for good is there */
/* What the C library keeps at hand differs from one look to the next; a block
 * of 32 bytes that is lost each time is more than this. */
#define SLACK 16384u
#define SCHEME IMG_SCHEME_ECDSA256

enum on { ON_HTTP, ON_TLS, ON_NOTHING };

struct cause {
    const char *claim;
    const char *word; /* of the sentence */
    enum on on;
    void (*serve)(struct web *web); /* how the server misbehaves */
    void (*ask)(struct rig *r);     /* how the session is opened */
    struct rig_image image;
    bool signs, flips;
};

static struct rig rig;
static struct linux_net net;
static struct linux_sys sys;
static struct linux_flash file;
static struct sim_clock wall;
static struct peer_ident ca, other_ca, server;
static struct img_keys keys;
static char path[] = "porta-thousand-XXXXXX";
static unsigned round_no;

/* --- causes --------------------------------------------------------------- */

static void serve_404(struct web *w)
{
    w->status = 404;
}

static void serve_part(struct web *w)
{
    w->cut_at = 9000;
    w->cut_cnt = UINT32_MAX;
}

static void serve_page(struct web *w)
{
    static const char page[] = "<html>this is not the file</html>";

    w->file = page;
    w->file_len = sizeof(page);
    w->type = "text/html";
}

static void serve_silence(struct web *w)
{
    w->cut_at = 9000;
    w->cut_cnt = 1;
    w->cut_silent = true;
}

static void serve_lie(struct web *w)
{
    w->lie_len = RIG_SLOT_LEN;
}

static void ask_stranger(struct rig *r)
{
    r->http.tls.ca = span_str(other_ca.pem);
}

static void ask_other_name(struct rig *r)
{
    r->http.tls.name = "another.test";
}

static void ask_soon(struct rig *r)
{
    r->http.timeout_ms = 10;
}

static void ask_for_signed(struct rig *r)
{
    r->policy.require_signed = true;
}

static void stop(void *ctx, enum upd_event ev, uint32_t value)
{
    struct rig *r = ctx;

    if (ev == UPD_EV_WRITE && value > 4096)
        port_limit_stop(&r->limit);
}

static void ask_and_stop(struct rig *r)
{
    r->opts.on_event = stop;
    r->opts.event_ctx = r;
}

static void ask_without_memory(struct rig *r)
{
    r->heap.fail_at = r->heap.alloc_cnt + 1 + round_no % 9;
}

/* As many as a handshake has; later ones are as good as none. */
static void ask_tls_without_memory(struct rig *r)
{
    r->heap.fail_at = r->heap.alloc_cnt + 1 + round_no * 7 % 900;
}

static const struct cause causes[] = {
    { .claim = "refused", .word = "refused", .on = ON_NOTHING },
    { .claim = "404", .word = "404", .on = ON_HTTP, .serve = serve_404 },
    { .claim = "cut short", .word = "", .on = ON_HTTP, .serve = serve_part },
    { .claim = "a page", .word = "", .on = ON_HTTP, .serve = serve_page },
    { .claim = "silence",
      .word = "",
      .on = ON_HTTP,
      .serve = serve_silence,
      .ask = ask_soon },
    { .claim = "too long", .word = "", .on = ON_HTTP, .serve = serve_lie },
    { .claim = "another chip",
      .word = "device is linux",
      .on = ON_HTTP,
      .image = { .chip_id = 5 } },
    { .claim = "a later chip",
      .word = "revision",
      .on = ON_HTTP,
      .image = { .min_rev = 9900 } },
    { .claim = "a wrong digest", .word = "", .on = ON_HTTP, .flips = true },
    { .claim = "a stranger's signature",
      .word = "sign",
      .on = ON_HTTP,
      .signs = true,
      .ask = ask_for_signed },
    { .claim = "not signed",
      .word = "sign",
      .on = ON_HTTP,
      .ask = ask_for_signed },
    { .claim = "stopped", .word = "", .on = ON_HTTP, .ask = ask_and_stop },
    { .claim = "no memory",
      .word = "memory",
      .on = ON_HTTP,
      .ask = ask_without_memory },
    { .claim = "a stranger's certificate",
      .word = "certificate",
      .on = ON_TLS,
      .ask = ask_stranger },
    { .claim = "another name",
      .word = "another.test",
      .on = ON_TLS,
      .ask = ask_other_name },
    { .claim = "no memory for TLS",
      .word = "memory",
      .on = ON_TLS,
      .ask = ask_tls_without_memory },
};
static struct site sites[CNT(causes)];

/* --- servers -------------------------------------------------------------- */

static uint8_t *make_file(const struct cause *c, uint32_t *len)
{
    uint8_t *image = rig_make_image(&c->image, len);
    uint32_t off = img_sig_off(SCHEME, *len);
    uint8_t *signed_file;

    if (c->flips)
        image[*len - 1] ^= 1;
    if (!c->signs)
        return image;
    signed_file = malloc(off + IMG_SIG_SECTOR_LEN);
    assert_non_null(signed_file);
    memset(signed_file, 0xFF, off + IMG_SIG_SECTOR_LEN);
    memcpy(signed_file, image, *len);
    signer_block(SCHEME, 1, signed_file, off, signed_file + off);
    *len = off + IMG_SIG_SECTOR_LEN;
    free(image);
    return signed_file;
}

static void start_site(const struct cause *c, struct site *s)
{
    struct web web;
    uint32_t len;
    uint8_t *bytes = make_file(c, &len);

    web_init(&web, &rig.sys, bytes, len);
    if (c->serve)
        c->serve(&web);
    site_start(s, &web, c->on == ON_TLS ? 2 : 0);
    if (c->on == ON_NOTHING)
        site_stop(s);
    free(bytes);
}

/* --- one update ----------------------------------------------------------- */

static void open_session(const struct cause *c, uint16_t port, char url[64])
{
    struct rig *r = &rig;

    (void)snprintf(url, 64, "http%s://localhost:%u/fw.bin",
                   c->on == ON_TLS ? "s" : "", (unsigned)port);
    r->http = (struct http_opts){ .net.limit = &r->limit,
                                  .tls.ca = span_str(ca.pem) };
    r->opts =
        (struct upd_opts){ .url = url, .http = &r->http, .limit = &r->limit };
    atomic_store(&r->limit.stop, false);
    r->policy.require_signed = false;
    r->heap.fail_at = 0;
    if (c->ask)
        c->ask(r);
}

static esp_err_t update(const struct cause *c, uint16_t port)
{
    struct diag d = DIAG_NONE;
    char url[64];
    esp_err_t err;

    assert_int_equal(linux_flash_open(&file, path, LINUX_FLASH_WRITE, &d),
                     ESP_OK);
    assert_int_equal(part_dev_open(&rig.parts, &file.port, PART_TABLE_OFF),
                     ESP_OK);
    open_session(c, port, url);
    err = rig_update(&rig, NULL);
    rig.heap.fail_at = 0;
    memcpy(rig.flash.bytes, file.map, RIG_FLASH_LEN);
    linux_flash_close(&file);
    rig.policy.require_signed = false;
    return err;
}

static void fail_once(size_t i)
{
    const struct cause *c = &causes[i];
    esp_err_t err = update(c, sites[i].port);

    if (!err || !strstr(rig.diag.text, c->word) || rig.diag.text[0] == '\0')
        fail_msg("%s, update %u: 0x%x %s", c->claim, round_no, (unsigned)err,
                 rig.diag.text);
    if (rig_boots(&rig) != 0)
        fail_msg("%s, update %u: something else boots", c->claim, round_no);
}

/* --- what a process holds ------------------------------------------------- */

struct holds {
    size_t heap, library, fds, threads;
};

static size_t entries(const char *folder)
{
    DIR *dir = opendir(folder);
    size_t cnt = 0;

    assert_non_null(dir);
    while (readdir(dir))
        cnt++;
    closedir(dir);
    return cnt;
}

/* Names are looked up in threads, which end a little later than they answer. */
static void count(struct holds *h, const struct holds *before)
{
    uint64_t end_ms = linux_mono_ms() + 10000;

    h->library = rig.heap.cur_len;
    h->fds = entries("/proc/self/fd");
    do {
        h->threads = entries("/proc/self/task");
        h->heap = mallinfo2().uordblks;
        sched_yield();
    } while (before && h->threads > before->threads &&
             linux_mono_ms() < end_ms);
}

static void test_thousand(void **state)
{
    static const struct cause good = { .claim = "good" };
    unsigned times = getenv("PORTA_DEEP") ? 20 * TIMES : TIMES;
    struct holds before, warm = { 0 }, after;
    struct site site;

    (void)state;
    count(&before, NULL);
    for (round_no = 0; round_no < times; round_no++) {
        fail_once(round_no % CNT(causes));
        if (round_no == WARM)
            count(&warm, &before);
    }
    count(&after, &before);
    print_message("# %u updates failed for %zu reasons; memory %zu and then "
                  "%zu bytes (of the library %zu, %zu), descriptors %zu, %zu, "
                  "threads %zu, %zu\n",
                  times, CNT(causes), warm.heap, after.heap, warm.library,
                  after.library, before.fds - 3, after.fds - 3,
                  before.threads - 2, after.threads - 2);
    assert_int_equal(after.library, warm.library);
    assert_int_equal(after.fds, before.fds);
    assert_int_equal(after.threads, before.threads);
    assert_in_range(after.heap, 0, warm.heap + SLACK);
    start_site(&good, &site);
    assert_int_equal(update(&good, site.port), ESP_OK);
    assert_int_equal(rig_boots(&rig), 1);
    site_stop(&site);
}

/* --- the world ------------------------------------------------------------ */

static void make_certificates(void)
{
    static const char *const names[] = { "localhost", NULL };
    struct peer_cert root = { .cn = "test CA", .ca = true };
    struct peer_cert other = { .cn = "other CA", .ca = true };
    struct peer_cert leaf = { .cn = "localhost", .dns = names, .issuer = &ca };

    peer_ident_make(&ca, &root);
    peer_ident_make(&other_ca, &other);
    peer_ident_make(&server, &leaf);
    tlsweb_open(&server);
}

static int group_open(void **state)
{
    const struct tls_env env = { &rig.heap.port, &linux_rng, &wall.port };
    int fd = mkstemp(path);

    (void)state;
    rig_open(&rig);
    assert_int_equal(write(fd, rig.flash.bytes, RIG_FLASH_LEN), RIG_FLASH_LEN);
    close(fd);
    sim_clock_init(&wall, NOW);
    linux_net_init(&net, &rig.heap.port);
    linux_sys_init(&sys, NULL);
    rig.env.http.net = &net.port;
    rig.env.http.sys = &sys.port;
    rig.env.http.rng = &linux_rng;
    rig.device.keys = &keys;
    if (tls_init(&env))
        return -1;
    signer_open();
    signer_trust(SCHEME, 1, &keys);
    make_certificates();
    for (size_t i = 0; i < CNT(causes); i++)
        start_site(&causes[i], &sites[i]);
    return 0;
}

static int group_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(causes); i++)
        site_stop(&sites[i]);
    tlsweb_close();
    peer_ident_free(&ca);
    peer_ident_free(&other_ca);
    peer_ident_free(&server);
    signer_close();
    tls_deinit();
    unlink(path);
    rig_close(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thousand),
    };

    return cmocka_run_group_tests(tests, group_open, group_close);
}
