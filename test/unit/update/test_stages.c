/* Stages of all kinds: even ones that go on later, some that break their
 * contract, more than fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define HEAD_LEN 16u
#define PAD 0x5A

/* Takes a head, and then XORs each byte. */
struct even {
    uint32_t head_got;
    bool leaks;   /* hands out a byte of the head */
    bool forgets; /* cannot take what was handed out earlier */
    bool tells;   /* knows the length of what is behind the head... */
    uint64_t len; /* ...which is this */
    uint8_t mark; /* of the head */
    uint32_t replayed;
};

static esp_err_t even_begin(void *ctx)
{
    ((struct even *)ctx)->head_got = 0;
    return ESP_OK;
}

static esp_err_t even_feed(void *ctx, const void *data, size_t len,
                           const struct upd_stage_out *out)
{
    struct even *e = ctx;
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++) {
        uint8_t plain = p[i] ^ PAD;
        esp_err_t err = ESP_OK;

        if (e->head_got < HEAD_LEN) {
            e->head_got++;
            if (!e->leaks || e->head_got < HEAD_LEN)
                continue;
        }
        err = out->feed(out->ctx, &plain, 1);
        if (err)
            return err;
    }
    return ESP_OK;
}

static esp_err_t even_finish(void *ctx, const struct upd_stage_out *out)
{
    (void)ctx;
    (void)out;
    return ESP_OK;
}

static void even_abort(void *ctx)
{
    (void)ctx;
}

static bool even_body_len(void *ctx, uint64_t *len)
{
    const struct even *e = ctx;

    *len = e->len;
    return e->tells;
}

static void even_mark(void *ctx, uint8_t out[UPD_MARK_LEN])
{
    memset(out, ((const struct even *)ctx)->mark, UPD_MARK_LEN);
}

static esp_err_t even_replay(void *ctx, const void *data, size_t len)
{
    struct even *e = ctx;

    (void)data;
    e->replayed += (uint32_t)len;
    return e->forgets ? ESP_FAIL : ESP_OK;
}

static const struct upd_even even = { HEAD_LEN, even_body_len, even_mark,
                                      even_replay };

static uint8_t *seal(const uint8_t *plain, uint32_t len)
{
    uint8_t *file = malloc(HEAD_LEN + len);

    memset(file, 'H', HEAD_LEN);
    for (uint32_t i = 0; i < len; i++)
        file[HEAD_LEN + i] = plain[i] ^ PAD;
    return file;
}

struct row {
    const char *claim;
    bool leaks, forgets, tells;
    uint64_t longer; /* what the head tells is so much too long */
    bool other_mark, no_ranges, no_length;
    bool fresh; /* nothing was begun before */
    esp_err_t want;
    const char *says;
    uint32_t want_from;
};

static const struct row rows[] = {
    { .claim = "goes on, though nobody knows how long it is",
      .no_length = true,
      .want_from = 8192 },
    { .claim = "goes on, with a length in the head",
      .tells = true,
      .want_from = 8192 },
    { .claim = "another head: from the start", .other_mark = true },
    { .claim = "a stage that hands out its head is not gone on with",
      .leaks = true,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "what the file decrypts to is no firmware image" },
    { .claim = "a stage that cannot take what was there: from the start",
      .forgets = true },
    { .claim = "all comes instead of the head: from the start",
      .no_ranges = true },
    { .claim = "a head that tells another length than the server",
      .tells = true,
      .longer = 1,
      .want = ESP_ERR_INVALID_SIZE,
      .says = "it is damaged or cut short",
      .want_from = 8192 },
    { .claim = "a head that tells more than there is room for",
      .tells = true,
      .longer = UINT64_MAX / 2,
      .no_length = true,
      .fresh = true,
      .want = ESP_ERR_INVALID_SIZE,
      .says = "ota_1 has room for" },
};

/* Broken off after two sectors of the image. */
static void break_off(struct rig *r)
{
    r->web.etag = "\"a\"";
    r->opts.store = &r->store.port;
    r->opts.checkpoint_len = 4096;
    r->web.cut_at = 10000;
    r->web.cut_cnt = 1;
    assert_int_equal(rig_update(r, NULL), ESP_ERR_HTTP_INCOMPLETE_DATA);
    assert_string_not_equal(r->store.text, "");
    rig_reboot(r);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        const struct row *row = &rows[i];
        struct even e = { .mark = 7 };
        struct upd_stage stage = { &e,          even_begin, even_feed,
                                   even_finish, even_abort, NULL,
                                   &even };
        struct upd_result res;
        struct rig r;
        uint8_t *file;

        print_message("# %s\n", row->claim);
        rig_open(&r);
        file = seal(r.image, r.image_len);
        rig_serve(&r, file, HEAD_LEN + r.image_len);
        r.opts.stages = &stage;
        r.opts.stage_cnt = 1;
        r.opts.result = &res;
        if (!row->fresh)
            break_off(&r);
        r.web.no_ranges = row->no_ranges;
        r.web.no_length = r.web.no_total = row->no_length;
        e.leaks = row->leaks;
        e.forgets = row->forgets;
        e.tells = row->tells;
        e.len = r.image_len + row->longer;
        e.mark += row->other_mark;
        assert_int_equal(rig_update(&r, NULL), row->want);
        if (row->says)
            assert_non_null(strstr(r.diag.text, row->says));
        assert_int_equal(res.resumed_from, row->want_from);
        assert_int_equal(rig_boots(&r), row->want ? 0 : 1);
        if (!row->want)
            assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image,
                                r.image_len);
        rig_close(&r);
        free(file);
    }
}

/* Gives one URL, and then none. */
static esp_err_t give_one(void *ctx, enum http_url_why why,
                          struct http_buf *out, struct diag *d)
{
    uint32_t *left = ctx;

    (void)why;
    (void)d;
    return (*left)-- == 1 ? http_buf_add(out, span_str(RIG_URL))
                          : ESP_ERR_NOT_FOUND;
}

/* The head is to be fetched anew, and there is no URL to ask for it. */
static void test_no_url_for_the_head(void **state)
{
    struct even e = { .mark = 7 };
    struct upd_stage stage = { &e,         even_begin, even_feed, even_finish,
                               even_abort, NULL,       &even };
    uint32_t left = 1;
    struct http_urls urls = { &left, give_one };
    struct rig r;
    uint8_t *file;

    (void)state;
    rig_open(&r);
    file = seal(r.image, r.image_len);
    rig_serve(&r, file, HEAD_LEN + r.image_len);
    r.opts.stages = &stage;
    r.opts.stage_cnt = 1;
    r.http.urls = &urls;
    break_off(&r);
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(r.diag.text, "no URL to ask was provided"));
    assert_int_equal(r.web.request_cnt, 1);
    assert_string_not_equal(r.store.text,
                            ""); /* it can still be gone on with */
    rig_close(&r);
    free(file);
}

/* Nobody knows beforehand how much a stage hands out. */
static void test_too_much(void **state)
{
    static const struct {
        uint32_t len;
        bool bulk;
        esp_err_t want;
        const char *says;
    } lens[] = {
        { RIG_BLOB_LEN, false, ESP_OK, "" },
        { RIG_BLOB_LEN, true, ESP_OK, "" },
        { RIG_BLOB_LEN + 1, false, ESP_ERR_INVALID_SIZE,
          "blob is full after 16384 bytes and more is coming" },
    };
    static uint8_t plain[RIG_BLOB_LEN + 1];

    (void)state;
    memset(plain, 0x42, sizeof(plain));
    for (size_t i = 0; i < CNT(lens); i++) {
        struct even e = { .mark = 7 };
        struct upd_stage stage = { &e,          even_begin, even_feed,
                                   even_finish, even_abort, NULL,
                                   NULL };
        uint8_t *file = seal(plain, lens[i].len);
        struct rig r;

        print_message("# %u bytes\n", (unsigned)lens[i].len);
        rig_open(&r);
        rig_serve(&r, file, HEAD_LEN + lens[i].len);
        r.opts.staging = part_find_label(&r.parts.table, "blob");
        r.opts.stages = &stage;
        r.opts.stage_cnt = 1;
        r.opts.bulk_erase = lens[i].bulk;
        assert_int_equal(rig_update(&r, NULL), lens[i].want);
        assert_non_null(strstr(r.diag.text, lens[i].says));
        if (!lens[i].want)
            assert_memory_equal(rig_bytes(&r, RIG_BLOB), plain, lens[i].len);
        rig_close(&r);
        free(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_url_for_the_head),
        cmocka_unit_test(test_too_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
