/* esp_partition_*: finding, ranges, NOR rules, mapping, digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "esp_flash_partitions.h"
#include "esp_image_format.h"
#include "esp_partition.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const esp_partition_t *by_label(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_ANY,
                                    ESP_PARTITION_SUBTYPE_ANY, label);
}

/* --- find ----------------------------------------------------------------- */

struct find_row {
    const char *claim;
    int type, subtype;
    const char *label;
    esp_err_t want;
    const char *first;
    int cnt;
};

static const struct find_row finds[] = {
    { "everything", 0xff, 0xff, NULL, ESP_OK, "otadata", 4 },
    { "any type with a certain subtype", 0xff, 0x10, NULL, ESP_ERR_INVALID_ARG,
      NULL, 0 },
    { "applications", 0, 0xff, NULL, ESP_OK, "ota_0", 2 },
    { "one slot", 0, 0x11, NULL, ESP_OK, "ota_1", 1 },
    { "by label", 0xff, 0xff, "blob", ESP_OK, "blob", 1 },
    { "a label is the whole label", 0xff, 0xff, "ota", ESP_ERR_NOT_FOUND, NULL,
      0 },
    { "a label longer than any can be", 0xff, 0xff, "a_label_of_more_than_16",
      ESP_ERR_NOT_FOUND, NULL, 0 },
    { "a type that is not there", 0x42, 0xff, NULL, ESP_ERR_NOT_FOUND, NULL,
      0 },
};

static void test_find(void **state)
{
    struct device d;

    (void)state;
    device_open(&d);
    for (size_t i = 0; i < CNT(finds); i++) {
        const struct find_row *row = &finds[i];
        esp_partition_type_t type = (esp_partition_type_t)row->type;
        esp_partition_subtype_t sub = (esp_partition_subtype_t)row->subtype;
        esp_partition_iterator_t it;
        const esp_partition_t *first;
        int cnt = 0;

        print_message("# %s\n", row->claim);
        assert_int_equal(esp_partition_find_err(type, sub, row->label, &it),
                         row->want);
        assert_int_equal(
            esp_partition_find_first_err(type, sub, row->label, &first),
            row->want);
        if (row->first)
            assert_string_equal(first->label, row->first);
        for (; it; it = esp_partition_next(it)) {
            if (cnt++ == 0)
                assert_ptr_equal(esp_partition_get(it), first);
        }
        assert_int_equal(cnt, row->cnt);
    }
    esp_partition_iterator_release(NULL);
    assert_int_equal(esp_partition_find_err(0, 0, NULL, NULL),
                     ESP_ERR_INVALID_ARG);
    device_close(&d);
}

static void test_verify(void **state)
{
    struct device d;
    esp_partition_t copy;
    const esp_partition_t *p, *out;

    (void)state;
    device_open(&d);
    p = by_label("ota_1");
    copy = *p;
    assert_ptr_equal(esp_partition_verify(&copy), p);
    copy.label[0] = '\0'; /* no label asks for none */
    assert_ptr_equal(esp_partition_verify(&copy), p);
    copy.size -= 4096;
    assert_null(esp_partition_verify(&copy));
    assert_int_equal(esp_partition_verify_err(&copy, &out), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_partition_verify_err(NULL, &out), ESP_ERR_INVALID_ARG);
    device_close(&d);
}

/* --- ranges --------------------------------------------------------------- */

struct range_row {
    const char *claim;
    char op; /* r, w, e */
    bool readonly;
    size_t off, size;
    esp_err_t want;
};

static const struct range_row ranges[] = {
    { "read to the end", 'r', false, 0x3F00, 0x100, ESP_OK },
    { "read nothing at the end", 'r', false, 0x4000, 0, ESP_OK },
    { "read over the end", 'r', false, 0x3F00, 0x101, ESP_ERR_INVALID_SIZE },
    { "read behind the end", 'r', false, 0x4001, 0, ESP_ERR_INVALID_ARG },
    { "an offset that would wrap", 'r', false, (size_t)-1, 16,
      ESP_ERR_INVALID_ARG },
    { "a size that would wrap", 'r', false, 16, (size_t)-8,
      ESP_ERR_INVALID_SIZE },
    { "write over the end", 'w', false, 0x3F00, 0x101, ESP_ERR_INVALID_SIZE },
    { "write behind the end", 'w', false, 0x4001, 1, ESP_ERR_INVALID_ARG },
    { "write at any offset", 'w', false, 3, 5, ESP_OK },
    { "readonly comes before the range", 'w', true, 0x4001, 1,
      ESP_ERR_NOT_ALLOWED },
    { "readonly is not erased", 'e', true, 1, 1, ESP_ERR_NOT_ALLOWED },
    { "readonly is read", 'r', true, 0, 16, ESP_OK },
    { "erase one sector", 'e', false, 0x1000, 0x1000, ESP_OK },
    { "erase behind the end comes first", 'e', false, 0x4001, 1,
      ESP_ERR_INVALID_ARG },
    { "then over the end", 'e', false, 0x3001, 0x1001, ESP_ERR_INVALID_SIZE },
    { "then the size", 'e', false, 0x1001, 0x801, ESP_ERR_INVALID_SIZE },
    { "then the offset", 'e', false, 0x1001, 0x1000, ESP_ERR_INVALID_ARG },
};

static esp_err_t do_range(const esp_partition_t *p, const struct range_row *row)
{
    static uint8_t buf[0x200];

    if (row->op == 'r')
        return esp_partition_read(p, row->off, buf, row->size);
    if (row->op == 'w')
        return esp_partition_write(p, row->off, buf, row->size);
    return esp_partition_erase_range(p, row->off, row->size);
}

static void test_ranges(void **state)
{
    struct device d;

    (void)state;
    device_open(&d);
    for (size_t i = 0; i < CNT(ranges); i++) {
        esp_partition_t p = *by_label("blob");

        print_message("# %s\n", ranges[i].claim);
        p.readonly = ranges[i].readonly;
        assert_int_equal(do_range(&p, &ranges[i]), ranges[i].want);
    }
    device_close(&d);
}

/* Writing clears bits and nothing else. */
static void test_nor(void **state)
{
    struct device d;
    const esp_partition_t *p;
    uint8_t a = 0xF0, b = 0x0F, got;

    (void)state;
    device_open(&d);
    p = by_label("blob");
    assert_int_equal(esp_partition_write(p, 7, &a, 1), ESP_OK);
    assert_int_equal(esp_partition_write(p, 7, &b, 1), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_partition_erase_range(p, 0, 4096), ESP_OK);
    assert_int_equal(esp_partition_write_raw(p, 7, &b, 1), ESP_OK);
    assert_int_equal(esp_partition_read_raw(p, 7, &got, 1), ESP_OK);
    assert_int_equal(got, b);
    d.rig.flash.count.refused = 0; /* asked for above */
    device_close(&d);
}

static void test_mmap(void **state)
{
    struct device d;
    const esp_partition_t *p;
    const void *ptr;
    esp_partition_mmap_handle_t handle;

    (void)state;
    device_open(&d);
    p = by_label("ota_0");
    assert_int_equal(esp_partition_mmap(p, 0x100, 5000, ESP_PARTITION_MMAP_DATA,
                                        &ptr, &handle),
                     ESP_OK);
    assert_memory_equal(ptr, rig_bytes(&d.rig, RIG_SLOT_0 + 0x100), 5000);
    esp_partition_munmap(handle);
    assert_int_equal(esp_partition_mmap(p, p->size, 1, ESP_PARTITION_MMAP_DATA,
                                        &ptr, &handle),
                     ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_partition_mmap(p, p->size + 1, 0,
                                        ESP_PARTITION_MMAP_DATA, &ptr, &handle),
                     ESP_ERR_INVALID_ARG);
    device_close(&d);
}

/* --- digests -------------------------------------------------------------- */

static void test_sha256(void **state)
{
    struct device d;
    esp_partition_t place;
    uint8_t got[32], want[32];
    struct sha256 sha;
    uint32_t len;
    uint8_t *old = rig_make_image(
        &(struct rig_image){ .version = "1", .filler = 7, .body_len = 9000 },
        &len);

    (void)state;
    device_open(&d);
    /* As the examples call it: the rest of the struct is garbage. */
    memset(&place, 0xA5, sizeof(place));
    place.address = RIG_SLOT_0;
    place.size = RIG_SLOT_LEN;
    place.type = ESP_PARTITION_TYPE_APP;
    assert_int_equal(esp_partition_get_sha256(&place, got), ESP_OK);
    assert_memory_equal(got, old + len - 32, 32);
    place.address = RIG_SLOT_1;
    assert_int_equal(esp_partition_get_sha256(&place, got),
                     ESP_ERR_IMAGE_INVALID);
    place.address = ESP_PARTITION_TABLE_OFFSET;
    place.size = ESP_PARTITION_TABLE_MAX_LEN;
    place.type = ESP_PARTITION_TYPE_DATA;
    assert_int_equal(esp_partition_get_sha256(&place, got), ESP_OK);
    sha256_init(&sha);
    sha256_update(&sha, rig_bytes(&d.rig, PART_TABLE_OFF), 0xC00);
    sha256_final(&sha, want);
    assert_memory_equal(got, want, 32);
    assert_int_equal(esp_partition_get_sha256(&place, NULL),
                     ESP_ERR_INVALID_ARG);
    place.size = 0;
    assert_int_equal(esp_partition_get_sha256(&place, got),
                     ESP_ERR_INVALID_ARG);
    free(old);
    device_close(&d);
}

static void test_identity(void **state)
{
    struct device d;
    const esp_partition_t *a, *b;

    (void)state;
    device_open(&d);
    a = by_label("ota_0");
    b = by_label("ota_1");
    assert_false(esp_partition_check_identity(a, b));
    assert_int_equal(esp_partition_copy(b, 0, a, 0, SIZE_MAX), ESP_OK);
    assert_true(esp_partition_check_identity(a, b));
    device_close(&d);
}

/* --- registered at run time ----------------------------------------------- */

static void test_external(void **state)
{
    static const struct {
        const char *claim;
        size_t off, size;
        esp_err_t want;
    } rows[] = {
        { "free flash", 0x54000, 0x4000, ESP_OK },
        { "what the table names already", 0x30000, 0x1000,
          ESP_ERR_INVALID_ARG },
        { "half of it", 0x4F000, 0x2000, ESP_ERR_INVALID_ARG },
        { "out of the flash", RIG_FLASH_LEN - 0x1000, 0x2000,
          ESP_ERR_INVALID_SIZE },
        { "far out", (size_t)-1, 0x1000, ESP_ERR_INVALID_SIZE },
    };
    struct device d;

    (void)state;
    device_open(&d);
    for (size_t i = 0; i < CNT(rows); i++) {
        const esp_partition_t *p;

        print_message("# %s\n", rows[i].claim);
        assert_int_equal(
            esp_partition_register_external(NULL, rows[i].off, rows[i].size,
                                            "extra", (esp_partition_type_t)0x40,
                                            (esp_partition_subtype_t)1, &p),
            rows[i].want);
        if (rows[i].want)
            continue;
        assert_ptr_equal(by_label("extra"), p);
        assert_int_equal(p->address, rows[i].off);
        assert_int_equal(esp_partition_deregister_external(p), ESP_OK);
        assert_null(by_label("extra"));
        assert_int_equal(esp_partition_deregister_external(p),
                         ESP_ERR_NOT_FOUND);
    }
    assert_int_equal(esp_partition_deregister_external(by_label("ota_0")),
                     ESP_ERR_INVALID_ARG);
    device_close(&d);
}

static void test_copy_rows(void **state)
{
    static const struct {
        const char *claim;
        const char *dst, *src;
        uint32_t dst_off, src_off;
        size_t size;
        esp_err_t want;
    } rows[] = {
        { "some bytes", "blob", "ota_0", 0x1000, 0x100, 0x234, ESP_OK },
        { "onto itself", "blob", "blob", 0, 0x1000, 16, ESP_ERR_INVALID_ARG },
        { "from nowhere", "blob", NULL, 0, 0, 16, ESP_ERR_INVALID_ARG },
        { "behind the source", "blob", "ota_0", 0, 0x20001, 1,
          ESP_ERR_INVALID_SIZE },
        { "behind the target", "blob", "ota_0", 0x4001, 0, 1,
          ESP_ERR_INVALID_SIZE },
        { "more than the target holds", "blob", "ota_0", 0, 0, 0x4001,
          ESP_ERR_INVALID_SIZE },
        { "the whole of something larger", "blob", "ota_0", 0, 0, SIZE_MAX,
          ESP_ERR_INVALID_SIZE },
    };
    struct device d;

    (void)state;
    device_open(&d);
    for (size_t i = 0; i < CNT(rows); i++) {
        const esp_partition_t *src = rows[i].src ? by_label(rows[i].src) : NULL;

        print_message("# %s\n", rows[i].claim);
        assert_int_equal(esp_partition_copy(by_label(rows[i].dst),
                                            rows[i].dst_off, src,
                                            rows[i].src_off, rows[i].size),
                         rows[i].want);
        if (rows[i].want == ESP_OK)
            assert_memory_equal(rig_bytes(&d.rig, RIG_BLOB + rows[i].dst_off),
                                rig_bytes(&d.rig, RIG_SLOT_0 + rows[i].src_off),
                                rows[i].size);
    }
    device_close(&d);
}

/* --- the table ------------------------------------------------------------ */

static void test_broken_table(void **state)
{
    struct device d;
    esp_partition_iterator_t it;

    (void)state;
    device_open(&d);
    d.rig.flash.bytes[PART_TABLE_OFF + 5] ^= 1; /* an offset; the MD5 tells */
    device_restart(&d, RIG_SLOT_0);
    assert_int_equal(esp_partition_find_err(ESP_PARTITION_TYPE_APP,
                                            ESP_PARTITION_SUBTYPE_ANY, NULL,
                                            &it),
                     ESP_ERR_INVALID_STATE);
    assert_null(by_label("ota_0"));
    /* The next call reads it again. */
    d.rig.flash.bytes[PART_TABLE_OFF + 5] ^= 1;
    assert_non_null(by_label("ota_0"));
    device_close(&d);
}

static void test_table_verify(void **state)
{
    struct device d;
    esp_partition_info_t rows[ESP_PARTITION_TABLE_MAX_ENTRIES];
    int cnt;

    (void)state;
    device_open(&d);
    memcpy(rows, rig_bytes(&d.rig, PART_TABLE_OFF), sizeof(rows));
    assert_int_equal(esp_partition_table_verify(rows, false, &cnt), ESP_OK);
    assert_int_equal(cnt, 4);
    rows[0].pos.size = RIG_FLASH_LEN;
    assert_int_equal(esp_partition_table_verify(rows, false, &cnt),
                     ESP_ERR_INVALID_SIZE);
    device_close(&d);
}

static void test_unload(void **state)
{
    struct device d;

    (void)state;
    device_open(&d);
    assert_non_null(by_label("ota_0"));
    esp_partition_unload_all();
    assert_non_null(by_label("ota_0"));
    assert_int_equal(esp_partition_get_main_flash_sector_size(), 4096);
    device_close(&d);
}

static void test_no_memory(void **state)
{
    struct device d;
    esp_partition_iterator_t it = NULL;
    esp_err_t err = ESP_ERR_NO_MEM;

    (void)state;
    for (uint32_t n = 1; err; n++) {
        device_open(&d);
        d.rig.heap.fail_at = d.rig.heap.alloc_cnt + n;
        err = esp_partition_find_err(ESP_PARTITION_TYPE_APP,
                                     ESP_PARTITION_SUBTYPE_ANY, NULL, &it);
        assert_true(err == ESP_OK || err == ESP_ERR_NO_MEM);
        esp_partition_iterator_release(it);
        device_close(&d);
    }
}

/* --- images --------------------------------------------------------------- */

static void test_image_verify(void **state)
{
    struct device d;
    esp_partition_pos_t pos = { RIG_SLOT_0, RIG_SLOT_LEN };
    esp_image_metadata_t meta, walked;

    (void)state;
    device_open(&d);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &pos, &meta), ESP_OK);
    assert_int_equal(meta.start_addr, RIG_SLOT_0);
    assert_int_equal(meta.image.magic, 0xE9);
    assert_int_equal(esp_image_get_metadata(&pos, &walked), ESP_OK);
    assert_int_equal(walked.image_len, meta.image_len);
    assert_memory_equal(walked.image_digest, meta.image_digest, 32);
    assert_memory_equal(walked.segments, meta.segments, sizeof(meta.segments));
    assert_memory_equal(walked.segment_data, meta.segment_data,
                        sizeof(meta.segment_data));
    d.rig.flash.bytes[RIG_SLOT_0 + 5000] ^= 1;
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, &meta),
                     ESP_ERR_IMAGE_INVALID);
    assert_int_equal(meta.image_len, 0);
    d.rig.flash.bytes[RIG_SLOT_0 + 5000] ^= 1;
    d.rig.flash.bytes[RIG_SLOT_0 + 12] = 5; /* chip id */
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, &meta),
                     ESP_FAIL);
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, NULL, &meta),
                     ESP_ERR_INVALID_ARG);
    pos.size = 16 * 1024 * 1024 + 1;
    assert_int_equal(esp_image_verify(ESP_IMAGE_VERIFY, &pos, &meta),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_image_get_metadata(&pos, &meta), ESP_ERR_INVALID_ARG);
    device_close(&d);
}

static void test_flash_size(void **state)
{
    (void)state;
    assert_int_equal(esp_image_get_flash_size(ESP_IMAGE_FLASH_SIZE_1MB),
                     1 << 20);
    assert_int_equal(esp_image_get_flash_size(ESP_IMAGE_FLASH_SIZE_128MB),
                     128 << 20);
    assert_int_equal(esp_image_get_flash_size(ESP_IMAGE_FLASH_SIZE_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_nor),
        cmocka_unit_test(test_mmap),
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_external),
        cmocka_unit_test(test_copy_rows),
        cmocka_unit_test(test_broken_table),
        cmocka_unit_test(test_table_verify),
        cmocka_unit_test(test_unload),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_image_verify),
        cmocka_unit_test(test_flash_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
