/* esp_ota_*: what the two boot records say about the slots, whatever stands in
 * them, and what the images say about themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_ota_ops.h"
#include "image/build.h"
#include "porta/ota_confirm.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NONE OTADATA_SEQ_NONE

static const esp_partition_t *part(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_ANY,
                                    ESP_PARTITION_SUBTYPE_ANY, label);
}

static const char *name_of(const esp_partition_t *p)
{
    return p ? p->label : "none";
}

static void put_record(struct device *d, uint32_t idx, uint32_t seq,
                       uint32_t state, bool torn)
{
    uint8_t *sector = d->rig.flash.bytes + RIG_OTADATA + idx * OTADATA_SECTOR;

    memset(sector, 0xFF, OTADATA_SECTOR);
    if (seq != NONE)
        rig_record(&d->rig, idx, seq, state);
    if (torn)
        sector[28] ^= 1; /* its CRC */
}

/* --- states --------------------------------------------------------------- */

#define NEW OTA_STATE_NEW
#define PENDING OTA_STATE_PENDING
#define VALID OTA_STATE_VALID
#define INVALID OTA_STATE_INVALID
#define ABORTED OTA_STATE_ABORTED
#define UNKNOWN 0xFFFFFFFEu /* ESP_ERR_NOT_FOUND */

struct record_row {
    const char *claim;
    uint32_t seq[2], state[2];
    bool torn[2];
    uint32_t slots[2]; /* what each slot is */
    const char *invalid;
    /* ota_0 runs: may ota_1 be forgotten? */
    esp_err_t forget;
    uint32_t trial_starts;
};

static const struct record_row records[] = {
    { "nothing",
      { NONE, NONE },
      { 0, 0 },
      { false, false },
      { UNKNOWN, UNKNOWN },
      "none",
      ESP_FAIL,
      0 },
    { "one slot each",
      { 1, 2 },
      { VALID, VALID },
      { false, false },
      { VALID, VALID },
      "none",
      ESP_FAIL,
      0 },
    { "the running one is the newer: the other goes",
      { 3, 2 },
      { VALID, VALID },
      { false, false },
      { VALID, VALID },
      "none",
      ESP_OK,
      0 },
    { "torn records are none",
      { 1, 2 },
      { VALID, ABORTED },
      { true, true },
      { UNKNOWN, UNKNOWN },
      "none",
      ESP_FAIL,
      0 },
    { "a torn one has no slot to forget",
      { 3, 2 },
      { VALID, VALID },
      { false, true },
      { VALID, UNKNOWN },
      "none",
      ESP_FAIL,
      0 },
    { "nor has a blank one",
      { 3, NONE },
      { VALID, 0 },
      { false, false },
      { VALID, UNKNOWN },
      "none",
      ESP_FAIL,
      0 },
    { "one slot twice: the newer one tells",
      { 1, 3 },
      { ABORTED, VALID },
      { false, false },
      { VALID, UNKNOWN },
      "ota_0",
      ESP_FAIL,
      0 },
    { "... in whichever place it is",
      { 3, 1 },
      { VALID, ABORTED },
      { false, false },
      { VALID, UNKNOWN },
      "ota_0",
      ESP_FAIL,
      0 },
    { "the last one that failed is the older one",
      { 3, 2 },
      { INVALID, ABORTED },
      { false, false },
      { INVALID, ABORTED },
      "ota_1",
      ESP_FAIL,
      0 },
    { "... in whichever place it is",
      { 1, 2 },
      { INVALID, ABORTED },
      { false, false },
      { INVALID, ABORTED },
      "ota_0",
      ESP_FAIL,
      0 },
    { "what runs is on trial",
      { 3, 2 },
      { PENDING, VALID },
      { false, false },
      { PENDING, VALID },
      "none",
      ESP_OK,
      1 },
    { "a trial under a bootloader that knows none",
      { 3, 2 },
      { NEW, VALID },
      { false, false },
      { NEW, VALID },
      "none",
      ESP_OK,
      1 },
    { "another one's trial",
      { 1, 2 },
      { VALID, PENDING },
      { false, false },
      { VALID, PENDING },
      "none",
      ESP_FAIL,
      0 },
    { "no record of what runs",
      { 4, NONE },
      { PENDING, 0 },
      { false, false },
      { UNKNOWN, PENDING },
      "none",
      ESP_FAIL,
      0 },
};

static uint32_t state_of(const char *label)
{
    esp_ota_img_states_t got;
    esp_err_t err = esp_ota_get_state_partition(part(label), &got);

    if (err)
        assert_int_equal(err, ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_get_state_partition(part(label), NULL),
                     ESP_ERR_INVALID_ARG);
    return err ? UNKNOWN : (uint32_t)got;
}

static void test_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(records); i++) {
        const struct record_row *row = &records[i];
        struct device d;

        print_message("# %s\n", row->claim);
        device_open(&d);
        memcpy(d.rig.flash.bytes + RIG_SLOT_1, rig_bytes(&d.rig, RIG_SLOT_0),
               RIG_SLOT_LEN);
        for (uint32_t k = 0; k < 2; k++)
            put_record(&d, k, row->seq[k], row->state[k], row->torn[k]);
        device_restart(&d, RIG_SLOT_0);
        assert_int_equal(state_of("ota_0"), row->slots[0]);
        assert_int_equal(state_of("ota_1"), row->slots[1]);
        assert_string_equal(name_of(esp_ota_get_last_invalid_partition()),
                            row->invalid);
        assert_int_equal(porta_ota_trial_starts(), row->trial_starts);
        assert_int_equal(esp_ota_invalidate_inactive_ota_data_slot(),
                         row->forget);
        if (!row->forget)
            assert_int_equal(state_of("ota_1"), UNKNOWN);
        device_close(&d);
    }
}

/* --- the note of a verdict ------------------------------------------------ */

/* 49 days of milliseconds are more than its 32 bits; all ones is "unknown". */
static void test_uptime(void **state)
{
    static const struct {
        uint64_t up_ms;
        uint32_t noted;
    } rows[] = { { 5000, 5000 }, { (uint64_t)1 << 33, UINT32_MAX - 1 } };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct device d;
        struct otadata_place at;
        struct otadata o;
        struct ota_event event;

        device_open(&d);
        rig_record(&d.rig, 0, 1, OTA_STATE_PENDING);
        device_restart(&d, RIG_SLOT_0);
        d.rig.sys.now_ms += rows[i].up_ms;
        assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
        at = (struct otadata_place){ &d.rig.flash.port, RIG_OTADATA };
        assert_int_equal(otadata_read(&at, OTADATA_LEN, &o), ESP_OK);
        assert_int_equal(otadata_verdict(&at, &o, &event), ESP_OK);
        assert_int_equal(event.kind, OTA_EVENT_CONFIRMED);
        assert_int_equal(event.up_ms, rows[i].noted);
        device_close(&d);
    }
}

/* --- receipts ------------------------------------------------------------- */

/* What one slot was verified for says nothing about another. */
static void test_receipt_of_another(void **state)
{
    struct device d;

    (void)state;
    device_open(&d);
    rig_put_image(&d.rig, RIG_SLOT_1, &(struct rig_image){ .filler = 4 });
    assert_int_equal(esp_ota_set_boot_partition(part("ota_1")), ESP_OK);
    d.rig.flash.bytes[RIG_SLOT_0 + 4000] ^= 1;
    assert_int_equal(esp_ota_set_boot_partition(part("ota_0")),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(rig_boots(&d.rig), 1);
    device_close(&d);
}

/* A good image does not make bootable what is no application's place. */
static void test_image_in_data(void **state)
{
    struct device d;
    struct rig_image small = { .body_len = 5000 };
    uint32_t len;
    uint8_t *bytes = rig_make_image(&small, &len);

    (void)state;
    device_open(&d);
    memcpy(d.rig.flash.bytes + RIG_BLOB, bytes, len);
    free(bytes);
    assert_int_equal(esp_ota_set_boot_partition(part("blob")),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(rig_boots(&d.rig), 0);
    device_close(&d);
}

/* A device whose slots begin at ota_1: the place is known, no record can name
 * it. */
static void test_begin_without_records(void **state)
{
    struct device d;
    esp_ota_handle_t h;

    (void)state;
    device_open(&d);
    d.rig.parts.table.entries[1].subtype = PART_APP_TEST;
    part_table_pack(&d.rig.parts.table, d.rig.flash.bytes + PART_TABLE_OFF);
    device_restart(&d, RIG_SLOT_0);
    assert_int_equal(esp_ota_get_app_partition_count(), 0);
    assert_int_equal(
        esp_ota_begin(part("ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &h), ESP_OK);
    assert_int_equal(esp_ota_write(h, d.rig.image, d.rig.image_len), ESP_OK);
    assert_int_equal(esp_ota_end(h), ESP_OK);
    assert_int_not_equal(esp_ota_set_boot_partition(part("ota_1")), ESP_OK);
    device_close(&d);
}

/* Nobody is on trial who is in no partition. */
static void test_begin_from_nowhere(void **state)
{
    struct device d;
    esp_ota_handle_t h;

    (void)state;
    device_open(&d);
    put_record(&d, 0, 1, OTA_STATE_PENDING, false);
    device_restart(&d, UINT32_MAX);
    assert_int_equal(
        esp_ota_begin(part("ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &h), ESP_OK);
    device_close(&d);
    device_open(&d);
    put_record(&d, 0, NONE, 0, false);
    assert_int_equal(
        esp_ota_begin(part("ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &h), ESP_OK);
    device_close(&d);
}

/* The list of images that failed has nothing against a slot without one; and
 * without rollback nothing is on trial. */
static void test_set_boot_of_no_image(void **state)
{
    static const bool rollbacks[] = { true, false };

    (void)state;
    for (size_t i = 0; i < CNT(rollbacks); i++) {
        struct device d;

        device_open(&d);
        d.rig.policy.deny = true;
        d.rig.policy.rollback = rollbacks[i];
        assert_int_equal(
            esp_ota_set_boot_partition_skip_validate(part("ota_1")), ESP_OK);
        assert_int_equal(state_of("ota_1"),
                         rollbacks[i] ? (uint32_t)NEW : OTA_STATE_UNDEFINED);
        device_close(&d);
    }
}

/* --- descriptions --------------------------------------------------------- */

static void put_bootloader(struct device *d, uint32_t off)
{
    static const uint8_t body[500];
    static uint8_t bytes[4096];
    struct img_build_seg seg = { 0, span_of(body, sizeof(body)) };
    struct img_build in = { .kind = IMG_KIND_BOOTLOADER,
                            .segs = &seg,
                            .seg_cnt = 1 };
    uint32_t len;

    in.header.chip_id = RIG_CHIP;
    strcpy(in.boot_desc.idf_ver, "v9");
    assert_int_equal(img_build(&in, bytes, sizeof(bytes), &len, NULL), ESP_OK);
    memcpy(d->rig.flash.bytes + off, bytes, len);
}

static void test_bootloader_description(void **state)
{
    struct device d;
    esp_bootloader_desc_t desc;
    esp_app_desc_t app;
    esp_partition_t tiny;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_ota_get_bootloader_description(NULL, &desc),
                     ESP_ERR_NOT_FOUND);
    put_bootloader(&d, api_bootloader_off());
    assert_int_equal(esp_ota_get_bootloader_description(NULL, &desc), ESP_OK);
    assert_string_equal(desc.idf_ver, "v9");
    put_bootloader(&d, RIG_BLOB);
    memset(&desc, 0, sizeof(desc));
    assert_int_equal(esp_ota_get_bootloader_description(part("blob"), &desc),
                     ESP_OK);
    assert_string_equal(desc.idf_ver, "v9");
    assert_int_equal(esp_ota_get_bootloader_description(part("blob"), NULL),
                     ESP_ERR_INVALID_ARG);
    tiny = *part("blob");
    tiny.size = 64;
    assert_int_equal(esp_ota_get_bootloader_description(&tiny, &desc),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_ota_get_partition_description(part("ota_0"), NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_get_partition_description(part("ota_0"), &app),
                     ESP_OK);
    device_close(&d);
}

struct mode_row {
    const char *claim;
    uint8_t theirs; /* 0: the image does not say; mine is 2 */
    esp_partition_type_t type;
    bool no_desc;
    esp_err_t want;
};

static const struct mode_row modes[] = {
    { "the same", 2, ESP_PARTITION_TYPE_APP, false, ESP_OK },
    { "another", 3, ESP_PARTITION_TYPE_APP, false,
      ESP_ERR_OTA_SPI_MODE_MISMATCH },
    { "one that is not said", 0, ESP_PARTITION_TYPE_APP, false, ESP_OK },
    { "a bootloader's is its own matter", 3, ESP_PARTITION_TYPE_BOOTLOADER,
      false, ESP_OK },
    { "nobody looked", 3, ESP_PARTITION_TYPE_APP, true, ESP_OK },
};

static void test_modes(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(modes); i++) {
        const struct mode_row *row = &modes[i];
        struct device d;
        esp_image_header_t hdr = { .magic = 0xE9,
                                   .chip_id = (esp_chip_id_t)RIG_CHIP };
        esp_app_desc_t desc = { .spi_flash_mode = row->theirs };

        print_message("# %s\n", row->claim);
        device_open(&d);
        /* Where the description of the running program has it. */
        d.rig.flash.bytes[RIG_SLOT_0 + IMG_APP_DESC_OFF + 181] = 2;
        device_restart(&d, RIG_SLOT_0);
        assert_int_equal(esp_ota_check_image_validity(
                             row->type, &hdr, row->no_desc ? NULL : &desc),
                         row->want);
        device_close(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_uptime),
        cmocka_unit_test(test_receipt_of_another),
        cmocka_unit_test(test_image_in_data),
        cmocka_unit_test(test_set_boot_of_no_image),
        cmocka_unit_test(test_begin_without_records),
        cmocka_unit_test(test_begin_from_nowhere),
        cmocka_unit_test(test_bootloader_description),
        cmocka_unit_test(test_modes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
