/* A library that is built without signatures, digests, anti-rollback, the
 * judgement before an update and HTTP of the application's own (the CFG_ values
 * are 0): who asks for them is told, and nothing begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "esp_http_client.h"
#include "unit/api/device.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct policy_row {
    const char *claim;
    struct policy policy;
    esp_err_t want;
};

static const struct policy_row policies[] = {
    { "nothing", { .allow_http = true }, ESP_OK },
    { "digests",
      { .allow_http = true, .require_hash = true },
      ESP_ERR_NOT_SUPPORTED },
    { "signatures",
      { .allow_http = true, .require_signed = true },
      ESP_ERR_NOT_SUPPORTED },
    { "anti-rollback",
      { .allow_http = true, .rollback = true, .anti_rollback = true },
      ESP_ERR_NOT_SUPPORTED },
};

static void test_device(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(policies); i++) {
        struct device d;

        print_message("# %s\n", policies[i].claim);
        device_open(&d);
        api_device_stop();
        d.rig.policy = policies[i].policy;
        assert_int_equal(api_device_start(&d.boot), policies[i].want);
        assert_int_equal(api_device_started(), policies[i].want == ESP_OK);
        device_close(&d);
    }
}

/* Of a session, whoever began it. */
static void expect_session(struct rig *r, esp_err_t want)
{
    struct upd *u;
    esp_err_t err = upd_begin(&u, &r->env, &r->opts, &r->diag);

    assert_int_equal(err, want);
    if (err) {
        assert_null(u);
        assert_non_null(strstr(r->diag.text, "this build"));
    } else {
        upd_abort(u, NULL);
    }
}

static void test_session(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(policies); i++) {
        struct rig r;

        print_message("# %s\n", policies[i].claim);
        rig_open(&r);
        r.policy = policies[i].policy;
        expect_session(&r, policies[i].want);
        rig_close(&r);
    }
}

struct pre_row {
    const char *claim;
    struct pre_policy pre;
    esp_err_t want;
};

static const struct pre_row pres[] = {
    { "nothing", { .no_older = false }, ESP_OK },
    { "the project", { .same_project = true }, ESP_ERR_NOT_SUPPORTED },
    { "another version", { .no_same_version = true }, ESP_ERR_NOT_SUPPORTED },
    { "no older one", { .no_older = true }, ESP_ERR_NOT_SUPPORTED },
    { "the flash's mode", { .same_spi_mode = true }, ESP_ERR_NOT_SUPPORTED },
    { "a client", { .require_updatable = true }, ESP_ERR_NOT_SUPPORTED },
    { "memory", { .least_heap = 1 }, ESP_ERR_NOT_SUPPORTED },
};

static void test_judgement(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(pres); i++) {
        struct rig r;

        print_message("# %s\n", pres[i].claim);
        rig_open(&r);
        r.opts.pre = pres[i].pre;
        expect_session(&r, pres[i].want);
        rig_close(&r);
    }
}

static esp_err_t on_http(esp_http_client_event_t *event)
{
    (void)event;
    return ESP_OK;
}

static void test_http(void **state)
{
    (void)state;
    const esp_http_client_config_t plain = { .url = "http://server.test/" };
    esp_http_client_config_t listens = plain;
    struct device d;

    device_open(&d);
    listens.event_handler = on_http;
    assert_null(esp_http_client_init(&listens));

    esp_http_client_handle_t client = esp_http_client_init(&plain);
    assert_non_null(client);
    assert_int_equal(esp_http_client_perform(client), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_http_client_open(client, 0), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_http_client_set_event_handler(client, on_http),
                     ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_http_client_set_event_handler(client, NULL), ESP_OK);
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
    device_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_device),
        cmocka_unit_test(test_session),
        cmocka_unit_test(test_judgement),
        cmocka_unit_test(test_http),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
