/* What the calls say and do on a store that nothing goes wrong with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct kv_ns open_ns(struct rig *r, const char *name)
{
    struct kv_ns ns;

    assert_int_equal(kv_open(r->kv, name, true, &ns), ESP_OK);
    return ns;
}

static void start(struct rig *r, uint32_t page_cnt)
{
    rig_open(r, page_cnt);
    assert_int_equal(rig_mount(r), ESP_OK);
}

static void finish(struct rig *r)
{
    assert_null(witness(r->sim.bytes, r->part.len / KV_PAGE_LEN));
    rig_close(r);
}

/* --- every type, and every type in place of every other ------------------- */

static const struct val values[] = {
    { .type = KV_TYPE_U8, .num = 0xFE },
    { .type = KV_TYPE_I8, .num = 0x80 },
    { .type = KV_TYPE_U16, .num = 0xFFFE },
    { .type = KV_TYPE_I16, .num = 0x8000 },
    { .type = KV_TYPE_U32, .num = 0xFFFFFFFEu },
    { .type = KV_TYPE_I32, .num = 0x80000000u },
    { .type = KV_TYPE_U64, .num = 0xFFFFFFFFFFFFFFFEu },
    { .type = KV_TYPE_I64, .num = 0x8000000000000000u },
    { .type = KV_TYPE_FLOAT, .num = 0x3F800000u },
    { .type = KV_TYPE_DOUBLE, .num = 0x3FF0000000000000u },
    { .type = KV_TYPE_STR, .len = 1, .num = 1 },
    { .type = KV_TYPE_STR, .len = 33, .num = 2 },
    { .type = KV_TYPE_STR, .len = 4000, .num = 3 },
    { .type = KV_TYPE_CHUNK, .len = 0, .num = 4 },
    { .type = KV_TYPE_CHUNK, .len = 32, .num = 5 },
    { .type = KV_TYPE_CHUNK, .len = 4001, .num = 6 },
    { .type = KV_TYPE_CHUNK, .len = 12000, .num = 7 },
    { .type = 0 },
};

static void test_every_type(void **state)
{
    struct rig r;

    (void)state;
    start(&r, 8);
    struct kv_ns ns = open_ns(&r, "app");
    for (size_t i = 0; i < CNT(values); i++) {
        for (size_t k = 0; k < CNT(values); k++) {
            assert_int_equal(val_set(&ns, "k", &values[i]), ESP_OK);
            assert_int_equal(val_set(&ns, "k", &values[k]), ESP_OK);
            assert_true(val_is(&ns, "k", &values[k]));
            assert_int_equal(rig_mount(&r), ESP_OK);
            ns = open_ns(&r, "app");
            assert_true(val_is(&ns, "k", &values[k]));
        }
    }
    finish(&r);
}

static void test_other_types_are_not_there(void **state)
{
    struct rig r;
    uint64_t num = 55;
    size_t len = 8;
    char text[8];

    (void)state;
    start(&r, 4);
    struct kv_ns ns = open_ns(&r, "app");
    assert_int_equal(kv_set_number(&ns, "k", KV_TYPE_U8, 7), ESP_OK);
    assert_int_equal(kv_get_number(&ns, "k", KV_TYPE_I8, &num),
                     ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(num, 55);
    assert_int_equal(kv_get_str(&ns, "k", text, &len), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(kv_get_blob(&ns, "k", text, &len), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(kv_get_number(&ns, "k", KV_TYPE_STR, &num),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(kv_set_number(&ns, "k", KV_TYPE_CHUNK, 1),
                     ESP_ERR_INVALID_ARG);
    finish(&r);
}

/* --- lengths and names ---------------------------------------------------- */

static void test_lengths(void **state)
{
    struct rig r;
    uint8_t buf[8] = { 0 };
    size_t len = 77;

    (void)state;
    start(&r, 4);
    struct kv_ns ns = open_ns(&r, "app");
    assert_int_equal(kv_set_str(&ns, "s", "hello"), ESP_OK);
    assert_int_equal(kv_set_blob(&ns, "b", span_of("\1\2\3", 3)), ESP_OK);
    assert_int_equal(kv_get_str(&ns, "s", NULL, &len), ESP_OK);
    assert_int_equal(len, 6);
    len = 5;
    assert_int_equal(kv_get_str(&ns, "s", (char *)buf, &len),
                     ESP_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(len, 6);
    assert_int_equal(kv_get_str(&ns, "s", (char *)buf, &len), ESP_OK);
    assert_string_equal(buf, "hello");
    assert_int_equal(kv_get_blob(&ns, "b", NULL, &len), ESP_OK);
    assert_int_equal(len, 3);
    len = 2;
    assert_int_equal(kv_get_blob(&ns, "b", buf, &len),
                     ESP_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(len, 3);
    len = 8;
    assert_int_equal(kv_get_blob(&ns, "b", buf, &len), ESP_OK);
    assert_int_equal(len, 3);
    finish(&r);
}

static void test_too_long(void **state)
{
    struct rig r;
    static char text[4002];
    static uint8_t big[3 * 4000 + 1];

    (void)state;
    start(&r, 4);
    struct kv_ns ns = open_ns(&r, "app");
    uint32_t ops = sim_flash_ops(&r.sim);
    memset(text, 'x', sizeof(text) - 1);
    assert_int_equal(kv_set_str(&ns, "s", text), ESP_ERR_NVS_VALUE_TOO_LONG);
    assert_int_equal(kv_set_str(&ns, "s", text + 1),
                     ESP_ERR_NVS_VALUE_TOO_LONG);
    assert_int_equal(kv_set_blob(&ns, "b", span_of(big, sizeof(big))),
                     ESP_ERR_NVS_VALUE_TOO_LONG);
    assert_int_equal(kv_set_blob(&ns, "b", span_of(big, sizeof(big) - 1)),
                     ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    assert_int_equal(sim_flash_ops(&r.sim), ops);
    assert_int_equal(kv_set_str(&ns, "s", text + 2), ESP_OK);
    finish(&r);
}

static void test_names(void **state)
{
    struct rig r;
    struct kv_ns ns;
    uint64_t num;

    (void)state;
    start(&r, 4);
    assert_int_equal(kv_open(r.kv, "", true, &ns), ESP_ERR_NVS_INVALID_NAME);
    assert_int_equal(kv_open(r.kv, "name_of_16_chars", true, &ns),
                     ESP_ERR_NVS_KEY_TOO_LONG);
    assert_int_equal(kv_open(r.kv, "absent", false, &ns),
                     ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(sim_flash_ops(&r.sim), 0);
    ns = open_ns(&r, "name_of_15_char");
    assert_int_equal(kv_set_number(&ns, "key__of_16_chars", KV_TYPE_U8, 1),
                     ESP_ERR_NVS_KEY_TOO_LONG);
    assert_int_equal(kv_get_number(&ns, "key__of_16_chars", KV_TYPE_U8, &num),
                     ESP_ERR_NVS_KEY_TOO_LONG);
    assert_int_equal(kv_erase(&ns, "key__of_16_chars"),
                     ESP_ERR_NVS_KEY_TOO_LONG);
    assert_int_equal(kv_set_number(&ns, "key__of_15_char", KV_TYPE_U8, 1),
                     ESP_OK);
    assert_int_equal(kv_get_number(&ns, "key__of_15_char", KV_TYPE_U8, &num),
                     ESP_OK);
    finish(&r);
}

/* --- namespaces ----------------------------------------------------------- */

static void test_namespaces_are_apart(void **state)
{
    struct rig r;
    uint64_t num;
    size_t used;

    (void)state;
    start(&r, 4);
    struct kv_ns a = open_ns(&r, "a"), b = open_ns(&r, "b");
    assert_int_equal(kv_set_number(&a, "k", KV_TYPE_U8, 1), ESP_OK);
    assert_int_equal(kv_set_number(&b, "k", KV_TYPE_U8, 2), ESP_OK);
    assert_int_equal(kv_set_blob(&b, "x", span_of("123", 3)), ESP_OK);
    assert_int_equal(kv_used(&a, &used), ESP_OK);
    assert_int_equal(used, 1);
    assert_int_equal(kv_used(&b, &used), ESP_OK);
    assert_int_equal(used, 4);
    assert_int_equal(kv_erase_all(&b), ESP_OK);
    assert_int_equal(kv_used(&b, &used), ESP_OK);
    assert_int_equal(used, 0);
    assert_int_equal(kv_get_number(&a, "k", KV_TYPE_U8, &num), ESP_OK);
    assert_int_equal(num, 1);
    assert_int_equal(kv_erase(&b, "k"), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(kv_open(r.kv, "b", false, &b), ESP_OK);
    finish(&r);
}

static void test_254_namespaces(void **state)
{
    struct rig r;
    struct kv_ns ns;
    char name[16];

    (void)state;
    start(&r, 6);
    for (unsigned i = 1; i <= 254; i++) {
        snprintf(name, sizeof(name), "ns%u", i);
        assert_int_equal(kv_open(r.kv, name, true, &ns), ESP_OK);
        assert_int_equal(ns.idx, i);
    }
    assert_int_equal(kv_open(r.kv, "more", true, &ns),
                     ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    assert_int_equal(kv_open(r.kv, "ns7", true, &ns), ESP_OK);
    assert_int_equal(ns.idx, 7);
    finish(&r);
}

/* --- what costs no write -------------------------------------------------- */

static void test_same_value(void **state)
{
    struct rig r;

    (void)state;
    start(&r, 8);
    struct kv_ns ns = open_ns(&r, "app");
    for (size_t i = 0; i + 1 < CNT(values); i++) {
        assert_int_equal(val_set(&ns, "k", &values[i]), ESP_OK);
        uint32_t ops = sim_flash_ops(&r.sim);
        assert_int_equal(val_set(&ns, "k", &values[i]), ESP_OK);
        assert_int_equal(sim_flash_ops(&r.sim), ops);
    }
    finish(&r);
}

/* --- walks and statistics ------------------------------------------------- */

static unsigned walk(struct rig *r, uint8_t ns, uint8_t type)
{
    struct kv_iter it = { .ns = ns, .type = type };
    struct kv_info info;
    unsigned cnt = 0;
    esp_err_t err;

    while (!(err = kv_iter_next(r->kv, &it, &info))) {
        cnt++;
        assert_true(info.key[0] == 'k');
        assert_string_equal(info.ns_name, info.key[1] < '5' ? "a" : "b");
    }
    assert_int_equal(err, ESP_ERR_NVS_NOT_FOUND);
    return cnt;
}

static void test_walk(void **state)
{
    struct rig r;
    char key[16];

    (void)state;
    start(&r, 8);
    struct kv_ns a = open_ns(&r, "a"), b = open_ns(&r, "b");
    for (unsigned i = 0; i < 10; i++) {
        snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(val_set(i < 5 ? &a : &b, key, &values[i + 6]), ESP_OK);
    }
    assert_int_equal(walk(&r, 0, KV_TYPE_ANY), 10);
    assert_int_equal(walk(&r, a.idx, KV_TYPE_ANY), 5);
    assert_int_equal(walk(&r, b.idx, KV_TYPE_ANY), 5);
    assert_int_equal(walk(&r, 0, KV_TYPE_STR), 3);
    assert_int_equal(walk(&r, 0, KV_TYPE_CHUNK), 3);
    assert_int_equal(walk(&r, a.idx, KV_TYPE_CHUNK), 0);
    assert_int_equal(walk(&r, 0, KV_TYPE_U8), 0);
    finish(&r);
}

/* Each key is erased as it is seen, while pages move under the walk. */
static void test_walk_and_change(void **state)
{
    struct rig r;
    struct kv_iter it = { .type = KV_TYPE_ANY };
    struct kv_info info;
    unsigned cnt = 0, seen[100] = { 0 };
    char key[16];

    (void)state;
    start(&r, 3);
    struct kv_ns ns = open_ns(&r, "a");
    for (unsigned i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "%u", i);
        assert_int_equal(kv_set_number(&ns, key, KV_TYPE_U8, i), ESP_OK);
    }
    while (!kv_iter_next(r.kv, &it, &info) && cnt++ < 1000) {
        unsigned i;
        if (sscanf(info.key, "%u", &i) != 1)
            continue;
        seen[i]++;
        for (unsigned k = 0; k < 3; k++)
            assert_int_equal(
                kv_set_number(&ns, "filler", KV_TYPE_U32, cnt * 3 + k), ESP_OK);
    }
    for (unsigned i = 0; i < 100; i++)
        assert_true(seen[i] >= 1);
    finish(&r);
}

static void test_stats(void **state)
{
    struct rig r;
    struct kv_stats s;

    (void)state;
    start(&r, 4);
    assert_int_equal(kv_get_stats(r.kv, &s), ESP_OK);
    assert_int_equal(s.total_cnt, 4 * 126);
    assert_int_equal(s.free_cnt, 4 * 126);
    assert_int_equal(s.avail_cnt, 3 * 126);
    assert_int_equal(s.used_cnt, 0);
    assert_int_equal(s.ns_cnt, 0);
    struct kv_ns ns = open_ns(&r, "a");
    assert_int_equal(kv_set_number(&ns, "n", KV_TYPE_U8, 1), ESP_OK);
    assert_int_equal(kv_set_number(&ns, "n", KV_TYPE_U8, 2), ESP_OK);
    assert_int_equal(kv_set_str(&ns, "s", "text"), ESP_OK);
    assert_int_equal(kv_set_blob(&ns, "b", span_of("text", 4)), ESP_OK);
    assert_int_equal(kv_get_stats(r.kv, &s), ESP_OK);
    assert_int_equal(s.used_cnt, 1 + 1 + 2 + 3);
    assert_int_equal(s.free_cnt, 4 * 126 - 7);
    assert_int_equal(s.avail_cnt, 3 * 126 - 7);
    assert_int_equal(s.ns_cnt, 1);
    finish(&r);
}

/* --- purge ---------------------------------------------------------------- */

static bool holds_text(const struct rig *r, const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i + len <= r->part.len; i++) {
        if (memcmp(r->sim.bytes + i, text, len) == 0)
            return true;
    }
    return false;
}

static void test_purge(void **state)
{
    struct rig r;

    (void)state;
    start(&r, 4);
    struct kv_ns a = open_ns(&r, "a"), b = open_ns(&r, "b");
    assert_int_equal(kv_set_str(&a, "key", "secret of a"), ESP_OK);
    assert_int_equal(kv_set_str(&a, "key", "newer"), ESP_OK);
    assert_int_equal(kv_set_str(&b, "key", "secret of b"), ESP_OK);
    assert_int_equal(kv_erase(&b, "key"), ESP_OK);
    assert_true(holds_text(&r, "secret of a") && holds_text(&r, "secret of b"));
    assert_int_equal(kv_purge(&a), ESP_OK);
    assert_false(holds_text(&r, "secret of a"));
    assert_true(holds_text(&r, "secret of b") && holds_text(&r, "newer"));
    b.purge = true;
    assert_int_equal(kv_set_str(&b, "key", "third"), ESP_OK);
    assert_int_equal(kv_erase(&b, "key"), ESP_OK);
    assert_false(holds_text(&r, "third"));
    finish(&r);
}

/* --- the generation of the partition rises -------------------------------- */

static void test_generation(void **state)
{
    struct rig r;
    uint32_t gen;

    (void)state;
    start(&r, 4);
    gen = part_gen(&r.dev, &r.part);
    struct kv_ns ns = open_ns(&r, "a");
    assert_int_not_equal(part_gen(&r.dev, &r.part), gen);
    gen = part_gen(&r.dev, &r.part);
    assert_int_equal(kv_erase_all(&ns), ESP_OK);
    assert_int_equal(part_gen(&r.dev, &r.part), gen);
    finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_other_types_are_not_there),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_namespaces_are_apart),
        cmocka_unit_test(test_254_namespaces),
        cmocka_unit_test(test_same_value),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_walk_and_change),
        cmocka_unit_test(test_stats),
        cmocka_unit_test(test_purge),
        cmocka_unit_test(test_generation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
