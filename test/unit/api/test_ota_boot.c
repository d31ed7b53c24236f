/* esp_ota_*: which slot boots, is confirmed, is given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_efuse.h"
#include "esp_ota_ops.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SEQ OTA_WITH_SEQUENTIAL_WRITES

#define FACTORY_OFF 0x54000u /* behind the slots */
#define FACTORY_LEN 0xc000u

static const esp_partition_t *part(const char *label)
{
    return label ? esp_partition_find_first(ESP_PARTITION_TYPE_ANY,
                                            ESP_PARTITION_SUBTYPE_ANY, label)
                 : NULL;
}

static esp_err_t write_all(esp_ota_handle_t h, const uint8_t *p, uint32_t len)
{
    esp_err_t err = ESP_OK;

    for (uint32_t at = 0; !err && at < len; at += 1000)
        err = esp_ota_write(h, p + at, len - at < 1000 ? len - at : 1000);
    return err;
}

/* Puts the rig's image into ota_1 as an application would. */
static esp_err_t put_image(struct device *d, size_t size)
{
    esp_ota_handle_t h;
    esp_err_t err = esp_ota_begin(part("ota_1"), size, &h);

    if (!err)
        err = write_all(h, d->rig.image, d->rig.image_len);
    return err ? err : esp_ota_end(h);
}

static struct ota_rec rec_at(const struct device *d, uint32_t idx)
{
    struct ota_rec rec;

    ota_rec_parse(rig_bytes(&d->rig, RIG_OTADATA + idx * OTADATA_SECTOR), &rec);
    return rec;
}

/* --- what boots ----------------------------------------------------------- */

static void copy_slot(struct device *d)
{
    memcpy(d->rig.flash.bytes + RIG_SLOT_1, rig_bytes(&d->rig, RIG_SLOT_0),
           RIG_SLOT_LEN);
}

/* Reference 3.5, the sequence examples for two slots; ota_0 runs first. */
static void test_sequence(void **state)
{
    static const struct {
        const char *label;
        uint32_t idx, seq;
    } steps[] = {
        { "ota_0", 0, 1 },
        { "ota_1", 1, 2 },
        { "ota_0", 0, 3 },
        { "ota_1", 1, 4 },
    };
    struct device d;
    uint32_t running = RIG_SLOT_0;

    (void)state;
    device_open(&d);
    copy_slot(&d);
    memset(d.rig.flash.bytes + RIG_OTADATA, 0xFF, OTADATA_LEN);
    for (size_t i = 0; i < CNT(steps); i++) {
        device_restart(&d, running);
        assert_int_equal(esp_ota_set_boot_partition(part(steps[i].label)),
                         ESP_OK);
        assert_int_equal(rec_at(&d, steps[i].idx).seq, steps[i].seq);
        assert_int_equal(rec_at(&d, steps[i].idx).state, OTA_STATE_NEW);
        assert_ptr_equal(esp_ota_get_boot_partition(), part(steps[i].label));
        running = part(steps[i].label)->address;
    }
    device_close(&d);
}

static void test_set_boot_rows(void **state)
{
    struct device d;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_ota_set_boot_partition(NULL), ESP_ERR_INVALID_ARG);
    /* The image is asked before the type. */
    assert_int_equal(esp_ota_set_boot_partition(part("ota_1")),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(esp_ota_set_boot_partition(part("blob")),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(part("blob")),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(part("ota_1")),
                     ESP_OK);
    assert_ptr_equal(esp_ota_get_boot_partition(), part("ota_1"));
    device_close(&d);
}

/* The reference takes `test` (0x20) for ota_0. */
static void test_set_boot_test(void **state)
{
    struct device d;
    const esp_partition_t *p;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_partition_register_external(
                         NULL, 0x54000, 0x4000, "test", ESP_PARTITION_TYPE_APP,
                         ESP_PARTITION_SUBTYPE_APP_TEST, &p),
                     ESP_OK);
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(p),
                     ESP_ERR_INVALID_ARG);
    device_close(&d);
}

static void test_set_boot_factory(void **state)
{
    struct device d;
    const esp_partition_t *p;

    (void)state;
    device_open(&d);
    assert_int_equal(
        esp_partition_register_external(NULL, 0x54000, 0x4000, "factory",
                                        ESP_PARTITION_TYPE_APP,
                                        ESP_PARTITION_SUBTYPE_APP_FACTORY, &p),
        ESP_OK);
    assert_int_equal(esp_ota_set_boot_partition_skip_validate(p), ESP_OK);
    for (uint32_t i = 0; i < 2; i++) {
        struct ota_rec rec = rec_at(&d, i);
        assert_true(ota_rec_blank(&rec));
    }
    assert_ptr_equal(esp_ota_get_boot_partition(), p);
    device_close(&d);
}

/* Field notes, 8: after a fallback the running slot keeps its record. */
static void test_fallback_keeps_record(void **state)
{
    struct device d;
    esp_ota_img_states_t got;

    (void)state;
    device_open(&d);
    rig_record(&d.rig, 1, 2, OTA_STATE_VALID); /* ota_1, which is damaged */
    assert_int_equal(put_image(&d, SEQ), ESP_OK);
    assert_int_equal(esp_ota_get_state_partition(part("ota_0"), &got), ESP_OK);
    assert_int_equal(got, ESP_OTA_IMG_VALID);
    assert_int_equal(esp_ota_set_boot_partition(part("ota_1")), ESP_OK);
    assert_int_equal(esp_ota_get_state_partition(part("ota_0"), &got), ESP_OK);
    assert_int_equal(got, ESP_OTA_IMG_VALID);
    assert_int_equal(esp_ota_get_state_partition(part("ota_1"), &got), ESP_OK);
    assert_int_equal(got, ESP_OTA_IMG_NEW);
    device_close(&d);
}

static void test_get_boot_rows(void **state)
{
    static const struct {
        const char *claim;
        uint32_t seq[2], state[2];
        const char *want;
    } rows[] = {
        { "blank", { OTADATA_SEQ_NONE, OTADATA_SEQ_NONE }, { 0, 0 }, "ota_0" },
        { "the higher one",
          { 1, 2 },
          { OTA_STATE_VALID, OTA_STATE_VALID },
          "ota_1" },
        { "one on trial",
          { 1, 2 },
          { OTA_STATE_VALID, OTA_STATE_PENDING },
          "ota_1" },
        { "a new one", { 1, 2 }, { OTA_STATE_VALID, OTA_STATE_NEW }, "ota_1" },
        { "not a refused one",
          { 1, 2 },
          { OTA_STATE_VALID, OTA_STATE_ABORTED },
          "ota_0" },
        { "both refused",
          { 1, 2 },
          { OTA_STATE_INVALID, OTA_STATE_ABORTED },
          "ota_0" },
    };
    struct device d;

    (void)state;
    device_open(&d);
    for (size_t i = 0; i < CNT(rows); i++) {
        print_message("# %s\n", rows[i].claim);
        for (uint32_t k = 0; k < 2; k++)
            rig_record(&d.rig, k, rows[i].seq[k], rows[i].state[k]);
        assert_ptr_equal(esp_ota_get_boot_partition(), part(rows[i].want));
    }
    device_close(&d);
}

static void test_next(void **state)
{
    struct device d;

    (void)state;
    device_open(&d);
    assert_ptr_equal(esp_ota_get_running_partition(), part("ota_0"));
    assert_ptr_equal(esp_ota_get_next_update_partition(NULL), part("ota_1"));
    assert_ptr_equal(esp_ota_get_next_update_partition(part("ota_1")),
                     part("ota_0"));
    assert_ptr_equal(esp_ota_get_next_update_partition(part("blob")),
                     part("ota_0"));
    assert_int_equal(esp_ota_get_app_partition_count(), 2);
    device_close(&d);
}

/* --- confirm, give up ----------------------------------------------------- */

static void test_mark_valid(void **state)
{
    struct device d;
    uint32_t ops;

    (void)state;
    device_open(&d);
    copy_slot(&d);
    rig_record(&d.rig, 1, 2, OTA_STATE_PENDING);
    device_restart(&d, RIG_SLOT_1);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(rec_at(&d, 1).state, OTA_STATE_VALID);
    ops = sim_flash_ops(&d.rig.flash);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(sim_flash_ops(&d.rig.flash), ops);
    memset(d.rig.flash.bytes + RIG_OTADATA, 0xFF, OTADATA_LEN);
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_FAIL);
    device_close(&d);
}

struct waiting_row {
    const char *claim;
    uint32_t own_seq, own; /* of ota_0, which runs; 2: it names ota_1 */
    uint32_t next;         /* of ota_1 */
    esp_err_t want;
    uint32_t own_after;
};

static const struct waiting_row waitings[] = {
    { "a new image is not confirmed by the old one", 1, OTA_STATE_VALID,
      OTA_STATE_NEW, ESP_OK, OTA_STATE_VALID },
    { "but the old one may confirm itself", 1, OTA_STATE_PENDING, OTA_STATE_NEW,
      ESP_OK, OTA_STATE_VALID },
    { "without rollback, too", 1, OTA_STATE_UNDEFINED, OTA_STATE_UNDEFINED,
      ESP_OK, OTA_STATE_VALID },
    { "one that gave itself up stays so", 1, OTA_STATE_INVALID, OTA_STATE_NEW,
      ESP_FAIL, OTA_STATE_INVALID },
    { "a program that no record names has none to change", 2, OTA_STATE_VALID,
      OTA_STATE_NEW, ESP_FAIL, OTA_STATE_VALID },
};

static void test_mark_valid_while_another_waits(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(waitings); i++) {
        const struct waiting_row *row = &waitings[i];
        struct device d;

        print_message("# %s\n", row->claim);
        device_open(&d);
        rig_record(&d.rig, 0, row->own_seq, row->own);
        rig_record(&d.rig, 1, 4, row->next);
        device_restart(&d, RIG_SLOT_0);
        assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), row->want);
        assert_int_equal(rec_at(&d, 0).state, row->own_after);
        assert_int_equal(rec_at(&d, 1).state, row->next);
        device_close(&d);
    }
}

struct rollback_row {
    const char *claim;
    uint32_t other; /* state of ota_0's record */
    bool damaged;   /* ota_0's image */
    bool possible;
    bool same_slot; /* that record names ota_1, too */
};

static const struct rollback_row rollbacks[] = {
    { "to a confirmed image", OTA_STATE_VALID, false, true, false },
    { "to one of unknown state", OTA_STATE_UNDEFINED, false, true, false },
    { "not to a damaged one", OTA_STATE_VALID, true, false, false },
    { "not to a refused one", OTA_STATE_INVALID, false, false, false },
    { "nor to the running slot, which both records name", OTA_STATE_VALID,
      false, false, true },
};

static void test_rollback(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rollbacks); i++) {
        const struct rollback_row *row = &rollbacks[i];
        struct device d;

        print_message("# %s\n", row->claim);
        device_open(&d);
        copy_slot(&d);
        rig_record(&d.rig, 0, row->same_slot ? 2 : 1, row->other);
        rig_record(&d.rig, 1, row->same_slot ? 4 : 2, OTA_STATE_PENDING);
        if (row->damaged)
            d.rig.flash.bytes[RIG_SLOT_0 + 4000] ^= 1;
        device_restart(&d, RIG_SLOT_1);
        assert_int_equal(esp_ota_check_rollback_is_possible(), row->possible);
        if (!row->possible) /* else it would not return */
            assert_int_equal(esp_ota_mark_app_invalid_rollback_and_reboot(),
                             ESP_ERR_OTA_ROLLBACK_FAILED);
        assert_int_equal(esp_ota_mark_app_invalid_rollback(),
                         row->possible ? ESP_OK : ESP_ERR_OTA_ROLLBACK_FAILED);
        assert_int_equal(rec_at(&d, 1).state, row->possible
                                                  ? (uint32_t)OTA_STATE_INVALID
                                                  : OTA_STATE_PENDING);
        assert_int_equal(d.rig.sys.restart_cnt, 0);
        device_close(&d);
    }
}

/* A program that gives itself up on two ways at once, or again because a call
 * failed, must not take the one before it along: where factory boots, that
 * could be given up as well. */
static void test_given_up_twice(void **state)
{
    struct device d;
    const esp_partition_t *p;

    (void)state;
    device_open(&d);
    copy_slot(&d);
    rig_record(&d.rig, 0, 1, OTA_STATE_VALID);
    rig_record(&d.rig, 1, 2, OTA_STATE_PENDING);
    device_restart(&d, RIG_SLOT_1);
    assert_int_equal(
        esp_partition_register_external(NULL, FACTORY_OFF, FACTORY_LEN,
                                        "factory", ESP_PARTITION_TYPE_APP,
                                        ESP_PARTITION_SUBTYPE_APP_FACTORY, &p),
        ESP_OK);
    assert_true(d.rig.image_len <= FACTORY_LEN);
    memcpy(d.rig.flash.bytes + FACTORY_OFF, rig_bytes(&d.rig, RIG_SLOT_0),
           FACTORY_LEN);
    assert_true(esp_ota_check_rollback_is_possible());
    assert_int_equal(esp_ota_mark_app_invalid_rollback(), ESP_OK);
    assert_false(esp_ota_check_rollback_is_possible());
    assert_int_equal(esp_ota_mark_app_invalid_rollback(),
                     ESP_ERR_OTA_ROLLBACK_FAILED);
    assert_int_equal(rec_at(&d, 0).state, OTA_STATE_VALID);
    assert_int_equal(rec_at(&d, 1).state, OTA_STATE_INVALID);
    device_close(&d);
}

static void test_last_invalid(void **state)
{
    struct device d;

    (void)state;
    device_open(&d);
    copy_slot(&d);
    assert_null(esp_ota_get_last_invalid_partition());
    rig_record(&d.rig, 1, 2, OTA_STATE_ABORTED);
    assert_ptr_equal(esp_ota_get_last_invalid_partition(), part("ota_1"));
    d.rig.flash.bytes[RIG_SLOT_1 + 4000] ^= 1;
    assert_null(esp_ota_get_last_invalid_partition());
    device_close(&d);
}

static void test_state(void **state)
{
    struct device d;
    esp_ota_img_states_t got;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_ota_get_state_partition(NULL, &got),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_get_state_partition(part("blob"), &got),
                     ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_ota_get_state_partition(part("ota_1"), &got),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_get_state_partition(part("ota_0"), &got), ESP_OK);
    assert_int_equal(got, ESP_OTA_IMG_VALID);
    device_close(&d);
}

static void test_forget_inactive(void **state)
{
    struct device d;
    struct ota_rec rec;

    (void)state;
    device_open(&d);
    copy_slot(&d);
    assert_int_equal(esp_ota_invalidate_inactive_ota_data_slot(), ESP_FAIL);
    rig_record(&d.rig, 1, 2, OTA_STATE_VALID);
    device_restart(&d, RIG_SLOT_1);
    assert_int_equal(esp_ota_erase_last_boot_app_partition(), ESP_OK);
    assert_int_equal(rig_bytes(&d.rig, RIG_SLOT_0)[0], 0xFF);
    rec = rec_at(&d, 0);
    assert_true(ota_rec_blank(&rec));
    rig_record(&d.rig, 0, 1, OTA_STATE_VALID);
    device_restart(&d, RIG_SLOT_0);
    /* The one that does not count runs: it keeps its record. */
    assert_int_equal(esp_ota_invalidate_inactive_ota_data_slot(), ESP_FAIL);
    device_close(&d);
}

/* --- descriptions, headers, fuses ----------------------------------------- */

static void test_descriptions(void **state)
{
    struct device d;
    esp_app_desc_t desc;
    esp_bootloader_desc_t boot;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_ota_get_partition_description(NULL, &desc),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_get_partition_description(part("blob"), &desc),
                     ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_ota_get_partition_description(part("ota_1"), &desc),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_get_partition_description(part("ota_0"), &desc),
                     ESP_OK);
    assert_string_equal(desc.version, "1");
    assert_string_equal(esp_app_get_description()->version, "1");
    assert_int_equal(esp_ota_get_bootloader_description(NULL, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_get_bootloader_description(NULL, &boot),
                     ESP_ERR_NOT_FOUND);
    device_close(&d);
}

static void test_check_validity(void **state)
{
    struct device d;
    esp_image_header_t hdr = { .magic = 0xE9,
                               .chip_id = (esp_chip_id_t)RIG_CHIP };
    esp_app_desc_t desc = { .spi_flash_mode = 3 };

    (void)state;
    device_open(&d);
    /* The running program does not say its own mode. */
    assert_int_equal(
        esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &hdr, &desc),
        ESP_OK);
    assert_int_equal(
        esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, NULL, NULL),
        ESP_ERR_INVALID_ARG);
    assert_int_equal(
        esp_ota_check_image_validity(ESP_PARTITION_TYPE_DATA, &hdr, NULL),
        ESP_ERR_INVALID_ARG);
    assert_int_equal(
        esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &hdr, NULL),
        ESP_OK);
    hdr.max_chip_rev_full = 99;
    assert_int_equal(
        esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &hdr, NULL),
        ESP_ERR_INVALID_VERSION);
    assert_int_equal(
        esp_ota_check_image_validity(ESP_PARTITION_TYPE_BOOTLOADER, &hdr, NULL),
        ESP_OK);
    hdr.chip_id = ESP_CHIP_ID_ESP32C3;
    assert_int_equal(
        esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &hdr, NULL),
        ESP_ERR_INVALID_VERSION);
    device_close(&d);
}

static void test_efuse(void **state)
{
    struct device d;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_efuse_read_secure_version(), 0);
    assert_int_equal(esp_efuse_update_secure_version(3), ESP_OK);
    assert_int_equal(d.fuse_bits, 7);
    assert_int_equal(esp_efuse_read_secure_version(), 3);
    assert_true(esp_efuse_check_secure_version(3));
    assert_false(esp_efuse_check_secure_version(2));
    assert_int_equal(esp_efuse_update_secure_version(3), ESP_OK);
    assert_int_equal(esp_efuse_update_secure_version(2), ESP_FAIL);
    assert_int_equal(esp_efuse_update_secure_version(17), ESP_ERR_INVALID_ARG);
    assert_int_equal(d.fuse_bits, 7);
    device_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequence),
        cmocka_unit_test(test_set_boot_rows),
        cmocka_unit_test(test_set_boot_test),
        cmocka_unit_test(test_set_boot_factory),
        cmocka_unit_test(test_fallback_keeps_record),
        cmocka_unit_test(test_get_boot_rows),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_mark_valid),
        cmocka_unit_test(test_mark_valid_while_another_waits),
        cmocka_unit_test(test_rollback),
        cmocka_unit_test(test_given_up_twice),
        cmocka_unit_test(test_last_invalid),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_forget_inactive),
        cmocka_unit_test(test_descriptions),
        cmocka_unit_test(test_check_validity),
        cmocka_unit_test(test_efuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
