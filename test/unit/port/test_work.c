/* Jobs beside the caller: in order, each once, and waited for; by a thread, and
 * on the clock of the simulation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "linux_work.h"
#include "sim_work.h"

#define JOBS 30u

struct note {
    struct port_job port;
    unsigned *seen, *cnt; /* the order in which they ran */
    unsigned nth;
};

static void run(struct port_job *job)
{
    struct note *n = (struct note *)(void *)job;

    n->seen[(*n->cnt)++] = n->nth;
}

static void check_order(const struct port_work *w)
{
    static struct note notes[JOBS];
    unsigned seen[JOBS], cnt = 0;

    for (unsigned i = 0; i < JOBS; i++) {
        notes[i] = (struct note){ { .run = run }, seen, &cnt, i };
        w->put(w->ctx, &notes[i].port);
        if (i % 7 == 3)
            w->wait(w->ctx, &notes[i / 2].port);
    }
    w->wait(w->ctx, &notes[JOBS - 1].port);
    assert_int_equal(cnt, JOBS);
    for (unsigned i = 0; i < JOBS; i++) {
        assert_true(w->is_done(w->ctx, &notes[i].port));
        assert_int_equal(seen[i], i);
    }
}

static void test_thread(void **state)
{
    struct linux_work w;

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(linux_work_open(&w), ESP_OK);
        check_order(&w.port);
        linux_work_close(&w);
        linux_work_close(&w);
    }
}

static void test_sim(void **state)
{
    struct sim_flash flash;
    struct sim_work w;
    struct sim_sys sys;

    (void)state;
    sim_sys_init(&sys);
    assert_int_equal(sim_flash_init(&flash, NULL), ESP_OK);
    sim_work_init(&w, &sys, &flash);
    check_order(&w.port);
    w.lazy = true;
    check_order(&w.port);
    sim_flash_deinit(&flash);
}

struct erase {
    struct port_job port;
    const struct port_flash *flash;
    uint32_t off;
};

static void run_erase(struct port_job *job)
{
    struct erase *e = (struct erase *)(void *)job;

    (void)!e->flash->erase(e->flash->ctx, e->off);
}

/* Two erases of 45 ms each: the second starts when the first has ended, the
 * clock goes on only for who waits, and by what is still to be waited for. */
static void test_sim_time(void **state)
{
    const struct sim_flash_pace pace = { .erase_us = 45000 };
    struct sim_flash flash;
    struct sim_work w;
    struct sim_sys sys;
    struct erase a = { { .run = run_erase }, &flash.port, 0 };
    struct erase b = { { .run = run_erase }, &flash.port, 4096 };

    (void)state;
    sim_sys_init(&sys);
    assert_int_equal(sim_flash_init(&flash, NULL), ESP_OK);
    sim_flash_set_pace(&flash, &pace, &sys);
    sim_work_init(&w, &sys, &flash);
    w.port.put(w.port.ctx, &a.port);
    w.port.put(w.port.ctx, &b.port);
    assert_int_equal(sys.now_ms, 1000);
    assert_int_equal(flash.count.erases, 1);
    assert_false(w.port.is_done(w.port.ctx, &a.port));
    sim_sys_advance_to(&sys, 1050);
    assert_true(w.port.is_done(w.port.ctx, &a.port));
    assert_false(w.port.is_done(w.port.ctx, &b.port));
    assert_int_equal(flash.count.erases, 2);
    w.port.wait(w.port.ctx, &b.port);
    assert_int_equal(sys.now_ms, 1090);
    /* Without a job the caller waits himself. */
    assert_int_equal(flash.port.erase(flash.port.ctx, 0), ESP_OK);
    assert_int_equal(sys.now_ms, 1135);
    sim_flash_deinit(&flash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread),
        cmocka_unit_test(test_sim),
        cmocka_unit_test(test_sim_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
