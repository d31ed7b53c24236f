/* What a session refuses before it erases anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct img_cap client = { .state = IMG_CAP_GOOD, .client = true };
static const struct img_cap no_client = { .state = IMG_CAP_GOOD };
static const struct img_cap other_table = { .state = IMG_CAP_GOOD,
                                            .client = true,
                                            .has_table = true };

struct row {
    const char *claim;
    struct rig_image how;
    struct pre_policy pre;
    uint32_t heap_free;
    uint32_t less; /* bytes that the file lacks at its end */
    enum pre_why want;
    const char *words;
};

static const struct row rows[] = {
    { "an image without a record", { 0 }, { 0 }, 0, 0, PRE_OK, "" },
    { "one that can be updated",
      { .cap = &client },
      { .require_updatable = true },
      0,
      0,
      PRE_OK,
      "" },
    { "a program without a client",
      { .cap = &no_client },
      { 0 },
      0,
      0,
      PRE_NO_CLIENT,
      "no OTA client" },
    { "made for another table",
      { .cap = &other_table },
      { 0 },
      0,
      0,
      PRE_OTHER_TABLE,
      "another partition table" },
    { "nothing said, and asked for",
      { 0 },
      { .require_updatable = true },
      0,
      0,
      PRE_CAP_ABSENT,
      "no capability record" },
    { "the version that runs",
      { .version = "1" },
      { .no_same_version = true },
      0,
      0,
      PRE_SAME_VERSION,
      "runs already" },
    { "an older one",
      { .version = "0.9" },
      { .no_older = true },
      0,
      0,
      PRE_OLDER,
      "0.9 is older than 1" },
    { "another project",
      { .project = "other" },
      { .same_project = true },
      0,
      0,
      PRE_PROJECT,
      "\"rig\" runs" },
    { "too little heap",
      { 0 },
      { .least_heap = 50000 },
      49000,
      0,
      PRE_HEAP,
      "49000 bytes" },
    { "a file that is too short",
      { 0 },
      { 0 },
      0,
      1000,
      PRE_FILE_SHORT,
      "are missing" },
};

static void run(const struct row *row, bool bulk, uint32_t read_len)
{
    struct upd_result result;
    struct rig r;
    esp_err_t err;

    rig_open(&r);
    free(r.image);
    r.image = rig_make_image(&row->how, &r.image_len);
    rig_serve(&r, r.image, r.image_len - row->less);
    r.opts.pre = row->pre;
    r.opts.heap_free = row->heap_free;
    r.opts.bulk_erase = bulk;
    r.opts.read_len = read_len;
    err = rig_update(&r, &result);
    if (result.pre.why != row->want || !strstr(r.diag.text, row->words))
        fail_msg("%s: %d 0x%x %s", row->claim, result.pre.why, (unsigned)err,
                 r.diag.text);
    assert_int_equal(err, result.pre.err);
    if (err)
        assert_int_equal(sim_flash_ops(&r.flash), 0);
    assert_int_equal(rig_boots(&r), err ? 0 : 1);
    rig_close(&r);
}

static void test_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        run(&rows[i], false, 0);
        run(&rows[i], true, 0);
        run(&rows[i], true, 100); /* the answer needs several reads */
    }
}

/* The head is asked for first, as applications and the command line do. */
static void test_after_the_head(void **state)
{
    struct rig_image how = { .cap = &no_client };
    const struct img_info *info;
    struct upd *u = NULL;
    struct rig r;
    bool more = true;
    esp_err_t err;

    (void)state;
    rig_open(&r);
    free(r.image);
    r.image = rig_make_image(&how, &r.image_len);
    rig_serve(&r, r.image, r.image_len);
    assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
    assert_int_equal(upd_head(u, &info), ESP_OK);
    assert_int_equal(upd_erase_step(u, &more), ESP_OK);
    assert_false(more); /* it is not known yet whether it may */
    while (upd_step(u, &err) == UPD_STEP_MORE)
        ;
    assert_int_equal(err, ESP_ERR_NOT_ALLOWED);
    upd_abort(u, NULL);
    assert_int_equal(sim_flash_ops(&r.flash), 0);
    rig_close(&r);
}

/* The answer, without a step. */
static void test_a_look(void **state)
{
    struct rig_image how = { .cap = &other_table };
    const struct img_info *info;
    struct upd *u = NULL;
    struct rig r;
    esp_err_t err;

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        rig_open(&r);
        free(r.image);
        r.image = rig_make_image(&how, &r.image_len);
        rig_serve(&r, r.image, r.image_len);
        r.web.max_recv = 100;
        assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
        assert_int_equal(upd_look(u, &info),
                         i == 0 ? ESP_ERR_NOT_ALLOWED : ESP_OK);
        assert_string_equal(info->desc.version, "2");
        assert_int_equal(sim_flash_ops(&r.flash), 0);
        while (i == 1 && upd_step(u, &err) == UPD_STEP_MORE)
            ;
        if (i == 1)
            assert_int_equal(upd_finish(u, true, NULL), ESP_OK);
        else
            upd_abort(u, NULL);
        assert_int_equal(rig_boots(&r), i);
        rig_close(&r);
        how.cap = &client;
    }
}

/* An image that is shorter than a head with a record. */
static void test_a_short_image(void **state)
{
    struct rig_image how = { .body_len = 16, .version = "1" };
    struct upd_result result;
    struct rig r;

    (void)state;
    rig_open(&r);
    free(r.image);
    r.image = rig_make_image(&how, &r.image_len);
    assert_true(r.image_len < IMG_CAP_END);
    rig_serve(&r, r.image, r.image_len);
    r.opts.pre.no_same_version = true;
    assert_int_equal(rig_update(&r, &result), ESP_ERR_INVALID_VERSION);
    assert_int_equal(result.pre.why, PRE_SAME_VERSION);
    assert_int_equal(sim_flash_ops(&r.flash), 0);
    rig_close(&r);
}

/* What is asked changed between the two halves of a download. */
static void test_when_it_goes_on(void **state)
{
    struct rig_image how = { .body_len = 60000 };
    struct upd_result result;
    struct rig r;
    uint64_t ops;

    (void)state;
    rig_open(&r);
    free(r.image);
    r.image = rig_make_image(&how, &r.image_len);
    rig_serve(&r, r.image, r.image_len);
    r.web.etag = "\"a\"";
    r.opts.store = &r.store.port;
    r.web.cut_at = 30000;
    r.web.cut_cnt = 1;
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_HTTP_INCOMPLETE_DATA);
    rig_reboot(&r);
    rig_serve(&r, r.image, r.image_len);
    r.web.etag = "\"a\"";
    r.opts.pre.require_updatable = true;
    ops = sim_flash_ops(&r.flash);
    assert_int_equal(rig_update(&r, &result), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(result.resumed_from, 28672);
    assert_int_equal(result.pre.why, PRE_CAP_ABSENT);
    assert_int_equal(sim_flash_ops(&r.flash), ops);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_after_the_head),
        cmocka_unit_test(test_a_look),
        cmocka_unit_test(test_a_short_image),
        cmocka_unit_test(test_when_it_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
