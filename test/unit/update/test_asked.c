/* What is kept of a download is asked with, while its image runs and nobody
 * has conditions of his own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/rig.h"
#include "update/known.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define DATE "Sun, 22 Nov 2026 12:00:00 GMT"

/* Updates, and runs what was installed. */
static void open_updated(struct rig *r, const char *etag, const char *modified)
{
    rig_open(r);
    r->web.etag = etag;
    r->web.modified = modified;
    r->opts.store = &r->store.port;
    assert_int_equal(rig_update(r, NULL), ESP_OK);
    rig_record(r, 0, 1, OTA_STATE_VALID);
    rig_record(r, 1, 2, OTA_STATE_VALID);
    r->device.running_slot = 1;
    r->device.running_off = RIG_SLOT_1;
    rig_reboot(r);
    r->web.status = 304;
}

static struct part_entry *slot_1(struct rig *r)
{
    return (struct part_entry *)(uintptr_t)part_find_label(&r->parts.table,
                                                           "ota_1");
}

static void nothing(struct rig *r)
{
    (void)r;
}

static void other_url(struct rig *r)
{
    r->opts.url = "http://server.test/other.bin";
}

static void unconditional(struct rig *r)
{
    r->opts.unconditional = true;
}

static void rolled_back(struct rig *r)
{
    r->device.running_slot = 0;
    r->device.running_off = RIG_SLOT_0;
    rig_record(r, 1, 2, OTA_STATE_ABORTED);
}

static void written_anew(struct rig *r)
{
    rig_put_image(r, RIG_SLOT_1, &(struct rig_image){ .filler = 9 });
}

static void renamed(struct rig *r)
{
    strcpy(slot_1(r)->label, "other");
}

static void shrunk(struct rig *r)
{
    slot_1(r)->len = 0x4000;
}

static void damaged(struct rig *r)
{
    r->store.known[0] = '2';
}

/* Puts another length of the image into the note. */
static void forge_len(struct rig *r, uint32_t len)
{
    struct upd_known k;

    assert_int_equal(upd_known_parse(span_str(r->store.known), &k), ESP_OK);
    k.image_len = len;
    assert_true(upd_known_format(&k, r->store.known));
}

static void no_image(struct rig *r)
{
    forge_len(r, 31);
}

static void too_long(struct rig *r)
{
    forge_len(r, UINT32_MAX);
}

static const struct asked {
    const char *claim;
    const char *etag, *modified;
    void (*set)(struct rig *r);
    bool asks, forgets;
} askeds[] = {
    { "both, if there are both", "\"a\"", DATE, nothing, true, false },
    { "a weak tag will do, too", "W/\"a\"", NULL, nothing, true, false },
    { "a date alone", NULL, DATE, nothing, true, false },
    { "neither", NULL, NULL, nothing, false, false },
    { "a tag that could not be kept", "\"a\tb\"", NULL, nothing, false, false },
    { "another URL", "\"a\"", NULL, other_url, false, false },
    { "who wants all of it", "\"a\"", NULL, unconditional, false, false },
    { "after a rollback", "\"a\"", NULL, rolled_back, false, true },
    { "another image was put there", "\"a\"", NULL, written_anew, false, true },
    { "the slot has another name", "\"a\"", NULL, renamed, false, true },
    { "the slot is smaller than the image", "\"a\"", NULL, shrunk, false,
      true },
    { "the note is of another format", "\"a\"", NULL, damaged, false, true },
    { "the note is of less than an image", "\"a\"", NULL, no_image, false,
      true },
    { "the note is of more than there is", "\"a\"", NULL, too_long, false,
      true },
};

static bool sent(const struct rig *r, const char *name, const char *value)
{
    char line[64];

    snprintf(line, sizeof(line), "\r\n%s: %s\r\n", name, value ? value : "");
    return strstr(r->web.last_request, line) != NULL;
}

static void test_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(askeds); i++) {
        const struct asked *a = &askeds[i];
        struct rig r;

        print_message("# %s\n", a->claim);
        open_updated(&r, a->etag, a->modified);
        a->set(&r);
        assert_int_equal(rig_update(&r, NULL), ESP_ERR_HTTP_NOT_MODIFIED);
        assert_int_equal(sent(&r, "If-None-Match", a->etag),
                         a->asks && a->etag);
        assert_int_equal(sent(&r, "If-Modified-Since", a->modified),
                         a->asks && a->modified);
        if (!a->asks)
            assert_null(strstr(r.web.last_request, "If-"));
        if (a->forgets)
            assert_string_equal(r.store.known, "");
        rig_close(&r);
    }
}

/* Whoever has conditions of his own gets no others. */
static void test_own_conditions(void **state)
{
    static const char *const names[] = { "If-None-Match", "If-Modified-Since" };

    (void)state;
    for (size_t i = 0; i < CNT(names); i++) {
        struct http_opts opts = { .follow = true };
        struct http_client *c = NULL;
        struct rig r;

        open_updated(&r, "\"a\"", DATE);
        assert_int_equal(http_open(&c, &r.env.http, &opts, RIG_URL, NULL),
                         ESP_OK);
        assert_int_equal(http_set_header(c, names[i], "mine"), ESP_OK);
        r.opts.client = c;
        assert_int_equal(rig_update(&r, NULL), ESP_ERR_HTTP_NOT_MODIFIED);
        assert_true(sent(&r, names[i], "mine"));
        assert_null(strstr(r.web.last_request, "\"a\""));
        assert_null(strstr(r.web.last_request, DATE));
        assert_string_equal(http_get_header(c, names[i]), "mine");
        http_close(c);
        rig_close(&r);
    }
}

/* A store that fails when it is to keep: nothing is known of what runs then,
 * least of all what was true before. */
static void test_cannot_be_kept(void **state)
{
    struct rig r;

    (void)state;
    rig_open(&r);
    r.web.etag = "\"a\"";
    r.opts.store = &r.store.port;
    r.store.fails = true;
    assert_int_equal(rig_update(&r, NULL), ESP_OK);
    assert_string_equal(r.store.known, "");
    assert_int_equal(rig_boots(&r), 1);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_own_conditions),
        cmocka_unit_test(test_cannot_be_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
