/* A store that fills up: what fits, what is refused, how sectors wear, and
 * what happens when there is no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

static struct kv_ns start(struct rig *r, uint32_t page_cnt)
{
    struct kv_ns ns;

    rig_open(r, page_cnt);
    assert_int_equal(rig_mount(r), ESP_OK);
    assert_int_equal(kv_open(r->kv, "app", true, &ns), ESP_OK);
    return ns;
}

static void finish(struct rig *r)
{
    assert_null(witness(r->sim.bytes, r->part.len / KV_PAGE_LEN));
    rig_close(r);
}

/* --- full ----------------------------------------------------------------- */

/* Sets keys until there is no room; returns how many. */
static unsigned fill(const struct kv_ns *ns)
{
    char key[16];
    esp_err_t err = ESP_OK;
    unsigned cnt = 0;

    while (!err && cnt < 2000) {
        snprintf(key, sizeof(key), "k%u", cnt);
        err = kv_set_number(ns, key, KV_TYPE_U32, cnt);
        cnt += !err;
    }
    assert_int_equal(err, ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    return cnt;
}

static void check_filled(const struct kv_ns *ns, unsigned cnt)
{
    char key[16];

    for (unsigned i = 0; i < cnt; i++) {
        uint64_t num;
        snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(kv_get_number(ns, key, KV_TYPE_U32, &num), ESP_OK);
        assert_int_equal(num, i);
    }
}

static void test_full(void **state)
{
    struct rig r;
    uint64_t num;

    (void)state;
    struct kv_ns ns = start(&r, 4);
    assert_int_equal(fill(&ns), 3 * 126 - 1);
    check_filled(&ns, 3 * 126 - 1);
    uint32_t ops = sim_flash_ops(&r.sim);
    assert_int_equal(kv_set_number(&ns, "k0", KV_TYPE_U32, 999),
                     ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    assert_int_equal(kv_set_str(&ns, "k1", "x"), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    assert_int_equal(kv_set_blob(&ns, "k2", span_of("x", 1)),
                     ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    assert_int_equal(kv_open(r.kv, "more", true, &ns),
                     ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    assert_int_equal(sim_flash_ops(&r.sim), ops);
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(kv_open(r.kv, "app", false, &ns), ESP_OK);
    check_filled(&ns, 3 * 126 - 1);
    assert_int_equal(kv_erase(&ns, "k5"), ESP_OK);
    assert_int_equal(kv_set_number(&ns, "k0", KV_TYPE_U32, 999), ESP_OK);
    assert_int_equal(kv_get_number(&ns, "k0", KV_TYPE_U32, &num), ESP_OK);
    assert_int_equal(num, 999);
    finish(&r);
}

/* Only a value for which one page has room is accepted; nothing is moved for
 * one that would not fit afterwards. */
static void test_no_page_has_the_room(void **state)
{
    struct rig r;
    char text[32 * 9];

    (void)state;
    struct kv_ns ns = start(&r, 4);
    unsigned cnt = fill(&ns);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    for (unsigned i = 0; i < 3; i++) { /* five slots in each page */
        for (unsigned k = 0; k < 5; k++) {
            char key[16];
            snprintf(key, sizeof(key), "k%u", i * 126 + k + 1);
            assert_int_equal(kv_erase(&ns, key), ESP_OK);
        }
    }
    uint32_t ops = sim_flash_ops(&r.sim);
    assert_int_equal(kv_set_str(&ns, "s", text), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    assert_int_equal(sim_flash_ops(&r.sim), ops);
    text[32 * 4 - 1] = '\0';
    assert_int_equal(kv_set_str(&ns, "s", text), ESP_OK);
    assert_true(cnt > 300);
    finish(&r);
}

/* A blob that turns out not to fit is taken back, and the old one stays. */
static void test_blob_taken_back(void **state)
{
    const struct val old = { .type = KV_TYPE_CHUNK, .len = 3900, .num = 1 };
    const struct val new = { .type = KV_TYPE_CHUNK, .len = 8000, .num = 2 };
    struct rig r;
    struct kv_stats before, after;

    (void)state;
    struct kv_ns ns = start(&r, 4);
    assert_int_equal(val_set(&ns, "b", &old), ESP_OK);
    assert_int_equal(kv_get_stats(r.kv, &before), ESP_OK);
    assert_int_equal(val_set(&ns, "b", &new), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    assert_true(val_is(&ns, "b", &old));
    assert_int_equal(kv_get_stats(r.kv, &after), ESP_OK);
    assert_int_equal(after.used_cnt, before.used_cnt);
    finish(&r);
}

/* Room enough in all, in pieces too small for a blob: given up half-way. */
static void test_blob_in_pieces(void **state)
{
    const struct val blob = { .type = KV_TYPE_CHUNK, .len = 1200, .num = 2 };
    struct rig r;
    char key[16];

    (void)state;
    struct kv_ns ns = start(&r, 8);
    unsigned cnt = fill(&ns);
    for (unsigned i = 0; i < cnt; i += 12) {
        snprintf(key, sizeof(key), "k%u", i);
        assert_int_equal(kv_erase(&ns, key), ESP_OK);
    }
    struct kv_stats before, after;
    assert_int_equal(kv_get_stats(r.kv, &before), ESP_OK);
    assert_true(before.avail_cnt > 60);
    assert_int_equal(val_set(&ns, "b", &blob), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    assert_int_equal(kv_get_stats(r.kv, &after), ESP_OK);
    assert_int_equal(after.used_cnt, before.used_cnt);
    finish(&r);
}

/* --- wear ----------------------------------------------------------------- */

static void erase_range(const struct rig *r, uint32_t *least, uint32_t *most)
{
    *least = UINT32_MAX;
    *most = 0;
    for (uint32_t i = 0; i < r->part.len / KV_PAGE_LEN; i++) {
        uint32_t cnt = r->sim.erase_cnt[i];
        *least = cnt < *least ? cnt : *least;
        *most = cnt > *most ? cnt : *most;
    }
}

/* One number, set 100,000 times: 125 writes per erase, and the page with the
 * namespace's name, which never changes, takes part. */
static void test_wear(void **state)
{
    struct rig r;
    uint32_t least, most;

    (void)state;
    struct kv_ns ns = start(&r, 4);
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(kv_set_number(&ns, "n", KV_TYPE_U32, i), ESP_OK);
    erase_range(&r, &least, &most);
    printf("100000 writes, 4 pages: %u to %u erases each\n", (unsigned)least,
           (unsigned)most);
    assert_true(most <= 2 * least);
    assert_true(most <= 100000 / 124 / 3 + 3);
    finish(&r);
}

/* The same with a mount before each write: a page is erased once more at its
 * first use after a reset, since nobody saw its erase end. */
static void test_wear_with_resets(void **state)
{
    struct rig r;
    uint32_t least, most;

    (void)state;
    struct kv_ns ns = start(&r, 4);
    for (uint32_t i = 0; i < 5000; i++) {
        assert_int_equal(rig_mount(&r), ESP_OK);
        assert_int_equal(kv_open(r.kv, "app", false, &ns), ESP_OK);
        assert_int_equal(kv_set_number(&ns, "n", KV_TYPE_U32, i), ESP_OK);
    }
    erase_range(&r, &least, &most);
    printf("5000 writes and resets: %u to %u erases each\n", (unsigned)least,
           (unsigned)most);
    assert_true(most <= 2 * (5000 / 124 / 3 + 3));
    finish(&r);
}

/* --- memory --------------------------------------------------------------- */

static void test_no_memory(void **state)
{
    struct rig r;
    uint64_t num;

    (void)state;
    struct kv_ns ns = start(&r, 4);
    assert_int_equal(kv_set_number(&ns, "n", KV_TYPE_U8, 5), ESP_OK);
    rig_unmount(&r);
    r.heap.fail_at = r.heap.alloc_cnt + 1;
    assert_int_equal(rig_mount(&r), ESP_ERR_NO_MEM);
    assert_null(r.kv);
    assert_int_equal(r.heap.cur_len, 0);
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(r.heap.cur_cnt, 1);
    printf("a mount of 4 pages takes %zu bytes\n", r.heap.cur_len);
    assert_true(r.heap.cur_len < 800);
    assert_int_equal(kv_open(r.kv, "app", false, &ns), ESP_OK);
    assert_int_equal(kv_get_number(&ns, "n", KV_TYPE_U8, &num), ESP_OK);
    assert_int_equal(r.heap.cur_cnt, 1); /* nothing but the mount allocates */
    finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_no_page_has_the_room),
        cmocka_unit_test(test_blob_taken_back),
        cmocka_unit_test(test_blob_in_pieces),
        cmocka_unit_test(test_wear),
        cmocka_unit_test(test_wear_with_resets),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
