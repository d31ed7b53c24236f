#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* --- what a good update leaves behind -------------------------------------- */

static void test_good(void **state)
{
    struct rig r;
    struct upd_result res;
    uint32_t sectors;

    (void)state;
    rig_open(&r);
    r.flash.count = (struct sim_flash_count){ 0 };
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image, r.image_len);
    assert_int_equal(rig_boots(&r), 1);
    assert_int_equal(res.written_len, r.image_len);
    assert_int_equal(res.image_len, r.image_len);
    assert_int_equal(res.http_status, 200);
    assert_string_equal(res.image.desc.version, "2");
    assert_string_equal(res.slot, "ota_1");
    /* Each sector once, in one go; the held head is one program more. */
    sectors = (r.image_len + 4095) / 4096;
    assert_int_equal(res.erase_cnt, sectors);
    assert_int_equal(res.prog_cnt, sectors + 1);
    for (uint32_t i = 0; i < sectors; i++)
        assert_int_equal(r.flash.erase_cnt[RIG_SLOT_1 / 4096 + i], 1);
    assert_int_equal(r.flash.erase_cnt[RIG_SLOT_1 / 4096 + sectors], 0);
    rig_close(&r);
}

static void test_bulk_erase(void **state)
{
    struct rig r;
    struct upd_result res;

    (void)state;
    rig_open(&r);
    r.opts.bulk_erase = true;
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_int_equal(res.erase_cnt, (r.image_len + 4095) / 4096);
    assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image, r.image_len);
    rig_close(&r);
}

/* Any way the bytes arrive in is the same image. */
static void test_pieces(void **state)
{
    static const size_t sizes[] = { 1, 7, 100, 4095, 4096, 5000 };
    struct rig r;

    (void)state;
    for (size_t i = 0; i < CNT(sizes); i++) {
        rig_open(&r);
        r.web.max_recv = sizes[i];
        r.opts.read_len = i % 2 ? 0 : 1000;
        assert_int_equal(rig_update(&r, NULL), ESP_OK);
        assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image, r.image_len);
        rig_close(&r);
    }
}

static void test_ranges(void **state)
{
    struct rig r;
    struct upd_result res;

    (void)state;
    rig_open(&r);
    r.opts.range_len = 8192;
    r.web.etag = "\"v2\"";
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image, r.image_len);
    assert_int_equal(r.web.request_cnt, 3);
    assert_int_equal(r.web.open_cnt, 1);
    assert_string_equal(r.web.ranges[0], "bytes=0-8191");
    assert_string_equal(r.web.ranges[1], "bytes=8192-16383");
    assert_string_equal(r.web.ranges[2], "bytes=16384-");
    assert_int_equal(res.image_len, r.image_len);
    rig_close(&r);
}

/* --- bad input: refused with a sentence, nothing lost ----------------------- */

enum image_kind { IMAGE_GOOD, IMAGE_CHIP, IMAGE_REV, IMAGE_BIG, IMAGE_HTML };

struct bad {
    const char *claim;
    enum image_kind image;
    int32_t cut;      /* the file loses (< 0) or gains bytes at its end */
    uint32_t flip_at; /* this byte is changed, if not 0 */
    uint8_t flip_to;
    int status;
    const char *type;
    esp_err_t want;
    const char *says; /* a part of the sentence */
    bool erases;      /* the slot may be touched before it is known */
};

static const char html[] = "<!DOCTYPE html><html><body>Please log in to the "
                           "network first</body></html>";

static const struct bad bads[] = {
    { .claim = "a page instead of an image", .image = IMAGE_HTML,
      .type = "text/html", .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "text/html" },
    { .claim = "the page's first words are quoted", .image = IMAGE_HTML,
      .type = "text/html", .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "<!DOCTYPE html>" },
    { .claim = "wrong magic", .flip_at = 0, .flip_to = 0xE8, .status = -1,
      .want = ESP_ERR_OTA_VALIDATE_FAILED, .says = "e8 02" },
    { .claim = "another chip", .image = IMAGE_CHIP,
      .want = ESP_ERR_INVALID_VERSION, .says = "esp32c3" },
    { .claim = "a revision that is newer than the device", .image = IMAGE_REV,
      .want = ESP_ERR_INVALID_VERSION, .says = "" },
    { .claim = "larger than the slot", .image = IMAGE_BIG,
      .want = ESP_ERR_INVALID_SIZE, .says = "too many" },
    { .claim = "too many segments", .flip_at = 1, .flip_to = 17,
      .want = ESP_ERR_OTA_VALIDATE_FAILED, .says = "17" },
    { .claim = "a segment length that overflows", .flip_at = 31,
      .flip_to = 0xFF, .want = ESP_ERR_OTA_VALIDATE_FAILED, .says = "" },
    { .claim = "one bit of a segment", .flip_at = 9000, .flip_to = 0,
      .want = ESP_ERR_OTA_VALIDATE_FAILED, .says = "", .erases = true },
    { .claim = "a file that ends early", .cut = -40,
      .want = ESP_ERR_OTA_VALIDATE_FAILED, .says = "", .erases = true },
    { .claim = "a file that ends in the head", .cut = -20200,
      .want = ESP_ERR_OTA_VALIDATE_FAILED, .says = "" },
    { .claim = "bytes after the end", .cut = 100,
      .want = ESP_ERR_OTA_VALIDATE_FAILED, .says = "", .erases = true },
    { .claim = "404", .status = 404, .want = ESP_FAIL, .says = "404" },
    { .claim = "403", .status = 403, .want = ESP_FAIL, .says = "forbidden" },
    { .claim = "401 without credentials", .status = 401, .want = ESP_FAIL,
      .says = "" },
    { .claim = "500, with what the server says", .status = 500,
      .image = IMAGE_HTML, .type = "text/html", .want = ESP_FAIL,
      .says = "Please log in" },
    { .claim = "304", .status = 304, .want = ESP_ERR_HTTP_NOT_MODIFIED,
      .says = "304" },
};

static uint8_t *bad_file(const struct bad *b, uint32_t *len)
{
    struct rig_image how = { .filler = 1 };
    uint8_t *file;

    if (b->image == IMAGE_HTML) {
        *len = sizeof(html) - 1;
        file = malloc(*len);
        memcpy(file, html, *len);
        return file;
    }
    how.chip_id = b->image == IMAGE_CHIP ? 0x0005 : 0;
    how.min_rev = b->image == IMAGE_REV ? 101 : 0;
    how.body_len = b->image == IMAGE_BIG ? RIG_SLOT_LEN : 0;
    file = rig_make_image(&how, len);
    if (b->cut > 0) {
        file = realloc(file, *len + (uint32_t)b->cut);
        memset(file + *len, 0x11, (uint32_t)b->cut);
    }
    *len = (uint32_t)((int32_t)*len + b->cut);
    if (b->flip_at > 0 || b->status == -1)
        file[b->flip_at] = b->flip_to == 0 ? (uint8_t)~file[b->flip_at]
                                           : b->flip_to;
    return file;
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(bads); i++) {
        const struct bad *b = &bads[i];
        struct rig r;
        uint32_t len;
        uint8_t *file = bad_file(b, &len);

        print_message("# %s\n", b->claim);
        rig_open(&r);
        rig_serve(&r, file, len);
        r.web.status = b->status > 0 ? b->status : 0;
        r.web.type = b->type;
        assert_int_equal(rig_update(&r, NULL), b->want);
        print_message("    %s\n", r.diag.text);
        assert_non_null(strstr(r.diag.text, b->says));
        assert_int_equal(r.diag.err, b->want);
        assert_int_equal(rig_boots(&r), 0);
        assert_int_not_equal(rig_bytes(&r, RIG_SLOT_1)[0], IMG_MAGIC);
        if (!b->erases)
            assert_int_equal(sim_flash_ops(&r.flash), 0);
        rig_close(&r);
        free(file);
    }
}

/* An image that is larger than its slot although nobody announced it. */
static void test_too_large_unannounced(void **state)
{
    struct rig r;
    struct rig_image how = { .body_len = RIG_SLOT_LEN };
    uint32_t len;
    uint8_t *file = rig_make_image(&how, &len);

    (void)state;
    rig_open(&r);
    rig_serve(&r, file, len);
    r.web.no_length = true;
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_INVALID_SIZE);
    assert_non_null(strstr(r.diag.text, "room for 131072"));
    assert_int_equal(sim_flash_ops(&r.flash), 0);
    rig_close(&r);
    free(file);
}

/* --- the device refuses ------------------------------------------------------ */

static void drop_label(struct rig *r, const char *label)
{
    struct part_table *t = &r->parts.table;

    for (uint32_t i = 0; i < t->cnt; i++) {
        if (strcmp(t->entries[i].label, label) == 0)
            t->entries[i].type = 0x77;
    }
}

struct refusal {
    const char *claim;
    uint32_t state; /* of the running slot's record */
    const char *without;
    const char *staging;
    bool live;
    esp_err_t want;
};

static const struct refusal refusals[] = {
    { .claim = "an update while the last one is on trial",
      .state = OTA_STATE_PENDING, .want = ESP_ERR_OTA_ROLLBACK_INVALID_STATE },
    { .claim = "an update while the last one was not tried",
      .state = OTA_STATE_NEW, .want = ESP_ERR_OTA_ROLLBACK_INVALID_STATE },
    { .claim = "a bootloader without rollback leaves NEW: no reason to refuse",
      .state = OTA_STATE_NEW, .live = true, .want = ESP_OK },
    { .claim = "no otadata", .state = OTA_STATE_VALID, .without = "otadata",
      .want = ESP_ERR_NOT_FOUND },
    { .claim = "no OTA slot", .state = OTA_STATE_VALID, .without = "ota_0",
      .want = ESP_ERR_NOT_FOUND },
    { .claim = "updating the running slot", .state = OTA_STATE_VALID,
      .staging = "ota_0", .want = ESP_ERR_OTA_PARTITION_CONFLICT },
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(refusals); i++) {
        const struct refusal *f = &refusals[i];
        struct rig r;

        print_message("# %s\n", f->claim);
        rig_open(&r);
        rig_record(&r, 0, 1, f->state);
        r.device.live = f->live;
        if (f->without)
            drop_label(&r, f->without);
        if (f->staging)
            r.opts.staging = part_find_label(&r.parts.table, f->staging);
        assert_int_equal(rig_update(&r, NULL), f->want);
        if (f->want) {
            assert_int_equal(r.web.open_cnt, 0);
            assert_int_equal(sim_flash_ops(&r.flash), 0);
            assert_int_not_equal(r.diag.text[0], '\0');
        }
        rig_close(&r);
    }
}

/* --- the network misbehaves --------------------------------------------------- */

struct broken {
    const char *claim;
    size_t cut_at;
    uint32_t cut_cnt;
    bool silent;
    uint32_t refuse_cnt;
    uint32_t retry_cnt;
    uint32_t max_time_ms;
    esp_err_t want;
    const char *says;
};

static const struct broken brokens[] = {
    { .claim = "the connection ends", .cut_at = 10000, .cut_cnt = 1,
      .want = ESP_ERR_HTTP_INCOMPLETE_DATA, .says = "10000 of" },
    { .claim = "it ends, and is mended", .cut_at = 10000, .cut_cnt = 1,
      .retry_cnt = 1, .want = ESP_OK },
    { .claim = "it ends more often than allowed", .cut_at = 3000,
      .cut_cnt = 5, .retry_cnt = 3, .want = ESP_ERR_HTTP_INCOMPLETE_DATA,
      .says = "12000 of" },
    { .claim = "silence for ever", .cut_at = 5000, .cut_cnt = 1,
      .silent = true, .want = ESP_ERR_TIMEOUT, .says = "silent after 5000" },
    { .claim = "silence, with a time limit", .cut_at = 5000, .cut_cnt = 1,
      .silent = true, .max_time_ms = 100, .retry_cnt = 5,
      .want = ESP_ERR_TIMEOUT, .says = "time limit" },
    { .claim = "refused", .refuse_cnt = 1, .want = ESP_ERR_HTTP_CONNECT,
      .says = "" },
    { .claim = "refused once, then not", .refuse_cnt = 1, .retry_cnt = 1,
      .want = ESP_OK },
};

static void test_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(brokens); i++) {
        const struct broken *b = &brokens[i];
        struct rig r;

        print_message("# %s\n", b->claim);
        rig_open(&r);
        r.web.cut_at = b->cut_at;
        r.web.cut_cnt = b->cut_cnt;
        r.web.cut_silent = b->silent;
        r.web.refuse_cnt = b->refuse_cnt;
        r.opts.retry_cnt = b->retry_cnt;
        r.opts.max_time_ms = b->max_time_ms;
        r.opts.stall_cnt = b->max_time_ms ? 100 : 0;
        assert_int_equal(rig_update(&r, NULL), b->want);
        print_message("    %s\n", r.diag.text);
        if (b->says)
            assert_non_null(strstr(r.diag.text, b->says));
        assert_int_equal(rig_boots(&r), b->want ? 0 : 1);
        rig_close(&r);
    }
}

/* The rest of a file that changed is not glued to the start of the old one. */
static void test_changed_file(void **state)
{
    struct rig r;
    struct upd *u;
    esp_err_t err;
    enum upd_step step = UPD_STEP_MORE;

    (void)state;
    rig_open(&r);
    r.web.etag = "\"a\"";
    r.web.cut_at = 9000;
    r.web.cut_cnt = 1;
    r.opts.retry_cnt = 3;
    assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
    r.web.etag = "\"b\"";
    while (step == UPD_STEP_MORE)
        step = upd_step(u, &err);
    assert_int_equal(step, UPD_STEP_FAILED);
    assert_non_null(strstr(r.diag.text, "changed"));
    upd_abort(u, NULL);
    rig_close(&r);
}

/* --- head ---------------------------------------------------------------------- */

static void test_head(void **state)
{
    struct rig r;
    struct upd *u;
    const struct img_info *info;
    esp_err_t err;
    enum upd_step step = UPD_STEP_MORE;

    (void)state;
    rig_open(&r);
    r.web.max_recv = 100;
    assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(upd_head(u, &info), ESP_OK);
        assert_string_equal(info->desc.version, "2");
        assert_int_equal(info->header.chip_id, RIG_CHIP);
        assert_int_equal(sim_flash_ops(&r.flash), 0);
    }
    while (step == UPD_STEP_MORE)
        step = upd_step(u, &err);
    assert_int_equal(step, UPD_STEP_DONE);
    assert_true(upd_complete(u));
    assert_int_equal(upd_finish(u, true, NULL), ESP_OK);
    assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image, r.image_len);
    rig_close(&r);
}

/* Whoever stops half-way has changed nothing that boots. */
static void test_finish_early(void **state)
{
    struct rig r;
    struct upd *u;
    esp_err_t err;

    (void)state;
    rig_open(&r);
    assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
    assert_int_equal(upd_step(u, &err), UPD_STEP_MORE);
    assert_false(upd_complete(u));
    assert_int_equal(upd_finish(u, true, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(rig_boots(&r), 0);
    rig_close(&r);
}

static void test_no_activate(void **state)
{
    struct rig r;
    struct upd *u;
    esp_err_t err;

    (void)state;
    rig_open(&r);
    assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
    while (upd_step(u, &err) == UPD_STEP_MORE)
        ;
    assert_int_equal(upd_finish(u, false, NULL), ESP_OK);
    assert_int_equal(rig_boots(&r), 0);
    assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image, r.image_len);
    rig_close(&r);
}

/* --- resume --------------------------------------------------------------------- */

static void half_done(struct rig *r)
{
    r->web.cut_at = 10000;
    r->web.cut_cnt = 1;
    assert_int_equal(rig_update(r, NULL), ESP_ERR_HTTP_INCOMPLETE_DATA);
    rig_reboot(r);
    rig_serve(r, r->image, r->image_len);
    memset(r->flash.erase_cnt, 0,
           RIG_FLASH_LEN / 4096 * sizeof(*r->flash.erase_cnt));
}

static void test_resume(void **state)
{
    struct rig r;
    struct upd_result res;

    (void)state;
    rig_open(&r);
    half_done(&r);
    r.opts.start_off = 8192;
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_int_equal(res.resumed_from, 8192);
    assert_int_equal(res.received_len, r.image_len - 8192);
    assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image, r.image_len);
    assert_int_equal(rig_boots(&r), 1);
    assert_int_equal(r.flash.erase_cnt[RIG_SLOT_1 / 4096], 0);
    assert_string_equal(r.web.ranges[0], "bytes=0-15");
    assert_string_equal(r.web.ranges[1], "bytes=8192-");
    rig_close(&r);
}

struct resume_row {
    const char *claim;
    uint32_t start_off;
    bool no_ranges;
    uint32_t damage_at; /* in the slot; UINT32_MAX: none */
    uint32_t want_from;
    esp_err_t want;
};

static const struct resume_row resumes[] = {
    { "not at a sector boundary: anew", 8000, false, UINT32_MAX, 0, ESP_OK },
    { "the server gives no ranges: anew", 8192, true, UINT32_MAX, 0, ESP_OK },
    { "more than the slot holds: anew", 0x40000, false, UINT32_MAX, 0,
      ESP_OK },
    { "behind the end of the file: anew", 0x10000, false, UINT32_MAX, 0,
      ESP_OK },
    { "a prefix that is no image: anew", 8192, false, 30, 0, ESP_OK },
    { "a prefix with a wrong byte is found at the end", 8192, false, 5000,
      8192, ESP_ERR_OTA_VALIDATE_FAILED },
};

static void test_resume_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(resumes); i++) {
        const struct resume_row *row = &resumes[i];
        struct upd_result res;
        struct rig r;

        print_message("# %s\n", row->claim);
        rig_open(&r);
        half_done(&r);
        r.opts.start_off = row->start_off;
        r.web.no_ranges = row->no_ranges;
        if (row->damage_at != UINT32_MAX)
            r.flash.bytes[RIG_SLOT_1 + row->damage_at] ^= 0xFF;
        assert_int_equal(rig_update(&r, &res), row->want);
        assert_int_equal(res.resumed_from, row->want_from);
        assert_int_equal(rig_boots(&r), row->want ? 0 : 1);
        rig_close(&r);
    }
}

/* --- other finals ------------------------------------------------------------------ */

static void test_data_partition(void **state)
{
    static const char text[] = "settings that are no image";
    struct rig r;

    (void)state;
    rig_open(&r);
    rig_serve(&r, text, sizeof(text));
    r.opts.staging = part_find_label(&r.parts.table, "blob");
    assert_int_equal(rig_update(&r, NULL), ESP_OK);
    assert_memory_equal(rig_bytes(&r, RIG_BLOB), text, sizeof(text));
    assert_int_equal(rig_boots(&r), 0);
    rig_close(&r);
}

static void test_staged_data(void **state)
{
    static const char text[] = "settings by way of a slot";
    struct rig r;

    (void)state;
    rig_open(&r);
    rig_serve(&r, text, sizeof(text));
    r.opts.staging = part_find_label(&r.parts.table, "ota_1");
    r.opts.final = part_find_label(&r.parts.table, "blob");
    r.opts.finalize_with_copy = true;
    assert_int_equal(rig_update(&r, NULL), ESP_OK);
    assert_memory_equal(rig_bytes(&r, RIG_BLOB), text, sizeof(text));
    assert_int_equal(rig_boots(&r), 0);
    rig_close(&r);
}

static void test_copy_to_running(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r);
    r.opts.staging = part_find_label(&r.parts.table, "ota_1");
    r.opts.final = part_find_label(&r.parts.table, "ota_0");
    r.opts.finalize_with_copy = true;
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_OTA_PARTITION_CONFLICT);
    rig_close(&r);
}

/* --- stages ---------------------------------------------------------------------------- */

/* Undoes an XOR, and hands out what it has in lumps: half at feed(), the rest
 * at finish(). */
struct xor {
    uint8_t held[64];
    size_t held_len;
    int begun, ended;
    esp_err_t fail;
};

static esp_err_t xor_begin(void *ctx)
{
    ((struct xor *)ctx)->begun++;
    return ESP_OK;
}

static esp_err_t xor_feed(void *ctx, const void *data, size_t len,
                          const struct upd_stage_out *out)
{
    struct xor *x = ctx;
    const uint8_t *p = data;

    if (x->fail)
        return x->fail;
    for (size_t i = 0; i < len; i++) {
        x->held[x->held_len++] = p[i] ^ 0x5A;
        if (x->held_len == sizeof(x->held)) {
            esp_err_t err = out->feed(out->ctx, x->held, x->held_len);
            if (err)
                return err;
            x->held_len = 0;
        }
    }
    return ESP_OK;
}

static esp_err_t xor_finish(void *ctx, const struct upd_stage_out *out)
{
    struct xor *x = ctx;

    x->ended++;
    return out->feed(out->ctx, x->held, x->held_len);
}

static void xor_abort(void *ctx)
{
    ((struct xor *)ctx)->ended++;
}

static void test_stages(void **state)
{
    for (int fails = 0; fails < 2; fails++) {
        struct xor a = { .fail = 0 }, b = { .fail = fails ? ESP_FAIL : 0 };
        struct upd_stage stages[] = {
            { &a, xor_begin, xor_feed, xor_finish, xor_abort },
            { &b, xor_begin, xor_feed, xor_finish, xor_abort },
        };
        struct rig r;

        (void)state;
        rig_open(&r);
        r.opts.stages = stages;
        r.opts.stage_cnt = 2;
        assert_int_equal(rig_update(&r, NULL), fails ? ESP_FAIL : ESP_OK);
        assert_int_equal(rig_boots(&r), fails ? 0 : 1);
        assert_int_equal(a.ended, 1);
        assert_int_equal(b.ended, 1);
        if (fails)
            assert_non_null(strstr(r.diag.text, "transform"));
        rig_close(&r);
    }
}

/* --- flash that does not hold what was written ------------------------------------------- */

static void test_stuck_sector(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r);
    sim_flash_stick(&r.flash, RIG_SLOT_1 + 0x2000, true);
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_FLASH_OP_FAIL);
    assert_non_null(strstr(r.diag.text, "0x2000"));
    assert_int_equal(rig_boots(&r), 0);
    rig_close(&r);
}

/* --- memory --------------------------------------------------------------------------------- */

static void test_alloc_fails(void **state)
{
    uint32_t allocs;

    (void)state;
    for (uint32_t n = 1;; n++) {
        struct rig r;
        esp_err_t err;

        rig_open(&r);
        r.heap.fail_at = n;
        err = rig_update(&r, NULL);
        allocs = r.heap.alloc_cnt;
        assert_int_equal(err, allocs < n ? ESP_OK : ESP_ERR_NO_MEM);
        assert_int_equal(rig_boots(&r), err ? 0 : 1);
        rig_close(&r);
        if (allocs < n)
            break;
    }
    assert_true(allocs > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bulk_erase),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_too_large_unannounced),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_changed_file),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_finish_early),
        cmocka_unit_test(test_no_activate),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_resume_rows),
        cmocka_unit_test(test_data_partition),
        cmocka_unit_test(test_staged_data),
        cmocka_unit_test(test_copy_to_running),
        cmocka_unit_test(test_stages),
        cmocka_unit_test(test_stuck_sector),
        cmocka_unit_test(test_alloc_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
