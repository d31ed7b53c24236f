/* Deadlines, the wish to stop, and trying again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"

/* A port_sys that stops the session in its nth sleep. */
struct stopper {
    struct port_sys port;
    struct rig *rig;
    uint32_t nth;
};

static uint64_t mono_ms(void *ctx)
{
    struct stopper *s = ctx;

    return s->rig->sys.port.mono_ms(s->rig->sys.port.ctx);
}

static void sleep_ms(void *ctx, uint32_t ms)
{
    struct stopper *s = ctx;

    s->rig->sys.port.sleep_ms(s->rig->sys.port.ctx, ms);
    if (s->nth > 0 && --s->nth == 0)
        port_limit_stop(&s->rig->limit);
}

static void stop_in_sleep(struct rig *r, struct stopper *s, uint32_t nth)
{
    *s = (struct stopper){ r->sys.port, r, nth };
    s->port.ctx = s;
    s->port.mono_ms = mono_ms;
    s->port.sleep_ms = sleep_ms;
    r->env.http.sys = &s->port;
}

static uint64_t passed_ms(const struct rig *r)
{
    struct sim_sys fresh;

    sim_sys_init(&fresh);
    return r->sys.now_ms - fresh.now_ms;
}

static void open_rig(struct rig *r)
{
    rig_open(r);
    r->opts.limit = &r->limit;
}

/* The session ended because it was told to. */
static void check_stopped(struct rig *r, const struct upd_result *res)
{
    assert_int_equal(r->diag.err, ESP_ERR_NOT_FINISHED);
    assert_non_null(strstr(r->diag.text, "interrupted after"));
    assert_int_equal(res->err, ESP_ERR_NOT_FINISHED);
    assert_int_equal(res->stage, DIAG_STAGE_DOWNLOAD);
    assert_int_equal(rig_boots(r), 0);
    rig_close(r);
}

/* --- stop ----------------------------------------------------------------- */

static void test_stop_first(void **state)
{
    struct rig r;
    struct upd_result res;

    (void)state;
    open_rig(&r);
    r.opts.result = &res; /* upd_begin() tells, too */
    port_limit_stop(&r.limit);
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_NOT_FINISHED);
    assert_int_equal(sim_flash_ops(&r.flash), 0);
    check_stopped(&r, &res);
}

static void test_stop_in_body(void **state)
{
    struct rig r;
    struct upd_result res;

    (void)state;
    open_rig(&r);
    r.web.etag = "\"a\"";
    r.opts.store = &r.store.port;
    r.opts.retry_cnt = 9;
    r.web.stop_at = 9000;
    assert_int_equal(rig_update(&r, &res), ESP_ERR_NOT_FINISHED);
    assert_int_equal(r.web.request_cnt, 1);
    assert_int_equal(res.retries, 0);
    /* What came can be gone on with. */
    assert_int_equal(r.store.save_cnt, 1);
    check_stopped(&r, &res);
}

static void test_stop_before_retry(void **state)
{
    struct rig r;
    struct stopper s;
    struct upd_result res;

    (void)state;
    open_rig(&r);
    r.opts.result = &res;
    r.opts.retry_cnt = 9;
    r.web.busy_cnt = 9;
    r.web.busy_extra = "Retry-After: 100\r\n";
    stop_in_sleep(&r, &s, 3);
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_NOT_FINISHED);
    assert_int_equal(passed_ms(&r), 3 * PORT_LIMIT_SLICE_MS);
    assert_int_equal(r.web.request_cnt, 1);
    check_stopped(&r, &res);
}

static void test_stop_in_erase(void **state)
{
    struct rig r;
    struct stopper s;
    struct upd_result res;

    (void)state;
    open_rig(&r);
    r.opts.bulk_erase = true;
    stop_in_sleep(&r, &s, 3);
    assert_int_equal(rig_update(&r, &res), ESP_ERR_NOT_FINISHED);
    assert_int_equal(res.erase_cnt, 3);
    check_stopped(&r, &res);
}

/* --- time ----------------------------------------------------------------- */

struct time_row {
    const char *claim;
    bool mute_open;
    size_t trickle_ms;
    size_t silent_at;
    int status;
    uint32_t start_off;
    uint32_t connect_ms, stall_ms, max_ms;
    uint64_t want_ms;
    esp_err_t want;
    const char *says;
};

static const struct time_row times[] = {
    { .claim = "a connection has its own time",
      .mute_open = true,
      .connect_ms = 3000,
      .max_ms = 60000,
      .want_ms = 3000,
      .want = ESP_ERR_HTTP_CONNECT,
      .says = "no connection within 3.0 s" },
    { .claim = "and not more than the session",
      .mute_open = true,
      .connect_ms = 30000,
      .max_ms = 2000,
      .want_ms = 2000,
      .want = ESP_ERR_TIMEOUT,
      .says = "time limit of 2.0 s" },
    { .claim = "silence",
      .silent_at = 9000,
      .stall_ms = 5000,
      .want_ms = 5000,
      .want = ESP_ERR_TIMEOUT,
      .says = "silent after 9000" },
    { .claim = "silence for longer than one wait",
      .silent_at = 9000,
      .stall_ms = 20000,
      .want_ms = 20000,
      .want = ESP_ERR_TIMEOUT,
      .says = "silent after 9000" },
    { .claim = "silence that the session's time ends",
      .silent_at = 9000,
      .stall_ms = 20000,
      .max_ms = 7500,
      .want_ms = 7500,
      .want = ESP_ERR_TIMEOUT,
      .says = "time limit of 7.5 s passed after 9000" },
    { .claim = "one byte a second is too slow",
      .trickle_ms = 1000,
      .stall_ms = 30000,
      .want_ms = 30000,
      .want = ESP_ERR_TIMEOUT,
      .says = "too slow: 30 bytes in 30.0 s" },
    { .claim = "or runs into the session's end",
      .trickle_ms = 1000,
      .max_ms = 9000,
      .want_ms = 9000,
      .want = ESP_ERR_TIMEOUT,
      .says = "time limit of 9.0 s passed after 9 bytes" },
    { .claim = "an error page that trickles is quoted as far as it came",
      .trickle_ms = 500,
      .status = 500,
      .want_ms = 2000,
      .want = ESP_FAIL,
      .says = "it says \"abcd\"" },
    { .claim = "the first bytes of a file that is gone on with trickle",
      .trickle_ms = 1000,
      .start_off = 4096,
      .stall_ms = 5000,
      .want_ms = 5000,
      .want = ESP_ERR_TIMEOUT,
      .says = "too slow: 5 bytes in 5.0 s" },
    { .claim = "a hundred bytes a second are slow, and fast enough",
      .trickle_ms = 10,
      .stall_ms = 30000,
      .want = ESP_OK,
      .says = "" },
};

static void test_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        const struct time_row *t = &times[i];
        struct upd_result res = { .http_status = 0 };
        struct rig r;

        print_message("# %s\n", t->claim);
        open_rig(&r);
        r.opts.result = &res;
        r.http.connect_timeout_ms = t->connect_ms;
        r.opts.stall_ms = t->stall_ms;
        r.opts.max_time_ms = t->max_ms;
        r.web.mute_open = t->mute_open;
        r.web.trickle_ms = t->trickle_ms;
        r.opts.start_off = t->start_off;
        if (t->status) {
            rig_serve(&r, "abcdefghijkl", 12);
            r.web.trickle_ms = t->trickle_ms;
            r.web.status = t->status;
            r.web.type = "application/json";
        }
        r.web.cut_at = t->silent_at;
        r.web.cut_cnt = t->silent_at > 0;
        r.web.cut_silent = t->silent_at > 0;
        assert_int_equal(rig_update(&r, NULL), t->want);
        print_message("    %s\n", r.diag.text);
        assert_non_null(strstr(r.diag.text, t->says));
        if (t->want) {
            assert_int_equal(passed_ms(&r), t->want_ms);
            assert_int_equal(res.elapsed_ms, t->want_ms);
        }
        assert_int_equal(r.limit.deadline_ms, 0);
        rig_close(&r);
    }
}

/* --- again ---------------------------------------------------------------- */

static void test_retry_after(void **state)
{
    struct rig r;
    struct upd_result res;

    (void)state;
    open_rig(&r);
    r.opts.retry_cnt = 2;
    r.web.busy_cnt = 2;
    r.web.busy_extra = "Retry-After: 3\r\n";
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_int_equal(res.retries, 2);
    assert_int_equal(passed_ms(&r), 6000);
    rig_close(&r);
}

/* What would be too late is not waited for. */
static void test_retry_too_late(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r);
    r.opts.retry_cnt = 2;
    r.opts.max_time_ms = 10000;
    r.web.busy_cnt = 2;
    r.web.busy_extra = "Retry-After: 60\r\n";
    assert_int_equal(rig_update(&r, NULL), ESP_FAIL);
    assert_non_null(strstr(r.diag.text, "503"));
    assert_int_equal(passed_ms(&r), 0);
    rig_close(&r);
}

/* One budget for the whole session, whatever it is spent on. */
static void test_budget(void **state)
{
    for (uint32_t budget = 3; budget <= 4; budget++) {
        struct rig r;
        struct upd_result res = { .http_status = 0 };

        (void)state;
        open_rig(&r);
        r.opts.result = &res;
        r.opts.retry_cnt = budget;
        r.web.refuse_cnt = 1;
        r.web.busy_cnt = 1;
        r.web.cut_at = 8000;
        r.web.cut_cnt = 2;
        assert_int_equal(rig_update(&r, NULL),
                         budget == 4 ? ESP_OK : ESP_ERR_HTTP_INCOMPLETE_DATA);
        assert_int_equal(res.retries, budget);
        assert_int_equal(res.stage,
                         budget == 4 ? DIAG_STAGE_NONE : DIAG_STAGE_DOWNLOAD);
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop_first),
        cmocka_unit_test(test_stop_in_body),
        cmocka_unit_test(test_stop_before_retry),
        cmocka_unit_test(test_stop_in_erase),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_retry_too_late),
        cmocka_unit_test(test_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
