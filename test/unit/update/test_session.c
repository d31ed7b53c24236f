/* One session: its events, resuming, what it finds in a slot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* --- head ----------------------------------------------------------------- */

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

/* Asked for the head of what has none, or of what failed. */
static void test_no_head(void **state)
{
    static const struct {
        const char *claim, *staging;
        uint8_t magic; /* the image's first byte; 0: as it is */
        uint32_t len;  /* of the file; 0: all */
        esp_err_t want;
        const char *says;
    } rows[] = {
        { "data", "blob", 0, 9000, ESP_ERR_NOT_SUPPORTED, "" },
        { "no image", NULL, IMG_MAGIC ^ 1, 0, ESP_ERR_OTA_VALIDATE_FAILED,
          "which is no firmware image" },
        { "a file that ends in the head", NULL, 0, 100,
          ESP_ERR_OTA_VALIDATE_FAILED, "has 100 bytes, too few for an image" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        const struct img_info *info;
        struct upd *u;
        struct rig r;

        print_message("# %s\n", rows[i].claim);
        rig_open(&r);
        r.web.file_len = rows[i].len ? rows[i].len : r.image_len;
        if (rows[i].magic)
            r.image[0] = rows[i].magic;
        if (rows[i].staging)
            r.opts.staging = part_find_label(&r.parts.table, rows[i].staging);
        assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
        assert_int_equal(upd_head(u, &info), rows[i].want);
        assert_non_null(strstr(r.diag.text, rows[i].says));
        /* What failed stays so; nothing was written. */
        assert_int_equal(upd_head(u, &info), rows[i].want);
        assert_int_equal(sim_flash_ops(&r.flash), 0);
        upd_abort(u, NULL);
        rig_close(&r);
    }
}

/* Of a bootloader there is another description. */
static void test_bootloader_head(void **state)
{
    struct rig_image how = { .bootloader = true, .body_len = 4000 };
    const struct img_info *info;
    struct part_entry *blob;
    struct upd *u;
    struct rig r;

    (void)state;
    rig_open(&r);
    free(r.image);
    r.image = rig_make_image(&how, &r.image_len);
    rig_serve(&r, r.image, r.image_len);
    blob =
        (struct part_entry *)(uintptr_t)part_find_label(&r.parts.table, "blob");
    blob->type = PART_TYPE_BOOTLOADER;
    blob->subtype = PART_BOOTLOADER_OTA;
    r.opts.staging = blob;
    r.opts.accept_unsafe = true;
    assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
    assert_int_equal(upd_head(u, &info), ESP_OK);
    assert_true(info->boot_desc.present);
    assert_false(info->desc.present);
    upd_abort(u, NULL);
    rig_close(&r);
}

/* Whoever wants no sentence, no result, or neither, gets the update. */
static void test_nobody_listens(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct upd_result result;
        struct rig r;
        struct upd *u;
        esp_err_t err;

        rig_open(&r);
        r.opts.result = i & 1 ? &result : NULL;
        assert_int_equal(upd_begin(&u, &r.env, &r.opts, i & 2 ? &r.diag : NULL),
                         ESP_OK);
        while (upd_step(u, &err) == UPD_STEP_MORE)
            ;
        assert_true(upd_complete(u));
        assert_int_equal(upd_finish(u, true, i & 1 ? &result : NULL), ESP_OK);
        if (i & 1)
            assert_int_equal(result.written_len, r.image_len);
        assert_int_equal(rig_boots(&r), 1);
        rig_close(&r);
    }
}

/* A step after the one that failed is the same failure. */
static void test_failed_is_failed(void **state)
{
    enum upd_step step = UPD_STEP_MORE;
    struct rig r;
    struct upd *u;
    esp_err_t err;
    bool more = true;

    (void)state;
    rig_open(&r);
    r.web.cut_at = 9000;
    r.web.cut_cnt = 1;
    assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
    while (step == UPD_STEP_MORE)
        step = upd_step(u, &err);
    assert_int_equal(err, ESP_ERR_HTTP_INCOMPLETE_DATA);
    assert_int_equal(upd_step(u, &err), UPD_STEP_FAILED);
    assert_int_equal(err, ESP_ERR_HTTP_INCOMPLETE_DATA);
    assert_int_equal(upd_erase_step(u, &more), ESP_ERR_HTTP_INCOMPLETE_DATA);
    assert_false(more);
    assert_false(upd_complete(u));
    assert_int_equal(upd_finish(u, true, NULL), ESP_ERR_HTTP_INCOMPLETE_DATA);
    assert_int_equal(rig_boots(&r), 0);
    rig_close(&r);
}

/* Without rollback nothing is on trial: the record says so. */
static void test_without_rollback(void **state)
{
    struct otadata_place at = { .off = RIG_OTADATA };
    struct otadata o;
    struct rig r;

    (void)state;
    rig_open(&r);
    r.policy.rollback = false;
    assert_int_equal(rig_update(&r, NULL), ESP_OK);
    at.flash = &r.flash.port;
    assert_int_equal(otadata_read(&at, OTADATA_LEN, &o), ESP_OK);
    assert_int_equal(o.rec[1].seq, 2);
    assert_int_equal(o.rec[1].state, OTA_STATE_UNDEFINED);
    assert_int_equal(rig_boots(&r), 1);
    rig_close(&r);
}

/* Labels come from flash and go to terminals. */
static void test_slot_name(void **state)
{
    struct upd_result result;
    struct rig r;

    (void)state;
    rig_open(&r);
    for (uint32_t i = 0; i < r.parts.table.cnt; i++)
        if (strcmp(r.parts.table.entries[i].label, "ota_1") == 0)
            strcpy(r.parts.table.entries[i].label, "o\x1b[1m");
    assert_int_equal(rig_update(&r, &result), ESP_OK);
    assert_string_equal(result.slot, "o?[1m");
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

/* Data has no check of its own that would miss the rest. */
static void test_finish_data_early(void **state)
{
    static const char *const says[] = { "only 4096 of 8000 bytes",
                                        "was ended after 4096 bytes" };

    (void)state;
    for (unsigned no_length = 0; no_length < 2; no_length++) {
        struct rig r;
        struct upd *u;
        esp_err_t err;

        rig_open(&r);
        rig_serve(&r, r.image, 8000);
        r.web.no_length = no_length;
        r.web.max_recv = 4096;
        r.opts.staging = part_find_label(&r.parts.table, "blob");
        assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
        while (r.web.conn.body_pos < 4096)
            assert_int_equal(upd_step(u, &err), UPD_STEP_MORE);
        assert_int_equal(upd_finish(u, true, NULL),
                         ESP_ERR_OTA_VALIDATE_FAILED);
        assert_non_null(strstr(r.diag.text, says[no_length]));
        rig_close(&r);
    }
}

/* Nothing is erased for bytes that were not looked at. */
static void test_erase_step(void **state)
{
    struct rig r;
    struct upd *u;
    esp_err_t err;
    bool more = true;
    uint32_t steps = 0;

    (void)state;
    rig_open(&r);
    assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
    assert_int_equal(upd_erase_step(u, &more), ESP_OK);
    assert_false(more);
    assert_int_equal(sim_flash_ops(&r.flash), 0);
    r.web.max_recv = 2000;
    assert_int_equal(upd_step(u, &err), UPD_STEP_MORE);
    for (more = true; more; steps++)
        assert_int_equal(upd_erase_step(u, &more), ESP_OK);
    assert_int_equal(steps, (r.image_len + 4095) / 4096);
    while (upd_step(u, &err) == UPD_STEP_MORE)
        ;
    assert_int_equal(upd_finish(u, true, NULL), ESP_OK);
    assert_int_equal(r.flash.erase_cnt[RIG_SLOT_1 / 4096], 1);
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

/* --- resume --------------------------------------------------------------- */

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
    /* The head, which the earlier session held back, comes with them. */
    assert_int_equal(res.received_len, r.image_len - 8192 + 16);
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
    { "more than the slot holds: anew", 0x40000, false, UINT32_MAX, 0, ESP_OK },
    { "behind the end of the file: anew", 0x10000, false, UINT32_MAX, 0,
      ESP_OK },
    { "a prefix that is no image: anew", 8192, false, 30, 0, ESP_OK },
    { "a prefix with a wrong byte is found at the end", 8192, false, 5000, 8192,
      ESP_ERR_OTA_VALIDATE_FAILED },
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

/* --- other finals --------------------------------------------------------- */

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

/* --- stages --------------------------------------------------------------- */

/* Undoes an XOR, and hands out what it has in lumps: half at feed(), the rest
 * at finish(). */
struct xor {
    uint8_t held[64];
    size_t held_len;
    int begun, ended;
    esp_err_t fail, refuse; /* of feed, of begin */
};

static esp_err_t xor_begin(void *ctx)
{
    struct xor *x = ctx;

    x->begun += !x->refuse;
    return x->refuse;
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

/* One stage too many, and one that cannot begin. */
static void test_stages_refused(void **state)
{
    static const struct {
        const char *claim;
        uint32_t cnt;
        esp_err_t begin;
        esp_err_t want;
        const char *says;
    } rows[] = {
        { "as many as there may be", UPD_MAX_STAGES, ESP_OK, ESP_OK, "" },
        { "one more", UPD_MAX_STAGES + 1, ESP_OK, ESP_ERR_INVALID_ARG,
          "5 transforms were asked for, 4 are possible" },
        { "one that cannot begin", 2, ESP_ERR_NO_MEM, ESP_ERR_NO_MEM,
          "cannot be transformed at byte 0" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct xor x[UPD_MAX_STAGES + 1] = { { .fail = 0 } };
        struct upd_stage stages[UPD_MAX_STAGES + 1];
        struct rig r;
        int begun = 0, ended = 0;

        print_message("# %s\n", rows[i].claim);
        rig_open(&r);
        for (uint32_t k = 0; k < UPD_MAX_STAGES + 1; k++)
            stages[k] =
                (struct upd_stage){ &x[k],     xor_begin, xor_feed, xor_finish,
                                    xor_abort, NULL,      NULL };
        x[1].refuse = rows[i].begin;
        r.opts.stages = stages;
        r.opts.stage_cnt = rows[i].cnt;
        assert_int_equal(rig_update(&r, NULL), rows[i].want);
        assert_non_null(strstr(r.diag.text, rows[i].says));
        assert_int_equal(rig_boots(&r), rows[i].want ? 0 : 1);
        /* Whoever began is ended, once. */
        for (uint32_t k = 0; k < rows[i].cnt; k++) {
            begun += x[k].begun;
            ended += x[k].ended;
        }
        assert_int_equal(begun, ended);
        rig_close(&r);
    }
}

static void test_stages(void **state)
{
    for (int fails = 0; fails < 2; fails++) {
        struct xor a = { .fail = 0 }, b = { .fail = fails ? ESP_FAIL : 0 };
        struct upd_stage stages[] = {
            { &a, xor_begin, xor_feed, xor_finish, xor_abort, NULL, NULL },
            { &b, xor_begin, xor_feed, xor_finish, xor_abort, NULL, NULL },
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_slot_name),
        cmocka_unit_test(test_finish_early),
        cmocka_unit_test(test_finish_data_early),
        cmocka_unit_test(test_erase_step),
        cmocka_unit_test(test_no_activate),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_resume_rows),
        cmocka_unit_test(test_data_partition),
        cmocka_unit_test(test_staged_data),
        cmocka_unit_test(test_copy_to_running),
        cmocka_unit_test(test_no_head),
        cmocka_unit_test(test_bootloader_head),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_failed_is_failed),
        cmocka_unit_test(test_without_rollback),
        cmocka_unit_test(test_stages_refused),
        cmocka_unit_test(test_stages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
