/* The server has another file in the middle of a download. With retries that
 * file comes, from its first byte; without them nothing does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/crypt.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* What the server has next: the rig's image is the first. */
struct next {
    uint8_t *bytes;
    uint32_t len;
};

static void next_make(struct next *n, const struct rig_image *how)
{
    n->bytes = rig_make_image(how, &n->len);
}

static void serve_next(struct rig *r, const struct next *n, const char *tag)
{
    r->web.file = n->bytes;
    r->web.file_len = n->len;
    r->web.etag = tag;
}

/* Steps until so many bytes came; the last step's outcome. */
static enum upd_step step_to(struct upd *u, uint32_t len, esp_err_t *err)
{
    enum upd_step step = UPD_STEP_MORE;

    while (step == UPD_STEP_MORE && upd_result(u)->received_len < len)
        step = upd_step(u, err);
    return step;
}

/* A session of which so many bytes came. */
static struct upd *begin_to(struct rig *r, uint32_t len)
{
    struct upd *u;
    esp_err_t err;

    assert_int_equal(upd_begin(&u, &r->env, &r->opts, &r->diag), ESP_OK);
    assert_int_equal(step_to(u, len, &err), UPD_STEP_MORE);
    assert_int_equal(upd_result(u)->received_len, len);
    return u;
}

static esp_err_t go_on(struct upd *u, struct upd_result *res)
{
    esp_err_t err;

    if (step_to(u, UINT32_MAX, &err) == UPD_STEP_DONE)
        return upd_finish(u, true, res);
    upd_abort(u, res);
    return err;
}

static void check_slot(struct rig *r, const struct next *n)
{
    assert_memory_equal(rig_bytes(r, RIG_SLOT_1), n->bytes, n->len);
    assert_int_equal(rig_boots(r), 1);
}

/* --- with retries --------------------------------------------------------- */

struct way {
    const char *claim;
    const char *tag, *then; /* ETag of the one and the other */
    uint32_t cut_at;        /* of the first answer; 0: it is whole */
    uint32_t new_len;       /* of the body, 0: as long */
    uint32_t range_len;
    bool bulk, behind, keep, no_ranges, no_length;
};

static const struct way ways[] = {
    { .claim = "the rest, by ETag",
      .tag = "\"a\"",
      .then = "\"b\"",
      .cut_at = 9000 },
    { .claim = "the rest, from a server that compares nothing",
      .tag = "W/\"a\"",
      .then = "W/\"b\"",
      .cut_at = 9000 },
    { .claim = "another length says it, too",
      .cut_at = 9000,
      .new_len = 24000 },
    { .claim = "shorter than what came", .cut_at = 9000, .new_len = 5000 },
    { .claim = "the first bytes alone came",
      .tag = "\"a\"",
      .then = "\"b\"",
      .cut_at = 500 },
    { .claim = "none came", .tag = "\"a\"", .then = "\"b\"", .cut_at = 1 },
    { .claim = "the next range",
      .tag = "\"a\"",
      .then = "\"b\"",
      .range_len = 5000 },
    { .claim = "the next range, nothing compared",
      .tag = "W/\"a\"",
      .then = "W/\"b\"",
      .range_len = 5000 },
    { .claim = "nothing is left of an erase of all at once",
      .tag = "\"a\"",
      .then = "\"b\"",
      .cut_at = 9000,
      .bulk = true },
    { .claim = "written beside the session",
      .tag = "\"a\"",
      .then = "\"b\"",
      .cut_at = 9000,
      .behind = true },
    { .claim = "with a checkpoint of the old file",
      .tag = "\"a\"",
      .then = "\"b\"",
      .cut_at = 9000,
      .keep = true },
    { .claim = "the same file, from a server without ranges",
      .tag = "\"a\"",
      .then = "\"a\"",
      .cut_at = 9000,
      .no_ranges = true },
    { .claim = "of the new file nobody tells the length",
      .tag = "\"a\"",
      .then = "\"b\"",
      .cut_at = 9000,
      .no_length = true },
};

static void open_way(struct rig *r, const struct way *w)
{
    rig_open(r);
    r->web.etag = w->tag;
    r->web.cut_at = w->cut_at;
    r->web.cut_cnt = w->cut_at > 0;
    r->web.no_ranges = w->no_ranges;
    r->opts.range_len = w->range_len;
    r->opts.bulk_erase = w->bulk;
    r->opts.retry_cnt = 1;
    r->opts.checkpoint_len = 4096;
    if (w->keep)
        r->opts.store = &r->store.port;
    if (w->behind)
        rig_write_behind(r, true);
}

static void test_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(ways); i++) {
        const struct way *w = &ways[i];
        struct upd_result res;
        struct next n;
        struct upd *u;
        struct rig r;

        print_message("# %s\n", w->claim);
        open_way(&r, w);
        next_make(&n, &(struct rig_image){ .filler = 9,
                                           .version = "3",
                                           .body_len = w->new_len });
        u = begin_to(&r, w->cut_at ? w->cut_at : w->range_len);
        serve_next(&r, &n, w->then);
        r.web.no_length = w->no_length;
        if (go_on(u, &res) != ESP_OK)
            fail_msg("%s", r.diag.text);
        check_slot(&r, &n);
        assert_string_equal(res.image.desc.version, "3");
        assert_int_equal(res.retries, 1);
        assert_int_equal(res.image_len, w->no_length ? -1 : (int64_t)n.len);
        assert_int_equal(res.written_len, n.len);
        assert_int_equal(res.resumed_from, 0);
        assert_int_equal(res.erase_cnt, r.flash.count.erases - 1);
        assert_string_equal(r.store.text, "");
        /* Before the first erase, and at the end. */
        assert_int_equal(r.store.clear_cnt, w->keep ? 2 : 0);
        assert_int_equal(res.checkpoint_cnt > 0, w->keep);
        free(n.bytes);
        rig_close(&r);
    }
}

/* All that the new file needs is erased before it is written, as it was for
 * the old one. */
static void test_bulk_erase(void **state)
{
    struct next n;
    struct upd *u;
    struct rig r;
    esp_err_t err;

    (void)state;
    open_way(&r, &(struct way){ .tag = "\"a\"", .cut_at = 9000, .bulk = true });
    next_make(&n, &(struct rig_image){ .filler = 9 });
    u = begin_to(&r, 9000);
    assert_int_equal(r.flash.count.erases, 5);
    serve_next(&r, &n, "\"b\"");
    assert_int_equal(step_to(u, 9000 + 4096, &err), UPD_STEP_MORE);
    assert_int_equal(r.flash.count.erases, 10);
    assert_int_equal(go_on(u, NULL), ESP_OK);
    check_slot(&r, &n);
    free(n.bytes);
    rig_close(&r);
}

static esp_err_t give_url(void *ctx, enum http_url_why why,
                          struct http_buf *out, struct diag *d)
{
    (void)why;
    (void)d;
    ++*(uint32_t *)ctx;
    return http_buf_add(out, span_str(RIG_URL));
}

/* Where the old file's part was may be another place than the new file's. */
static void test_from_home(void **state)
{
    uint32_t asked = 0;
    struct http_urls urls = { &asked, give_url };
    struct next n;
    struct upd *u;
    struct rig r;

    (void)state;
    open_way(&r, &(struct way){ .tag = "\"a\"", .range_len = 5000 });
    r.http.urls = &urls;
    next_make(&n, &(struct rig_image){ .filler = 9 });
    u = begin_to(&r, 5000);
    assert_int_equal(asked, 1);
    serve_next(&r, &n, "\"b\"");
    assert_int_equal(go_on(u, NULL), ESP_OK);
    assert_int_equal(asked, 2);
    assert_string_equal(r.web.ranges[2], "bytes=0-4999");
    check_slot(&r, &n);
    free(n.bytes);
    rig_close(&r);
}

/* The stage begins again, too, with the new file's own key. */
static void test_encrypted(void **state)
{
    struct upd_result res;
    struct crypt c;
    struct web web; /* with the connection */
    struct upd *u;

    (void)state;
    crypt_open(&c, ENC_SCHEME_ECIES256);
    c.rig.web.etag = "\"a\"";
    c.rig.web.cut_at = 9000;
    c.rig.web.cut_cnt = 1;
    c.rig.opts.retry_cnt = 1;
    u = begin_to(&c.rig, 9000);
    web = c.rig.web;
    crypt_serve(&c, &(struct rig_image){ .filler = 9, .version = "3" });
    c.rig.web = web;
    serve_next(&c.rig, &(struct next){ c.file, c.file_len }, "\"b\"");
    if (go_on(u, &res) != ESP_OK)
        fail_msg("%s", c.rig.diag.text);
    assert_string_equal(res.image.desc.version, "3");
    assert_memory_equal(rig_bytes(&c.rig, RIG_SLOT_1), c.rig.image,
                        c.rig.image_len);
    assert_int_equal(rig_boots(&c.rig), 1);
    crypt_close(&c);
}

/* Each allocation fails in turn: all is given back, and nothing boots that is
 * not whole. */
static void test_memory(void **state)
{
    uint32_t failed_cnt = 0;
    bool failed = true;

    (void)state;
    for (uint32_t i = 1; failed; i++) {
        struct next n;
        struct upd *u;
        struct rig r;
        esp_err_t err;

        rig_open(&r);
        r.web.etag = "\"a\"";
        r.web.cut_at = 9000;
        r.web.cut_cnt = 1;
        r.opts.retry_cnt = 1;
        r.opts.store = &r.store.port;
        next_make(&n, &(struct rig_image){ .filler = 9 });
        u = begin_to(&r, 9000);
        serve_next(&r, &n, "\"b\"");
        r.heap.fail_at = r.heap.alloc_cnt + i;
        err = go_on(u, NULL);
        assert_int_equal(rig_boots(&r), err ? 0 : 1);
        failed = r.heap.alloc_cnt >= r.heap.fail_at;
        failed_cnt += err != ESP_OK;
        free(n.bytes);
        rig_close(&r);
    }
    assert_true(failed_cnt > 1);
}

/* Bytes that came along with the failure are the old file's. */
static void test_bytes_with_the_failure(void **state)
{
    struct upd_result res;
    struct next n;
    struct upd *u;
    struct rig r;

    (void)state;
    rig_open(&r);
    r.web.etag = "\"a\"";
    r.web.trickle_ms = 2000;
    r.opts.stall_ms = 5000;
    r.opts.retry_cnt = 1;
    next_make(&n, &(struct rig_image){ .filler = 9 });
    assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
    serve_next(&r, &n, "\"b\"");
    while (upd_result(u)->retries == 0)
        assert_int_equal(upd_step(u, &(esp_err_t){ ESP_OK }), UPD_STEP_MORE);
    r.web.trickle_ms = 0;
    if (go_on(u, &res) != ESP_OK)
        fail_msg("%s", r.diag.text);
    check_slot(&r, &n);
    free(n.bytes);
    rig_close(&r);
}

/* --- as often as there are retries ---------------------------------------- */

/* A file that changes each time that its second range is asked for. */
static void test_no_end(void **state)
{
    static const char *const tags[] = { "\"a\"", "\"b\"" };

    (void)state;
    for (uint32_t budget = 0; budget < 4; budget++) {
        struct upd_result res;
        esp_err_t err = ESP_OK;
        struct upd *u;
        struct rig r;
        uint32_t turn = 0;

        rig_open(&r);
        r.web.etag = tags[0];
        r.opts.range_len = 4096;
        r.opts.retry_cnt = budget;
        assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
        while (upd_step(u, &err) == UPD_STEP_MORE) {
            if (upd_result(u)->received_len == (turn + 1) * 4096)
                r.web.etag = tags[++turn % 2];
        }
        upd_abort(u, &res);
        assert_int_equal(err, ESP_ERR_INVALID_RESPONSE);
        assert_int_equal(res.retries, budget);
        assert_int_equal(res.received_len, (budget + 1) * 4096);
        assert_int_equal(rig_boots(&r), 0);
        rig_close(&r);
    }
}

/* --- the new file is judged like any -------------------------------------- */

static const struct judged {
    const char *claim;
    struct rig_image how;
    uint32_t flip_at; /* this byte of it is not its own, if not 0 */
    bool no_older;
    esp_err_t want;
    const char *says;
} judgeds[] = {
    { .claim = "too large for the slot",
      .how = { .body_len = 2 * RIG_SLOT_LEN },
      .want = ESP_ERR_INVALID_SIZE,
      .says = "too many" },
    { .claim = "for another chip",
      .how = { .chip_id = 5 },
      .want = ESP_ERR_INVALID_VERSION,
      .says = "for esp32c3" },
    { .claim = "damaged",
      .flip_at = 15000,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "" },
    { .claim = "an older version",
      .how = { .version = "0.9" },
      .no_older = true,
      .want = ESP_ERR_INVALID_VERSION,
      .says = "0.9" },
};

static void test_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(judgeds); i++) {
        const struct judged *j = &judgeds[i];
        struct next n;
        struct upd *u;
        struct rig r;

        print_message("# %s\n", j->claim);
        rig_open(&r);
        r.web.etag = "\"a\"";
        r.web.cut_at = 9000;
        r.web.cut_cnt = 1;
        r.opts.retry_cnt = 1;
        r.opts.pre.no_older = j->no_older;
        next_make(&n, &j->how);
        n.bytes[j->flip_at] ^= j->flip_at > 0;
        u = begin_to(&r, 9000);
        serve_next(&r, &n, "\"b\"");
        assert_int_equal(go_on(u, NULL), j->want);
        print_message("    %s\n", r.diag.text);
        assert_non_null(strstr(r.diag.text, j->says));
        assert_int_equal(rig_boots(&r), 0);
        free(n.bytes);
        rig_close(&r);
    }
}

/* A session that fails before the new file's first sector is whole leaves what
 * the checkpoint says true; one that fails later leaves none, or the new
 * file's. */
static void test_checkpoints(void **state)
{
    static const struct {
        const char *claim;
        uint32_t cut_at; /* of the new file */
        uint32_t goes_on_at;
        const char *of; /* whose ETag the server has by then */
    } rows[] = {
        { "nothing of the new file: the old one goes on", 100, 12288, "\"a\"" },
        { "nothing of the new file, which comes anew", 100, 0, "\"b\"" },
        { "the new file goes on", 9000, 8192, "\"b\"" },
        { "the new file, and the old one is back", 9000, 0, "\"a\"" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        bool is_old = rows[i].of[1] == 'a';
        struct upd_result res;
        struct next n, old;
        struct upd *u;
        struct rig r;

        print_message("# %s\n", rows[i].claim);
        rig_open(&r);
        old = (struct next){ r.image, r.image_len };
        r.web.etag = "\"a\"";
        r.web.cut_at = 13000;
        r.web.cut_cnt = 2;
        r.opts.retry_cnt = 1;
        r.opts.store = &r.store.port;
        r.opts.checkpoint_len = 4096;
        next_make(&n, &(struct rig_image){ .filler = 9, .version = "3" });
        u = begin_to(&r, 13000);
        serve_next(&r, &n, "\"b\"");
        assert_int_equal(upd_step(u, &(esp_err_t){ ESP_OK }), UPD_STEP_MORE);
        assert_int_equal(upd_result(u)->retries, 1);
        r.web.cut_at = rows[i].cut_at;
        assert_int_equal(go_on(u, NULL), ESP_ERR_HTTP_INCOMPLETE_DATA);
        assert_int_equal(r.web.cut_cnt, 0);
        serve_next(&r, is_old ? &old : &n, rows[i].of);
        assert_int_equal(rig_update(&r, &res), ESP_OK);
        assert_int_equal(res.resumed_from, rows[i].goes_on_at);
        check_slot(&r, is_old ? &old : &n);
        free(n.bytes);
        rig_close(&r);
    }
}

/* --- not ------------------------------------------------------------------ */

static esp_err_t stage_begin(void *ctx)
{
    ++*(uint32_t *)ctx;
    return ESP_OK;
}

static esp_err_t stage_feed(void *ctx, const void *data, size_t len,
                            const struct upd_stage_out *out)
{
    (void)ctx;
    return out->feed(out->ctx, data, len);
}

static esp_err_t stage_finish(void *ctx, const struct upd_stage_out *out)
{
    (void)ctx;
    (void)out;
    return ESP_OK;
}

static void stage_abort(void *ctx)
{
    (void)ctx;
}

/* Of a stage with a state of its own nobody knows how it starts over; and
 * without retries what is documented stays. */
static void test_not(void **state)
{
    static const struct {
        const char *claim;
        bool staged;
        uint32_t retry_cnt, range_len;
        esp_err_t want;
        const char *says;
    } rows[] = {
        { "a stage", true, 3, 0, ESP_ERR_INVALID_RESPONSE, "changed" },
        { "a stage, in ranges", true, 3, 4096, ESP_ERR_INVALID_RESPONSE,
          "changed" },
        { "no retries", false, 0, 0, ESP_ERR_HTTP_INCOMPLETE_DATA, "9000 of" },
        { "no retries, in ranges", false, 0, 4096, ESP_ERR_INVALID_RESPONSE,
          "changed" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        uint32_t begun = 0;
        struct upd_stage stage = { .ctx = &begun,
                                   .begin = stage_begin,
                                   .feed = stage_feed,
                                   .finish = stage_finish,
                                   .abort = stage_abort };
        struct upd *u;
        struct rig r;

        print_message("# %s\n", rows[i].claim);
        rig_open(&r);
        r.web.etag = "\"a\"";
        r.web.cut_at = 9000;
        r.web.cut_cnt = 1;
        r.opts.range_len = rows[i].range_len;
        r.opts.retry_cnt = rows[i].retry_cnt;
        r.opts.stages = &stage;
        r.opts.stage_cnt = rows[i].staged;
        u = begin_to(&r, rows[i].range_len ? rows[i].range_len : 9000);
        r.web.etag = "\"b\"";
        assert_int_equal(go_on(u, NULL), rows[i].want);
        assert_non_null(strstr(r.diag.text, rows[i].says));
        assert_int_equal(begun, rows[i].staged);
        assert_int_equal(rig_boots(&r), 0);
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_bulk_erase),
        cmocka_unit_test(test_from_home),
        cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_bytes_with_the_failure),
        cmocka_unit_test(test_no_end),
        cmocka_unit_test(test_judged),
        cmocka_unit_test(test_checkpoints),
        cmocka_unit_test(test_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
