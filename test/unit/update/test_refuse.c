/* What a device refuses to write: what runs, what the factory put there, what
 * its own table says wrongly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* --- the device refuses --------------------------------------------------- */

static struct part_entry *entry(struct rig *r, const char *label)
{
    return (struct part_entry *)(uintptr_t)part_find_label(&r->parts.table,
                                                           label);
}

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
    const char *staging, *final;
    uint8_t subtype; /* of staging; 0: as it is */
    bool factory;    /* staging is the factory's program */
    uint32_t flags;  /* of staging */
    const char *shorten;
    bool live, no_rollback;
    esp_err_t want;
    const char *says;
};

static const struct refusal refusals[] = {
    { .claim = "an update while the last one is on trial",
      .state = OTA_STATE_PENDING,
      .want = ESP_ERR_OTA_ROLLBACK_INVALID_STATE },
    { .claim = "an update while the last one was not tried",
      .state = OTA_STATE_NEW,
      .want = ESP_ERR_OTA_ROLLBACK_INVALID_STATE },
    { .claim = "a bootloader without rollback leaves NEW: no reason to refuse",
      .state = OTA_STATE_NEW,
      .live = true,
      .want = ESP_OK },
    { .claim = "no otadata",
      .state = OTA_STATE_VALID,
      .without = "otadata",
      .want = ESP_ERR_NOT_FOUND },
    { .claim = "no OTA slot",
      .state = OTA_STATE_VALID,
      .without = "ota_0",
      .want = ESP_ERR_NOT_FOUND },
    { .claim = "without rollback there are no trials to wait for",
      .state = OTA_STATE_PENDING,
      .no_rollback = true,
      .want = ESP_OK },
    { .claim = "the factory's program",
      .state = OTA_STATE_VALID,
      .staging = "ota_1",
      .factory = true,
      .want = ESP_ERR_INVALID_ARG,
      .says = "ota_1 is an application partition but no OTA slot" },
    { .claim = "nor is the test program's",
      .state = OTA_STATE_VALID,
      .staging = "ota_1",
      .subtype = PART_APP_TEST,
      .want = ESP_ERR_INVALID_ARG,
      .says = "no OTA slot" },
    { .claim = "a slot that is read-only",
      .state = OTA_STATE_VALID,
      .staging = "ota_1",
      .flags = PART_FLAG_READONLY,
      .want = ESP_ERR_NOT_ALLOWED,
      .says = "partition ota_1 is read-only" },
    { .claim = "boot records that are too short",
      .state = OTA_STATE_VALID,
      .shorten = "otadata",
      .want = ESP_ERR_INVALID_SIZE,
      .says = "otadata has 4096 bytes and needs 8192" },
    { .claim = "an image staged where it cannot boot, and not copied",
      .state = OTA_STATE_VALID,
      .staging = "blob",
      .final = "ota_1",
      .want = ESP_ERR_INVALID_ARG,
      .says = "blob is no OTA slot and cannot boot: copy the image to ota_1" },
    { .claim = "a slot behind a gap, which no boot record can name",
      .state = OTA_STATE_VALID,
      .staging = "ota_1",
      .subtype = PART_APP_OTA_0 + 2,
      .want = ESP_ERR_NOT_FOUND,
      .says = "no boot record can name ota_1: slots are counted from ota_0, "
              "and the table has no ota_1" },
    { .claim = "slots without an ota_0",
      .state = OTA_STATE_VALID,
      .without = "ota_0",
      .staging = "ota_1",
      .want = ESP_ERR_NOT_FOUND,
      .says = "the table has no ota_0" },
    { .claim = "updating the running slot",
      .state = OTA_STATE_VALID,
      .staging = "ota_0",
      .want = ESP_ERR_OTA_PARTITION_CONFLICT },
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
        if (f->shorten)
            entry(&r, f->shorten)->len = 4096;
        if (f->staging) {
            entry(&r, f->staging)->flags = f->flags;
            if (f->subtype || f->factory)
                entry(&r, f->staging)->subtype = f->subtype;
            r.opts.staging = entry(&r, f->staging);
        }
        if (f->final)
            r.opts.final = entry(&r, f->final);
        r.policy.rollback = !f->no_rollback;
        assert_int_equal(rig_update(&r, NULL), f->want);
        if (f->says)
            assert_non_null(strstr(r.diag.text, f->says));
        if (f->want) {
            assert_int_equal(r.web.open_cnt, 0);
            assert_int_equal(sim_flash_ops(&r.flash), 0);
            assert_int_not_equal(r.diag.text[0], '\0');
        }
        rig_close(&r);
    }
}

/* --- the table of the device is wrong ------------------------------------- */

struct wrong_table {
    const char *claim;
    const char *label; /* of the row that is moved */
    uint32_t off, len; /* where to; len 0: as it is */
    esp_err_t want;
    const char *says;
};

static const struct wrong_table wrong_tables[] = {
    { "the slot lies on the partition table", "ota_1", PART_TABLE_OFF, 0x1000,
      ESP_ERR_INVALID_ARG, "lies on the bootloader or the partition table" },
    { "the slot lies on the bootloader", "ota_1", 0x1000, 0x1000,
      ESP_ERR_INVALID_ARG, "lies on the bootloader or the partition table" },
    { "the slot reaches into what runs", "ota_1", RIG_SLOT_0 - 0x1000, 0x4000,
      ESP_ERR_OTA_PARTITION_CONFLICT, "is the one that runs" },
    { "the slot begins inside what runs", "ota_1", RIG_SLOT_0 + 0x1000, 0,
      ESP_ERR_INVALID_ARG, "overlaps ota_0" },
    { "the slot lies on another partition", "blob", RIG_SLOT_1 + 0x1000, 0,
      ESP_ERR_INVALID_ARG, "overlaps blob" },
    { "the slot lies on the boot records", "ota_1", RIG_OTADATA, 0x2000,
      ESP_ERR_INVALID_ARG, "overlaps otadata" },
    { "something lies on the boot records", "blob", RIG_OTADATA + 0x1000,
      0x1000, ESP_ERR_INVALID_ARG, "overlaps blob" },
    { "the slot does not begin with a sector", "ota_1", RIG_SLOT_1 + 0x800, 0,
      ESP_ERR_INVALID_SIZE, "no whole number of sectors" },
    { "the slot does not end with a sector", "ota_1", RIG_SLOT_1, 0x3800,
      ESP_ERR_INVALID_SIZE, "no whole number of sectors" },
    { "the slot leaves the flash", "ota_1", RIG_SLOT_1, 0xFFFFF000,
      ESP_ERR_INVALID_SIZE, "leaves the flash" },
};

static void test_wrong_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(wrong_tables); i++) {
        const struct wrong_table *w = &wrong_tables[i];
        struct part_entry *e;
        struct rig r;

        print_message("# %s\n", w->claim);
        rig_open(&r);
        e = (struct part_entry *)(uintptr_t)part_find_label(&r.parts.table,
                                                            w->label);
        e->off = w->off;
        if (w->len)
            e->len = w->len;
        assert_int_equal(rig_update(&r, NULL), w->want);
        assert_non_null(strstr(r.diag.text, w->says));
        assert_int_equal(r.web.open_cnt, 0);
        assert_int_equal(sim_flash_ops(&r.flash), 0);
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_wrong_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
