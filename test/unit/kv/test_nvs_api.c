/* The nvs_* functions as an application calls them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit/api/device.h"

#include "nvs.h"
#include "nvs_flash.h"

#define NVS_OFF 0x54000u
#define NVS_LEN 0x4000u

struct board {
    struct device d;
    const esp_partition_t *part, *second;
};

static const esp_partition_t *add_partition(uint32_t off, const char *label)
{
    const esp_partition_t *out = NULL;

    assert_int_equal(esp_partition_register_external(
                         NULL, off, NVS_LEN, label, ESP_PARTITION_TYPE_DATA,
                         ESP_PARTITION_SUBTYPE_DATA_NVS, &out),
                     ESP_OK);
    return out;
}

static void board_open(struct board *b)
{
    device_open(&b->d);
    b->part = add_partition(NVS_OFF, "nvs");
    b->second = add_partition(NVS_OFF + NVS_LEN, "second");
}

static void board_close(struct board *b)
{
    device_close(&b->d);
}

static nvs_handle_t open_rw(const char *name)
{
    nvs_handle_t h = 0;

    assert_int_equal(nvs_open(name, NVS_READWRITE, &h), ESP_OK);
    assert_int_not_equal(h, 0);
    return h;
}

/* --- start and end -------------------------------------------------------- */

static void test_init(void **state)
{
    struct board b;
    struct device *d = &b.d;
    nvs_handle_t h;
    nvs_stats_t stats;

    (void)state;
    device_open(d);
    assert_int_equal(nvs_flash_init(), ESP_ERR_NOT_FOUND);
    assert_int_equal(nvs_flash_erase(), ESP_ERR_NOT_FOUND);
    device_close(d);
    board_open(&b);
    assert_int_equal(nvs_open("a", NVS_READWRITE, &h),
                     ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(nvs_get_stats(NULL, &stats), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(nvs_flash_deinit(), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(nvs_flash_init_partition(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_init_partition("a label above 16 c"),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_init_partition("absent"), ESP_ERR_NOT_FOUND);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open_from_partition("second", "a", NVS_READWRITE, &h),
                     ESP_ERR_NVS_PART_NOT_FOUND);
    assert_int_equal(nvs_flash_init_partition("second"), ESP_OK);
    assert_int_equal(nvs_open_from_partition("second", "a", NVS_READWRITE, &h),
                     ESP_OK);
    assert_int_equal(nvs_flash_deinit_partition("second"), ESP_OK);
    assert_int_equal(nvs_commit(h), ESP_ERR_NVS_INVALID_HANDLE);
    assert_int_equal(nvs_flash_deinit(), ESP_OK);
    board_close(&b);
}

static void test_secure(void **state)
{
    struct board b;
    nvs_sec_cfg_t cfg = { { 0 }, { 0 } };

    (void)state;
    board_open(&b);
    assert_int_equal(nvs_flash_secure_init(&cfg),
                     ESP_ERR_NVS_ENCR_NOT_SUPPORTED);
    assert_int_equal(nvs_flash_deinit(), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(nvs_flash_secure_init(NULL), ESP_OK);
    assert_int_equal(nvs_flash_deinit(), ESP_OK);
    board_close(&b);
}

/* What every application does first; and why. */
static void test_start_idiom(void **state)
{
    struct board b;
    uint8_t *bytes;
    esp_err_t err;

    (void)state;
    board_open(&b);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    nvs_handle_t h = open_rw("app");
    assert_int_equal(nvs_set_u8(h, "n", 1), ESP_OK);
    assert_int_equal(nvs_flash_deinit(), ESP_OK);
    /* A table with a smaller partition than yesterday's: no page is free. */
    bytes = b.d.rig.flash.bytes + NVS_OFF;
    for (uint32_t off = 0x1000; off < NVS_LEN; off += 0x1000)
        memcpy(bytes + off, bytes, 0x1000);
    err = nvs_flash_init();
    assert_int_equal(err, ESP_ERR_NVS_NO_FREE_PAGES);
    assert_int_equal(nvs_flash_erase(), ESP_OK);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("app", NVS_READONLY, &h), ESP_ERR_NVS_NOT_FOUND);
    board_close(&b);
}

static void test_erase_closes(void **state)
{
    struct board b;
    uint8_t n;

    (void)state;
    board_open(&b);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    nvs_handle_t h = open_rw("app");
    assert_int_equal(nvs_set_u8(h, "n", 1), ESP_OK);
    assert_int_equal(nvs_flash_erase(), ESP_OK);
    assert_int_equal(nvs_get_u8(h, "n", &n), ESP_ERR_NVS_INVALID_HANDLE);
    assert_int_equal(nvs_open("app", NVS_READWRITE, &h),
                     ESP_ERR_NVS_NOT_INITIALIZED);
    for (uint32_t i = 0; i < NVS_LEN; i++)
        assert_int_equal(b.d.rig.flash.bytes[NVS_OFF + i], 0xFF);
    board_close(&b);
}

/* --- values --------------------------------------------------------------- */

static void test_numbers(void **state)
{
    struct board b;
    uint8_t u8;
    int8_t i8;
    uint16_t u16;
    int16_t i16;
    uint32_t u32;
    int32_t i32;
    uint64_t u64;
    int64_t i64;
    float f;
    double g;

    (void)state;
    board_open(&b);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    nvs_handle_t h = open_rw("app");
    assert_int_equal(nvs_set_u8(h, "u8", UINT8_MAX), ESP_OK);
    assert_int_equal(nvs_set_i8(h, "i8", INT8_MIN), ESP_OK);
    assert_int_equal(nvs_set_u16(h, "u16", UINT16_MAX), ESP_OK);
    assert_int_equal(nvs_set_i16(h, "i16", INT16_MIN), ESP_OK);
    assert_int_equal(nvs_set_u32(h, "u32", UINT32_MAX), ESP_OK);
    assert_int_equal(nvs_set_i32(h, "i32", INT32_MIN), ESP_OK);
    assert_int_equal(nvs_set_u64(h, "u64", UINT64_MAX), ESP_OK);
    assert_int_equal(nvs_set_i64(h, "i64", INT64_MIN), ESP_OK);
    assert_int_equal(nvs_set_float(h, "f", -1.5f), ESP_OK);
    assert_int_equal(nvs_set_double(h, "g", 2.25), ESP_OK);
    assert_int_equal(nvs_get_u8(h, "u8", &u8), ESP_OK);
    assert_int_equal(nvs_get_i8(h, "i8", &i8), ESP_OK);
    assert_int_equal(nvs_get_u16(h, "u16", &u16), ESP_OK);
    assert_int_equal(nvs_get_i16(h, "i16", &i16), ESP_OK);
    assert_int_equal(nvs_get_u32(h, "u32", &u32), ESP_OK);
    assert_int_equal(nvs_get_i32(h, "i32", &i32), ESP_OK);
    assert_int_equal(nvs_get_u64(h, "u64", &u64), ESP_OK);
    assert_int_equal(nvs_get_i64(h, "i64", &i64), ESP_OK);
    assert_int_equal(nvs_get_float(h, "f", &f), ESP_OK);
    assert_int_equal(nvs_get_double(h, "g", &g), ESP_OK);
    assert_true(u8 == UINT8_MAX && i8 == INT8_MIN && u16 == UINT16_MAX);
    assert_true(i16 == INT16_MIN && u32 == UINT32_MAX && i32 == INT32_MIN);
    assert_true(u64 == UINT64_MAX && i64 == INT64_MIN);
    assert_true(f == -1.5f && g == 2.25);
    assert_int_equal(nvs_get_i8(h, "u8", &i8), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_get_u8(h, "u8", NULL), ESP_ERR_INVALID_ARG);
    board_close(&b);
}

static void test_bytes(void **state)
{
    struct board b;
    char text[32];
    size_t len;

    (void)state;
    board_open(&b);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    nvs_handle_t h = open_rw("ota_resumption");
    assert_int_equal(nvs_set_str(h, "nvs_ota_url", "https://x/a.bin"), ESP_OK);
    assert_int_equal(nvs_set_blob(h, "blob", "1234", 4), ESP_OK);
    assert_int_equal(nvs_set_blob(h, "none", NULL, 0), ESP_OK);
    assert_int_equal(nvs_set_blob(h, "bad", NULL, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_set_str(h, "bad", NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_get_str(h, "nvs_ota_url", NULL, NULL),
                     ESP_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(nvs_get_str(h, "bad", NULL, NULL), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_get_blob(h, "blob", text, NULL),
                     ESP_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(nvs_get_str(h, "nvs_ota_url", NULL, &len), ESP_OK);
    assert_int_equal(len, 16);
    len = 15;
    assert_int_equal(nvs_get_str(h, "nvs_ota_url", text, &len),
                     ESP_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(len, 16);
    assert_int_equal(nvs_get_str(h, "nvs_ota_url", text, &len), ESP_OK);
    assert_string_equal(text, "https://x/a.bin");
    len = sizeof(text);
    assert_int_equal(nvs_get_blob(h, "blob", text, &len), ESP_OK);
    assert_int_equal(len, 4);
    assert_memory_equal(text, "1234", 4);
    assert_int_equal(nvs_get_blob(h, "none", NULL, &len), ESP_OK);
    assert_int_equal(len, 0);
    board_close(&b);
}

/* --- handles -------------------------------------------------------------- */

static void test_handles(void **state)
{
    struct board b;
    nvs_handle_t ro;
    nvs_type_t type;
    size_t used = 9;
    uint8_t n;

    (void)state;
    board_open(&b);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("app", NVS_READONLY, &ro), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_open("", NVS_READWRITE, &ro),
                     ESP_ERR_NVS_INVALID_NAME);
    assert_int_equal(nvs_open("name_of_16_chars", NVS_READWRITE, &ro),
                     ESP_ERR_NVS_KEY_TOO_LONG);
    assert_int_equal(nvs_open(NULL, NVS_READWRITE, &ro), ESP_ERR_INVALID_ARG);
    nvs_handle_t h = open_rw("app");
    assert_int_equal(nvs_open("app", NVS_READONLY, &ro), ESP_OK);
    assert_int_not_equal(ro, h);
    assert_int_equal(nvs_set_u8(h, "n", 1), ESP_OK);
    assert_int_equal(nvs_get_u8(ro, "n", &n), ESP_OK);
    assert_int_equal(nvs_set_u8(ro, "n", 2), ESP_ERR_NVS_READ_ONLY);
    assert_int_equal(nvs_set_str(ro, "n", "x"), ESP_ERR_NVS_READ_ONLY);
    assert_int_equal(nvs_erase_key(ro, "n"), ESP_ERR_NVS_READ_ONLY);
    assert_int_equal(nvs_erase_all(ro), ESP_ERR_NVS_READ_ONLY);
    assert_int_equal(nvs_purge_all(ro), ESP_ERR_NVS_READ_ONLY);
    assert_int_equal(nvs_commit(ro), ESP_OK);
    assert_int_equal(nvs_set_u8(h, "key__of_16_chars", 1),
                     ESP_ERR_NVS_KEY_TOO_LONG);
    assert_int_equal(nvs_set_u8(h, NULL, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_find_key(h, "n", &type), ESP_OK);
    assert_int_equal(type, NVS_TYPE_U8);
    assert_int_equal(nvs_find_key(h, "m", NULL), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_get_used_entry_count(h, &used), ESP_OK);
    assert_int_equal(used, 1);
    assert_int_equal(nvs_erase_key(h, "n"), ESP_OK);
    assert_int_equal(nvs_erase_key(h, "n"), ESP_ERR_NVS_NOT_FOUND);
    nvs_close(h);
    nvs_close(h);
    nvs_close(12345);
    assert_int_equal(nvs_set_u8(h, "n", 1), ESP_ERR_NVS_INVALID_HANDLE);
    assert_int_equal(nvs_get_used_entry_count(h, &used),
                     ESP_ERR_NVS_INVALID_HANDLE);
    assert_int_equal(used, 0);
    assert_int_equal(nvs_commit(ro), ESP_OK);
    board_close(&b);
}

static void test_purge_mode(void **state)
{
    struct board b;
    nvs_handle_t h;
    bool found = false;

    (void)state;
    board_open(&b);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("app", NVS_READWRITE_PURGE, &h), ESP_OK);
    assert_int_equal(nvs_set_str(h, "s", "a secret value"), ESP_OK);
    assert_int_equal(nvs_erase_all(h), ESP_OK);
    for (uint32_t i = 0; i + 14 < NVS_LEN; i++)
        found |=
            !memcmp(b.d.rig.flash.bytes + NVS_OFF + i, "a secret value", 14);
    assert_false(found);
    board_close(&b);
}

/* --- iterators and statistics --------------------------------------------- */

static unsigned count(const char *name, nvs_type_t type)
{
    nvs_iterator_t it = NULL;
    unsigned cnt = 0;
    esp_err_t err = nvs_entry_find("nvs", name, type, &it);

    while (!err) {
        nvs_entry_info_t info;
        assert_int_equal(nvs_entry_info(it, &info), ESP_OK);
        if (name)
            assert_string_equal(info.namespace_name, name);
        if (type != NVS_TYPE_ANY)
            assert_int_equal(info.type, type);
        cnt++;
        err = nvs_entry_next(&it);
    }
    assert_int_equal(err, ESP_ERR_NVS_NOT_FOUND);
    assert_null(it);
    return cnt;
}

static void test_iterators(void **state)
{
    struct board b;
    nvs_iterator_t it = (nvs_iterator_t)&b;
    nvs_entry_info_t info;
    nvs_stats_t stats;

    (void)state;
    board_open(&b);
    assert_int_equal(nvs_entry_find("nvs", NULL, NVS_TYPE_ANY, &it),
                     ESP_ERR_NVS_NOT_FOUND);
    assert_null(it);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    nvs_handle_t one = open_rw("one"), two = open_rw("two");
    assert_int_equal(nvs_set_u8(one, "n", 1), ESP_OK);
    assert_int_equal(nvs_set_blob(one, "b", "123", 3), ESP_OK);
    assert_int_equal(nvs_set_u8(two, "n", 1), ESP_OK);
    assert_int_equal(count(NULL, NVS_TYPE_ANY), 3);
    assert_int_equal(count("one", NVS_TYPE_ANY), 2);
    assert_int_equal(count(NULL, NVS_TYPE_U8), 2);
    assert_int_equal(count(NULL, NVS_TYPE_BLOB), 1);
    assert_int_equal(count("three", NVS_TYPE_ANY), 0);
    assert_int_equal(nvs_entry_find_in_handle(two, NVS_TYPE_ANY, &it), ESP_OK);
    assert_int_equal(nvs_entry_info(it, &info), ESP_OK);
    assert_string_equal(info.namespace_name, "two");
    assert_string_equal(info.key, "n");
    assert_int_equal(nvs_get_stats(NULL, &stats), ESP_OK);
    assert_int_equal(stats.used_entries, 2 + 1 + 3 + 1);
    assert_int_equal(stats.namespace_count, 2);
    assert_int_equal(stats.total_entries, 4 * 126);
    /* The partition goes away under the iterator. */
    assert_int_equal(nvs_flash_deinit(), ESP_OK);
    assert_int_equal(nvs_entry_next(&it), ESP_ERR_NVS_NOT_FOUND);
    assert_null(it);
    assert_int_equal(nvs_entry_next(&it), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_entry_info(NULL, &info), ESP_ERR_INVALID_ARG);
    nvs_release_iterator(NULL);
    board_close(&b);
}

/* --- memory --------------------------------------------------------------- */

/* Everything that allocates, once; the first error. */
static esp_err_t use_all(void)
{
    nvs_iterator_t it = NULL;
    nvs_handle_t h;
    esp_err_t err = nvs_flash_init();

    if (!err)
        err = nvs_open("app", NVS_READWRITE, &h);
    if (!err)
        err = nvs_set_blob(h, "blob", "0123456789", 10);
    if (!err)
        err = nvs_entry_find("nvs", "app", NVS_TYPE_ANY, &it);
    nvs_release_iterator(it);
    return err;
}

static void test_no_memory(void **state)
{
    struct board b;
    esp_err_t err = ESP_ERR_NO_MEM;
    uint32_t n = 0;

    (void)state;
    board_open(&b);
    struct sim_heap *heap = &b.d.rig.heap;
    size_t start_len = heap->cur_len;
    while (err == ESP_ERR_NO_MEM) {
        heap->fail_at = heap->alloc_cnt + ++n;
        err = use_all();
        heap->fail_at = 0;
        if (nvs_flash_deinit() == ESP_OK)
            assert_int_equal(nvs_flash_init(), ESP_OK);
        assert_true(nvs_flash_deinit() == ESP_OK || n <= 2);
        assert_int_equal(heap->cur_len, start_len);
    }
    assert_int_equal(err, ESP_OK);
    assert_int_equal(n, 5); /* four allocations: each of them failed once */
    board_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),         cmocka_unit_test(test_secure),
        cmocka_unit_test(test_start_idiom),  cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_erase_closes), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_handles),      cmocka_unit_test(test_purge_mode),
        cmocka_unit_test(test_iterators),    cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
