/* Updates from end to end against the simulator: good, cut, refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* --- what a good update leaves behind ------------------------------------- */

static void test_good(void **state)
{
    struct rig r;
    struct upd_result res;
    uint32_t sectors;

    (void)state;
    rig_open(&r);
    r.flash.count = (struct sim_flash_count){ 0 };
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image, r.image_len);
    assert_int_equal(rig_boots(&r), 1);
    assert_int_equal(res.written_len, r.image_len);
    assert_int_equal(res.image_len, r.image_len);
    assert_int_equal(res.http_status, 200);
    assert_string_equal(res.image.desc.version, "2");
    assert_string_equal(res.slot, "ota_1");
    /* Each sector once, in one go; the held head is one program more. */
    sectors = (r.image_len + 4095) / 4096;
    assert_int_equal(res.erase_cnt, sectors);
    assert_int_equal(res.prog_cnt, sectors + 1);
    for (uint32_t i = 0; i < sectors; i++)
        assert_int_equal(r.flash.erase_cnt[RIG_SLOT_1 / 4096 + i], 1);
    assert_int_equal(r.flash.erase_cnt[RIG_SLOT_1 / 4096 + sectors], 0);
    rig_close(&r);
}

static void test_bulk_erase(void **state)
{
    struct rig r;
    struct upd_result res;

    (void)state;
    rig_open(&r);
    r.opts.bulk_erase = true;
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_int_equal(res.erase_cnt, (r.image_len + 4095) / 4096);
    assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image, r.image_len);
    rig_close(&r);
}

/* Any way the bytes arrive in is the same image. */
static void test_pieces(void **state)
{
    static const size_t sizes[] = { 1, 7, 100, 4095, 4096, 5000 };
    struct rig r;

    (void)state;
    for (size_t i = 0; i < CNT(sizes); i++) {
        rig_open(&r);
        r.web.max_recv = sizes[i];
        r.opts.read_len = i % 2 ? 0 : 1000;
        assert_int_equal(rig_update(&r, NULL), ESP_OK);
        assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image, r.image_len);
        rig_close(&r);
    }
}

static void test_ranges(void **state)
{
    struct rig r;
    struct upd_result res;

    (void)state;
    rig_open(&r);
    r.opts.range_len = 8192;
    r.web.etag = "\"v2\"";
    assert_int_equal(rig_update(&r, &res), ESP_OK);
    assert_memory_equal(rig_bytes(&r, RIG_SLOT_1), r.image, r.image_len);
    assert_int_equal(r.web.request_cnt, 3);
    assert_int_equal(r.web.open_cnt, 1);
    assert_string_equal(r.web.ranges[0], "bytes=0-8191");
    assert_string_equal(r.web.ranges[1], "bytes=8192-16383");
    assert_string_equal(r.web.ranges[2], "bytes=16384-");
    assert_int_equal(res.image_len, r.image_len);
    rig_close(&r);
}

/* --- bad input: refused with a sentence, nothing lost --------------------- */

enum image_kind { IMAGE_GOOD, IMAGE_CHIP, IMAGE_REV, IMAGE_BIG, IMAGE_HTML };

struct bad {
    const char *claim;
    enum image_kind image;
    int32_t cut;      /* the file loses (< 0) or gains bytes at its end */
    uint32_t flip_at; /* this byte is changed, if not 0 */
    uint8_t flip_to;
    int status;
    const char *type;
    esp_err_t want;
    const char *says; /* a part of the sentence */
    bool erases;      /* the slot may be touched before it is known */
};

static const char html[] = "<!DOCTYPE html><html><body>Please log in to the "
                           "network first</body></html>";

static const struct bad bads[] = {
    { .claim = "a page instead of an image",
      .image = IMAGE_HTML,
      .type = "text/html",
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "text/html" },
    { .claim = "the page's first words are quoted",
      .image = IMAGE_HTML,
      .type = "text/html",
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "network first</body></html>\"; a network's login page" },
    { .claim = "a network that says so itself",
      .image = IMAGE_HTML,
      .type = "text/html",
      .status = 511,
      .want = ESP_FAIL,
      .says = "captive portal); it says \"<!DOCTYPE html>" },
    { .claim = "a page without a type",
      .image = IMAGE_HTML,
      .type = "",
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "sent something without a type, which is no firmware" },
    { .claim = "a page that begins with a letter of another language",
      .flip_at = 0,
      .flip_to = 0xC3,
      .status = -1,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "begins with \"c3 02" },
    { .claim = "407", .status = 407, .want = ESP_FAIL, .says = "the proxy" },
    { .claim = "wrong magic",
      .flip_at = 0,
      .flip_to = 0xE8,
      .status = -1,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "e8 02" },
    { .claim = "another chip",
      .image = IMAGE_CHIP,
      .want = ESP_ERR_INVALID_VERSION,
      .says = "esp32c3" },
    { .claim = "a revision that is newer than the device",
      .image = IMAGE_REV,
      .want = ESP_ERR_INVALID_VERSION,
      .says = "" },
    { .claim = "larger than the slot",
      .image = IMAGE_BIG,
      .want = ESP_ERR_INVALID_SIZE,
      .says = "too many" },
    { .claim = "too many segments",
      .flip_at = 1,
      .flip_to = 17,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "17" },
    { .claim = "a segment length that overflows",
      .flip_at = 31,
      .flip_to = 0xFF,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "" },
    { .claim = "one bit of a segment",
      .flip_at = 9000,
      .flip_to = 0,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "",
      .erases = true },
    { .claim = "a file that ends early",
      .cut = -40,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "",
      .erases = true },
    { .claim = "a file that ends in the head",
      .cut = -20200,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "" },
    { .claim = "bytes after the end",
      .cut = 100,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "",
      .erases = true },
    { .claim = "404", .status = 404, .want = ESP_FAIL, .says = "404" },
    { .claim = "403", .status = 403, .want = ESP_FAIL, .says = "forbidden" },
    { .claim = "401", .status = 401, .want = ESP_FAIL, .says = "token" },
    { .claim = "500, with what the server says",
      .status = 500,
      .image = IMAGE_HTML,
      .type = "text/html",
      .want = ESP_FAIL,
      .says = "Please log in" },
    { .claim = "304",
      .status = 304,
      .want = ESP_ERR_HTTP_NOT_MODIFIED,
      .says = "304" },
};

static uint8_t *bad_file(const struct bad *b, uint32_t *len)
{
    struct rig_image how = { .filler = 1 };
    uint8_t *file;

    if (b->image == IMAGE_HTML) {
        *len = sizeof(html) - 1;
        file = malloc(*len);
        memcpy(file, html, *len);
        return file;
    }
    how.chip_id = b->image == IMAGE_CHIP ? 0x0005 : 0;
    how.min_rev = b->image == IMAGE_REV ? 101 : 0;
    how.body_len = b->image == IMAGE_BIG ? RIG_SLOT_LEN : 0;
    file = rig_make_image(&how, len);
    if (b->cut > 0) {
        file = realloc(file, *len + (uint32_t)b->cut);
        memset(file + *len, 0x11, (uint32_t)b->cut);
    }
    *len = (uint32_t)((int32_t)*len + b->cut);
    if (b->flip_at > 0 || b->status == -1)
        file[b->flip_at] =
            b->flip_to == 0 ? (uint8_t)~file[b->flip_at] : b->flip_to;
    return file;
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(bads); i++) {
        const struct bad *b = &bads[i];
        struct rig r;
        uint32_t len;
        uint8_t *file = bad_file(b, &len);

        print_message("# %s\n", b->claim);
        rig_open(&r);
        rig_serve(&r, file, len);
        r.web.status = b->status > 0 ? b->status : 0;
        r.web.type = b->type;
        assert_int_equal(rig_update(&r, NULL), b->want);
        print_message("    %s\n", r.diag.text);
        assert_non_null(strstr(r.diag.text, b->says));
        assert_int_equal(r.diag.err, b->want);
        assert_int_equal(rig_boots(&r), 0);
        assert_int_not_equal(rig_bytes(&r, RIG_SLOT_1)[0], IMG_MAGIC);
        if (!b->erases)
            assert_int_equal(sim_flash_ops(&r.flash), 0);
        rig_close(&r);
        free(file);
    }
}

/* An image that is larger than its slot although nobody announced it. */
static void test_too_large_unannounced(void **state)
{
    struct rig r;
    struct rig_image how = { .body_len = RIG_SLOT_LEN };
    uint32_t len;
    uint8_t *file = rig_make_image(&how, &len);

    (void)state;
    rig_open(&r);
    rig_serve(&r, file, len);
    r.web.no_length = true;
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_INVALID_SIZE);
    assert_non_null(strstr(r.diag.text, "room for 131072"));
    assert_int_equal(sim_flash_ops(&r.flash), 0);
    rig_close(&r);
    free(file);
}

/* --- the network misbehaves ----------------------------------------------- */

struct broken {
    const char *claim;
    size_t cut_at;
    uint32_t cut_cnt;
    bool silent;
    uint32_t refuse_cnt;
    uint32_t retry_cnt;
    uint32_t max_time_ms;
    esp_err_t want;
    const char *says;
};

static const struct broken brokens[] = {
    { .claim = "the connection ends",
      .cut_at = 10000,
      .cut_cnt = 1,
      .want = ESP_ERR_HTTP_INCOMPLETE_DATA,
      .says = "10000 of" },
    { .claim = "it ends, and is mended",
      .cut_at = 10000,
      .cut_cnt = 1,
      .retry_cnt = 1,
      .want = ESP_OK },
    { .claim = "it ends more often than allowed",
      .cut_at = 3000,
      .cut_cnt = 5,
      .retry_cnt = 3,
      .want = ESP_ERR_HTTP_INCOMPLETE_DATA,
      .says = "12000 of" },
    { .claim = "silence for ever",
      .cut_at = 5000,
      .cut_cnt = 1,
      .silent = true,
      .want = ESP_ERR_TIMEOUT,
      .says = "silent after 5000" },
    { .claim = "silence, with a time limit",
      .cut_at = 5000,
      .cut_cnt = 1,
      .silent = true,
      .max_time_ms = 100,
      .retry_cnt = 5,
      .want = ESP_ERR_TIMEOUT,
      .says = "time limit" },
    { .claim = "refused",
      .refuse_cnt = 1,
      .want = ESP_ERR_HTTP_CONNECT,
      .says = "" },
    { .claim = "refused once, then not",
      .refuse_cnt = 1,
      .retry_cnt = 1,
      .want = ESP_OK },
};

static void test_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(brokens); i++) {
        const struct broken *b = &brokens[i];
        struct rig r;

        print_message("# %s\n", b->claim);
        rig_open(&r);
        r.web.cut_at = b->cut_at;
        r.web.cut_cnt = b->cut_cnt;
        r.web.cut_silent = b->silent;
        r.web.refuse_cnt = b->refuse_cnt;
        r.opts.retry_cnt = b->retry_cnt;
        r.opts.max_time_ms = b->max_time_ms;
        r.opts.stall_ms = b->max_time_ms ? 100000 : 0;
        assert_int_equal(rig_update(&r, NULL), b->want);
        print_message("    %s\n", r.diag.text);
        if (b->says)
            assert_non_null(strstr(r.diag.text, b->says));
        assert_int_equal(rig_boots(&r), b->want ? 0 : 1);
        rig_close(&r);
    }
}

/* Pauses that end are no silence, however many there are. */
static void test_pauses(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r);
    r.web.pause_each = 1000;
    r.web.max_recv = 500;
    r.opts.stall_ms = 7000;
    assert_int_equal(rig_update(&r, NULL), ESP_OK);
    rig_close(&r);
}

/* The rest of a file that changed is not glued to the start of the old one:
 * what the caller was told of is what comes, or nothing. */
static void test_changed_file(void **state)
{
    struct rig r;
    struct upd *u;
    esp_err_t err;
    enum upd_step step = UPD_STEP_MORE;

    (void)state;
    rig_open(&r);
    r.web.etag = "\"a\"";
    r.web.cut_at = 9000;
    r.web.cut_cnt = 1;
    r.opts.retry_cnt = 3;
    assert_int_equal(upd_begin(&u, &r.env, &r.opts, &r.diag), ESP_OK);
    r.web.etag = "\"b\"";
    upd_hold(u);
    while (step == UPD_STEP_MORE)
        step = upd_step(u, &err);
    assert_int_equal(step, UPD_STEP_FAILED);
    assert_non_null(strstr(r.diag.text, "changed"));
    upd_abort(u, NULL);
    rig_close(&r);
}

/* --- flash that does not hold what was written ---------------------------- */

static void test_stuck_sector(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r);
    sim_flash_stick(&r.flash, RIG_SLOT_1 + 0x2000, true);
    assert_int_equal(rig_update(&r, NULL), ESP_ERR_FLASH_OP_FAIL);
    assert_non_null(strstr(r.diag.text, "0x2000"));
    assert_int_equal(rig_boots(&r), 0);
    rig_close(&r);
}

/* --- memory --------------------------------------------------------------- */

static void test_alloc_fails(void **state)
{
    uint32_t allocs;

    (void)state;
    for (uint32_t n = 1;; n++) {
        struct rig r;
        esp_err_t err;

        rig_open(&r);
        r.heap.fail_at = n;
        err = rig_update(&r, NULL);
        allocs = r.heap.alloc_cnt;
        assert_int_equal(err, allocs < n ? ESP_OK : ESP_ERR_NO_MEM);
        assert_int_equal(rig_boots(&r), err ? 0 : 1);
        rig_close(&r);
        if (allocs < n)
            break;
    }
    assert_true(allocs > 2);
}

/* The flash fails at each operation in turn: the device boots what the
 * sentence says. */
static void test_flash_fails(void **state)
{
    bool failed = true;
    unsigned old = 0, announced = 0;

    (void)state;
    for (uint32_t nth = 1; failed; nth++) {
        struct rig r;

        rig_open(&r);
        sim_flash_arm(&r.flash, SIM_FAULT_STATUS, nth, nth);
        failed = rig_update(&r, NULL) != ESP_OK;
        bool new = rig_boots(&r) == 1;
        if (failed)
            assert_true(new == (strstr(r.diag.text, "all the same") != NULL));
        else
            assert_true(new);
        announced += failed && new;
        old += failed && !new;
        rig_close(&r);
    }
    print_message("# %u failures kept the old image, %u did not\n", old,
                  announced);
    assert_true(old > 0 && announced > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bulk_erase),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_too_large_unannounced),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_flash_fails),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_changed_file),
        cmocka_unit_test(test_stuck_sector),
        cmocka_unit_test(test_alloc_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
