/* esp_ota_* on flash whose table or records are not those of a plain device:
 * without records, without slots, with a factory, with a test program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_efuse.h"
#include "esp_ota_ops.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define FACTORY 0x00
#define OTA(n) (0x10 + (n))
#define TEST 0x20
#define NOBODY UINT32_MAX

static const char *name_of(const esp_partition_t *p)
{
    return p ? p->label : "none";
}

/* apps: subtypes at RIG_SLOT_0 and RIG_SLOT_1, named "a" and "b"; -1: none. */
static void lay_out(struct device *d, bool has_records, const int apps[2])
{
    static struct part_table table;
    struct part_entry *e = table.entries;

    memset(&table, 0, sizeof(table));
    if (has_records)
        *e++ = (struct part_entry){ .type = PART_TYPE_DATA,
                                    .subtype = PART_DATA_OTA,
                                    .off = RIG_OTADATA,
                                    .len = OTADATA_LEN,
                                    .label = "otadata" };
    for (uint32_t i = 0; i < 2; i++) {
        if (apps[i] < 0)
            continue;
        *e = (struct part_entry){ .type = PART_TYPE_APP,
                                  .subtype = (uint8_t)apps[i],
                                  .off = RIG_SLOT_0 + i * RIG_SLOT_LEN,
                                  .len = RIG_SLOT_LEN };
        e++->label[0] = (char)('a' + i);
    }
    table.cnt = (uint32_t)(e - table.entries);
    part_table_pack(&table, d->rig.flash.bytes + PART_TABLE_OFF);
}

struct layout_row {
    const char *claim;
    bool has_records;
    int apps[2];
    uint32_t running; /* index in apps, NOBODY: none of the table */
    /* of record 0, which record 1 follows with the slot after it, if it is to;
     * OTADATA_SEQ_NONE: both are blank */
    uint32_t seq, other_state;
    const char *boots, *next, *invalid; /* "none", "a", "b" */
    esp_err_t confirm, set_boot;        /* of the one that runs, of "a" */
    bool way_back;
};

#define BLANK OTADATA_SEQ_NONE

static const struct layout_row layouts[] = {
    { "no records: nobody knows what boots",
      false,
      { OTA(0), OTA(1) },
      0,
      BLANK,
      0,
      "none",
      "b",
      "none",
      ESP_ERR_NOT_FOUND,
      ESP_ERR_NOT_FOUND,
      false },
    { "no records, and the factory is to boot",
      false,
      { FACTORY, OTA(0) },
      0,
      BLANK,
      0,
      "none",
      "b",
      "none",
      ESP_ERR_NOT_FOUND,
      ESP_ERR_NOT_FOUND,
      false },
    { "blank records: the factory",
      true,
      { FACTORY, OTA(0) },
      0,
      BLANK,
      0,
      "a",
      "b",
      "none",
      ESP_FAIL,
      ESP_OK,
      false },
    { "blank records, no factory: the first slot",
      true,
      { OTA(0), OTA(1) },
      0,
      BLANK,
      0,
      "a",
      "b",
      "none",
      ESP_FAIL,
      ESP_OK,
      false },
    { "nothing but a test program",
      true,
      { TEST, -1 },
      0,
      BLANK,
      0,
      "a",
      "none",
      "none",
      ESP_FAIL,
      ESP_ERR_INVALID_ARG,
      false },
    { "no application at all",
      true,
      { -1, -1 },
      NOBODY,
      BLANK,
      0,
      "none",
      "none",
      "none",
      ESP_FAIL,
      ESP_ERR_INVALID_ARG,
      false },
    { "records, but the slots are gone: the factory",
      true,
      { FACTORY, -1 },
      0,
      1,
      OTA_STATE_ABORTED,
      "a",
      "none",
      "none",
      ESP_FAIL,
      ESP_OK,
      false },
    { "a factory beside its slot, which was given up",
      true,
      { FACTORY, OTA(0) },
      0,
      1,
      OTA_STATE_ABORTED,
      "b",
      "b",
      "b",
      ESP_OK,
      ESP_OK,
      false },
    { "a slot on trial, and behind it the factory",
      true,
      { FACTORY, OTA(0) },
      1,
      1,
      BLANK,
      "b",
      "b",
      "none",
      ESP_OK,
      ESP_OK,
      true },
    { "a program that is in no partition: the records count as ever",
      true,
      { OTA(0), OTA(1) },
      NOBODY,
      1,
      OTA_STATE_VALID,
      "b",
      "a",
      "none",
      ESP_OK,
      ESP_OK,
      true },
};

static void put_records(struct device *d, const struct layout_row *row)
{
    memset(d->rig.flash.bytes + RIG_OTADATA, 0xFF, OTADATA_LEN);
    if (row->seq == BLANK)
        return;
    rig_record(&d->rig, 0, row->seq, OTA_STATE_VALID);
    if (row->other_state != BLANK)
        rig_record(&d->rig, 1, row->seq + 1, row->other_state);
}

static void test_layouts(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(layouts); i++) {
        const struct layout_row *row = &layouts[i];
        struct device d;
        const esp_partition_t *a;

        print_message("# %s\n", row->claim);
        device_open(&d);
        memcpy(d.rig.flash.bytes + RIG_SLOT_1, rig_bytes(&d.rig, RIG_SLOT_0),
               RIG_SLOT_LEN);
        lay_out(&d, row->has_records, row->apps);
        put_records(&d, row);
        device_restart(&d, row->running == NOBODY
                               ? UINT32_MAX
                               : RIG_SLOT_0 + row->running * RIG_SLOT_LEN);
        assert_string_equal(name_of(esp_ota_get_boot_partition()), row->boots);
        assert_string_equal(name_of(esp_ota_get_next_update_partition(NULL)),
                            row->next);
        assert_string_equal(name_of(esp_ota_get_last_invalid_partition()),
                            row->invalid);
        assert_int_equal(esp_ota_check_rollback_is_possible(), row->way_back);
        assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(),
                         row->confirm);
        a = esp_partition_find_first(ESP_PARTITION_TYPE_ANY,
                                     ESP_PARTITION_SUBTYPE_ANY, "a");
        assert_int_equal(esp_ota_set_boot_partition_skip_validate(a),
                         row->set_boot);
        device_close(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
