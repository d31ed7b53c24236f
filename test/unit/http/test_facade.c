/* esp_http_client on a scripted network: what applications rely on. */
#include "api/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "esp_http_client.h"
#include "esp_tls.h"
#include "fixture.h"
#include "sim_clock.h"
#include "sim_flash.h"
#include "sim_task.h"

#define OK "HTTP/1.1 200 OK\r\n"

struct dev {
    struct bench bench;
    struct sim_flash flash;
    struct sim_clock clock;
    struct port_fuse fuse;
    struct api_boot boot;
};

static void dev_open(struct dev *d, const struct sim_net_script *conns,
                     size_t cnt)
{
    static const struct sim_flash_conf conf = { .size_len = 0x10000 };

    bench_init(&d->bench, conns, cnt);
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
}

static void dev_close(struct dev *d)
{
    api_device_stop();
    sim_flash_deinit(&d->flash);
    bench_check_clean(&d->bench);
}

/* --- making a handle ------------------------------------------------------ */

struct init_row {
    const char *claim;
    esp_http_client_config_t config;
    const char *url; /* as get_url() gives it; NULL: no handle */
};

static const esp_key_config_t psa_key = { .source = ESP_KEY_SOURCE_PSA };

static const struct init_row inits[] = {
    { "a URL", { .url = "https://u:p@host/a?b" }, "https://host:443/a" },
    { "parts",
      { .host = "host", .path = "/a", .query = "b" },
      "http://host:80/a" },
    { "parts under TLS",
      { .host = "host",
        .path = "a",
        .port = 8443,
        .transport_type = HTTP_TRANSPORT_OVER_SSL },
      "https://host:8443/a" },
    { "an IPv6 literal as a part",
      { .host = "::1", .path = "/" },
      "http://[::1]:80/" },
    { "parts win",
      { .url = "http://x/", .host = "host", .path = "/y" },
      "http://host:80/y" },
    { "a host alone does not",
      { .url = "http://x/", .host = "host" },
      "http://x:80/" },
    { "nothing", { .url = NULL }, NULL },
    { "a host alone", { .host = "host" }, NULL },
    { "no URL", { .url = "host/a" }, NULL },
    { "no method", { .url = "http://h/", .method = HTTP_METHOD_MAX }, NULL },
    { "hardware that is not there",
      { .url = "http://h/", .use_ecdsa_peripheral = true },
      NULL },
    { "a key that is not there",
      { .url = "http://h/", .client_key = &psa_key },
      NULL },
};

static void test_init(void **state)
{
    struct dev d;

    (void)state;
    dev_open(&d, NULL, 0);
    for (size_t i = 0; i < CNT(inits); i++) {
        char url[64];

        print_message("# %s\n", inits[i].claim);
        esp_http_client_handle_t h = esp_http_client_init(&inits[i].config);
        assert_int_equal(h != NULL, inits[i].url != NULL);
        if (!h)
            continue;
        assert_int_equal(esp_http_client_get_url(h, url, sizeof(url)), ESP_OK);
        assert_string_equal(url, inits[i].url);
        assert_int_equal(esp_http_client_get_url(h, url, 5), ESP_FAIL);
        assert_int_equal(esp_http_client_cleanup(h), ESP_OK);
    }
    assert_null(esp_http_client_init(NULL));
    assert_int_equal(esp_http_client_cleanup(NULL), ESP_FAIL);
    dev_close(&d);
}

/* --- perform -------------------------------------------------------------- */

static esp_err_t on_event(esp_http_client_event_t *e)
{
    static const char letters[] = "EC>HhSDFXR";
    char *log = e->user_data;
    size_t len = strlen(log);

    assert_non_null(e->client);
    log[len++] = letters[e->event_id];
    log[len] = '\0';
    if (e->event_id == HTTP_EVENT_ON_HEADER) {
        strcat(log, e->header_key);
        strcat(log, "=");
        strcat(log, e->header_value);
    } else if (e->event_id == HTTP_EVENT_ON_DATA) {
        strncat(log, e->data, (size_t)e->data_len);
    } else if (e->event_id == HTTP_EVENT_ON_STATUS_CODE) {
        (void)snprintf(log + len, 8, "%d", *(int *)e->data);
    }
    return ESP_OK;
}

struct perform_row {
    const char *claim;
    struct sim_net_script conns[3];
    esp_http_client_config_t config; /* without URL: http://h/f */
    esp_err_t err;
    int status;
    const char *log, *sent;
};

#define GO(to) \
    "HTTP/1.1 307 Go\r\nLocation: " to "\r\nContent-Length: 1\r\n\r\n."
#define BODY OK "Content-Length: 2\r\n\r\nok"

static const struct perform_row performs[] = {
    { "a body comes through the events",
      { CONN(DATA(BODY)) },
      { .url = NULL },
      ESP_OK,
      200,
      "C>S200HContent-Length=2hDokF",
      "GET /f HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: h\r\n" },
    { "redirects are followed, their bodies are told",
      { CONN(DATA(GO("/g")), DATA(BODY)) },
      { .url = NULL },
      ESP_OK,
      200,
      "C>S307HLocation=/gHContent-Length=1hD.R>S200HContent-Length=2hDokF",
      "GET /g " },
    { "unless they are not wanted",
      { CONN(DATA(GO("/g"))) },
      { .disable_auto_redirect = true },
      ESP_OK,
      307,
      "C>S307HLocation=/gHContent-Length=1hD.RF",
      NULL },
    { "not without end",
      { CONN(DATA(GO("/1")), DATA(GO("/2"))) },
      { .max_redirection_count = 1 },
      ESP_ERR_HTTP_MAX_REDIRECT,
      307,
      NULL,
      NULL },
    { "a login is answered",
      { CONN(DATA("HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=r\r\n"
                  "Content-Length: 0\r\n\r\n"),
             DATA(BODY)) },
      { .username = "user", .password = "passwd" },
      ESP_OK,
      200,
      NULL,
      "Authorization: Basic dXNlcjpwYXNzd2Q=\r\n" },
    { "or left to the caller",
      { CONN(DATA("HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=r\r\n"
                  "Content-Length: 0\r\n\r\n")) },
      { .url = NULL },
      ESP_OK,
      401,
      NULL,
      NULL },
    { "nobody there",
      { { .open_err = ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST,
          .open_errno = ECONNREFUSED } },
      { .url = NULL },
      ESP_ERR_HTTP_CONNECT,
      0,
      "E",
      NULL },
    { "no answer",
      { CONN(SILENCE) },
      { .timeout_ms = 100 },
      ESP_ERR_HTTP_READ_TIMEOUT,
      0,
      "C>X",
      NULL },
    { "is_async: a call waits until all is there",
      { CONN(DATA(OK "Content-Length: 2\r\n\r\nb"), DATA("y")) },
      { .is_async = true },
      ESP_OK,
      200,
      NULL,
      NULL },
    { "is_async: and not for ever",
      { CONN(SILENCE) },
      { .is_async = true, .timeout_ms = 100 },
      ESP_ERR_HTTP_READ_TIMEOUT,
      0,
      "C>X",
      NULL },
    { "a body cut short",
      { CONN(DATA(OK "Content-Length: 9\r\n\r\nok")) },
      { .url = NULL },
      ESP_ERR_HTTP_INCOMPLETE_DATA,
      200,
      "C>S200HContent-Length=9hDokEX",
      NULL },
    { "https with nothing to verify by",
      { { .open_errno = 0 } },
      { .url = "https://h/" },
      ESP_ERR_HTTP_CONNECT,
      0,
      "E",
      NULL },
};

static void check_perform(const struct perform_row *row)
{
    esp_http_client_config_t config = row->config;
    char log[512] = "";
    struct dev d;

    dev_open(&d, row->conns, 3);
    if (!config.url)
        config.url = "http://h/f";
    config.event_handler = on_event;
    config.user_data = log;
    esp_http_client_handle_t h = esp_http_client_init(&config);
    assert_non_null(h);
    assert_int_equal(esp_http_client_perform(h), row->err);
    assert_int_equal(esp_http_client_get_status_code(h), row->status);
    if (row->log)
        assert_string_equal(log, row->log);
    if (row->sent && !strstr(bench_sent(&d.bench), row->sent))
        fail_msg("'%s' is not in '%s'", row->sent, bench_sent(&d.bench));
    assert_int_equal(esp_http_client_cleanup(h), ESP_OK);
    dev_close(&d);
}

static void test_perform(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(performs); i++) {
        print_message("# %s\n", performs[i].claim);
        check_perform(&performs[i]);
    }
}

/* --- step by step --------------------------------------------------------- */

static esp_http_client_handle_t make(struct dev *d,
                                     const struct sim_net_script *conns,
                                     size_t cnt)
{
    static const esp_http_client_config_t config = { .url = "http://h/f" };

    dev_open(d, conns, cnt);
    esp_http_client_handle_t h = esp_http_client_init(&config);
    assert_non_null(h);
    return h;
}

static void test_steps(void **state)
{
    const struct sim_net_script conns[] = { CONN(
        DATA(OK "X-Name: value\r\nContent-Length: 6\r\n\r\nabc"), SILENCE,
        DATA("def")) };
    struct dev d;
    char buf[16];
    char *value = NULL;

    (void)state;
    esp_http_client_handle_t h = make(&d, conns, 1);
    assert_int_equal(esp_http_client_get_state(h), HTTP_STATE_INIT);
    assert_int_equal(esp_http_client_fetch_headers(h), -1);
    assert_int_equal(esp_http_client_read(h, buf, 4), -1);
    assert_int_equal(esp_http_client_open(h, 0), ESP_OK);
    assert_int_equal(esp_http_client_get_state(h),
                     HTTP_STATE_REQ_COMPLETE_HEADER);
    assert_int_equal(esp_http_client_fetch_headers(h), 6);
    assert_int_equal(esp_http_client_get_content_length(h), 6);
    assert_false(esp_http_client_is_chunked_response(h));
    assert_int_equal(esp_http_client_get_response_header(h, "x-name", &value),
                     ESP_OK);
    assert_string_equal(value, "value");
    assert_int_equal(esp_http_client_get_response_header(h, "y", &value),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_http_client_read(h, buf, 2), 2);
    assert_int_equal(esp_http_client_read(h, buf, 16), 1); /* the pause */
    assert_false(esp_http_client_is_complete_data_received(h));
    assert_int_equal(esp_http_client_read(h, buf, 16), 3);
    assert_memory_equal(buf, "def", 3);
    assert_int_equal(esp_http_client_read(h, buf, 16), 0);
    assert_true(esp_http_client_is_complete_data_received(h));
    assert_true(esp_http_client_is_persistent_connection(h));
    assert_int_equal(esp_http_client_close(h), ESP_OK);
    assert_int_equal(esp_http_client_get_state(h), HTTP_STATE_INIT);
    assert_int_equal(esp_http_client_cleanup(h), ESP_OK);
    dev_close(&d);
}

static void test_read_fails(void **state)
{
    const struct sim_net_script conns[] = { CONN(
        DATA(OK "Content-Length: 6\r\n\r\nabc"), SILENCE) };
    struct dev d;
    char buf[16];

    (void)state;
    esp_http_client_handle_t h = make(&d, conns, 1);
    assert_int_equal(esp_http_client_open(h, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(h), 6);
    assert_int_equal(esp_http_client_read(h, buf, 3), 3);
    assert_int_equal(esp_http_client_read(h, buf, 3), -ESP_ERR_HTTP_EAGAIN);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(esp_http_client_read(h, buf, 3), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_false(esp_http_client_is_complete_data_received(h));
    assert_int_equal(esp_http_client_cleanup(h), ESP_OK);
    dev_close(&d);
}

static void test_chunked(void **state)
{
    const struct sim_net_script conns[] = { CONN(
        SILENCE, DATA(OK "Transfer-Encoding: chunked\r\n\r\n"),
        DATA("4\r\nwith\r\n6\r\n chunk\r\n0\r\n\r\n")) };
    struct dev d;
    char buf[32] = "";
    int len = 0;

    (void)state;
    esp_http_client_handle_t h = make(&d, conns, 1);
    assert_int_equal(esp_http_client_open(h, -1), ESP_OK);
    assert_int_equal(esp_http_client_chunk_write_begin(h, 0), -1);
    assert_int_equal(esp_http_client_chunk_write_begin(h, 18), 4);
    assert_int_equal(esp_http_client_write(h, "eighteen bytes long", 18), 18);
    assert_int_equal(esp_http_client_chunk_write_end(h, false), 2);
    assert_int_equal(esp_http_client_chunk_write_begin(h, 1), 3);
    assert_int_equal(esp_http_client_write(h, "x", 1), 1);
    assert_int_equal(esp_http_client_chunk_write_end(h, true), 7);
    assert_int_equal(esp_http_client_fetch_headers(h), -ESP_ERR_HTTP_EAGAIN);
    assert_int_equal(esp_http_client_fetch_headers(h), 0);
    assert_true(esp_http_client_is_chunked_response(h));
    assert_int_equal(esp_http_client_get_content_length(h), -1);
    assert_int_equal(esp_http_client_read(h, buf, 4), 4);
    assert_int_equal(esp_http_client_get_chunk_length(h, &len), ESP_OK);
    assert_int_equal(len, 4);
    assert_int_equal(esp_http_client_read_response(h, buf, sizeof(buf)), 6);
    assert_memory_equal(buf, " chunk", 6);
    assert_true(esp_http_client_is_complete_data_received(h));
    assert_non_null(strstr(bench_sent(&d.bench),
                           "Transfer-Encoding: chunked\r\n\r\n"
                           "12\r\neighteen bytes lon\r\n1\r\nx\r\n0\r\n\r\n"));
    assert_int_equal(esp_http_client_cleanup(h), ESP_OK);
    dev_close(&d);
}

static void test_redirection_by_hand(void **state)
{
    const struct sim_net_script conns[] = {
        CONN(DATA("HTTP/1.1 302 Go\r\nLocation: http://i:81/g\r\n"
                  "Content-Length: 1\r\n\r\n.")),
        CONN(DATA(OK "Content-Range: bytes 0-1/77\r\n"
                     "Content-Length: 2\r\n\r\nok"))
    };
    struct dev d;
    char url[64];
    char *value = NULL;
    int len = 0;

    (void)state;
    esp_http_client_handle_t h = make(&d, conns, 2);
    assert_int_equal(esp_http_client_set_header(h, "Cookie", "a=b"), ESP_OK);
    assert_int_equal(esp_http_client_set_redirection(h), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_open(h, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(h), 1);
    assert_int_equal(esp_http_client_flush_response(h, &len), ESP_OK);
    assert_int_equal(len, 1);
    assert_int_equal(esp_http_client_set_redirection(h), ESP_OK);
    assert_int_equal(esp_http_client_get_url(h, url, sizeof(url)), ESP_OK);
    assert_string_equal(url, "http://i:81/g");
    assert_int_equal(esp_http_client_get_header(h, "Cookie", &value),
                     ESP_ERR_NOT_FOUND);
    assert_null(value);
    assert_int_equal(esp_http_client_open(h, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(h), 2);
    assert_int_equal(esp_http_client_get_content_range(h), 77);
    assert_int_equal(esp_http_client_cleanup(h), ESP_OK);
    dev_close(&d);
}

/* --- what can be set ------------------------------------------------------ */

static void test_settings(void **state)
{
    const struct sim_net_script conns[] = { CONN(
        DATA(OK "Content-Length: 0\r\n\r\n")) };
    struct dev d;
    char *value = NULL;
    void *user = NULL;

    (void)state;
    esp_http_client_handle_t h = make(&d, conns, 1);
    assert_int_equal(esp_http_client_set_method(h, HTTP_METHOD_MAX),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_set_method(h, HTTP_METHOD_PATCH), ESP_OK);
    assert_int_equal(esp_http_client_get_post_field(h, &value), 0);
    assert_int_equal(esp_http_client_set_post_field(h, "a=b", 3), ESP_OK);
    assert_int_equal(esp_http_client_get_post_field(h, &value), 3);
    assert_string_equal(value, "a=b");
    assert_int_equal(esp_http_client_get_header(h, "content-type", &value),
                     ESP_OK);
    assert_string_equal(value, "application/x-www-form-urlencoded");
    assert_int_equal(esp_http_client_delete_header(h, "Nothing"),
                     ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_http_client_set_header(h, "X", "a\nb"),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_set_password(h, "passwd"), ESP_OK);
    assert_int_equal(esp_http_client_set_username(h, "user"), ESP_OK);
    assert_int_equal(esp_http_client_get_password(h, &value), ESP_OK);
    assert_string_equal(value, "passwd");
    assert_int_equal(esp_http_client_set_authtype(h, HTTP_AUTH_TYPE_BASIC),
                     ESP_OK);
    assert_int_equal(esp_http_client_set_user_data(h, &d), ESP_OK);
    assert_int_equal(esp_http_client_get_user_data(h, &user), ESP_OK);
    assert_ptr_equal(user, &d);
    assert_int_equal(esp_http_client_set_url(h, "relative"),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_set_url(h, "/p"), ESP_OK);
    assert_int_equal(esp_http_client_perform(h), ESP_OK);
    assert_int_equal(esp_http_client_set_post_field(h, NULL, 0), ESP_OK);
    assert_int_equal(esp_http_client_get_header(h, "content-type", &value),
                     ESP_ERR_NOT_FOUND);
    assert_string_equal(bench_sent(&d.bench),
                        "PATCH /p HTTP/1.1\r\n"
                        "User-Agent: ESP32 HTTP Client/1.0\r\nHost: h\r\n"
                        "Content-Type: application/x-www-form-urlencoded\r\n"
                        "Authorization: Basic dXNlcjpwYXNzd2Q=\r\n"
                        "Content-Length: 3\r\n\r\na=b");
    assert_int_equal(esp_http_client_get_transport_type(h),
                     HTTP_TRANSPORT_OVER_TCP);
    assert_int_equal(esp_http_client_get_socket(h), -1);
    assert_int_equal(esp_http_client_cancel_request(h), ESP_OK);
    assert_int_equal(esp_http_client_cancel_request(h), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_http_client_cleanup(h), ESP_OK);
    dev_close(&d);
}

static void test_last_error(void **state)
{
    const struct sim_net_script conns[] = {
        { .open_err = ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST,
          .open_errno = ECONNREFUSED }
    };
    struct dev d;
    int code = 9;
    int flags = 9;

    (void)state;
    esp_http_client_handle_t h = make(&d, conns, 1);
    assert_int_equal(esp_http_client_open(h, 0), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(esp_http_client_get_errno(h), ECONNREFUSED);
    assert_int_equal(
        esp_http_client_get_and_clear_last_tls_error(h, &code, &flags),
        ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
    assert_int_equal(code, 0);
    assert_int_equal(flags, 0);
    assert_int_equal(
        esp_http_client_get_and_clear_last_tls_error(h, NULL, NULL), ESP_OK);
    assert_int_equal(esp_tls_get_and_clear_last_error(NULL, &code, &flags),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_http_client_cleanup(h), ESP_OK);
    dev_close(&d);
}

/* --- the default event loop ----------------------------------------------- */

static void on_posted(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    char *log = arg;

    assert_ptr_equal(base, ESP_HTTP_CLIENT_EVENT);
    (void)snprintf(log + strlen(log), 8, "%d", (int)id);
    if (id == HTTP_EVENT_ON_DATA) {
        const esp_http_client_on_data_t *on_data = data;
        (void)snprintf(log + strlen(log), 16, "(%d)",
                       (int)on_data->data_process);
    }
}

static void test_default_loop(void **state)
{
    const struct sim_net_script conns[] = { CONN(DATA(BODY)) };
    char log[64] = "";
    struct dev d;

    (void)state;
    esp_http_client_handle_t h = make(&d, conns, 1);
    assert_int_equal(esp_event_loop_create_default(), ESP_OK);
    assert_int_equal(esp_event_handler_register(ESP_HTTP_CLIENT_EVENT,
                                                ESP_EVENT_ANY_ID, on_posted,
                                                log),
                     ESP_OK);
    assert_int_equal(esp_http_client_perform(h), ESP_OK);
    assert_string_equal(log, "125346(2)7");
    assert_int_equal(esp_event_loop_delete_default(), ESP_OK);
    assert_int_equal(esp_http_client_cleanup(h), ESP_OK);
    dev_close(&d);
}

/* --- memory --------------------------------------------------------------- */

static void test_each_allocation_fails(void **state)
{
    const struct sim_net_script conns[] = { CONN(DATA(GO("/g")), DATA(BODY)) };
    const esp_http_client_config_t config = {
        .host = "h", .path = "/f", .username = "u", .common_name = "n"
    };
    esp_err_t err = ESP_FAIL;
    uint32_t at = 0;

    (void)state;
    while (err) {
        struct dev d;

        dev_open(&d, conns, 1);
        d.bench.heap.alloc_cnt = 0;
        d.bench.heap.fail_at = ++at;
        esp_http_client_handle_t h = esp_http_client_init(&config);
        err = h ? esp_http_client_perform(h) : ESP_ERR_NO_MEM;
        if (h)
            assert_int_equal(esp_http_client_cleanup(h), ESP_OK);
        if (err)
            assert_int_equal(err, ESP_ERR_NO_MEM);
        dev_close(&d);
        assert_true(at < 1000);
    }
    assert_true(at > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_perform),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_read_fails),
        cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_redirection_by_hand),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_last_error),
        cmocka_unit_test(test_default_loop),
        cmocka_unit_test(test_each_allocation_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
