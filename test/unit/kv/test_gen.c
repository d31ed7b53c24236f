/* Settings in two generations: what each image of a device's life finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gen_rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NOTHING UINT32_MAX

/* A start of an image. */
struct boot {
    const char *claim;
    struct kv_gen_image image; /* schema 0: an image that knows no generations,
                                  which sets what it finds, too */
    uint32_t from;             /* what the hook is told; NOTHING: not called */
    uint64_t finds, sets;      /* sets 0: nothing */
    bool confirms;
};

struct story {
    const char *name;
    struct boot boots[8];
};

static const struct story stories[] = {
    { "a first start",
      { { "from nothing", { 1, 10, false, { 0 } }, 0, 0, 5, false },
        { "no migration twice",
          { 1, 10, false, { 0 } },
          NOTHING,
          5,
          0,
          false } } },
    { "settings from before there was a schema",
      { { "the old firmware", { 0, 0, false, { 0 } }, NOTHING, 0, 7, false },
        { "migrates from 0", { 1, 10, true, { 0 } }, 0, 71, 0, true },
        { "and is confirmed",
          { 1, 10, false, { 0 } },
          NOTHING,
          71,
          0,
          false } } },
    { "an image that is reverted",
      { { "schema 1", { 1, 10, false, { 0 } }, 0, 0, 5, false },
        { "schema 2 on trial", { 2, 11, true, { 0 } }, 1, 52, 99, false },
        { "schema 1 has its own",
          { 1, 10, false, { 0 } },
          NOTHING,
          5,
          6,
          false },
        { "a new try starts from what ran last",
          { 2, 12, true, { 0 } },
          1,
          62,
          0,
          true },
        { "confirmed", { 2, 12, false, { 0 } }, NOTHING, 62, 63, false },
        { "reverted later all the same",
          { 1, 10, false, { 0 } },
          NOTHING,
          6,
          0,
          false } } },
    { "a trial of several starts",
      { { "schema 1", { 1, 10, false, { 0 } }, 0, 0, 5, false },
        { "first", { 2, 11, true, { 0 } }, 1, 52, 53, false },
        { "second", { 2, 11, true, { 0 } }, NOTHING, 53, 54, false },
        { "confirmed by a tool",
          { 2, 11, false, { 0 } },
          NOTHING,
          54,
          0,
          false },
        { "the same schema shares",
          { 2, 12, true, { 0 } },
          NOTHING,
          54,
          55,
          false },
        { "with what was there",
          { 2, 11, false, { 0 } },
          NOTHING,
          55,
          0,
          false } } },
    { "confirmed without a word",
      { { "schema 1", { 1, 10, false, { 0 } }, 0, 0, 5, false },
        { "schema 2 on trial", { 2, 11, true, { 0 } }, 1, 52, 53, false },
        { "the boot records say that it was confirmed",
          { 3, 12, true, { 0, 11 } },
          2,
          533,
          0,
          false },
        { "and it is back",
          { 2, 11, false, { 0 } },
          NOTHING,
          53,
          0,
          false } } },
    { "confirmed, and installed again",
      { { "schema 1", { 1, 10, false, { 0 } }, 0, 0, 5, false },
        { "schema 2 on trial", { 2, 11, true, { 0 } }, 1, 52, 53, false },
        { "the same under another number",
          { 2, 12, false, { 11, 12 } },
          NOTHING,
          53,
          0,
          false } } },
    { "another one is confirmed",
      { { "schema 1", { 1, 10, false, { 0 } }, 0, 0, 5, false },
        { "schema 2 on trial", { 2, 11, true, { 0 } }, 1, 52, 53, false },
        { "schema 1 is, and the trial is over",
          { 2, 12, true, { 10, 0 } },
          1,
          52,
          0,
          false } } },
    { "reverted to an image that knows no generations",
      { { "the old firmware", { 0, 0, false, { 0 } }, NOTHING, 0, 7, false },
        { "schema 1 on trial", { 1, 10, true, { 0 } }, 0, 71, 99, false },
        { "the old firmware again",
          { 0, 0, false, { 0 } },
          NOTHING,
          7,
          8,
          false },
        { "schema 1 in another image", { 1, 11, true, { 0 } }, 0, 81, 0, true },
        { "is confirmed", { 1, 11, false, { 0 } }, NOTHING, 81, 0, false } } },
    { "three schemas in two generations",
      { { "schema 1", { 1, 10, false, { 0 } }, 0, 0, 5, false },
        { "schema 2", { 2, 11, true, { 0 } }, 1, 52, 0, true },
        { "schema 3", { 3, 12, true, { 0 } }, 2, 523, 0, true },
        { "back to 2", { 2, 11, false, { 0 } }, NOTHING, 52, 0, false },
        { "back to 1, whose settings are gone",
          { 1, 10, false, { 0 } },
          2,
          521,
          0,
          false } } },
};

static void start(struct rig *r, const struct boot *b)
{
    struct gen_app a = { .r = r, .image = b->image };

    print_message("#   %s\n", b->claim);
    assert_int_equal(rig_mount(r), ESP_OK);
    if (b->image.schema) {
        assert_int_equal(gen_begin(&a), ESP_OK);
        assert_int_equal(a.from, b->from);
    }
    assert_int_equal(gen_get(&a), b->finds);
    if (b->sets)
        assert_int_equal(gen_set(&a, b->sets), ESP_OK);
    if (b->confirms)
        assert_int_equal(kv_gen_confirm(r->kv, b->image.id), ESP_OK);
}

static void test_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(stories); i++) {
        struct rig r;

        print_message("# %s\n", stories[i].name);
        rig_open(&r, 8);
        for (size_t k = 0; stories[i].boots[k].claim; k++)
            start(&r, &stories[i].boots[k]);
        rig_close(&r);
    }
}

static void test_a_hook_that_fails(void **state)
{
    struct rig r;
    struct gen_app a = { .r = &r, .image = { 1, 10, false, { 0 } } };
    struct kv_stats before, after;

    (void)state;
    rig_open(&r, 8);
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(gen_begin(&a), ESP_OK);
    assert_int_equal(gen_set(&a, 5), ESP_OK);
    assert_int_equal(kv_get_stats(r.kv, &before), ESP_OK);
    a.image = (struct kv_gen_image){ 2, 11, true, { 0 } };
    a.hook_fails = ESP_ERR_NOT_SUPPORTED;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(gen_begin(&a), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(kv_get_stats(r.kv, &after), ESP_OK);
    /* The names of the namespaces stay. */
    assert_in_range(after.used_cnt, before.used_cnt, before.used_cnt + 2);
    a.image = (struct kv_gen_image){ 1, 10, false, { 0 } };
    assert_int_equal(gen_begin(&a), ESP_OK);
    assert_int_equal(gen_get(&a), 5);
    rig_close(&r);
}

/* What an image on trial left behind is not there for the next one. */
static void test_nothing_is_left_over(void **state)
{
    struct rig r;
    struct gen_app a = { .r = &r, .image = { 1, 10, false, { 0 } } };
    struct kv_ns ns;
    uint64_t n;

    (void)state;
    rig_open(&r, 8);
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(gen_begin(&a), ESP_OK);
    a.image = (struct kv_gen_image){ 2, 11, true, { 0 } };
    assert_int_equal(gen_begin(&a), ESP_OK);
    char name[KV_KEY_LEN];
    assert_int_equal(kv_gen_name("wifi", a.side, name), ESP_OK);
    assert_int_equal(kv_open(r.kv, name, true, &ns), ESP_OK);
    assert_int_equal(kv_set_number(&ns, "left", KV_TYPE_U8, 1), ESP_OK);
    a.image = (struct kv_gen_image){ 1, 10, false, { 0 } };
    assert_int_equal(gen_begin(&a), ESP_OK);
    a.image = (struct kv_gen_image){ 2, 12, true, { 0 } };
    assert_int_equal(gen_begin(&a), ESP_OK);
    assert_int_equal(kv_get_number(&ns, "left", KV_TYPE_U8, &n),
                     ESP_ERR_NVS_NOT_FOUND);
    rig_close(&r);
}

static void test_no_room(void **state)
{
    struct rig r;
    struct gen_app a = { .r = &r, .image = { 1, 10, false, { 0 } } };

    (void)state;
    rig_open(&r, 3); /* two pages, for one and a half generations */
    assert_int_equal(rig_mount(&r), ESP_OK);
    assert_int_equal(gen_begin(&a), ESP_OK);
    assert_int_equal(gen_set(&a, 5), ESP_OK);
    struct kv_ns ns;
    assert_int_equal(kv_open(r.kv, "other", true, &ns), ESP_OK);
    const struct val big = { KV_TYPE_CHUNK, 3000, 1 };
    assert_int_equal(val_set(&ns, "big", &big), ESP_OK);
    a.image = (struct kv_gen_image){ 2, 11, true, { 0 } };
    assert_int_equal(gen_begin(&a), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    a.image = (struct kv_gen_image){ 1, 10, false, { 0 } };
    assert_int_equal(gen_begin(&a), ESP_OK);
    assert_int_equal(gen_get(&a), 5);
    assert_true(val_is(&ns, "big", &big));
    rig_close(&r);
}

/* Each allocation fails once. */
static void test_no_memory(void **state)
{
    (void)state;
    for (uint32_t nth = 1;; nth++) {
        struct rig r;
        struct gen_app a = { .r = &r, .image = { 1, 10, false, { 0 } } };
        esp_err_t err;

        rig_open(&r, 8);
        assert_int_equal(rig_mount(&r), ESP_OK);
        assert_int_equal(gen_begin(&a), ESP_OK);
        assert_int_equal(gen_set(&a, 5), ESP_OK);
        a.image = (struct kv_gen_image){ 2, 11, true, { 0 } };
        r.heap.fail_at = r.heap.alloc_cnt + nth;
        err = gen_begin(&a);
        r.heap.fail_at = 0;
        if (err) {
            assert_int_equal(err, ESP_ERR_NO_MEM);
            assert_int_equal(gen_begin(&a), ESP_OK);
        }
        assert_int_equal(gen_get(&a), 52);
        rig_close(&r);
        if (!err) {
            assert_true(nth > 4); /* two texts, two blobs */
            return;
        }
    }
}

static void test_wrong_jobs(void **state)
{
    static const char *const too_long[] = { "fifteen_letters" };
    static const char *const empty[] = { "" };
    const struct kv_gen_job jobs[] = {
        { .image.schema = 0 },
        { .image.schema = KV_GEN_SCHEMA_MAX + 1 },
        { .image.schema = 1, .names = too_long, .name_cnt = 1 },
        { .image.schema = 1, .names = empty, .name_cnt = 1 },
    };
    struct rig r;
    struct kv_ns ns;
    uint8_t side;

    (void)state;
    rig_open(&r, 4);
    assert_int_equal(rig_mount(&r), ESP_OK);
    for (size_t i = 0; i < CNT(jobs); i++)
        assert_int_equal(kv_gen_begin(r.kv, &jobs[i], &side),
                         ESP_ERR_INVALID_ARG);
    /* A number that says that the side which counts holds nothing. */
    assert_int_equal(kv_open(r.kv, "porta", true, &ns), ESP_OK);
    assert_int_equal(kv_set_number(&ns, "settings", KV_TYPE_U64, 42), ESP_OK);
    assert_int_equal(
        kv_gen_begin(r.kv, &(struct kv_gen_job){ .image.schema = 1 }, &side),
        ESP_ERR_NVS_INVALID_STATE);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories),
        cmocka_unit_test(test_a_hook_that_fails),
        cmocka_unit_test(test_nothing_is_left_over),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_wrong_jobs),
    };

    return cmocka_run_group_tests_name("kv_gen", tests, NULL, NULL);
}
