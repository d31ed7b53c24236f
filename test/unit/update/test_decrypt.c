/* Updates from encrypted files: whole ones, wrong ones, and such as go on in a
 * later session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/crypt.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define STEP 8192u

static uint32_t erased(const struct crypt *c)
{
    uint32_t cnt = 0;

    for (uint32_t off = RIG_SLOT_1; off < RIG_SLOT_1 + RIG_SLOT_LEN;
         off += 4096)
        cnt += c->rig.flash.erase_cnt[off / 4096];
    return cnt;
}

static void check_new(struct crypt *c)
{
    assert_memory_equal(rig_bytes(&c->rig, RIG_SLOT_1), c->rig.image,
                        c->rig.image_len);
    assert_int_equal(rig_boots(&c->rig), 1);
}

/* --- whole ones ----------------------------------------------------------- */

struct way {
    const char *claim;
    enum enc_scheme scheme;
    uint32_t read_len, range_len;
    size_t max_recv;
    bool no_length, bulk, retry;
};
static const struct way ways[] = {
    { .claim = "ECIES", .scheme = ENC_SCHEME_ECIES256 },
    { .claim = "RSA", .scheme = ENC_SCHEME_RSA3072 },
    { .claim = "byte by byte", .scheme = ENC_SCHEME_ECIES256, .read_len = 1 },
    { .claim = "odd pieces", .scheme = ENC_SCHEME_ECIES256, .read_len = 517 },
    { .claim = "at once", .scheme = ENC_SCHEME_ECIES256, .read_len = 65536 },
    { .claim = "packets of 7 bytes",
      .scheme = ENC_SCHEME_ECIES256,
      .max_recv = 7 },
    { .claim = "ranges that split head and blocks",
      .scheme = ENC_SCHEME_ECIES256,
      .range_len = 333 },
    { .claim = "no length", .scheme = ENC_SCHEME_ECIES256, .no_length = true },
    { .claim = "bulk erase", .scheme = ENC_SCHEME_ECIES256, .bulk = true },
    { .claim = "the connection breaks and is mended",
      .scheme = ENC_SCHEME_ECIES256,
      .retry = true },
};

static void test_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(ways); i++) {
        const struct way *w = &ways[i];
        struct upd_result res;
        struct crypt c;

        crypt_open(&c, w->scheme);
        c.rig.opts.read_len = w->read_len;
        c.rig.opts.range_len = w->range_len;
        c.rig.opts.bulk_erase = w->bulk;
        c.rig.opts.retry_cnt = 2;
        c.rig.web.no_length = w->no_length;
        c.rig.web.max_recv = w->max_recv;
        c.rig.web.cut_at = 9999;
        c.rig.web.cut_cnt = w->retry;
        if (rig_update(&c.rig, &res) != ESP_OK)
            fail_msg("%s: %s", w->claim, c.rig.diag.text);
        check_new(&c);
        assert_int_equal(res.written_len, c.rig.image_len);
        assert_int_equal(res.retries, w->retry);
        /* Bulk erase stops at the image's end, which the head tells. */
        assert_int_equal(erased(&c), (c.rig.image_len + 4095) / 4096);
        crypt_close(&c);
    }
}

/* What is no image: to its place, or by way of a slot; a tag that does not fit
 * is found before the copy. */
static void test_data(void **state)
{
    static const struct {
        bool by_slot, damage;
        esp_err_t want;
    } rows[] = { { false, false, ESP_OK },
                 { true, false, ESP_OK },
                 { true, true, ESP_ERR_INVALID_MAC } };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct part_table *table;
        struct crypt c;

        crypt_open(&c, ENC_SCHEME_ECIES256);
        memset(c.rig.image, 'd', c.rig.image_len);
        c.rig.image_len = RIG_BLOB_LEN - 100;
        crypt_seal(&c);
        c.file[600] ^= rows[i].damage;
        table = &c.rig.parts.table;
        c.rig.opts.staging =
            part_find_label(table, rows[i].by_slot ? "ota_1" : "blob");
        if (rows[i].by_slot)
            c.rig.opts.final = part_find_label(table, "blob");
        c.rig.opts.finalize_with_copy = rows[i].by_slot;
        assert_int_equal(rig_update(&c.rig, NULL), rows[i].want);
        if (rows[i].damage)
            assert_int_equal(rig_bytes(&c.rig, RIG_BLOB)[0], 0xFF);
        else
            assert_memory_equal(rig_bytes(&c.rig, RIG_BLOB), c.rig.image,
                                c.rig.image_len);
        assert_int_equal(rig_boots(&c.rig), 0);
        crypt_close(&c);
    }
}

/* The description is there before anything is erased. */
static void test_head(void **state)
{
    static const uint32_t lens[] = { 1, 100, 4096, 65536 };

    (void)state;
    for (size_t i = 0; i < CNT(lens); i++) {
        const struct img_info *info;
        struct crypt c;
        struct upd *u;

        crypt_open(&c, ENC_SCHEME_ECIES256);
        c.rig.opts.read_len = lens[i];
        assert_int_equal(upd_begin(&u, &c.rig.env, &c.rig.opts, &c.rig.diag),
                         ESP_OK);
        assert_int_equal(upd_head(u, &info), ESP_OK);
        assert_string_equal(info->desc.version, "2");
        assert_string_equal(info->desc.project, "rig");
        assert_int_equal(erased(&c), 0);
        assert_int_equal(c.rig.flash.count.progs, 0);
        upd_abort(u, NULL);
        crypt_close(&c);
    }
}

/* --- wrong ones ----------------------------------------------------------- */

struct wrong {
    const char *claim;
    enum { AS_IT_IS, PLAIN, OTHER_CHIP, TOO_LARGE } image;
    uint32_t at; /* this byte is flipped, from the end if UINT32_MAX; 0: none */
    int32_t more; /* bytes of the file behind its end, or fewer */
    bool no_length, no_key, other_key;
    uint8_t first; /* this is the file's first byte; 0: as it is */
    esp_err_t want;
    const char *says;
    bool erases; /* it cannot be known before */
};

#define LAST UINT32_MAX

static const struct wrong wrongs[] = {
    { .claim = "another key: the first byte tells",
      .other_key = true,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "encrypted for another key" },
    { .claim = "the last byte: the tag tells",
      .at = LAST,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "",
      .erases = true },
    { .claim = "a byte that no checksum of the image covers",
      .at = 512 + 8, /* of the header: SPI mode */
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "",
      .erases = true },
    { .claim = "the tag",
      .at = 410,
      .want = ESP_ERR_INVALID_MAC,
      .says = "its tag does not fit",
      .erases = true },
    { .claim = "the IV",
      .at = 390,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "encrypted for another key" },
    { .claim = "the point",
      .at = 30,
      .want = ESP_ERR_INVALID_MAC,
      .says = "another key than this ECIES-P256 key" },
    { .claim = "the length in the head",
      .at = 405,
      .want = ESP_ERR_INVALID_SIZE,
      .says = "and its own head says" },
    { .claim = "the file is a byte short",
      .more = -1,
      .want = ESP_ERR_INVALID_SIZE,
      .says = "and its own head says" },
    { .claim = "a byte too long",
      .more = 1,
      .want = ESP_ERR_INVALID_SIZE,
      .says = "and its own head says" },
    { .claim = "a byte short, and the server gives no length",
      .more = -1,
      .no_length = true,
      .want = ESP_ERR_INVALID_SIZE,
      .says = "the encrypted image ends after",
      .erases = true },
    { .claim = "a byte too long, and no length",
      .more = 1,
      .no_length = true,
      .want = ESP_ERR_INVALID_SIZE,
      .says = "and more is coming",
      .erases = true },
    { .claim = "nothing but half a head",
      .more = -20500,
      .want = ESP_ERR_INVALID_SIZE,
      .says = "the head of an encrypted image alone has 512" },
    { .claim = "not encrypted",
      .image = PLAIN,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "a firmware image that is not encrypted" },
    { .claim = "a page",
      .image = PLAIN,
      .first = '<',
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "begins with 3c" },
    { .claim = "encrypted, and no key here",
      .no_key = true,
      .want = ESP_ERR_OTA_VALIDATE_FAILED,
      .says = "has no key to decrypt it by" },
    { .claim = "for another chip",
      .image = OTHER_CHIP,
      .want = ESP_ERR_INVALID_VERSION,
      .says = "this device is linux" },
    { .claim = "too large for the slot",
      .image = TOO_LARGE,
      .want = ESP_ERR_INVALID_SIZE,
      .says = "too many" },
    { .claim = "too large, and no length",
      .image = TOO_LARGE,
      .no_length = true,
      .want = ESP_ERR_INVALID_SIZE,
      .says = "too many" },
};

static void spoil(struct crypt *c, const struct wrong *w)
{
    struct rig_image how = { .filler = 5 };

    how.chip_id = w->image == OTHER_CHIP ? 5 : 0;
    how.body_len = w->image == TOO_LARGE ? RIG_SLOT_LEN : 0;
    crypt_serve(c, &how);
    if (w->image == PLAIN)
        memcpy(c->file, c->rig.image, c->rig.image_len);
    if (w->at)
        c->file[w->at == LAST ? c->file_len - 1 : w->at] ^= 1;
    if (w->first)
        c->file[0] = w->first;
    c->rig.web.no_length = w->no_length;
}

static void try_wrong(const struct wrong *w)
{
    struct crypt c;
    struct enc_key *other;
    uint8_t *file;
    size_t len;
    esp_err_t err;

    crypt_open(&c, ENC_SCHEME_ECIES256);
    spoil(&c, w);
    len = (size_t)((int64_t)c.file_len + w->more);
    file = calloc(1, len > c.file_len ? len : c.file_len);
    memcpy(file, c.file, c.file_len);
    c.rig.web.file = file;
    c.rig.web.file_len = len;
    assert_int_equal(enc_key_open(&other, enc_key_env(c.key),
                                  span_of(file, ENC_HMAC_LEN), "k", NULL),
                     ESP_OK);
    if (w->other_key)
        c.decrypt.key = other;
    if (w->no_key)
        c.rig.opts.stage_cnt = 0;
    c.rig.opts.store = &c.rig.store.port;
    c.rig.opts.checkpoint_len = STEP;
    err = rig_update(&c.rig, NULL);
    if (err != w->want || !strstr(c.rig.diag.text, w->says))
        fail_msg("%s: 0x%x, %s", w->claim, (unsigned)err, c.rig.diag.text);
    if ((erased(&c) > 0) != w->erases)
        fail_msg("%s: %u sectors erased", w->claim, (unsigned)erased(&c));
    assert_int_equal(rig_boots(&c.rig), 0);
    /* The old image lost, nothing boots: not by a fallback, either. */
    c.rig.flash.bytes[RIG_SLOT_0] = 0;
    assert_int_equal(rig_boots(&c.rig), BOOT_NONE);
    /* Nothing that a later session would go on with. */
    assert_string_equal(c.rig.store.text, "");
    enc_key_close(other);
    free(file);
    crypt_close(&c);
}

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(wrongs); i++)
        try_wrong(&wrongs[i]);
}

/* --- going on in a later session ------------------------------------------ */

static void open_long(struct crypt *c, enum enc_scheme scheme)
{
    crypt_open(c, scheme);
    crypt_serve(c, &(struct rig_image){ .filler = 1, .body_len = 60000 });
    c->rig.opts.store = &c->rig.store.port;
    c->rig.opts.checkpoint_len = STEP;
}

/* The network ends after so many bytes of the file; the device is reset. */
static void break_at(struct crypt *c, size_t at)
{
    c->rig.web.cut_at = at;
    c->rig.web.cut_cnt = 1;
    assert_int_equal(rig_update(&c->rig, NULL), ESP_ERR_HTTP_INCOMPLETE_DATA);
    assert_true(rig_boots(&c->rig) == 0);
    rig_reboot(&c->rig);
    rig_serve(&c->rig, c->file, c->file_len);
    c->rig.web.etag = "\"a\"";
}

static void test_goes_on(void **state)
{
    static const enum enc_scheme schemes[] = { ENC_SCHEME_ECIES256,
                                               ENC_SCHEME_RSA3072 };

    (void)state;
    for (size_t i = 0; i < CNT(schemes); i++) {
        struct upd_result res;
        struct crypt c;

        open_long(&c, schemes[i]);
        break_at(&c, 30000);
        assert_int_equal(rig_update(&c.rig, &res), ESP_OK);
        assert_int_equal(res.resumed_from, 28672);
        check_new(&c);
        assert_string_equal(c.rig.web.ranges[0], "bytes=0-511");
        assert_string_equal(c.rig.web.ranges[1], "bytes=29184-");
        assert_non_null(strstr(c.rig.web.last_request, "If-Range: \"a\""));
        assert_int_equal(c.rig.web.request_cnt, 2);
        assert_int_equal(res.received_len, c.file_len - 29184 + 512);
        assert_int_equal(c.rig.flash.erase_cnt[RIG_SLOT_1 / 4096], 1);
        assert_string_equal(c.rig.store.text, "");
        crypt_close(&c);
    }
}

/* Broken again and again, at any place. */
static void test_many_breaks(void **state)
{
    struct upd_result res;
    struct crypt c;

    (void)state;
    open_long(&c, ENC_SCHEME_ECIES256);
    break_at(&c, 200);
    break_at(&c, 5000); /* a sector */
    for (int i = 0; i < 5; i++)
        break_at(&c, 9001 + 400 * (size_t)i);
    assert_int_equal(rig_update(&c.rig, &res), ESP_OK);
    assert_int_equal(res.resumed_from, 4096 + 5 * 8192);
    check_new(&c);
    crypt_close(&c);
}

struct later {
    const char *claim;
    bool sealed_anew; /* the same image, under the same name */
    bool other_etag;
    bool no_ranges, no_key, other_key;
    bool flash_differs;
    bool lie_range;
    uint32_t from;
    esp_err_t want;
};
static const struct later laters[] = {
    { .claim = "nothing changed", .from = 28672 },
    { .claim = "the file was encrypted anew, under the same name",
      .sealed_anew = true },
    { .claim = "encrypted anew, under another name",
      .sealed_anew = true,
      .other_etag = true },
    { .claim = "the same bytes under another name", .other_etag = true },
    { .claim = "no ranges any more", .no_ranges = true },
    { .claim = "what is in flash is something else", .flash_differs = true },
    { .claim = "the answers are of another part of the file",
      .lie_range = true },
    { .claim = "the key is not given any more",
      .no_key = true,
      .want = ESP_ERR_OTA_VALIDATE_FAILED },
    { .claim = "another key",
      .other_key = true,
      .want = ESP_ERR_OTA_VALIDATE_FAILED },
};

static void try_later(const struct later *l)
{
    struct upd_result res;
    struct enc_key *other;
    struct crypt c;
    esp_err_t err;

    open_long(&c, ENC_SCHEME_ECIES256);
    break_at(&c, 30000);
    assert_int_equal(enc_key_open(&other, enc_key_env(c.key),
                                  span_of(c.file, ENC_HMAC_LEN), "k", NULL),
                     ESP_OK);
    if (l->sealed_anew)
        crypt_seal(&c);
    if (l->other_etag)
        c.rig.web.etag = "\"b\"";
    if (l->no_key)
        c.rig.opts.stage_cnt = 0;
    if (l->other_key)
        c.decrypt.key = other;
    if (l->flash_differs)
        c.rig.flash.bytes[RIG_SLOT_1 + 20000] ^= 0x10;
    c.rig.web.no_ranges = l->no_ranges;
    c.rig.web.lie_range = l->lie_range;
    err = rig_update(&c.rig, &res);
    if (err != l->want || res.resumed_from != l->from)
        fail_msg("%s: 0x%x from %u, %s", l->claim, (unsigned)err,
                 (unsigned)res.resumed_from, c.rig.diag.text);
    if (!err)
        check_new(&c);
    else
        assert_int_equal(rig_boots(&c.rig), 0);
    enc_key_close(other);
    crypt_close(&c);
}

static void test_later(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(laters); i++)
        try_later(&laters[i]);
}

/* A checkpoint of a download in the clear is none for this one. */
static void test_from_clear(void **state)
{
    struct upd_result res;
    struct crypt c;

    (void)state;
    open_long(&c, ENC_SCHEME_ECIES256);
    c.rig.opts.stage_cnt = 0;
    rig_serve(&c.rig, c.rig.image, c.rig.image_len);
    c.rig.web.etag = "\"a\"";
    c.rig.web.cut_at = 30000;
    c.rig.web.cut_cnt = 1;
    assert_int_equal(rig_update(&c.rig, NULL), ESP_ERR_HTTP_INCOMPLETE_DATA);
    c.rig.opts.stage_cnt = 1;
    rig_serve(&c.rig, c.file, c.file_len);
    c.rig.web.etag = "\"a\"";
    assert_int_equal(rig_update(&c.rig, &res), ESP_OK);
    assert_int_equal(res.resumed_from, 0);
    check_new(&c);
    crypt_close(&c);
}

/* --- memory --------------------------------------------------------------- */

/* Every allocation fails once, those of Mbed TLS too: rig_close() asserts that
 * nothing is left. In a first session, and in one that goes on. */
static void test_no_memory(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        bool ran_out = true;
        uint32_t n;

        for (n = 1; ran_out; n += n < 16 ? 1 : n / 4) {
            struct crypt c;
            uint32_t start;
            esp_err_t err;

            open_long(&c, ENC_SCHEME_ECIES256);
            if (later)
                break_at(&c, 30000);
            start = c.rig.heap.alloc_cnt;
            c.rig.heap.fail_at = start + n;
            err = rig_update(&c.rig, NULL);
            ran_out = c.rig.heap.alloc_cnt >= start + n;
            /* A head that cannot be opened now is asked for again. */
            assert_true(err == ESP_OK || ran_out);
            assert_int_equal(rig_boots(&c.rig), err ? 0 : 1);
            if (err && err != ESP_ERR_NO_MEM)
                fail_msg("allocation %u: 0x%x, %s", (unsigned)n, (unsigned)err,
                         c.rig.diag.text);
            crypt_close(&c);
        }
        assert_true(n > 30);
    }
}

/* Ended after each piece. */
static void test_abort(void **state)
{
    (void)state;
    for (uint32_t steps = 0; steps < 24; steps++) {
        struct crypt c;
        struct upd *u;
        esp_err_t err;

        crypt_open(&c, ENC_SCHEME_ECIES256);
        c.rig.opts.read_len = 1000;
        assert_int_equal(upd_begin(&u, &c.rig.env, &c.rig.opts, &c.rig.diag),
                         ESP_OK);
        for (uint32_t i = 0; i < steps; i++)
            (void)upd_step(u, &err);
        upd_abort(u, NULL);
        assert_int_equal(rig_boots(&c.rig), 0);
        crypt_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways),      cmocka_unit_test(test_head),
        cmocka_unit_test(test_data),      cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_goes_on),   cmocka_unit_test(test_many_breaks),
        cmocka_unit_test(test_later),     cmocka_unit_test(test_from_clear),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_abort),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
