/* Sessions of every kind, in which one allocation, one read of the flash or one
 * operation of it fails, each in turn.
 *
 * Afterwards there is a sentence, the memory is back, the device starts what it
 * ran before or what the sentence says, and the same session succeeds when it
 * is begun once more. Of the many reads some fail, and all between two that
 * are not said alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static uint8_t data[12000];

static const struct part_entry *row(struct rig *r, const char *label)
{
    return part_find_label(&r->parts.table, label);
}

static void make_blob(struct rig *r, uint8_t type, uint8_t subtype)
{
    struct part_entry *e = (struct part_entry *)(uintptr_t)row(r, "blob");

    e->type = type;
    e->subtype = subtype;
    r->opts.accept_unsafe = true;
}

static void serve_image(struct rig *r, const struct rig_image *how)
{
    free(r->image);
    r->image = rig_make_image(how, &r->image_len);
    rig_serve(r, r->image, r->image_len);
    r->web.etag = "\"a\"";
}

static void stage(struct rig *r)
{
    r->opts.staging = row(r, "ota_1");
    r->opts.final = row(r, "blob");
    r->opts.finalize_with_copy = true;
    r->opts.store = &r->store.port;
}

/* --- scenes: what is there before the session ----------------------------- */

static void break_off(struct rig *r)
{
    r->opts.checkpoint_len = 4096;
    r->web.cut_at = 10000;
    r->web.cut_cnt = 1;
    assert_int_equal(rig_update(r, NULL), ESP_ERR_HTTP_INCOMPLETE_DATA);
    r->web.cut_cnt = 0;
    rig_reboot(r);
}

static void fresh(struct rig *r)
{
    (void)r;
}

static void by_offset(struct rig *r)
{
    break_off(r);
    r->opts.start_off = 8192;
}

static void by_checkpoint(struct rig *r)
{
    r->web.etag = "\"a\"";
    r->opts.store = &r->store.port;
    break_off(r);
}

static void data_by_checkpoint(struct rig *r)
{
    rig_serve(r, data, sizeof(data));
    r->web.etag = "\"a\"";
    stage(r);
    break_off(r);
    stage(r);
}

static void staged_data(struct rig *r)
{
    rig_serve(r, data, sizeof(data));
    stage(r);
}

static void staged_image(struct rig *r)
{
    serve_image(r, &(struct rig_image){ .body_len = 9000 });
    make_blob(r, PART_TYPE_APP, PART_APP_TEE_0);
    stage(r);
}

static void staged_bootloader(struct rig *r)
{
    serve_image(r, &(struct rig_image){ .body_len = 9000, .bootloader = true });
    make_blob(r, PART_TYPE_BOOTLOADER, PART_BOOTLOADER_OTA);
    stage(r);
}

static const struct part_entry table = { .type = PART_TYPE_TABLE,
                                         .subtype = PART_TABLE_PRIMARY,
                                         .off = PART_TABLE_OFF,
                                         .len = 0x1000,
                                         .label = "table" };

static void new_table(struct rig *r)
{
    static uint8_t bytes[PART_TABLE_MAX_LEN];

    part_table_pack(&r->parts.table, bytes);
    rig_serve(r, bytes, sizeof(bytes));
    r->opts.accept_unsafe = true;
    stage(r);
    r->opts.final = &table;
}

/* The copy to `final` was cut right after its first erase. */
static void cut_copy(struct rig *r)
{
    for (uint32_t nth = 1; r->store.copy[0] == '\0'; nth++) {
        sim_flash_power_on(&r->flash);
        sim_flash_arm(&r->flash, SIM_FAULT_AFTER, nth, 1);
        assert_int_not_equal(rig_update(r, NULL), ESP_OK);
    }
    sim_flash_power_on(&r->flash);
    r->opts.staging = r->opts.final = NULL;
    r->opts.finalize_with_copy = false;
    r->opts.accept_unsafe = false;
    serve_image(r, &(struct rig_image){ .filler = 1 });
}

static void after_a_cut_copy(struct rig *r)
{
    staged_data(r);
    cut_copy(r);
}

static void after_a_cut_bootloader(struct rig *r)
{
    staged_bootloader(r);
    cut_copy(r);
}

/* The table itself is no row of a table: the application named it. */
static void after_a_cut_table(struct rig *r)
{
    assert_int_equal(part_extra_add(&r->parts, &table), ESP_OK);
    new_table(r);
    cut_copy(r);
}

/* The image that runs came from here, and its file has a name. */
static void known(struct rig *r)
{
    r->web.etag = "\"a\"";
    r->opts.store = &r->store.port;
    assert_int_equal(rig_update(r, NULL), ESP_OK);
    assert_string_not_equal(r->store.known, "");
    rig_record(r, 0, 1, OTA_STATE_VALID);
    rig_record(r, 1, 2, OTA_STATE_VALID);
    r->device.running_slot = 1;
    r->device.running_off = RIG_SLOT_1;
    rig_reboot(r);
    serve_image(r, &(struct rig_image){ .filler = 5, .version = "3" });
    r->web.etag = "\"b\"";
}

static void beside(struct rig *r)
{
    rig_write_behind(r, true);
}

static void guarded(struct rig *r)
{
    r->policy.deny = true;
    rig_add_fuses(r);
    r->opts.pre.same_project = true;
}

struct scene {
    const char *claim;
    void (*set)(struct rig *r);
    uint32_t from, to; /* slot that runs, slot that boots when all went well */
    uint32_t at;       /* in the flash, what was served */
    bool unsafe;       /* what every boot needs is written, and may be lost */
};

static const struct scene scenes[] = {
    { "a new slot", fresh, 0, 1, RIG_SLOT_1, false },
    { "from an offset", by_offset, 0, 1, RIG_SLOT_1, false },
    { "from a checkpoint", by_checkpoint, 0, 1, RIG_SLOT_1, false },
    { "data from a checkpoint", data_by_checkpoint, 0, 0, RIG_BLOB, false },
    { "data by way of a slot", staged_data, 0, 0, RIG_BLOB, false },
    { "an image by way of a slot", staged_image, 0, 0, RIG_BLOB, false },
    { "a bootloader by way of a slot", staged_bootloader, 0, 0, RIG_BLOB,
      false },
    { "a partition table", new_table, 0, 0, PART_TABLE_OFF, true },
    { "after a copy that was cut", after_a_cut_copy, 0, 1, RIG_SLOT_1, false },
    { "after a copy of a bootloader that was cut", after_a_cut_bootloader, 0, 1,
      RIG_SLOT_1, false },
    { "after a copy of a table that was cut", after_a_cut_table, 0, 1,
      RIG_SLOT_1, true },
    { "with what is known of what runs", known, 1, 0, RIG_SLOT_0, false },
    { "written beside the session", beside, 0, 1, RIG_SLOT_1, false },
    { "with fuses and denied images", guarded, 0, 1, RIG_SLOT_1, false },
};

/* --- faults --------------------------------------------------------------- */

enum fault { ALLOC, READ, OP };
static const char *const fault_names[] = { "allocation", "read", "operation" };

static void arm(struct rig *r, enum fault fault, uint32_t nth)
{
    r->flash.count.armed = r->flash.count.fired;
    if (fault == ALLOC)
        r->heap.fail_at = r->heap.alloc_cnt + nth;
    else if (fault == READ)
        sim_flash_fail_read(&r->flash, nth);
    else
        sim_flash_arm(&r->flash, SIM_FAULT_STATUS, nth, nth);
}

/* Returns whether it came to it, and disarms. */
static bool has_fired(struct rig *r, enum fault fault)
{
    bool fired = fault == ALLOC  ? r->heap.alloc_cnt >= r->heap.fail_at
                 : fault == READ ? r->flash.read_fault == 0
                                 : sim_flash_unfired(&r->flash) == 0;

    r->heap.fail_at = 0;
    sim_flash_fail_read(&r->flash, 0);
    sim_flash_power_on(&r->flash);
    return fired;
}

/* Whether the session can be begun once more. */
static bool judge(struct rig *r, const struct scene *s, esp_err_t err)
{
    uint32_t boots = rig_boots(r);
    bool said = strstr(r->diag.text, "all the same") != NULL;

    if (err && (r->diag.text[0] == '\0' || r->diag.err != err))
        fail_msg("no sentence for 0x%x", (unsigned)err);
    if (boots == BOOT_NONE && err && s->unsafe)
        return true;
    if (boots != (err && !said ? s->from : s->to))
        fail_msg("%u boots after 0x%x %s", (unsigned)boots, (unsigned)err,
                 r->diag.text);
    return err && !said;
}

/* false: there is no such fault any more. */
static bool fail_one(const struct scene *s, enum fault fault, uint32_t nth,
                     struct diag *said)
{
    struct rig r;
    bool fired;
    esp_err_t err;

    rig_open(&r);
    s->set(&r);
    r.diag = (struct diag)DIAG_NONE;
    arm(&r, fault, nth);
    err = rig_update(&r, NULL);
    fired = has_fired(&r, fault);
    *said = r.diag;
    if (!fired && err)
        fail_msg("%s: 0x%x %s", s->claim, (unsigned)err, r.diag.text);
    print_message("# %s, %s %u: %s\n", s->claim, fault_names[fault],
                  (unsigned)nth, err ? r.diag.text : "done");
    if (judge(&r, s, err)) {
        r.opts.start_off = 0;
        assert_int_equal(rig_update(&r, NULL), ESP_OK);
        assert_int_equal(rig_boots(&r), s->to);
        err = ESP_OK;
    }
    if (!err)
        assert_memory_equal(rig_bytes(&r, s->at), r.web.file, r.web.file_len);
    rig_close(&r);
    return fired;
}

static void sweep(enum fault fault)
{
    for (size_t i = 0; i < CNT(scenes); i++) {
        struct diag said;
        uint32_t nth = 1;

        while (fail_one(&scenes[i], fault, nth, &said))
            nth++;
        assert_true(nth > 2);
    }
}

/* Between two reads whose failures are not said alike, others may be. */
static void narrow(const struct scene *s, uint32_t low, uint32_t high,
                   const struct diag said[2])
{
    uint32_t mid = low + (high - low) / 2;
    struct diag left[2] = { said[0] }, right[2] = { { .text = "" }, said[1] };

    if (mid == low || strcmp(said[0].text, said[1].text) == 0)
        return;
    (void)fail_one(s, READ, mid, &left[1]);
    right[0] = left[1];
    narrow(s, low, mid, left);
    narrow(s, mid, high, right);
}

static void sweep_reads(const struct scene *s, uint32_t step)
{
    struct diag said[2];
    uint32_t nth = 1;

    assert_true(fail_one(s, READ, nth, &said[0]));
    while (fail_one(s, READ, nth + step, &said[1])) {
        narrow(s, nth, nth + step, said);
        nth += step;
        said[0] = said[1];
    }
    narrow(s, nth, nth + step, said);
}

static void test_allocations(void **state)
{
    (void)state;
    sweep(ALLOC);
}

static void test_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(scenes); i++)
        sweep_reads(&scenes[i], getenv("PORTA_DEEP") ? 1 : 17);
}

static void test_operations(void **state)
{
    (void)state;
    sweep(OP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_operations),
    };

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
