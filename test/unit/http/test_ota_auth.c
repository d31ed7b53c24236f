/* porta/ota_auth.h on a scripted network: what an application's update says,
 * and to whom. */
#include "api/http_handle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "porta/ota_auth.h"
#include "sim_clock.h"
#include "sim_flash.h"
#include "sim_task.h"

#define ANSWER(status, fields) \
    "HTTP/1.1 " status " X\r\nContent-Length: 0\r\n" fields "\r\n"
#define OK ANSWER("200", "")
#define TOKEN                                      \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" \
    "{\"access_token\":\"tok\",\"refresh_token\":\"r2\"}"

struct dev {
    struct bench bench;
    struct sim_flash flash;
    struct sim_clock clock;
    struct port_fuse fuse;
    struct api_boot boot;
};

static esp_http_client_handle_t make(struct dev *d,
                                     const struct sim_net_script *conns,
                                     size_t cnt)
{
    static const struct sim_flash_conf conf = { .size_len = 0x10000 };
    static const esp_http_client_config_t config = { .url = "http://h/f" };

    bench_init(&d->bench, conns, cnt);
    d->bench.policy.allow_http = true;
    sim_clock_init(&d->clock, 0);
    d->flash = (struct sim_flash)SIM_FLASH_CLOSED;
    assert_int_equal(sim_flash_init(&d->flash, &conf), ESP_OK);
    d->fuse = (struct port_fuse){ .ctx = NULL };
    d->boot = (struct api_boot){ .flash = &d->flash.port,
                                 .sys = &d->bench.sys.port,
                                 .heap = &d->bench.heap.port,
                                 .net = &d->bench.net.port,
                                 .clock = &d->clock.port,
                                 .rng = &d->bench.rng.port,
                                 .lock = &sim_lock,
                                 .task = &sim_task,
                                 .fuse = &d->fuse,
                                 .policy = &d->bench.policy,
                                 .running_off = UINT32_MAX };
    assert_int_equal(api_device_start(&d->boot), ESP_OK);
    esp_http_client_handle_t h = esp_http_client_init(&config);
    assert_non_null(h);
    return h;
}

static void done(struct dev *d, esp_http_client_handle_t h)
{
    assert_int_equal(esp_http_client_cleanup(h), ESP_OK);
    api_device_stop();
    sim_flash_deinit(&d->flash);
    bench_check_clean(&d->bench);
}

static void test_bearer(void **state)
{
    const struct sim_net_script conns[] = {
        CONN(DATA(ANSWER("302", "Location: http://cdn/x\r\n"))), CONN(DATA(OK))
    };
    struct dev d;
    esp_http_client_handle_t h = make(&d, conns, CNT(conns));

    (void)state;
    assert_int_equal(porta_ota_set_bearer(h, "a\r\nb"), ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_ota_set_bearer(h, "t0k"), ESP_OK);
    assert_int_equal(porta_ota_mark_secret(h, "X-Mine"), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_http_client_set_header(h, "X-Mine", "m"), ESP_OK);
    assert_int_equal(porta_ota_mark_secret(h, "X-Mine"), ESP_OK);
    assert_int_equal(esp_http_client_perform(h), ESP_OK);
    assert_int_equal(bench_sent_cnt(&d.bench, "Bearer t0k\r\n"), 1);
    assert_int_equal(bench_sent_cnt(&d.bench, "X-Mine: m\r\n"), 1);
    assert_int_equal(bench_sent_cnt(&d.bench, "GET "), 2);
    done(&d, h);
}

static const char *token_cb(void *ctx, bool renew)
{
    int *calls = ctx;

    (*calls)++;
    return renew ? "new" : *calls < 3 ? "old" : NULL;
}

static void test_token_cb(void **state)
{
    const struct sim_net_script conns[] = { CONN(DATA(ANSWER("401", "")),
                                                 DATA(OK)) };
    struct dev d;
    esp_http_client_handle_t h = make(&d, conns, CNT(conns));
    int calls = 0;

    (void)state;
    assert_int_equal(porta_ota_set_token_cb(h, token_cb, &calls), ESP_OK);
    assert_int_equal(esp_http_client_perform(h), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(h), 200);
    assert_int_equal(calls, 2);
    assert_int_equal(bench_sent_cnt(&d.bench, "Bearer old\r\n"), 1);
    assert_int_equal(bench_sent_cnt(&d.bench, "Bearer new\r\n"), 1);
    assert_int_not_equal(esp_http_client_perform(h), ESP_OK);
    done(&d, h);
}

static void keep(void *ctx, const char *token)
{
    snprintf(ctx, 8, "%s", token);
}

static void test_oauth2(void **state)
{
    /* The token is fetched before the file's server is called. */
    const struct sim_net_script conns[] = { CONN(DATA(TOKEN)), CONN(DATA(OK)) };
    struct dev d;
    esp_http_client_handle_t h = make(&d, conns, CNT(conns));
    char kept[8] = "";
    porta_ota_oauth2_t oauth2 = { .token_url = "http://id/t",
                                  .client_id = "me",
                                  .refresh_token = "r1",
                                  .on_refresh_token = keep,
                                  .ctx = kept };

    (void)state;
    assert_int_equal(porta_ota_set_proxy(h, "https://p"),
                     ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(porta_ota_set_proxy(h, "http://u:p@p:3128"), ESP_OK);
    assert_int_equal(porta_ota_set_oauth2(h, &oauth2), ESP_OK);
    assert_int_equal(porta_ota_set_proxy(h, NULL), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_http_client_perform(h), ESP_OK);
    assert_int_equal(bench_sent_cnt(&d.bench, "POST http://id/t "), 1);
    assert_int_equal(bench_sent_cnt(&d.bench, "Bearer tok\r\n"), 1);
    assert_string_equal(kept, "r2");
    oauth2.client_id = NULL;
    assert_int_equal(porta_ota_set_oauth2(h, &oauth2), ESP_ERR_INVALID_ARG);
    done(&d, h);
}

static const char *url_cb(void *ctx, porta_ota_url_why_t why)
{
    int *asked = ctx;

    *asked |= 1 << why;
    return why == PORTA_OTA_URL_REFUSED ? "http://h/two" : "http://h/one";
}

static void test_url_cb(void **state)
{
    const struct sim_net_script conns[] = { CONN(DATA(ANSWER("403", "")),
                                                 DATA(OK)) };
    struct dev d;
    esp_http_client_handle_t h = make(&d, conns, CNT(conns));
    int asked = 0;

    (void)state;
    assert_int_equal(porta_ota_set_url_cb(h, url_cb, &asked), ESP_OK);
    /* As an update asks. */
    assert_int_equal(http_request(api_http_client(h), NULL), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(h), 200);
    assert_int_equal(bench_sent_cnt(&d.bench, "GET /one "), 1);
    assert_int_equal(bench_sent_cnt(&d.bench, "GET /two "), 1);
    assert_int_equal(asked, 3);
    done(&d, h);
}

static void test_url_cb_of_perform(void **state)
{
    static const struct {
        const char *claim, *first, *second;
        int status, asked;
        unsigned two_cnt;
    } rows[] = {
        { "a good URL", ANSWER("200", ""), "", 200, 1, 0 },
        { "403 is asked about", ANSWER("403", ""), OK, 200, 3, 1 },
        { "401 with nobody to log in", ANSWER("401", ""), OK, 200, 3, 1 },
        { "410", ANSWER("410", ""), OK, 200, 3, 1 },
        { "404 is not", ANSWER("404", ""), "", 404, 1, 0 },
        { "once is enough", ANSWER("403", ""), ANSWER("403", ""), 403, 3, 1 },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        const struct sim_net_script conns[] = { CONN(DATA(rows[i].first),
                                                     DATA(rows[i].second)) };
        struct dev d;
        esp_http_client_handle_t h = make(&d, conns, CNT(conns));
        int asked = 0;

        print_message("# %s\n", rows[i].claim);
        assert_int_equal(porta_ota_set_url_cb(h, url_cb, &asked), ESP_OK);
        assert_int_equal(esp_http_client_perform(h), ESP_OK);
        assert_int_equal(esp_http_client_get_status_code(h), rows[i].status);
        assert_int_equal(bench_sent_cnt(&d.bench, "GET /one "), 1);
        assert_int_equal(bench_sent_cnt(&d.bench, "GET /two "),
                         rows[i].two_cnt);
        assert_int_equal(asked, rows[i].asked);
        done(&d, h);
    }
}

static void test_no_client(void **state)
{
    (void)state;
    assert_int_equal(porta_ota_set_bearer(NULL, "t"), ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_ota_set_token_cb(NULL, token_cb, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_ota_set_oauth2(NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_ota_set_url_cb(NULL, NULL, NULL),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_ota_set_proxy(NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_ota_mark_secret(NULL, "a"), ESP_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bearer),
        cmocka_unit_test(test_token_cb),
        cmocka_unit_test(test_oauth2),
        cmocka_unit_test(test_url_cb),
        cmocka_unit_test(test_url_cb_of_perform),
        cmocka_unit_test(test_no_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
