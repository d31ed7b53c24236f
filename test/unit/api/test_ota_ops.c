/* esp_ota_*: writing a slot from begin to end, and all that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_ota_ops.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SEQ OTA_WITH_SEQUENTIAL_WRITES

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

/* --- begin: checks in their order ----------------------------------------- */

struct begin_row {
    const char *claim;
    const char *label;
    bool alien;     /* a partition that the table does not have */
    uint32_t state; /* of the running slot */
    bool open;      /* a handle is open on it already */
    size_t size;
    esp_err_t want;
};

static const struct begin_row begins[] = {
    { "nothing", NULL, false, OTA_STATE_VALID, false, 0, ESP_ERR_INVALID_ARG },
    { "a partition that is not there", "ota_1", true, OTA_STATE_PENDING, true,
      0, ESP_ERR_NOT_FOUND },
    { "the running one, before it is asked for its state", "ota_0", false,
      OTA_STATE_PENDING, false, 0, ESP_ERR_OTA_PARTITION_CONFLICT },
    { "while unconfirmed, before open handles", "ota_1", false,
      OTA_STATE_PENDING, true, 0, ESP_ERR_OTA_ROLLBACK_INVALID_STATE },
    { "NEW is no trial", "ota_1", false, OTA_STATE_NEW, false, 0, ESP_OK },
    { "a second time", "ota_1", false, OTA_STATE_VALID, true, 0,
      ESP_ERR_OTA_ALREADY_IN_PROGRESS },
    { "more than fits, and no handle is left", "ota_1", false, OTA_STATE_VALID,
      false, RIG_SLOT_LEN + 1, ESP_ERR_INVALID_SIZE },
    { "so much that whole sectors of it have no number", "ota_1", false,
      OTA_STATE_VALID, false, SIZE_MAX - 10, ESP_ERR_INVALID_SIZE },
    { "all of it", "ota_1", false, OTA_STATE_VALID, false, OTA_SIZE_UNKNOWN,
      ESP_OK },
    { "data, while unconfirmed", "blob", false, OTA_STATE_PENDING, false, 0,
      ESP_OK },
};

static void test_begin(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(begins); i++) {
        const struct begin_row *row = &begins[i];
        struct device d;
        esp_partition_t alien;
        const esp_partition_t *p;
        esp_ota_handle_t first = 0, h = 0;

        print_message("# %s\n", row->claim);
        device_open(&d);
        p = part(row->label);
        if (row->open)
            assert_int_equal(esp_ota_begin(p, SEQ, &first), ESP_OK);
        rig_record(&d.rig, 0, 1, row->state);
        if (row->alien) {
            alien = *p;
            alien.size -= 4096;
            p = &alien;
        }
        assert_int_equal(esp_ota_begin(p, row->size, &h), row->want);
        if (row->want) {
            assert_int_equal(h, 0);
            assert_int_equal(esp_ota_abort(first + 1), ESP_ERR_NOT_FOUND);
        }
        device_close(&d);
    }
}

static void test_begin_factory(void **state)
{
    struct device d;
    esp_ota_handle_t h;
    const esp_partition_t *p;

    (void)state;
    device_open(&d);
    assert_int_equal(
        esp_partition_register_external(NULL, 0x54000, 0x4000, "factory",
                                        ESP_PARTITION_TYPE_APP,
                                        ESP_PARTITION_SUBTYPE_APP_FACTORY, &p),
        ESP_OK);
    assert_int_equal(esp_ota_begin(p, 0, &h), ESP_ERR_INVALID_ARG);
    device_close(&d);
}

struct resume_row {
    const char *claim;
    const char *label;
    uint32_t state;
    size_t off;
    esp_err_t want;
};

static const struct resume_row resumes[] = {
    { "nothing", NULL, OTA_STATE_VALID, 0, ESP_ERR_INVALID_ARG },
    { "behind the end", "ota_1", OTA_STATE_VALID, RIG_SLOT_LEN + 1,
      ESP_ERR_INVALID_ARG },
    { "the running one", "ota_0", OTA_STATE_PENDING, 0,
      ESP_ERR_OTA_PARTITION_CONFLICT },
    { "while unconfirmed", "ota_1", OTA_STATE_PENDING, 0,
      ESP_ERR_OTA_ROLLBACK_INVALID_STATE },
    { "at the end", "ota_1", OTA_STATE_VALID, RIG_SLOT_LEN, ESP_OK },
};

static void test_resume_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(resumes); i++) {
        struct device d;
        esp_ota_handle_t h;

        print_message("# %s\n", resumes[i].claim);
        device_open(&d);
        rig_record(&d.rig, 0, 1, resumes[i].state);
        assert_int_equal(
            esp_ota_resume(part(resumes[i].label), SEQ, resumes[i].off, &h),
            resumes[i].want);
        device_close(&d);
    }
}

/* --- write, end ----------------------------------------------------------- */

static void test_write_and_boot(void **state)
{
    static const size_t sizes[] = { 0, OTA_SIZE_UNKNOWN, SEQ, 20336 };

    (void)state;
    for (size_t i = 0; i < CNT(sizes); i++) {
        struct device d;
        uint32_t reads;

        device_open(&d);
        assert_int_equal(put_image(&d, sizes[i]), ESP_OK);
        assert_memory_equal(rig_bytes(&d.rig, RIG_SLOT_1), d.rig.image,
                            d.rig.image_len);
        assert_int_equal(rig_boots(&d.rig), 0);
        /* What esp_ota_end() verified is not read again. */
        d.rig.flash.count.read_len = 0;
        assert_int_equal(esp_ota_set_boot_partition(part("ota_1")), ESP_OK);
        reads = (uint32_t)d.rig.flash.count.read_len;
        assert_int_equal(rig_boots(&d.rig), 1);
        assert_int_equal(rec_at(&d, 1).state, OTA_STATE_NEW);
        device_close(&d);

        /* Unless something was written to it meanwhile. */
        device_open(&d);
        assert_int_equal(put_image(&d, sizes[i]), ESP_OK);
        assert_int_equal(esp_partition_write(part("ota_1"), RIG_SLOT_LEN - 4,
                                             "\xff\xff\xff\xff", 4),
                         ESP_OK);
        d.rig.flash.count.read_len = 0;
        assert_int_equal(esp_ota_set_boot_partition(part("ota_1")), ESP_OK);
        assert_true(d.rig.flash.count.read_len >= reads + d.rig.image_len);
        device_close(&d);
    }
}

static void test_write_errors(void **state)
{
    struct device d;
    esp_ota_handle_t h;
    static uint8_t big[RIG_SLOT_LEN];

    (void)state;
    device_open(&d);
    assert_int_equal(esp_ota_begin(part("ota_1"), SEQ, &h), ESP_OK);
    assert_int_equal(esp_ota_write(h, NULL, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_write(h + 1, "", 0), ESP_OK);
    assert_int_equal(esp_ota_write(h + 1, "x", 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_write(h, "x", 1), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(esp_ota_write_with_offset(h, "x", 1, 0),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_ota_write(h, d.rig.image, 1000), ESP_OK);
    assert_int_equal(esp_ota_write(h, big, sizeof(big)), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_ota_end(h), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(esp_ota_end(h), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_abort(h), ESP_ERR_NOT_FOUND);
    device_close(&d);
}

static void test_end_of_nothing(void **state)
{
    struct device d;
    esp_ota_handle_t h;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_ota_begin(part("ota_1"), SEQ, &h), ESP_OK);
    assert_int_equal(esp_ota_end(h), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_begin(part("ota_1"), SEQ, &h), ESP_OK);
    device_close(&d);
}

/* The fallback of a bootloader tries every slot. */
static void test_refused_image_is_spoilt(void **state)
{
    struct device d;

    (void)state;
    device_open(&d);
    d.rig.image[9000] ^= 1;
    assert_int_equal(put_image(&d, SEQ), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(rig_bytes(&d.rig, RIG_SLOT_1)[0], 0);
    device_close(&d);
}

static void test_with_offset(void **state)
{
    struct device d;
    esp_ota_handle_t h;
    uint32_t half = 10000;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_ota_begin(part("ota_1"), 0, &h), ESP_OK);
    assert_int_equal(esp_ota_write_with_offset(h, d.rig.image + half,
                                               d.rig.image_len - half, half),
                     ESP_OK);
    assert_int_equal(esp_ota_write_with_offset(h, d.rig.image, half, 0),
                     ESP_OK);
    assert_int_equal(esp_ota_end(h), ESP_OK);
    device_close(&d);
}

static void test_resume(void **state)
{
    struct device d;
    esp_ota_handle_t h;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_ota_begin(part("ota_1"), SEQ, &h), ESP_OK);
    assert_int_equal(write_all(h, d.rig.image, 8192), ESP_OK);
    device_restart(&d, RIG_SLOT_0);
    assert_int_equal(esp_ota_resume(part("ota_1"), SEQ, 8192, &h), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(h, part("ota_1"), false),
                     ESP_OK);
    assert_int_equal(write_all(h, d.rig.image + 8192, d.rig.image_len - 8192),
                     ESP_OK);
    assert_int_equal(esp_ota_end(h), ESP_OK);
    device_close(&d);
}

static void test_final(void **state)
{
    struct device d;
    esp_ota_handle_t h;
    const char text[] = "data by way of a slot";

    (void)state;
    device_open(&d);
    assert_int_equal(esp_ota_begin(part("ota_1"), SEQ, &h), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(h, NULL, false),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_set_final_partition(h + 1, part("blob"), false),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_ota_set_final_partition(h, part("ota_0"), true),
                     ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_int_equal(esp_ota_set_final_partition(h, part("blob"), true),
                     ESP_OK);
    assert_int_equal(esp_ota_write(h, text, sizeof(text)), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(h, part("blob"), true),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_ota_end(h), ESP_OK);
    assert_memory_equal(rig_bytes(&d.rig, RIG_BLOB), text, sizeof(text));
    device_close(&d);
}

/* Data for another partition has no digest of its own, so a sector that takes
 * nothing is found when it is written, whichever call writes it. */
static void test_data_is_read_back(void **state)
{
    const char text[] = "data by way of a slot";

    (void)state;
    for (unsigned by_offset = 0; by_offset < 2; by_offset++) {
        struct device d;
        esp_ota_handle_t h;
        esp_err_t err;

        device_open(&d);
        assert_int_equal(esp_ota_begin(part("ota_1"), by_offset ? 0 : SEQ, &h),
                         ESP_OK);
        assert_int_equal(esp_ota_set_final_partition(h, part("blob"), true),
                         ESP_OK);
        sim_flash_stick(&d.rig.flash, RIG_SLOT_1, true);
        err = by_offset ? esp_ota_write_with_offset(h, text, sizeof(text), 0)
                        : esp_ota_write(h, text, sizeof(text));
        assert_int_equal(err, ESP_ERR_FLASH_OP_FAIL);
        assert_int_equal(esp_ota_abort(h), ESP_OK);
        device_close(&d);
    }
}

static void test_no_memory(void **state)
{
    esp_err_t err = ESP_ERR_NO_MEM;

    (void)state;
    for (uint32_t n = 1; err; n++) {
        struct device d;

        device_open(&d);
        d.rig.heap.fail_at = d.rig.heap.alloc_cnt + n;
        err = put_image(&d, SEQ);
        if (!err)
            err = esp_ota_set_boot_partition(part("ota_1"));
        assert_int_equal(rig_boots(&d.rig), err ? 0 : 1);
        device_close(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begin),
        cmocka_unit_test(test_begin_factory),
        cmocka_unit_test(test_resume_rows),
        cmocka_unit_test(test_write_and_boot),
        cmocka_unit_test(test_write_errors),
        cmocka_unit_test(test_end_of_nothing),
        cmocka_unit_test(test_refused_image_is_spoilt),
        cmocka_unit_test(test_with_offset),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_final),
        cmocka_unit_test(test_data_is_read_back),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
