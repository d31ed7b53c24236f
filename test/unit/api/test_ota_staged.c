/* esp_ota_* for what is no application: a bootloader, a partition table and
 * data, put into a slot and copied to where they belong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_image_format.h"
#include "esp_ota_ops.h"
#include "image/build.h"
#include "porta/ota_control.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SEQ OTA_WITH_SEQUENTIAL_WRITES
#define SPARE_BOOT 0x54000u
#define SPARE_BOOT_LEN 0x4000u
#define SPARE_TABLE 0x58000u

static const esp_partition_t *part(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_ANY,
                                    ESP_PARTITION_SUBTYPE_ANY, label);
}

static void add(struct part_table *t, uint8_t type, uint8_t subtype,
                uint32_t off, uint32_t len, const char *label)
{
    struct part_entry *e = &t->entries[t->cnt++];

    *e = (struct part_entry){
        .type = type, .subtype = subtype, .off = off, .len = len
    };
    strcpy(e->label, label);
}

/* The rig's device with a second bootloader, a second table, the factory, and
 * a row of the table that is there, which is unsafe to write. */
static void open_device(struct device *d)
{
    struct part_table *t = &d->rig.parts.table;

    device_open(d);
    add(t, PART_TYPE_BOOTLOADER, PART_BOOTLOADER_OTA, SPARE_BOOT,
        SPARE_BOOT_LEN, "boot2");
    add(t, PART_TYPE_TABLE, PART_TABLE_OTA, SPARE_TABLE, PART_TABLE_SECTOR,
        "table2");
    add(t, PART_TYPE_APP, PART_APP_FACTORY, 0x59000, 0x3000, "factory");
    add(t, PART_TYPE_DATA, 0x41, 0x5B000, 0x2000, "overlaps");
    add(t, PART_TYPE_TABLE, PART_TABLE_PRIMARY, PART_TABLE_OFF,
        PART_TABLE_SECTOR, "table");
    part_table_pack(t, d->rig.flash.bytes + PART_TABLE_OFF);
    device_restart(d, RIG_SLOT_0);
}

/* --- what is put there ---------------------------------------------------- */

enum what {
    TEXT,
    APP,
    BOOTLOADER,
    BAD_BOOTLOADER,
    TABLE,
    BAD_TABLE,
    HALF_MARK
};

static uint32_t make_bootloader(uint8_t *out, uint32_t room)
{
    static uint8_t body[3000];
    struct img_build_seg seg = { 0, span_of(body, sizeof(body)) };
    struct img_build in = { .kind = IMG_KIND_BOOTLOADER,
                            .segs = &seg,
                            .seg_cnt = 1 };
    uint32_t len;

    in.header.chip_id = RIG_CHIP;
    in.header.hash_appended = 1;
    in.header.max_rev = UINT16_MAX;
    strcpy(in.boot_desc.idf_ver, "v9");
    assert_int_equal(img_build(&in, out, room, &len, NULL), ESP_OK);
    return len;
}

static uint32_t make(const struct device *d, enum what what, uint8_t *out,
                     uint32_t room)
{
    uint32_t len = PART_TABLE_MAX_LEN;

    memset(out, 0xFF, room);
    switch (what) {
    case TEXT:
        memcpy(out, "settings", 8);
        return 8;
    case APP:
        memcpy(out, d->rig.image, d->rig.image_len);
        return d->rig.image_len;
    case BOOTLOADER:
    case BAD_BOOTLOADER:
        len = make_bootloader(out, room);
        break;
    case TABLE:
    case BAD_TABLE:
    case HALF_MARK:
        part_table_pack(&d->rig.parts.table, out);
        break;
    }
    if (what == BAD_BOOTLOADER)
        out[1000] ^= 1;
    if (what == BAD_TABLE)
        out[20] ^= 1; /* its MD5 tells */
    if (what == HALF_MARK)
        out[1] ^= 1;
    return len;
}

struct staged_row {
    const char *claim;
    enum what what;
    const char *final;
    bool copy, accept_unsafe, alien;
    esp_err_t final_err, write_err, end_err;
    bool bytewise;
};

static const struct staged_row rows[] = {
    { "a bootloader", BOOTLOADER, "boot2", true, false, false, ESP_OK, ESP_OK,
      ESP_OK, false },
    { "no bootloader", TEXT, "boot2", true, false, false, ESP_OK,
      ESP_ERR_OTA_VALIDATE_FAILED, 0, false },
    { "a wrong bit in it", BAD_BOOTLOADER, "boot2", true, false, false, ESP_OK,
      ESP_OK, ESP_ERR_OTA_VALIDATE_FAILED, false },
    { "verified for its place, and left where it is", BOOTLOADER, "boot2",
      false, false, false, ESP_OK, ESP_OK, ESP_OK, false },
    { "a table", TABLE, "table2", true, false, false, ESP_OK, ESP_OK, ESP_OK,
      false },
    { "a table, byte by byte", TABLE, "table2", true, false, false, ESP_OK,
      ESP_OK, ESP_OK, true },
    { "no table", TEXT, "table2", true, false, false, ESP_OK,
      ESP_ERR_OTA_VALIDATE_FAILED, 0, false },
    { "half of a table's mark", HALF_MARK, "table2", true, false, false, ESP_OK,
      ESP_ERR_OTA_VALIDATE_FAILED, 0, false },
    { "a wrong bit in it", BAD_TABLE, "table2", true, false, false, ESP_OK,
      ESP_OK, ESP_ERR_OTA_VALIDATE_FAILED, false },
    { "data", TEXT, "blob", true, false, false, ESP_OK, ESP_OK, ESP_OK, false },
    { "data that is left in the slot", TEXT, "blob", false, false, false,
      ESP_OK, ESP_OK, ESP_OK, false },
    { "the only table is not written", TABLE, "table", true, false, false,
      ESP_ERR_NOT_ALLOWED, 0, 0, false },
    { "unless that is accepted", TABLE, "table", true, true, false, ESP_OK,
      ESP_OK, ESP_OK, false },
    { "nor what another row lies in", TEXT, "overlaps", true, true, false,
      ESP_ERR_NOT_ALLOWED, 0, 0, false },
    { "nor the boot records", TEXT, "otadata", true, true, false,
      ESP_ERR_NOT_ALLOWED, 0, 0, false },
    { "nor what the table does not have", TEXT, "blob", true, false, true,
      ESP_ERR_NOT_FOUND, 0, 0, false },
    { "an image may be for where it does not go by itself", APP, "ota_0", false,
      false, false, ESP_OK, ESP_OK, ESP_OK, false },
};

static esp_err_t put(esp_ota_handle_t h, const uint8_t *bytes, uint32_t len,
                     bool bytewise)
{
    esp_err_t err = ESP_OK;

    if (!bytewise)
        return esp_ota_write(h, bytes, len);
    for (uint32_t i = 0; i < len && !err; i++)
        err = esp_ota_write(h, bytes + i, 1);
    return err;
}

static void run(struct device *d, const struct staged_row *row)
{
    static uint8_t bytes[RIG_SLOT_LEN];
    uint32_t len = make(d, row->what, bytes, sizeof(bytes));
    uint32_t usual = esp_image_bootloader_offset_get();
    esp_partition_t final = *part(row->final);
    esp_ota_handle_t h;
    bool moved =
        !row->final_err && !row->write_err && !row->end_err && row->copy;

    porta_ota_set_options(
        &(porta_ota_options_t){ .accept_unsafe = row->accept_unsafe });
    if (row->alien)
        final.size -= 4096;
    assert_int_equal(esp_ota_begin(part("ota_1"), SEQ, &h), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(h, &final, row->copy),
                     row->final_err);
    /* A bootloader is verified for the place that it is looked at in. */
    assert_int_equal(esp_image_bootloader_offset_get(),
                     final.type == ESP_PARTITION_TYPE_BOOTLOADER ? RIG_SLOT_1
                                                                 : usual);
    if (!row->final_err)
        assert_int_equal(put(h, bytes, len, row->bytewise), row->write_err);
    if (row->final_err || row->write_err)
        assert_int_equal(esp_ota_abort(h), ESP_OK);
    else
        assert_int_equal(esp_ota_end(h), row->end_err);
    assert_int_equal(esp_image_bootloader_offset_get(), usual);
    assert_int_equal(memcmp(rig_bytes(&d->rig, final.address), bytes, len) == 0,
                     moved ||
                         row->what == TABLE); /* that one is there already */
    assert_int_equal(rig_boots(&d->rig), 0);
}

static void test_staged(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct device d;

        print_message("# %s: %s\n", rows[i].final, rows[i].claim);
        open_device(&d);
        run(&d, &rows[i]);
        device_close(&d);
    }
}

/* --- places that are refused ---------------------------------------------- */

static void test_begin(void **state)
{
    static const struct {
        const char *claim, *label;
        esp_err_t begin, resume;
    } places[] = {
        { "the factory", "factory", ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_ARG },
        { "what another row lies in", "overlaps", ESP_ERR_INVALID_ARG,
          ESP_ERR_INVALID_ARG },
        { "the boot records", "otadata", ESP_ERR_NOT_ALLOWED,
          ESP_ERR_NOT_ALLOWED },
        { "the only table", "table", ESP_ERR_NOT_ALLOWED, ESP_ERR_NOT_ALLOWED },
        { "a spare one", "table2", ESP_OK, ESP_OK },
        { "data", "blob", ESP_OK, ESP_OK },
    };
    struct device d;

    (void)state;
    open_device(&d);
    for (size_t i = 0; i < CNT(places); i++) {
        const esp_partition_t *p = part(places[i].label);
        esp_partition_t alien = *p;
        esp_ota_handle_t h;

        print_message("# %s\n", places[i].claim);
        assert_int_equal(esp_ota_begin(p, SEQ, &h), places[i].begin);
        if (!places[i].begin)
            assert_int_equal(esp_ota_abort(h), ESP_OK);
        assert_int_equal(esp_ota_resume(p, SEQ, 0, &h), places[i].resume);
        if (!places[i].resume)
            assert_int_equal(esp_ota_abort(h), ESP_OK);
        assert_int_equal(esp_ota_begin(p, SEQ, NULL), ESP_ERR_INVALID_ARG);
        assert_int_equal(esp_ota_resume(p, SEQ, 0, NULL), ESP_ERR_INVALID_ARG);
        alien.size += 4096;
        assert_int_equal(esp_ota_begin(&alien, SEQ, &h), ESP_ERR_NOT_FOUND);
        assert_int_equal(esp_ota_resume(&alien, SEQ, 0, &h), ESP_ERR_NOT_FOUND);
    }
    device_close(&d);
}

/* Two sessions at once, but not in one place, whatever they call it. */
static void test_claims(void **state)
{
    struct device d;
    esp_ota_handle_t a, b, c;

    (void)state;
    open_device(&d);
    assert_int_equal(esp_ota_begin(part("ota_1"), SEQ, &a), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(a, part("boot2"), true),
                     ESP_OK);
    assert_int_equal(esp_ota_begin(part("blob"), SEQ, &b), ESP_OK);
    assert_int_equal(esp_ota_begin(part("ota_1"), SEQ, &c),
                     ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(esp_ota_begin(part("boot2"), SEQ, &c),
                     ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(esp_ota_resume(part("blob"), SEQ, 4096, &c),
                     ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    /* The older one ends first. */
    assert_int_equal(esp_ota_abort(a), ESP_OK);
    assert_int_equal(esp_ota_write(b, "x", 1), ESP_OK);
    assert_int_equal(esp_ota_end(b), ESP_OK);
    assert_int_equal(esp_ota_begin(part("boot2"), SEQ, &c), ESP_OK);
    device_close(&d);
}

static void test_offset_errors(void **state)
{
    struct device d;
    esp_ota_handle_t h;

    (void)state;
    open_device(&d);
    assert_int_equal(esp_ota_begin(part("blob"), 100, &h), ESP_OK);
    assert_int_equal(esp_ota_write_with_offset(h, NULL, 1, 0),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_write_with_offset(h + 1, "x", 1, 0),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_ota_write_with_offset(h, "x", 1, RIG_BLOB_LEN),
                     ESP_ERR_INVALID_SIZE);
    /* What failed has written nothing. */
    assert_int_equal(esp_ota_end(h), ESP_ERR_INVALID_ARG);
    device_close(&d);
}

/* A table that nobody could look at is not called damaged, and not copied. */
static void test_table_without_memory(void **state)
{
    static uint8_t bytes[PART_TABLE_SECTOR];
    struct device d;
    esp_ota_handle_t h;
    uint32_t len;

    (void)state;
    open_device(&d);
    len = make(&d, TABLE, bytes, sizeof(bytes));
    assert_int_equal(esp_ota_begin(part("ota_1"), SEQ, &h), ESP_OK);
    assert_int_equal(esp_ota_set_final_partition(h, part("table2"), true),
                     ESP_OK);
    assert_int_equal(esp_ota_write(h, bytes, len), ESP_OK);
    d.rig.heap.fail_at = d.rig.heap.alloc_cnt + 1;
    assert_int_equal(esp_ota_end(h), ESP_ERR_NO_MEM);
    assert_int_equal(rig_bytes(&d.rig, SPARE_TABLE)[0], 0xFF);
    device_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_staged),
        cmocka_unit_test(test_begin),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_offset_errors),
        cmocka_unit_test(test_table_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
