/* Images of the reference's own generator (test/vectors/nvs): read, then
 * written to, then read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

static void load_image(struct rig *r, const char *name)
{
    const char *source = getenv("PORTA_SOURCE");
    char path[512];
    static uint8_t bytes[RIG_LEN_MAX];
    FILE *file;
    size_t len;

    if (!source)
        skip();
    snprintf(path, sizeof(path), "%s/test/vectors/nvs/%s", source, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    len = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    assert_true(len > 0 && len % KV_PAGE_LEN == 0);
    rig_open(r, (uint32_t)(len / KV_PAGE_LEN));
    memcpy(r->sim.bytes, bytes, len);
    assert_int_equal(rig_mount(r), ESP_OK);
    assert_int_equal(sim_flash_ops(&r->sim), 0); /* nothing to put right */
}

/* As in make_csv.py. */
static void pattern(uint32_t seed, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = (uint8_t)(seed >> 24);
    }
}

struct number_row {
    const char *key;
    uint8_t type;
    uint64_t num;
};

static const struct number_row numbers[] = {
    { "u8", KV_TYPE_U8, 255 },
    { "i8", KV_TYPE_I8, 0x80 },
    { "u16", KV_TYPE_U16, 65535 },
    { "i16", KV_TYPE_I16, 0x8000 },
    { "u32", KV_TYPE_U32, 0xFFFFFFFFu },
    { "i32", KV_TYPE_I32, 0x80000000u },
    { "u64", KV_TYPE_U64, UINT64_MAX },
    { "i64", KV_TYPE_I64, 0x8000000000000000u },
};

static void check_numbers(const struct kv_ns *ns)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const struct number_row *row = &numbers[i];
        uint64_t num;

        assert_int_equal(kv_get_number(ns, row->key, row->type, &num), ESP_OK);
        assert_int_equal(num, row->num);
    }
}

static void check_str(const struct kv_ns *ns, const char *key, const char *want)
{
    static char text[4000];
    size_t len = sizeof(text);

    assert_int_equal(kv_get_str(ns, key, text, &len), ESP_OK);
    assert_int_equal(len, strlen(want) + 1);
    assert_string_equal(text, want);
}

static void check_blob(const struct kv_ns *ns, const char *key,
                       struct span want)
{
    static uint8_t bytes[VAL_MAX];
    size_t len = sizeof(bytes);

    assert_int_equal(kv_get_blob(ns, key, bytes, &len), ESP_OK);
    assert_int_equal(len, want.len);
    assert_memory_equal(bytes, want.ptr, len);
}

static void check_types(struct rig *r)
{
    static uint8_t big[9000];
    static char text[3968];
    struct kv_ns ns;
    uint64_t num;

    assert_int_equal(kv_open(r->kv, "storage", false, &ns), ESP_OK);
    check_numbers(&ns);
    check_str(&ns, "str", "hello world");
    pattern(3967, (uint8_t *)text, sizeof(text) - 1);
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = (char)('a' + (uint8_t)text[i] % 26);
    check_str(&ns, "long", text);
    check_blob(&ns, "hex", span_of("\1\2\3\xaa\xbb\xcc", 6));
    check_blob(&ns, "b64", span_of("hello", 5));
    pattern(9000, big, sizeof(big));
    check_blob(&ns, "big", span_of(big, sizeof(big)));
    assert_int_equal(kv_open(r->kv, "other", false, &ns), ESP_OK);
    assert_int_equal(kv_get_number(&ns, "exactly15chars_", KV_TYPE_U8, &num),
                     ESP_OK);
    assert_int_equal(num, 7);
    assert_int_equal(kv_get_number(&ns, "u8", KV_TYPE_U8, &num), ESP_OK);
    assert_int_equal(num, 1);
}

static void test_types(void **state)
{
    struct rig r;
    struct kv_ns ns;

    (void)state;
    load_image(&r, "types.bin");
    check_types(&r);
    assert_int_equal(kv_open(r.kv, "mine", true, &ns), ESP_OK);
    for (uint32_t i = 0; i < 3000; i++)
        assert_int_equal(kv_set_number(&ns, "n", KV_TYPE_U32, i), ESP_OK);
    assert_int_equal(rig_mount(&r), ESP_OK);
    check_types(&r);
    assert_null(witness(r.sim.bytes, r.part.len / KV_PAGE_LEN));
    rig_close(&r);
}

/* A large blob of theirs is replaced by one of ours, and back. */
static void test_types_replaced(void **state)
{
    const struct val mine = { .type = KV_TYPE_CHUNK, .len = 5000, .num = 3 };
    static uint8_t big[9000];
    struct rig r;
    struct kv_ns ns;

    (void)state;
    load_image(&r, "types.bin");
    assert_int_equal(kv_open(r.kv, "storage", false, &ns), ESP_OK);
    assert_int_equal(val_set(&ns, "big", &mine), ESP_OK);
    assert_true(val_is(&ns, "big", &mine));
    assert_int_equal(kv_erase(&ns, "long"), ESP_OK);
    pattern(9000, big, sizeof(big));
    assert_int_equal(kv_set_blob(&ns, "big", span_of(big, sizeof(big))),
                     ESP_OK);
    check_blob(&ns, "big", span_of(big, sizeof(big)));
    assert_null(witness(r.sim.bytes, r.part.len / KV_PAGE_LEN));
    rig_close(&r);
}

static void test_v1(void **state)
{
    static uint8_t blob[1900];
    struct rig r;
    struct kv_ns ns;

    (void)state;
    load_image(&r, "v1.bin");
    assert_int_equal(kv_open(r.kv, "storage", false, &ns), ESP_OK);
    check_numbers(&ns);
    check_str(&ns, "str", "hello world");
    pattern(1900, blob, sizeof(blob));
    check_blob(&ns, "blob", span_of(blob, sizeof(blob)));
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(kv_set_number(&ns, "n", KV_TYPE_U16, i), ESP_OK);
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(kv_open(r.kv, "storage", false, &ns), ESP_OK);
    check_blob(&ns, "blob", span_of(blob, sizeof(blob)));
    assert_int_equal(kv_set_blob(&ns, "blob", span_of(blob, 700)), ESP_OK);
    check_blob(&ns, "blob", span_of(blob, 700));
    rig_close(&r);
}

static void check_many(const struct kv_ns *ns)
{
    for (uint32_t i = 0; i < 300; i++) {
        char key[16];
        uint64_t num;

        snprintf(key, sizeof(key), "key%u", (unsigned)i);
        assert_int_equal(kv_get_number(ns, key, KV_TYPE_U32, &num), ESP_OK);
        assert_int_equal(num, i * 1000003u);
    }
}

static void test_many(void **state)
{
    struct rig r;
    struct kv_ns ns;

    (void)state;
    load_image(&r, "many.bin");
    assert_int_equal(kv_open(r.kv, "storage", false, &ns), ESP_OK);
    check_many(&ns);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(kv_set_number(&ns, "n", KV_TYPE_U32, i), ESP_OK);
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(kv_open(r.kv, "storage", false, &ns), ESP_OK);
    check_many(&ns);
    assert_null(witness(r.sim.bytes, r.part.len / KV_PAGE_LEN));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_types_replaced),
        cmocka_unit_test(test_v1),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
