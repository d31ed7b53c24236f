/* A client over several requests: connections, headers, events, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define BODY OK "Content-Length: 2\r\n\r\nok"

static struct http_client *open_client(struct bench *b, const char *url)
{
    static const struct http_opts opts = { .follow = true };
    struct http_client *c = NULL;

    assert_int_equal(http_open(&c, &b->env, &opts, url, NULL), ESP_OK);
    return c;
}

static void get(struct http_client *c, const char *want)
{
    char body[64] = "";
    struct diag d = DIAG_NONE;

    if (http_request(c, &d) != ESP_OK)
        fail_msg("%s", d.text);
    assert_int_equal(read_all(c, 64, body, NULL), ESP_OK);
    assert_string_equal(body, want);
}

struct reuse_row {
    const char *claim;
    struct sim_net_script conns[3];
    const char *method;
    unsigned connects, sent; /* connections, requests on them */
    esp_err_t err;           /* of the second request */
};

static const struct reuse_row reuses[] = {
    { "a connection is used again",
      { CONN(DATA(BODY), DATA(BODY)) },
      "GET",
      1,
      2,
      ESP_OK },
    { "unless the server says no",
      { CONN(DATA(OK "Connection: close\r\nContent-Length: 2\r\n\r\nok")),
        CONN(DATA(BODY)) },
      "GET",
      2,
      2,
      ESP_OK },
    { "or is of HTTP/1.0",
      { CONN(DATA("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")),
        CONN(DATA(BODY)) },
      "GET",
      2,
      2,
      ESP_OK },
    { "or sent more than its body",
      { CONN(DATA(BODY "\r\n"), DATA(BODY)), CONN(DATA(BODY)) },
      "GET",
      2,
      2,
      ESP_OK },
    { "one that was closed in the meantime is made again",
      { CONN(DATA(BODY)), CONN(DATA(BODY)) },
      "GET",
      2,
      3,
      ESP_OK },
    { "one that was reset in the meantime, too",
      { CONN(DATA(BODY), RESET), CONN(DATA(BODY)) },
      "HEAD",
      2,
      2,
      ESP_OK },
    { "but a POST is not sent twice",
      { CONN(DATA(BODY)), CONN(DATA(BODY)) },
      "POST",
      1,
      2,
      ESP_ERR_HTTP_FETCH_HEADER },
    { "nor anything when part of an answer came",
      { CONN(DATA(BODY), DATA("HTTP/1.1 2")), CONN(DATA(BODY)) },
      "GET",
      1,
      2,
      ESP_ERR_HTTP_FETCH_HEADER },
    { "nor when a new connection fails in the same way",
      { CONN(DATA(BODY)), CONN(DELAY(1)), CONN(DATA(BODY)) },
      "GET",
      2,
      3,
      ESP_ERR_HTTP_FETCH_HEADER },
};

static void test_reuse(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(reuses); i++) {
        const struct reuse_row *row = &reuses[i];
        struct bench b;

        print_message("# %s\n", row->claim);
        bench_init(&b, row->conns, 3);
        struct http_client *c = open_client(&b, "http://h/f");
        get(c, "ok");
        assert_int_equal(http_set_method(c, row->method), ESP_OK);
        assert_int_equal(http_request(c, NULL), row->err);
        assert_int_equal(http_stats(c)->connects, row->connects);
        http_close(c);
        assert_int_equal(bench_sent_cnt(&b, " /f HTTP/1.1"), row->sent);
        bench_check_clean(&b);
    }
}

static void test_unread_body(void **state)
{
    const struct sim_net_script conns[] = {
        CONN(DATA(OK "Content-Length: 5\r\n\r\nshort"), DATA(BODY),
             DATA(OK "Content-Length: 50000\r\n\r\nlong")),
        CONN(DATA(BODY)),
    };
    struct bench b;

    (void)state;
    bench_init(&b, conns, CNT(conns));
    struct http_client *c = open_client(&b, "http://h/f");
    assert_int_equal(http_request(c, NULL), ESP_OK);
    assert_int_equal(http_request(c, NULL), ESP_OK); /* read over */
    assert_int_equal(http_stats(c)->connects, 1);
    assert_int_equal(http_request(c, NULL), ESP_OK);
    get(c, "ok"); /* cut off */
    assert_int_equal(http_stats(c)->connects, 2);
    http_close(c);
    bench_check_clean(&b);
}

/* Saving a connection is not worth waiting for each byte of an answer that
 * nobody wants. */
static void test_unread_body_that_trickles(void **state)
{
    const struct sim_net_script conns[] = {
        CONN(DATA(OK "Content-Length: 5\r\n\r\na"), DELAY(4000), DATA("b"),
             DELAY(4000), DATA("c"), DELAY(4000), DATA("d"), DELAY(4000),
             DATA("e"), DATA(BODY)),
        CONN(DATA(BODY)),
    };
    struct bench b;

    (void)state;
    bench_init(&b, conns, CNT(conns));
    struct http_client *c = open_client(&b, "http://h/f");
    uint64_t began_ms = b.sys.now_ms;
    assert_int_equal(http_request(c, NULL), ESP_OK);
    get(c, "ok");
    assert_int_equal(http_stats(c)->connects, 2);
    assert_in_range(b.sys.now_ms - began_ms, 5000, 10000);
    http_close(c);
    bench_check_clean(&b);
}

static void test_pause_in_body(void **state)
{
    const struct sim_net_script conns[] = { CONN(
        DATA(OK "Content-Length: 8\r\n\r\nbody"), SILENCE, DATA("more")) };
    char body[16] = "";
    struct bench b;

    (void)state;
    bench_init(&b, conns, CNT(conns));
    struct http_client *c = open_client(&b, "http://h/f");
    assert_int_equal(http_request(c, NULL), ESP_OK);
    assert_int_equal(read_all(c, 16, body, NULL), ESP_ERR_TIMEOUT);
    assert_int_equal(read_all(c, 16, body, NULL), ESP_OK);
    assert_string_equal(body, "bodymore");
    http_close(c);
    bench_check_clean(&b);
}

/* What was read of the framing is kept, and is not data yet. */
static void test_pause_in_framing(void **state)
{
    static const char whole[] = "12\r\nabcdefghijklmnopqr\r\n0\r\n\r\n";
    char first[64], body[32];

    (void)state;
    for (size_t at = 1; at < sizeof(whole) - 1; at++) {
        const struct sim_net_script conns[] = { CONN(
            DATA(OK "Transfer-Encoding: chunked\r\n\r\n"), DATA(first), SILENCE,
            DATA(whole + at)) };
        struct bench b;

        memcpy(first, whole, at);
        first[at] = '\0';
        print_message("# after %zu bytes\n", at);
        bench_init(&b, conns, CNT(conns));
        memset(body, 0, sizeof(body));
        struct http_client *c = open_client(&b, "http://h/f");
        assert_int_equal(http_request(c, NULL), ESP_OK);
        assert_int_equal(read_all(c, 16, body, NULL), ESP_ERR_TIMEOUT);
        assert_int_equal(read_all(c, 16, body, NULL), ESP_OK);
        assert_string_equal(body, "abcdefghijklmnopqr");
        http_close(c);
        bench_check_clean(&b);
    }
}

static void test_pause_in_head(void **state)
{
    const struct sim_net_script conns[] = { CONN(
        DATA("HTTP/1.1 2"), SILENCE, DATA("00 OK\r\nContent-Le"), SILENCE,
        DATA("ngth: 2\r\n\r\nok")) };
    struct bench b;

    (void)state;
    bench_init(&b, conns, CNT(conns));
    struct http_client *c = open_client(&b, "http://h/f");
    assert_int_equal(http_send_head(c, 0, NULL), ESP_OK);
    assert_int_equal(http_recv_head(c, NULL), ESP_ERR_HTTP_READ_TIMEOUT);
    assert_true(http_connected(c));
    assert_int_equal(http_recv_head(c, NULL), ESP_ERR_HTTP_READ_TIMEOUT);
    assert_int_equal(http_recv_head(c, NULL), ESP_OK);
    assert_int_equal(http_head(c)->content_len, 2);
    http_close(c);
    bench_check_clean(&b);
}

static void test_body_out(void **state)
{
    const struct sim_net_script conns[] = { CONN(DATA(BODY), DATA(BODY),
                                                 DATA(BODY)) };
    struct bench b;

    (void)state;
    bench_init(&b, conns, CNT(conns));
    struct http_client *c = open_client(&b, "http://h/f");
    assert_int_equal(http_set_method(c, "POST"), ESP_OK);
    http_set_body(c, "a=b", 3);
    get(c, "ok");
    assert_int_equal(bench_sent_cnt(&b, "Content-Length: 3\r\n\r\na=b"), 1);
    http_set_body(c, NULL, 0);
    get(c, "ok");
    assert_int_equal(bench_sent_cnt(&b, "Content-Length: 0\r\n\r\n"), 1);
    assert_int_equal(http_send_head(c, HTTP_LEN_UNKNOWN, NULL), ESP_OK);
    assert_int_equal(http_send_body(c, "1\r\nx\r\n0\r\n\r\n", 11, NULL),
                     ESP_OK);
    assert_int_equal(http_recv_head(c, NULL), ESP_OK);
    assert_int_equal(
        bench_sent_cnt(&b, "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0"), 1);
    http_close(c);
    bench_check_clean(&b);
}

static void test_order_is_kept(void **state)
{
    struct bench b;
    size_t got = 0;
    char buf[4];

    (void)state;
    bench_init(&b, NULL, 0);
    struct http_client *c = open_client(&b, "http://h/f");
    assert_int_equal(http_recv_head(c, NULL), ESP_ERR_INVALID_STATE);
    assert_int_equal(http_send_body(c, "x", 1, NULL), ESP_ERR_INVALID_STATE);
    assert_int_equal(http_read(c, buf, sizeof(buf), &got, NULL),
                     ESP_ERR_INVALID_STATE);
    assert_false(http_body_done(c));
    http_close(c);
    http_close(NULL);
    bench_check_clean(&b);
}

static void test_headers(void **state)
{
    const struct sim_net_script conns[] = {
        CONN(DATA(BODY), DATA("HTTP/1.1 302 Go\r\nContent-Length: 0\r\n"
                              "Location: http://i/g\r\n\r\n")),
        CONN(DATA(BODY))
    };
    struct bench b;

    (void)state;
    bench_init(&b, conns, CNT(conns));
    struct http_client *c = open_client(&b, "http://h/f");
    assert_int_equal(http_set_header(c, "Range", "bytes=1-2"), ESP_OK);
    assert_int_equal(http_set_header(c, "range", "bytes=3-4"), ESP_OK);
    assert_int_equal(http_set_header(c, "Cookie", "secret=1"), ESP_OK);
    assert_int_equal(http_set_header(c, "Authorization", "Bearer t0"), ESP_OK);
    assert_int_equal(http_set_header(c, "X", "1\r\nY: 2"), ESP_ERR_INVALID_ARG);
    assert_int_equal(http_set_header(c, "X Y", "1"), ESP_ERR_INVALID_ARG);
    assert_int_equal(http_set_method(c, "GET / HTTP/1.1\r\nA:"),
                     ESP_ERR_INVALID_ARG);
    assert_string_equal(http_get_header(c, "RANGE"), "bytes=3-4");
    get(c, "ok");
    assert_non_null(strstr(bench_sent(&b),
                           "Host: h\r\nrange: bytes=3-4\r\n"
                           "Cookie: secret=1\r\nAuthorization: Bearer t0"));
    get(c, "ok"); /* over to the other host */
    assert_int_equal(bench_sent_cnt(&b, "secret=1"), 2);
    assert_int_equal(bench_sent_cnt(&b, "Bearer t0"), 2);
    assert_int_equal(bench_sent_cnt(&b, "range: bytes=3-4"), 3);
    assert_null(http_get_header(c, "Cookie"));
    assert_int_equal(http_set_header(c, "Cookie", NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(http_set_header(c, "Range", NULL), ESP_OK);
    http_close(c);
    bench_check_clean(&b);
}

static void test_host_cannot_be_lost(void **state)
{
    const struct sim_net_script conns[] = { CONN(DATA(BODY)) };
    struct bench b;

    (void)state;
    bench_init(&b, conns, CNT(conns));
    struct http_client *c = open_client(&b, "http://h/f");
    http_clear_headers(c);
    get(c, "ok");
    assert_string_equal(bench_sent(&b), "GET /f HTTP/1.1\r\nHost: h\r\n\r\n");
    http_close(c);
    bench_check_clean(&b);
}

static void test_set_url(void **state)
{
    static const struct {
        const char *url;
        esp_err_t err;
        const char *now; /* host and path */
        bool login;
    } rows[] = {
        { "/other?q", ESP_OK, "h/other", true },
        { "http://h/x", ESP_OK, "h/x", true },
        { "relative", ESP_ERR_INVALID_ARG, "h/x", true },
        { "", ESP_ERR_INVALID_ARG, "h/x", true },
        { "http://i/y", ESP_OK, "i/y", false },
        { "http://new:login@j/z", ESP_OK, "j/z", true },
    };
    struct bench b;

    (void)state;
    bench_init(&b, NULL, 0);
    struct http_client *c = open_client(&b, "http://u:p@h/f");
    for (size_t i = 0; i < CNT(rows); i++) {
        const struct http_url *u = http_url_now(c);
        char now[32] = "";

        print_message("# '%s'\n", rows[i].url);
        assert_int_equal(http_set_url(c, rows[i].url), rows[i].err);
        strncat(now, (const char *)u->host.ptr, u->host.len);
        strncat(now, (const char *)u->path.ptr, u->path.len);
        assert_string_equal(now, rows[i].now);
        assert_int_equal(http_username(c) != NULL, rows[i].login);
        assert_int_equal(u->userinfo.len, 0);
    }
    assert_string_equal(http_username(c), "new");
    assert_string_equal(http_password(c), "login");
    http_close(c);
    bench_check_clean(&b);
}

/* 10,000 bytes of path, of a header, of a Location: no buffer is too small. */
static void test_long_lines(void **state)
{
    char *head = malloc(30000);
    char *url = malloc(11000);
    char *token = malloc(10001);
    struct bench b;

    (void)state;
    assert_true(head && url && token);
    strcpy(url, "http://h/");
    memset(url + 9, 'u', 10000);
    url[10009] = '\0';
    memset(token, 't', 10000);
    token[10000] = '\0';
    strcpy(head, "HTTP/1.1 302 Go\r\nLocation: /");
    strcat(head, token);
    strcat(head, "\r\nX-Policy: ");
    strcat(head, token);
    strcat(head, "\r\nContent-Length: 0\r\n\r\n");
    const struct sim_net_script conns[] = { CONN(DATA(head), DATA(BODY)) };
    bench_init(&b, conns, 1);
    struct http_client *c = open_client(&b, url);
    assert_int_equal(http_set_header(c, "X-Long", token), ESP_OK);
    get(c, "ok");
    assert_int_equal(bench_sent_cnt(&b, url + 8), 1);
    assert_int_equal(bench_sent_cnt(&b, "X-Long: t"), 2);
    assert_true(b.net.sent_len > 40000);
    assert_non_null(strstr(bench_sent(&b), "GET /tttt"));
    http_close(c);
    bench_check_clean(&b);
    free(head);
    free(url);
    free(token);
}

/* --- events --------------------------------------------------------------- */

static void on_event(void *ctx, const struct http_event_info *e)
{
    static const char letters[] = "CSTHhDFXRE";
    char *out = ctx;
    size_t len = strlen(out);

    out[len++] = letters[e->ev];
    out[len] = '\0';
    if (e->ev == HTTP_EV_HEADER) {
        strcat(out, e->name);
        strcat(out, "=");
        strcat(out, e->value);
        strcat(out, ";");
    } else if (e->ev == HTTP_EV_DATA) {
        strncat(out, (const char *)e->data.ptr, e->data.len);
    }
}

static void test_events(void **state)
{
    const struct sim_net_script conns[] = { CONN(
        DATA("HTTP/1.1 100 Go\r\nX: y\r\n\r\n"
             "HTTP/1.1 302 Go\r\nLocation: /g \r\n"
             "Empty:\r\nContent-Length: 4\r\n\r\nover"),
        DATA(OK "Connection: close\r\nContent-Length: 2\r\n\r\nok")) };
    char log[512] = "";
    char body[16] = "";
    struct http_opts opts = { .follow = true,
                              .on_event = on_event,
                              .event_ctx = log };
    struct http_client *c = NULL;
    struct bench b;

    (void)state;
    bench_init(&b, conns, CNT(conns));
    assert_int_equal(http_open(&c, &b.env, &opts, "http://h/f", NULL), ESP_OK);
    assert_int_equal(http_request(c, NULL), ESP_OK);
    assert_int_equal(read_all(c, 16, body, NULL), ESP_OK);
    assert_string_equal(log, "CSTHLocation=/g;HEmpty=;HContent-Length=4;h"
                             "DoverFRSTHConnection=close;HContent-Length=2;h"
                             "DokFX");
    log[0] = '\0';
    assert_int_equal(http_request(c, NULL), ESP_ERR_HTTP_CONNECT);
    assert_string_equal(log, "E");
    http_close(c);
    bench_check_clean(&b);
}

/* --- memory --------------------------------------------------------------- */

static const struct sim_net_script busy[] = {
    CONN(
        DATA("HTTP/1.1 401 Who\r\nEmpty:\r\nContent-Length: 3\r\n"
             "WWW-Authenticate: Basic realm=\"as long as sixty-four bytes\"\r\n"
             "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\nwho"),
        DATA("HTTP/1.1 302 Go\r\nLocation: http://i/g\r\n"
             "Content-Length: 0\r\n\r\n")),
    CONN(DATA(OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"))
};

static esp_err_t busy_run(struct bench *b)
{
    char log[1024] = "";
    struct http_opts opts = { .follow = true,
                              .on_event = on_event,
                              .event_ctx = log,
                              .username = "u",
                              .password = "p",
                              .user_agent = "agent" };
    struct http_client *c = NULL;
    struct diag d = DIAG_NONE;
    char body[16] = "";
    esp_err_t err = http_open(&c, &b->env, &opts, "http://h/f?q", &d);

    if (!err)
        err = http_set_header(c, "X", "y");
    if (!err)
        err = http_request(c, &d);
    if (!err)
        err = read_all(c, 16, body, &d);
    http_close(c);
    if (!err)
        assert_string_equal(body, "ok");
    return err;
}

static void test_each_allocation_fails(void **state)
{
    esp_err_t err = ESP_ERR_NO_MEM;
    uint32_t at = 0;

    (void)state;
    while (err) {
        struct bench b;

        bench_init(&b, busy, CNT(busy));
        b.heap.fail_at = ++at;
        err = busy_run(&b);
        if (err && err != ESP_ERR_NO_MEM)
            fail_msg("allocation %u: 0x%x", (unsigned)at, (unsigned)err);
        bench_check_clean(&b);
        assert_true(at < 1000);
    }
    print_message("# %u allocations, each failed once\n", (unsigned)at - 1);
    assert_true(at > 15);
}

static void test_bad_urls(void **state)
{
    static const struct http_opts opts = { .follow = true };
    static const char *const urls[] = { "",         "h/f",     "/f",
                                        "ftp://h/", "http://", "http://h:0/" };
    struct bench b;

    (void)state;
    bench_init(&b, NULL, 0);
    for (size_t i = 0; i < CNT(urls); i++) {
        struct http_client *c = NULL;
        struct diag d = DIAG_NONE;

        assert_int_equal(http_open(&c, &b.env, &opts, urls[i], &d),
                         ESP_ERR_INVALID_ARG);
        assert_null(c);
        assert_non_null(strstr(d.text, "URL"));
    }
    bench_check_clean(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_unread_body),
        cmocka_unit_test(test_unread_body_that_trickles),
        cmocka_unit_test(test_pause_in_body),
        cmocka_unit_test(test_pause_in_framing),
        cmocka_unit_test(test_pause_in_head),
        cmocka_unit_test(test_body_out),
        cmocka_unit_test(test_order_is_kept),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_host_cannot_be_lost),
        cmocka_unit_test(test_set_url),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_each_allocation_fails),
        cmocka_unit_test(test_bad_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
