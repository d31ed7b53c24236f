/* An update on a flash that takes its time, over a link that does: the whole
 * takes little more than the slower of the two, by a clock that moves only when
 * somebody waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim_net.h"
#include "unit/update/rig.h"

#define BODY 120000u
#define SECTOR 4096u
#define RAM_MORE 16384u

static const struct sim_flash_pace pace = { .erase_us = 45000, .page_us = 700 };

struct row {
    const char *claim;
    struct sim_net_link link;
    bool beside;   /* the port writes beside the session */
    bool keep;     /* checkpoints, which wait for the flash */
    uint32_t most; /* thousandths of the slower one */
    uint32_t least;
};

/* What the session would pay without: both, one after the other, but for what
 * the window takes meanwhile. */
static const struct row rows[] = {
    { "1 MB/s, records", { 1000000, 16384, 16384 }, true, false, 1100, 1000 },
    { "200 KB/s, records", { 200000, 16384, 16384 }, true, false, 1100, 1000 },
    { "200 KB/s, a short window",
      { 200000, 5840, 0 },
      true,
      false,
      1100,
      1000 },
    { "200 KB/s, a short window, records",
      { 200000, 5840, 16384 },
      true,
      false,
      1100,
      1000 },
    { "200 KB/s, with checkpoints",
      { 200000, 16384, 16384 },
      true,
      true,
      1100,
      1000 },
    { "as slow as the flash", { 72900, 16384, 4096 }, true, false, 1100, 1000 },
    { "slower than the flash",
      { 50000, 5840, 16384 },
      true,
      false,
      1100,
      1000 },
    { "slower than the flash, with checkpoints",
      { 50000, 5840, 16384 },
      true,
      true,
      1100,
      1000 },
    { "one after the other",
      { 200000, 5840, 16384 },
      false,
      false,
      2000,
      1200 },
};

struct took {
    uint64_t ms, net_ms, flash_ms;
    uint32_t heap, erases, progs;
};

static char head[512];

static void add_span(void *ctx, bool erase, uint64_t from_us, uint64_t to_us)
{
    uint64_t *busy_us = ctx;

    (void)erase;
    *busy_us += to_us - from_us;
}

static void serve(struct rig *r, struct sim_net *net, const struct row *row)
{
    static struct sim_net_step steps[2];
    static struct sim_net_script script;

    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Length: %u\r\nETag: \"a\"\r\n\r\n",
             (unsigned)r->image_len);
    steps[0] = (struct sim_net_step){ .kind = SIM_NET_DATA, .data = head };
    steps[1] = (struct sim_net_step){ .kind = SIM_NET_DATA,
                                      .data = r->image,
                                      .len = r->image_len };
    script = (struct sim_net_script){ .steps = steps,
                                      .step_cnt = 2,
                                      .link = row->link };
    sim_net_init(net, &r->sys, &script, 1);
    r->env.http.net = &net->port;
}

static void run(const struct row *row, struct took *out)
{
    static struct rig r;
    static struct sim_net net;
    struct upd_result res;
    uint64_t start, busy_us = 0;

    rig_open(&r);
    free(r.image);
    r.image = rig_make_image(
        &(struct rig_image){ .filler = 1, .body_len = BODY }, &r.image_len);
    serve(&r, &net, row);
    sim_flash_set_pace(&r.flash, &pace, &r.sys);
    r.flash.on_span = add_span;
    r.flash.span_ctx = &busy_us;
    if (row->beside)
        rig_write_behind(&r, false);
    if (row->keep)
        r.opts.store = &r.store.port;
    start = r.sys.now_ms;
    r.opts.result = &res;
    assert_int_equal(rig_update(&r, NULL), ESP_OK);
    out->ms = r.sys.now_ms - start;
    assert_int_equal(rig_boots(&r), 1);
    out->net_ms = r.image_len * 1000ull / row->link.rate;
    out->erases = r.flash.count.erases;
    out->progs = r.flash.count.progs;
    out->flash_ms = busy_us / 1000;
    out->heap = (uint32_t)r.heap.peak_len;
    sim_net_deinit(&net);
    rig_close(&r);
}

static void test_rows(void **state)
{
    struct took took;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t slower, per_mille;

        run(&rows[i], &took);
        slower = took.net_ms > took.flash_ms ? took.net_ms : took.flash_ms;
        per_mille = took.ms * 1000 / slower;
        print_message("# %s: %u ms; network %u, flash %u: %u.%03u\n",
                      rows[i].claim, (unsigned)took.ms, (unsigned)took.net_ms,
                      (unsigned)took.flash_ms, (unsigned)per_mille / 1000,
                      (unsigned)per_mille % 1000);
        assert_in_range(per_mille, rows[i].least, rows[i].most);
    }
}

/* The same operations on the flash, not one more, and 16 KB at the most. */
static void test_costs(void **state)
{
    struct row row = rows[1];
    struct took with, without;

    (void)state;
    run(&row, &with);
    row.beside = false;
    run(&row, &without);
    assert_int_equal(with.erases, without.erases);
    assert_int_equal(with.progs, without.progs);
    assert_in_range(with.heap, without.heap + 1, without.heap + RAM_MORE);
    print_message("# heap %u, without %u\n", with.heap, without.heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_costs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
