/* Downloads that an earlier session began, by checkpoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"
#include "update/checkpoint.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define STEP 8192u
#define BODY 60000u

/* A device that keeps checkpoints, and a file that has a name. */
static void open_rig(struct rig *r)
{
    struct rig_image how = { .filler = 1, .body_len = BODY };

    rig_open(r);
    free(r->image);
    r->image = rig_make_image(&how, &r->image_len);
    rig_serve(r, r->image, r->image_len);
    r->web.etag = "\"a\"";
    r->opts.store = &r->store.port;
    r->opts.checkpoint_len = STEP;
}

/* The network ends after so many bytes; the device is reset. */
static void break_at(struct rig *r, size_t at)
{
    struct web before = r->web;

    r->web.cut_at = at;
    r->web.cut_cnt = 1;
    assert_int_equal(rig_update(r, NULL), ESP_ERR_HTTP_INCOMPLETE_DATA);
    rig_reboot(r);
    rig_serve(r, before.file, before.file_len);
    r->web.etag = before.etag;
    r->web.modified = before.modified;
}

static void finish(struct rig *r, uint32_t want_from)
{
    struct upd_result res;

    assert_int_equal(rig_update(r, &res), ESP_OK);
    assert_int_equal(res.resumed_from, want_from);
    assert_memory_equal(rig_bytes(r, RIG_SLOT_1), r->web.file, r->web.file_len);
    assert_int_equal(rig_boots(r), 1);
    assert_string_equal(r->store.text, "");
}

static void test_goes_on(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r);
    break_at(&r, 30000);
    /* Whole steps while it ran, the last whole sector when it ended. */
    assert_int_equal(r.store.save_cnt, 4);
    finish(&r, 28672);
    assert_string_equal(r.web.ranges[0], "bytes=28672-");
    assert_non_null(strstr(r.web.last_request, "If-Range: \"a\""));
    assert_int_equal(r.web.request_cnt, 1);
    assert_int_equal(r.flash.erase_cnt[RIG_SLOT_1 / 4096], 1);
    rig_close(&r);
}

/* By the date of the last change, where there is no tag that is strong. */
static void test_by_date(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r);
    r.web.etag = "W/\"a\"";
    r.web.modified = "Sun, 22 Nov 2026 12:00:00 GMT";
    break_at(&r, 30000);
    finish(&r, 28672);
    assert_non_null(strstr(r.web.last_request, "If-Range: Sun, 22 Nov"));
    rig_close(&r);
}

/* Nothing names the file: nothing can be gone on with. */
static void test_nameless(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r);
    r.web.etag = NULL;
    break_at(&r, 30000);
    assert_int_equal(r.store.save_cnt, 0);
    finish(&r, 0);
    rig_close(&r);
}

static void test_ranges(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r);
    r.opts.range_len = 5000;
    break_at(&r, 4500);
    finish(&r, 4096);
    assert_string_equal(r.web.ranges[0], "bytes=4096-9095");
    rig_close(&r);
}

/* --- the file or the server changed --------------------------------------- */

struct changed {
    const char *claim;
    const char *etag;
    bool other_bytes, no_ranges, lie_range, short_range;
    int32_t longer;
    const char *url;
    uint32_t want_from;
};

static const struct changed changes[] = {
    { .claim = "nothing changed", .etag = "\"a\"", .want_from = 28672 },
    { .claim = "another file: from its start",
      .etag = "\"b\"",
      .other_bytes = true },
    { .claim = "a longer one", .etag = "\"b\"", .longer = 5000 },
    { .claim = "a shorter one", .etag = "\"b\"", .longer = -40000 },
    { .claim = "a length that changed under the same tag is not believed",
      .etag = "\"a\"",
      .longer = 5000 },
    { .claim = "shorter than what is there, under the same tag: 416",
      .etag = "\"a\"",
      .longer = -40000 },
    { .claim = "the tag is gone", .etag = NULL },
    { .claim = "no ranges: all of it", .etag = "\"a\"", .no_ranges = true },
    { .claim = "a range that was not asked for",
      .etag = "\"a\"",
      .lie_range = true },
    { .claim = "Content-Range that contradicts Content-Length",
      .etag = "\"a\"",
      .short_range = true },
    { .claim = "another URL",
      .etag = "\"a\"",
      .url = "http://server.test/other.bin" },
    { .claim = "another host", .etag = "\"a\"", .url = "http://other/fw.bin" },
    { .claim = "another signature in the URL",
      .etag = "\"a\"",
      .url = RIG_URL "?sig=2",
      .want_from = 28672 },
};

static void test_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(changes); i++) {
        const struct changed *c = &changes[i];
        struct rig_image how = { .filler = c->other_bytes ? 2 : 1,
                                 .body_len = BODY };
        uint32_t len;
        uint8_t *file;
        struct rig r;

        print_message("# %s\n", c->claim);
        open_rig(&r);
        break_at(&r, 30000);
        how.body_len = (uint32_t)((int32_t)BODY + c->longer);
        file = rig_make_image(&how, &len);
        rig_serve(&r, file, len);
        r.web.etag = c->etag;
        r.web.no_ranges = c->no_ranges;
        r.web.lie_range = c->lie_range ? 16 : 0;
        r.web.short_range = c->short_range;
        if (c->url)
            r.opts.url = c->url;
        finish(&r, c->want_from);
        rig_close(&r);
        free(file);
    }
}

/* A date is not as good as a tag: the query must be the same, too. */
static void test_date_and_query(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r);
    r.web.etag = NULL;
    r.web.modified = "Sun, 22 Nov 2026 12:00:00 GMT";
    break_at(&r, 30000);
    r.opts.url = RIG_URL "?sig=2";
    finish(&r, 0);
    rig_close(&r);
}

/* Another slot is written next: what was begun is of no use there. */
static void test_other_slot(void **state)
{
    struct rig r;
    struct upd_result res;

    (void)state;
    open_rig(&r);
    break_at(&r, 30000);
    r.device.running_slot = 1;
    r.device.running_off = RIG_SLOT_1;
    rig_record(&r, 1, 2, OTA_STATE_VALID);
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_int_equal(res.resumed_from, 0);
    assert_memory_equal(rig_bytes(&r, RIG_SLOT_0), r.image, r.image_len);
    rig_close(&r);
}

/* --- a checkpoint that lies ----------------------------------------------- */

struct lie {
    const char *claim;
    int what;
};
enum {
    LIE_CRC,
    LIE_SHORT,
    LIE_OFF_END,
    LIE_OFF_ODD,
    LIE_OFF_ZERO,
    LIE_OFF_FAR,
    LIE_DIGEST,
    LIE_SLOT,
    LIE_TOTAL,
    LIE_FLASH,
    LIE_HEAD,
    LIE_FOREIGN_HEAD
};

static const struct lie lies[] = {
    { "one bit", LIE_CRC },
    { "cut short", LIE_SHORT },
    { "an offset past the end", LIE_OFF_END },
    { "an offset that is no sector's", LIE_OFF_ODD },
    { "no offset", LIE_OFF_ZERO },
    { "an offset beyond what was written", LIE_OFF_FAR },
    { "a good CRC with a wrong digest", LIE_DIGEST },
    { "another slot", LIE_SLOT },
    { "a length that is less than the offset", LIE_TOTAL },
    { "flash that changed meanwhile", LIE_FLASH },
    { "another head", LIE_HEAD },
    { "a slot that has a head of its own", LIE_FOREIGN_HEAD },
};

static void tell_lie(struct rig *r, int what)
{
    struct upd_checkpoint c;

    assert_int_equal(upd_checkpoint_parse(span_str(r->store.text), &c), ESP_OK);
    c.off = what == LIE_OFF_END    ? RIG_SLOT_LEN + 4096
            : what == LIE_OFF_ODD  ? c.off + 16
            : what == LIE_OFF_ZERO ? 0
            : what == LIE_OFF_FAR  ? 0xA000
                                   : c.off;
    c.digest[7] ^= what == LIE_DIGEST;
    c.slot_off = what == LIE_SLOT ? RIG_SLOT_0 : c.slot_off;
    c.file.total = what == LIE_TOTAL ? 5000 : c.file.total;
    c.head[3] ^= what == LIE_HEAD;
    upd_checkpoint_format(&c, r->store.text);
    r->store.text[30] ^= what == LIE_CRC ? 1 : 0;
    r->store.text[strlen(r->store.text) - (what == LIE_SHORT)] = '\0';
    r->flash.bytes[RIG_SLOT_1 + 20000] ^= what == LIE_FLASH ? 0x10 : 0;
    if (what == LIE_FOREIGN_HEAD)
        memset(r->flash.bytes + RIG_SLOT_1, 0x11, SLOT_HEAD_LEN);
}

static void test_lies(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(lies); i++) {
        struct rig r;

        print_message("# %s\n", lies[i].claim);
        open_rig(&r);
        break_at(&r, 30000);
        tell_lie(&r, lies[i].what);
        finish(&r, 0);
        rig_close(&r);
    }
}

/* Where a unit is programmed once only, the head's place has to be empty; where
 * bits can be cleared later, the head may be there already, as a cut at the
 * very end leaves it. */
static void test_head_place(void **state)
{
    static const struct {
        bool once, there;
        uint32_t want_from;
    } rows[] = { { false, false, 28672 },
                 { false, true, 28672 },
                 { true, false, 28672 },
                 { true, true, 0 } };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct rig r;

        print_message("# %d %d\n", rows[i].once, rows[i].there);
        open_rig(&r);
        break_at(&r, 30000);
        if (rows[i].there)
            memcpy(r.flash.bytes + RIG_SLOT_1, r.image, SLOT_HEAD_LEN);
        r.flash.port.prog_once = rows[i].once;
        finish(&r, rows[i].want_from);
        rig_close(&r);
    }
}

/* A forged note that says that all is there: nothing would be left to show
 * that it is not. */
static void test_all_is_there(void **state)
{
    struct upd_checkpoint c;
    struct rig_image how = { .filler = 1, .body_len = BODY };
    struct rig r;

    (void)state;
    open_rig(&r);
    while (r.image_len % 4096 != 0) {
        free(r.image);
        how.body_len += 4;
        r.image = rig_make_image(&how, &r.image_len);
    }
    rig_serve(&r, r.image, r.image_len);
    r.web.etag = "\"a\"";
    break_at(&r, 30000);
    memcpy(r.flash.bytes + RIG_SLOT_1 + SLOT_HEAD_LEN, r.image + SLOT_HEAD_LEN,
           r.image_len - SLOT_HEAD_LEN);
    assert_int_equal(upd_checkpoint_parse(span_str(r.store.text), &c), ESP_OK);
    c.off = r.image_len;
    upd_checkpoint_format(&c, r.store.text);
    finish(&r, 0);
    rig_close(&r);
}

/* --- what ends a checkpoint ----------------------------------------------- */

static void test_restart(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r);
    break_at(&r, 30000);
    r.opts.restart = true;
    finish(&r, 0);
    assert_true(r.store.clear_cnt > 0);
    rig_close(&r);
}

/* What is not true any more is forgotten before the first erase. */
static void test_forgotten_first(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r);
    break_at(&r, 30000);
    r.opts.restart = true;
    sim_flash_arm(&r.flash, SIM_FAULT_BEFORE, 1, 1);
    assert_int_not_equal(rig_update(&r, NULL), ESP_OK);
    assert_string_equal(r.store.text, "");
    sim_flash_power_on(&r.flash);
    rig_reboot(&r);
    finish(&r, 0);
    rig_close(&r);
}

/* A session that is refused before it writes takes nothing away. */
static void test_refused_session(void **state)
{
    struct rig r;
    char before[UPD_STORE_TEXT_LEN];

    (void)state;
    open_rig(&r);
    break_at(&r, 30000);
    strcpy(before, r.store.text);
    r.web.status = 304;
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_HTTP_NOT_MODIFIED);
    r.web.status = 404;
    r.opts.url = "http://server.test/other.bin";
    assert_int_equal(rig_update(&r, NULL), ESP_FAIL);
    assert_string_equal(r.store.text, before);
    r.web.status = 0;
    r.opts.url = RIG_URL;
    finish(&r, 28672);
    rig_close(&r);
}

/* An image that is bad is not gone on with. */
static void test_bad_image(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r);
    r.image[50000] ^= 1;
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(r.store.save_cnt, 7);
    assert_string_equal(r.store.text, "");
    rig_close(&r);
}

/* A store that fails costs the resume and nothing else. */
static void test_no_store(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r);
    r.store.fails = true;
    break_at(&r, 30000);
    assert_int_equal(r.store.save_cnt, 0);
    finish(&r, 0);
    rig_close(&r);
}

/* However large the file, the store is written a bounded number of times. */
static void test_wear(void **state)
{
    struct rig r;
    struct upd_result res;

    (void)state;
    open_rig(&r);
    r.opts.checkpoint_len = 1;
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_in_range(res.checkpoint_cnt, 10, 33);
    assert_int_equal(res.checkpoint_cnt, r.store.save_cnt);
    rig_close(&r);
}

static void test_data_partition(void **state)
{
    struct rig r;
    struct upd_result res;

    (void)state;
    open_rig(&r);
    rig_serve(&r, r.image, 14000);
    r.web.etag = "\"a\"";
    r.opts.staging = part_find_label(&r.parts.table, "blob");
    break_at(&r, 9000);
    r.opts.staging = part_find_label(&r.parts.table, "blob");
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_int_equal(res.resumed_from, 8192);
    assert_memory_equal(rig_bytes(&r, RIG_BLOB), r.image, 14000);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_by_date),
        cmocka_unit_test(test_nameless),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_date_and_query),
        cmocka_unit_test(test_other_slot),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_head_place),
        cmocka_unit_test(test_all_is_there),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_forgotten_first),
        cmocka_unit_test(test_refused_session),
        cmocka_unit_test(test_bad_image),
        cmocka_unit_test(test_no_store),
        cmocka_unit_test(test_wear),
        cmocka_unit_test(test_data_partition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
