/* The result as one line of JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "update/json.h"

static const char whole[] =
    "{\"result\": \"failed\", \"slot\": \"ota_1\", \"version\": "
    "\"2\\\"\\\\??\", \"image_len\": 5000000000, \"bytes_received\": 7, "
    "\"bytes_written\": 4096, \"resumed_from\": 8192, \"requests\": 3, "
    "\"handshakes\": 2, \"http_status\": 503, \"sha256\": null, "
    "\"elapsed_ms\": 12, \"retries\": 1, \"checkpoints\": 4, \"erases\": 5, "
    "\"programs\": 6, \"updatable\": \"unknown\", \"host\": \"h.test\", "
    "\"port\": 443, "
    "\"connections\": 2, \"handshakes_resumed\": 1, \"redirects\": 9, "
    "\"transport_error\": null, \"errno\": 111, \"tls\": {\"code\": -30592, "
    "\"alert\": 48, \"alert_name\": \"unknown CA\", \"verify_flags\": 8, "
    "\"verify\": \"unknown issuer\"}, "
    "\"error\": {\"stage\": \"tls\", \"code\": -1, \"name\": \"ESP_FAIL\", "
    "\"message\": \"it says \\\"no\\\"\"}}";

static struct upd_result sample(void)
{
    static const struct http_stats http = { .connects = 2,
                                            .handshakes = 2,
                                            .requests = 3,
                                            .redirects = 9,
                                            .resumed = 1,
                                            .host = "h.test",
                                            .port = 443,
                                            .sys_errno = 111,
                                            .tls = { -30592, 8, 48, 0 } };
    struct upd_result r = { .http_status = 503,
                            .image_len = 5000000000,
                            .received_len = 7,
                            .written_len = 4096,
                            .resumed_from = 8192,
                            .retries = 1,
                            .checkpoint_cnt = 4,
                            .elapsed_ms = 12,
                            .http = &http,
                            .slot = "ota_1",
                            .erase_cnt = 5,
                            .prog_cnt = 6 };

    r.image.desc.present = true;
    strcpy(r.image.desc.version, "2\"\\\n\xff");
    return r;
}

static void test_failed(void **state)
{
    const struct diag d = { DIAG_STAGE_TLS, ESP_FAIL, "it says \"no\"" };
    struct upd_result r = sample();
    char text[2048];
    size_t len = upd_result_json(&r, &d, "failed", text, sizeof(text));

    (void)state;
    assert_string_equal(text, whole);
    assert_int_equal(len, sizeof(whole) - 1);
    assert_int_equal(upd_result_json(&r, &d, "failed", NULL, 0), len);
}

/* Any room: never more is written, and the length is always the same. */
static void test_room(void **state)
{
    const struct diag d = { DIAG_STAGE_TLS, ESP_FAIL, "it says \"no\"" };
    struct upd_result r = sample();

    (void)state;
    for (size_t cap = 1; cap < sizeof(whole) + 2; cap++) {
        char text[sizeof(whole) + 4];
        size_t keep = cap - 1 < sizeof(whole) - 1 ? cap - 1 : sizeof(whole) - 1;
        memset(text, '#', sizeof(text));
        assert_int_equal(upd_result_json(&r, &d, "failed", text, cap),
                         sizeof(whole) - 1);
        assert_memory_equal(text, whole, keep);
        assert_int_equal(text[keep], '\0');
        assert_int_equal(text[cap], '#');
    }
}

static void test_updated(void **state)
{
    struct upd_result r = { .image_len = -1, .written_len = 99 };
    char text[2048];

    (void)state;
    r.sha256[31] = 0xAB;
    (void)upd_result_json(&r, NULL, "updated", text, sizeof(text));
    assert_non_null(strstr(text, "\"image_len\": 99,"));
    assert_non_null(strstr(text, "00ab\""));
    assert_non_null(strstr(text, "\"version\": null,"));
    assert_non_null(strstr(text, "\"error\": null}"));
    r.sha256[31] = 0;
    (void)upd_result_json(&r, NULL, "not_modified", text, sizeof(text));
    assert_non_null(strstr(text, "\"image_len\": null,"));
    assert_non_null(strstr(text, "\"sha256\": null,"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failed),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_updated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
