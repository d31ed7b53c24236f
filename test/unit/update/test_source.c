/* Where the bytes come from: clients that are lent, URLs that are made anew,
 * answers that break off, lengths that nobody tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim_rng.h"
#include "slot/slot.h"
#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* A client that leaves redirects to its user. */
static void test_lent_client(void **state)
{
    static const struct {
        const char *claim, *location;
        esp_err_t want;
        const char *says;
        uint32_t requests;
    } rows[] = {
        { "in a circle", "Location: /b\r\n", ESP_ERR_HTTP_MAX_REDIRECT, "loop",
          2 },
        { "nowhere", "", ESP_ERR_INVALID_ARG, "without a Location", 1 },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        const struct http_opts opts = { .follow = false };
        struct http_client *c = NULL;
        struct rig r;

        print_message("# %s\n", rows[i].claim);
        rig_open(&r);
        r.web.status = 302;
        r.web.file_len = 0;
        r.web.extra = rows[i].location;
        assert_int_equal(http_open(&c, &r.env.http, &opts, RIG_URL, NULL),
                         ESP_OK);
        r.opts.client = c;
        assert_int_equal(rig_update(&r, NULL), rows[i].want);
        assert_non_null(strstr(r.diag.text, rows[i].says));
        assert_int_equal(r.web.request_cnt, rows[i].requests);
        assert_int_equal(sim_flash_ops(&r.flash), 0);
        http_close(c); /* it was lent */
        rig_close(&r);
    }
}

/* What was said until it broke off is quoted. */
static void test_words_that_break_off(void **state)
{
    static const char page[] = "there is no such release, try another";
    struct rig r;

    (void)state;
    rig_open(&r);
    rig_serve(&r, page, sizeof(page) - 1);
    r.web.status = 404;
    r.web.type = "text/plain";
    r.web.cut_at = 24;
    r.web.cut_cnt = 1;
    assert_int_equal(rig_update(&r, NULL), ESP_FAIL);
    assert_non_null(strstr(r.diag.text, "404: there is no such file; it says "
                                        "\"there is no such release\""));
    rig_close(&r);
}

/* Random numbers only spread the devices that ask again. */
static void test_retry_without_random_numbers(void **state)
{
    struct sim_rng rng;
    struct rig r;

    (void)state;
    rig_open(&r);
    sim_rng_init(&rng, 1);
    rng.broken = true;
    r.env.http.rng = &rng.port;
    r.opts.retry_cnt = 1;
    r.web.busy_cnt = 1;
    assert_int_equal(rig_update(&r, NULL), ESP_OK);
    assert_int_equal(rig_boots(&r), 1);
    rig_close(&r);
}

/* --- URLs ----------------------------------------------------------------- */

/* Gives one URL, and then none. */
static esp_err_t give_one(void *ctx, enum http_url_why why,
                          struct http_buf *out, struct diag *d)
{
    uint32_t *left = ctx;

    (void)why;
    (void)d;
    if (*left == 0)
        return ESP_ERR_NOT_FOUND;
    --*left;
    return http_buf_add(out, span_str(RIG_URL));
}

static void test_no_url_for_the_rest(void **state)
{
    uint32_t left = 1;
    struct http_urls urls = { &left, give_one };
    struct rig r;

    (void)state;
    rig_open(&r);
    r.http.urls = &urls;
    r.opts.retry_cnt = 3;
    r.web.etag = "\"a\"";
    r.web.cut_at = 9000;
    r.web.cut_cnt = 1;
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(r.diag.text, "no URL to ask was provided"));
    assert_int_equal(r.web.request_cnt, 1);
    assert_int_equal(rig_boots(&r), 0);
    rig_close(&r);
}

/* By offset, and by checkpoint: the URL is asked for before the server is. */
static void test_no_url_to_go_on_with(void **state)
{
    (void)state;
    for (unsigned keeps = 0; keeps < 2; keeps++) {
        uint32_t left = 1;
        struct http_urls urls = { &left, give_one };
        struct rig r;

        rig_open(&r);
        r.http.urls = &urls;
        r.web.etag = "\"a\"";
        r.web.cut_at = 9000;
        r.web.cut_cnt = 1;
        if (keeps)
            r.opts.store = &r.store.port;
        assert_int_equal(rig_update(&r, NULL), ESP_ERR_HTTP_INCOMPLETE_DATA);
        rig_reboot(&r);
        r.opts.start_off = keeps ? 0 : 8192;
        assert_int_equal(rig_update(&r, NULL), ESP_ERR_NOT_FOUND);
        assert_non_null(strstr(r.diag.text, "no URL to ask was provided"));
        assert_int_equal(r.web.request_cnt, 1);
        left = 9; /* nothing is lost */
        assert_int_equal(rig_update(&r, NULL), ESP_OK);
        assert_int_equal(rig_boots(&r), 1);
        rig_close(&r);
    }
}

/* --- an offset that the application knows --------------------------------- */

static const struct offset_row {
    const char *claim;
    bool whole;     /* the slot holds all of the image, its head, too */
    bool no_ranges; /* the server sends all of it */
    bool no_length; /* nor does it say how long a part is... */
    size_t cut_at;  /* ...and ends one after so many bytes */
    bool is_data;   /* to "blob" */
    bool silent;    /* after cut_at nothing comes any more */
    bool keeps;     /* checkpoints, of which there is none */
    esp_err_t want;
    uint32_t want_from;
    const char *says;
} offsets[] = {
    { .claim = "a head that is there is not asked for",
      .whole = true,
      .want_from = 8192 },
    { .claim = "a server without ranges sends all, over what there is",
      .whole = true,
      .no_ranges = true },
    { .claim = "a part with the head that ends early",
      .no_length = true,
      .cut_at = 5,
      .want = ESP_ERR_INVALID_RESPONSE,
      .want_from = 8192,
      .says = "the transfer broke after" },
    { .claim = "a part with the head that comes to a halt",
      .cut_at = 5,
      .silent = true,
      .want = ESP_ERR_TIMEOUT,
      .want_from = 8192,
      .says = "fell silent" },
    { .claim = "nothing is kept of data that nobody hashed",
      .is_data = true,
      .keeps = true,
      .want_from = 8192 },
    { .claim = "an image is hashed all the same",
      .keeps = true,
      .want_from = 8192 },
    { .claim = "data has no head", .is_data = true, .want_from = 8192 },
    { .claim = "data from a server without ranges",
      .is_data = true,
      .no_ranges = true },
};

static void test_offsets(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(offsets); i++) {
        const struct offset_row *row = &offsets[i];
        uint32_t at = row->is_data ? RIG_BLOB : RIG_SLOT_1;
        struct upd_result res;
        struct rig r;

        print_message("# %s\n", row->claim);
        rig_open(&r);
        if (row->is_data) {
            rig_serve(&r, r.image, 16000);
            r.opts.staging = part_find_label(&r.parts.table, "blob");
        }
        memcpy(r.flash.bytes + at, r.image, row->whole ? r.image_len : 8192);
        if (!row->whole && !row->is_data)
            memset(r.flash.bytes + at, 0xFF, SLOT_HEAD_LEN);
        r.opts.start_off = 8192;
        r.opts.checkpoint_len = 4096;
        if (row->keeps)
            r.opts.store = &r.store.port;
        r.web.etag = "\"a\"";
        r.web.no_ranges = row->no_ranges;
        r.web.no_length = row->no_length;
        r.web.cut_at = row->cut_at;
        r.web.cut_cnt = row->cut_at ? 1 : 0;
        r.web.cut_silent = row->silent;
        r.opts.result = &res;
        assert_int_equal(rig_update(&r, NULL), row->want);
        if (row->says)
            assert_non_null(strstr(r.diag.text, row->says));
        assert_int_equal(res.resumed_from, row->want_from);
        assert_int_equal(res.checkpoint_cnt > 0, row->keeps && !row->is_data);
        if (!row->want)
            assert_memory_equal(rig_bytes(&r, at), r.web.file, r.web.file_len);
        rig_close(&r);
    }
}

/* --- lengths that nobody tells -------------------------------------------- */

static void test_full_slot(void **state)
{
    static const struct {
        uint32_t len;
        esp_err_t want;
        const char *says;
    } rows[] = {
        { RIG_BLOB_LEN - 1, ESP_OK, "" },
        { RIG_BLOB_LEN, ESP_OK, "" },
        { RIG_BLOB_LEN + 1, ESP_ERR_INVALID_SIZE,
          "blob is full after 16384 bytes and more is coming" },
    };
    static uint8_t file[RIG_BLOB_LEN + 1];

    (void)state;
    memset(file, 0x42, sizeof(file));
    for (size_t i = 0; i < CNT(rows); i++) {
        struct rig r;

        print_message("# %u bytes\n", (unsigned)rows[i].len);
        rig_open(&r);
        rig_serve(&r, file, rows[i].len);
        r.web.no_length = true;
        r.opts.staging = part_find_label(&r.parts.table, "blob");
        assert_int_equal(rig_update(&r, NULL), rows[i].want);
        assert_non_null(strstr(r.diag.text, rows[i].says));
        if (!rows[i].want)
            assert_memory_equal(rig_bytes(&r, RIG_BLOB), file, rows[i].len);
        rig_close(&r);
    }
}

/* What is erased at once is what the image may need: all of the slot. */
static void test_bulk_erase_of_unknown_length(void **state)
{
    struct upd_result res;
    struct rig r;

    (void)state;
    rig_open(&r);
    r.web.no_length = true;
    r.opts.bulk_erase = true;
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_int_equal(res.erase_cnt, RIG_SLOT_LEN / 4096);
    assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image, r.image_len);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lent_client),
        cmocka_unit_test(test_words_that_break_off),
        cmocka_unit_test(test_retry_without_random_numbers),
        cmocka_unit_test(test_no_url_for_the_rest),
        cmocka_unit_test(test_no_url_to_go_on_with),
        cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_full_slot),
        cmocka_unit_test(test_bulk_erase_of_unknown_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
