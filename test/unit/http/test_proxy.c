/* What a proxy is asked, and what its answers mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "walk.h"

static const struct row proxies[] = {
    { .claim = "a proxy that wants no name",
      .proxy = "http://p",
      CONNS(CONN(DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_("http://h/f", "h", "") },
    { .claim = "http is asked of the proxy with the whole URL",
      .url = "http://h:81/f?q",
      .proxy = "http://us%40er:p%3aw@p:3128",
      .login = true,
      CONNS(CONN(DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_("http://h:81/f?q", "h:81",
                   "Authorization: Basic dTpw\r\n"
                   "Proxy-Authorization: Basic dXNAZXI6cDp3\r\n") },
    { .claim = "another server, the same proxy: its secret goes on, ours not",
      .proxy = "http://u:p@p",
      .login = true,
      CONNS(CONN(DATA(TO("http://cdn/x"))), CONN(DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_("http://h/f", "h",
                   "Authorization: Basic dTpw\r\n"
                   "Proxy-Authorization: Basic dTpw\r\n")
          GET_("http://cdn/x", "cdn", "Proxy-Authorization: Basic dTpw\r\n") },
    { .claim = "407 to CONNECT without credentials",
      .url = "https://h/f",
      .proxy = "http://p:3128",
      CONNS(CONN(DATA("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n"))),
      OPS(ASK_FAILS(ESP_FAIL, "h:443: proxy p:3128: status 407: it wants a "
                              "user name")),
      .sent = "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" },
    { .claim = "407 to CONNECT with credentials",
      .url = "https://[::1]:8443/f",
      .proxy = "http://u:p@p:3128/",
      .login = true,
      CONNS(CONN(DATA("HTTP/1.1 407 No\r\n\r\n"))),
      OPS(ASK_FAILS(ESP_FAIL, "[::1]:8443: proxy p:3128: status 407: it "
                              "refuses the user name")),
      .sent = "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n"
              "Proxy-Authorization: Basic dTpw\r\n\r\n" },
    { .claim = "a proxy that cannot reach the server",
      .url = "https://h:80/f",
      .proxy = "http://[::2]",
      CONNS(CONN(DATA("HTTP/1.0 502 No\r\n\r\n"))),
      OPS(ASK_FAILS(ESP_ERR_HTTP_CONNECT, "h:80: proxy [::2]:80: status 502")),
      .sent = "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n" },
    { .claim = "a proxy that speaks into the tunnel",
      .url = "https://h/f",
      .proxy = "http://p",
      CONNS(CONN(DATA("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n"))),
      OPS(ASK_FAILS(ESP_FAIL, "bytes of its own")),
      .sent = "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" },
    { .claim = "a proxy that says nothing",
      .url = "https://h/f",
      .proxy = "http://p",
      CONNS(CONN(SILENCE)),
      OPS(ASK_FAILS(ESP_ERR_HTTP_CONNECT, "no answer to CONNECT")),
      .sent = "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" },
    { .claim = "a proxy that closes",
      .url = "https://h/f",
      .proxy = "http://p",
      CONNS(CONN(DELAY(1))),
      OPS(ASK_FAILS(ESP_ERR_HTTP_CONNECT, "ended the connection before")),
      .sent = "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" },
    { .claim = "a proxy that breaks off",
      .url = "https://h/f",
      .proxy = "http://p",
      CONNS(CONN(DELAY(1), RESET)),
      OPS(ASK_FAILS(ESP_ERR_HTTP_CONNECT, "ended the connection before")),
      .sent = "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" },
    { .claim = "interim answers of a proxy are read over",
      .url = "https://h/f",
      .proxy = "http://p",
      CONNS(CONN(DATA(GO_ON "HTTP/1.1 407 No\r\n\r\n"))),
      OPS(ASK_FAILS(ESP_FAIL, "status 407")),
      .sent = "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" },
    { .claim = "but not for ever",
      .url = "https://h/f",
      .proxy = "http://p",
      CONNS(CONN(DATA(GO_ON_4 GO_ON_4), DATA(GO_ON_4 GO_ON_4 GO_ON))),
      OPS(ASK_FAILS(ESP_FAIL, "status 100: it does not connect us")),
      .sent = "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" },
    { .claim = "a proxy that is gone",
      .url = "https://h/f",
      .proxy = "http://p:3128",
      OPS(ASK_FAILS(ESP_ERR_HTTP_CONNECT, "h:443: proxy p:3128: cannot "
                                          "connect")),
      .sent = "" },
    { .claim = "a proxy that talks on and on",
      .url = "https://h/f",
      .proxy = "http://p",
      CONNS(CONN(DATA("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"))),
      OPS(ASK_FAILS(ESP_ERR_HTTP_CONNECT, "not sound")),
      .sent = "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" },
};

static void test_proxies(void **state)
{
    (void)state;
    walk_rows(proxies, CNT(proxies));
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    walk_without_memory(proxies, CNT(proxies));
}

static void test_proxy_urls(void **state)
{
    static const struct {
        const char *url;
        esp_err_t err;
    } rows[] = { { "http://p", ESP_OK },
                 { "http://u:p@p:1/", ESP_OK },
                 { "https://p", ESP_ERR_NOT_SUPPORTED },
                 { "http://a%3ab:p@p", ESP_ERR_INVALID_ARG },
                 { "http://p/path", ESP_ERR_INVALID_ARG },
                 { "http://p?q", ESP_ERR_INVALID_ARG },
                 { "socks5://p", ESP_ERR_INVALID_ARG },
                 { "p:3128", ESP_ERR_INVALID_ARG },
                 { NULL, ESP_OK } };
    struct bench b;
    struct http_opts opts = { .follow = true };
    struct http_client *c = NULL;

    (void)state;
    bench_init(&b, NULL, 0);
    assert_int_equal(http_open(&c, &b.env, &opts, "http://h/f", NULL), ESP_OK);
    for (size_t i = 0; i < CNT(rows); i++)
        assert_int_equal(http_set_proxy(c, rows[i].url), rows[i].err);
    http_close(c);
    bench_check_clean(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proxies),
        cmocka_unit_test(test_each_allocation_fails),
        cmocka_unit_test(test_proxy_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
