/* Ranges of a file whose length the server does not tell (Content-Range
 * a-b with a star behind it): parts are asked for until one is short, or until
 * there is no byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct row {
    const char *claim;
    uint32_t parts; /* the ranges are so long that there are so many */
    bool even;      /* and the last is as long as the others */
    int end_lie;    /* 416 tells the length, and so much more */
    bool tells_end;
    size_t cut_at, max_part;
    esp_err_t want;
    uint32_t requests;
};

static const struct row rows[] = {
    { "the last part is short", 4, false, 0, false, 0, 0, ESP_OK, 4 },
    { "it is not, so one more is asked for", 4, true, 0, false, 0, 0, ESP_OK,
      5 },
    { "that answer tells the length", 4, true, 0, true, 0, 0, ESP_OK, 5 },
    { "it tells another length", 4, true, 16, true, 0, 0,
      ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE, 5 },
    { "all of it in one part", 1, true, 0, false, 0, 0, ESP_OK, 2 },
    { "more than all of it", 1, false, 0, false, 0, 0, ESP_OK, 1 },
    { "a part breaks and is mended", 4, false, 0, false, 3000, 0, ESP_OK, 5 },
    { "a part that is short in the middle ends it, and is no image", 4, false,
      0, false, 0, 3000, ESP_ERR_OTA_VALIDATE_FAILED, 1 },
};

static uint32_t range_for(const struct row *row, uint32_t len)
{
    return len / row->parts + (row->even ? 0 : 16);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        const struct row *row = &rows[i];
        struct rig r;

        print_message("# %s\n", row->claim);
        rig_open(&r);
        assert_int_equal(r.image_len % 4, 0);
        r.web.no_total = true;
        r.web.cut_at = row->cut_at;
        r.web.cut_cnt = row->cut_at ? 1 : 0;
        r.web.max_part = row->max_part;
        r.web.told_end =
            row->tells_end ? (size_t)((int)r.image_len + row->end_lie) : 0;
        r.opts.range_len = range_for(row, r.image_len);
        r.opts.retry_cnt = row->cut_at > 0;
        assert_int_equal(rig_update(&r, NULL), row->want);
        assert_int_equal(r.web.request_cnt, row->requests);
        assert_int_equal(rig_boots(&r), row->want ? 0 : 1);
        if (!row->want)
            assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image,
                                r.image_len);
        rig_close(&r);
    }
}

/* Nothing but the server knows how much data there is. */
static void test_data(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r);
    rig_serve(&r, r.image, 8000);
    r.opts.staging = part_find_label(&r.parts.table, "blob");
    r.opts.range_len = 2000;
    r.web.no_total = true;
    r.web.etag = "\"1\"";
    assert_int_equal(rig_update(&r, NULL), ESP_OK);
    assert_int_equal(r.web.request_cnt, 5);
    assert_memory_equal(rig_bytes(&r, RIG_BLOB), r.image, 8000);
    assert_int_equal(*rig_bytes(&r, RIG_BLOB + 8000), 0xff);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
