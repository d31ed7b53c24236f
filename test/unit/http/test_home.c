/* Where requests go and what they say there: redirects away from home and the
 * way back, tokens, URLs that are made anew, proxies. Each row is all that went
 * over the wire, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

#define ANSWER(status, fields) \
    "HTTP/1.1 " status " X\r\nContent-Length: 0\r\n" fields "\r\n"
#define OK ANSWER("200", "")
#define TO(where) ANSWER("302", "Location: " where "\r\n")
#define GET_(target, host, fields)                                \
    "GET " target " HTTP/1.1\r\nUser-Agent: porta\r\nHost: " host \
    "\r\n" fields "\r\n"
#define BEARER(token) "Authorization: Bearer " token "\r\n"

enum what { REQ, REWIND, RESUME, SET_URL };
struct op {
    enum what what;
    const char *url; /* of SET_URL */
    int status;
    esp_err_t err;
    const char *says;
};
#define ASK(s)                  \
    {                           \
        REQ, NULL, s, ESP_OK, 0 \
    }
#define ASK_FAILS(e, text)    \
    {                         \
        REQ, NULL, 0, e, text \
    }
#define BACK                       \
    {                              \
        REWIND, NULL, 0, ESP_OK, 0 \
    }
#define AGAIN                      \
    {                              \
        RESUME, NULL, 0, ESP_OK, 0 \
    }
#define GO(url)                    \
    {                              \
        SET_URL, url, 0, ESP_OK, 0 \
    }

#define OPS_MAX 5
struct row {
    const char *claim;
    const char *url; /* NULL: http://h/f */
    const char *proxy;
    bool tokens, urls, login;
    const char *mark; /* header "X-Mine: m", and this one is a secret */
    struct sim_net_script conns[CONNS_MAX];
    size_t conn_cnt;
    struct op ops[OPS_MAX];
    size_t op_cnt;
    const char *sent;
    const char *asked; /* of tokens and urls */
};
#define CONNS(...)                                                       \
    .conns = { __VA_ARGS__ },                                            \
    .conn_cnt = sizeof((const struct sim_net_script[]){ __VA_ARGS__ }) / \
                sizeof(struct sim_net_script)
#define OPS(...)            \
    .ops = { __VA_ARGS__ }, \
    .op_cnt = sizeof((const struct op[]){ __VA_ARGS__ }) / sizeof(struct op)

/* Says what it was asked; the token and the URL count the calls. */
struct giver {
    char asked[64];
    unsigned cnt;
    esp_err_t err;
    bool silent;
};

static void put(struct giver *g, const char *what)
{
    size_t len = strlen(g->asked);

    snprintf(g->asked + len, sizeof(g->asked) - len, "%s", what);
}

static esp_err_t give_token(void *ctx, bool renew, struct http_buf *out,
                            struct diag *d)
{
    struct giver *g = ctx;
    char text[16];

    (void)d;
    g->cnt += renew || g->cnt == 0;
    put(g, renew ? "new " : "any ");
    snprintf(text, sizeof(text), "t%u", g->cnt);
    return g->err ? g->err : http_buf_add(out, span_str(text));
}

static esp_err_t give_url(void *ctx, enum http_url_why why,
                          struct http_buf *out, struct diag *d)
{
    static const char *const names[] = { "start ", "refused ", "resume " };
    struct giver *g = ctx;
    char text[32];

    (void)d;
    put(g, names[why]);
    snprintf(text, sizeof(text), "http://h/s%u", ++g->cnt);
    if (g->err || g->silent)
        return g->err;
    return http_buf_add(out, span_str(text));
}

static const struct row homes[] = {
    { .claim = "the next request goes where the redirect led, and says nothing",
      .login = true,
      CONNS(CONN(DATA(TO("http://cdn/x"))), CONN(DATA(OK), DATA(OK))),
      OPS(ASK(200), ASK(200)),
      .sent = GET_("/f", "h", "Authorization: Basic dTpw\r\n")
          GET_("/x", "cdn", "") GET_("/x", "cdn", "") },
    { .claim = "a rewind starts at home, with what belongs there",
      .login = true,
      .mark = "X-Mine",
      CONNS(CONN(DATA(TO("http://cdn/x"))), CONN(DATA(OK)), CONN(DATA(OK))),
      OPS(ASK(200), BACK, ASK(200)),
      .sent = GET_("/f", "h", "X-Mine: m\r\nAuthorization: Basic dTpw\r\n")
          GET_("/x", "cdn", "")
              GET_("/f", "h", "X-Mine: m\r\nAuthorization: Basic dTpw\r\n") },
    { .claim = "a hop that leads home brings nothing back",
      .login = true,
      .mark = "X-Mine",
      CONNS(CONN(DATA(TO("http://cdn/x"))), CONN(DATA(TO("http://h/y"))),
            CONN(DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_("/f", "h", "X-Mine: m\r\nAuthorization: Basic dTpw\r\n")
          GET_("/x", "cdn", "") GET_("/y", "h", "") },
    { .claim = "a header that is not marked goes along",
      .mark = "X-Other",
      CONNS(CONN(DATA(TO("http://h:81/x"))), CONN(DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_("/f", "h", "X-Mine: m\r\n")
          GET_("/x", "h:81", "X-Mine: m\r\n") },
    { .claim = "a URL that is set elsewhere forgets what was kept for home",
      .login = true,
      CONNS(CONN(DATA(TO("http://cdn/x"))), CONN(DATA(OK), DATA(OK)),
            CONN(DATA(OK))),
      OPS(ASK(200), GO("http://cdn/z"), ASK(200), GO("http://h/f"), ASK(200)),
      .sent = GET_("/f", "h", "Authorization: Basic dTpw\r\n")
          GET_("/x", "cdn", "") GET_("/z", "cdn", "") GET_("/f", "h", "") },
    { .claim = "and a way back to the new home does not bring it there",
      .mark = "X-Mine",
      CONNS(CONN(DATA(TO("http://cdn/x"))),
            CONN(DATA(OK), DATA(TO("http://o/y"))), CONN(DATA(OK)),
            CONN(DATA(OK))),
      OPS(ASK(200), GO("http://cdn/z"), ASK(200), BACK, ASK(200)),
      .sent = GET_("/f", "h", "X-Mine: m\r\n") GET_("/x", "cdn", "")
          GET_("/z", "cdn", "") GET_("/y", "o", "") GET_("/z", "cdn", "") },
    { .claim = "an expired place is asked of home anew, once",
      .login = true,
      CONNS(CONN(DATA(TO("http://cdn/1"))),
            CONN(DATA(OK), DATA(ANSWER("403", ""))),
            CONN(DATA(TO("http://cdn/2"))), CONN(DATA(OK))),
      OPS(ASK(200), ASK(200)),
      .sent = GET_("/f", "h", "Authorization: Basic dTpw\r\n")
          GET_("/1", "cdn", "") GET_("/1", "cdn", "")
              GET_("/f", "h", "Authorization: Basic dTpw\r\n")
                  GET_("/2", "cdn", "") },
    { .claim = "and if the new place refuses, too, that is the answer",
      CONNS(CONN(DATA(TO("http://cdn/1"))),
            CONN(DATA(OK), DATA(ANSWER("410", ""))),
            CONN(DATA(TO("http://cdn/2"))), CONN(DATA(ANSWER("410", "")))),
      OPS(ASK(200), ASK(410)),
      .sent = GET_("/f", "h", "") GET_("/1", "cdn", "") GET_("/1", "cdn", "")
          GET_("/f", "h", "") GET_("/2", "cdn", "") },
    { .claim = "a refusal in the chain's first walk is the answer",
      CONNS(CONN(DATA(TO("http://cdn/1"))), CONN(DATA(ANSWER("403", "")))),
      OPS(ASK(403)),
      .sent = GET_("/f", "h", "") GET_("/1", "cdn", "") },
};

static const struct row tokens[] = {
    { .claim = "a token goes with every request home",
      .tokens = true,
      CONNS(CONN(DATA(OK), DATA(OK))),
      OPS(ASK(200), ASK(200)),
      .sent = GET_("/f", "h", BEARER("t1")) GET_("/f", "h", BEARER("t1")),
      .asked = "any any " },
    { .claim = "a token that is refused is renewed, on the same connection",
      .tokens = true,
      CONNS(CONN(DATA(ANSWER("401", "")), DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_("/f", "h", BEARER("t1")) GET_("/f", "h", BEARER("t2")),
      .asked = "any new " },
    { .claim = "once",
      .tokens = true,
      CONNS(CONN(DATA(ANSWER("401", "")), DATA(ANSWER("401", "")))),
      OPS(ASK(401)),
      .sent = GET_("/f", "h", BEARER("t1")) GET_("/f", "h", BEARER("t2")),
      .asked = "any new " },
    { .claim = "403 is no reason for a new one",
      .tokens = true,
      CONNS(CONN(DATA(ANSWER("403", "")))),
      OPS(ASK(403)),
      .sent = GET_("/f", "h", BEARER("t1")),
      .asked = "any " },
    { .claim = "another host gets none, and is not asked for one",
      .tokens = true,
      CONNS(CONN(DATA(TO("http://cdn/x"))), CONN(DATA(ANSWER("401", "")))),
      OPS(ASK(401)),
      .sent = GET_("/f", "h", BEARER("t1")) GET_("/x", "cdn", ""),
      .asked = "any " },
    { .claim = "a home elsewhere gets none, nor the first one after it",
      .tokens = true,
      CONNS(CONN(DATA(OK)), CONN(DATA(ANSWER("401", ""))), CONN(DATA(OK))),
      OPS(ASK(200), GO("http://s3/f"), ASK(401), GO("http://h/f"), ASK(200)),
      .sent = GET_("/f", "h", BEARER("t1")) GET_("/f", "s3", "")
          GET_("/f", "h", ""),
      .asked = "any " },
};

static const struct row urls[] = {
    { .claim = "the provider's URL is asked from the start",
      .urls = true,
      CONNS(CONN(DATA(OK), DATA(OK))),
      OPS(ASK(200), ASK(200)),
      .sent = GET_("/s1", "h", "") GET_("/s1", "h", ""),
      .asked = "start " },
    { .claim = "a refused one is replaced, once",
      .urls = true,
      CONNS(CONN(DATA(ANSWER("403", "")), DATA(ANSWER("410", "")))),
      OPS(ASK(410)),
      .sent = GET_("/s1", "h", "") GET_("/s2", "h", ""),
      .asked = "start refused " },
    { .claim = "404 is no reason for another",
      .urls = true,
      CONNS(CONN(DATA(ANSWER("404", "")))),
      OPS(ASK(404)),
      .sent = GET_("/s1", "h", ""),
      .asked = "start " },
    { .claim = "after a pause there is another",
      .urls = true,
      CONNS(CONN(DATA(OK), DATA(OK))),
      OPS(ASK(200), AGAIN, ASK(200)),
      .sent = GET_("/s1", "h", "") GET_("/s2", "h", ""),
      .asked = "start resume " },
};

static const struct row proxies[] = {
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
      OPS(ASK_FAILS(ESP_FAIL, "refuses the user name")),
      .sent = "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n"
              "Proxy-Authorization: Basic dTpw\r\n\r\n" },
    { .claim = "a proxy that cannot reach the server",
      .url = "https://h:80/f",
      .proxy = "http://p",
      CONNS(CONN(DATA("HTTP/1.0 502 No\r\n\r\n"))),
      OPS(ASK_FAILS(ESP_ERR_HTTP_CONNECT, "status 502")),
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

static void run_op(struct http_client *c, const struct op *op)
{
    char body[64] = "";
    struct diag d = DIAG_NONE;
    esp_err_t err = ESP_OK;

    if (op->what == REWIND)
        err = http_rewind(c, &d);
    else if (op->what == RESUME)
        err = http_resume(c, &d);
    else if (op->what == SET_URL)
        err = http_set_url(c, op->url);
    else
        err = http_request(c, &d);
    if (err != op->err)
        print_message("%s\n", d.text);
    assert_int_equal(err, op->err);
    if (op->says && !strstr(d.text, op->says))
        fail_msg("'%s' is not in '%s'", op->says, d.text);
    if (op->what != REQ || err)
        return;
    assert_int_equal(http_head(c)->status, op->status);
    assert_int_equal(read_all(c, 64, body, NULL), ESP_OK);
}

static void run_row(const struct row *row)
{
    struct giver giver = { .cnt = 0 };
    struct http_tokens token_src = { &giver, give_token };
    struct http_urls url_src = { &giver, give_url };
    struct http_opts opts = { .follow = true,
                              .proxy = row->proxy,
                              .tls.skip_verify = true,
                              .tokens = row->tokens ? &token_src : NULL,
                              .urls = row->urls ? &url_src : NULL,
                              .username = row->login ? "u" : NULL,
                              .password = row->login ? "p" : NULL,
                              .auth = row->login ? HTTP_AUTH_BASIC
                                                 : HTTP_AUTH_NONE };
    struct http_client *c = NULL;
    struct bench b;

    print_message("# %s\n", row->claim);
    bench_init(&b, row->conns, row->conn_cnt);
    assert_int_equal(
        http_open(&c, &b.env, &opts, row->url ? row->url : "http://h/f", NULL),
        ESP_OK);
    if (row->mark) {
        assert_int_equal(http_set_header(c, "X-Mine", "m"), ESP_OK);
        http_mark_secret(c, row->mark);
    }
    for (size_t i = 0; i < row->op_cnt; i++)
        run_op(c, &row->ops[i]);
    assert_string_equal(bench_sent(&b), row->sent);
    assert_string_equal(giver.asked, row->asked ? row->asked : "");
    http_close(c);
    bench_check_clean(&b);
}

#define RUN(name)                              \
    static void test_##name(void **state)      \
    {                                          \
        (void)state;                           \
        for (size_t i = 0; i < CNT(name); i++) \
            run_row(&name[i]);                 \
    }
RUN(homes)
RUN(tokens)
RUN(urls)
RUN(proxies)

static void test_givers_fail(void **state)
{
    struct bench b;
    struct giver giver = { .err = ESP_ERR_NOT_FOUND };
    struct http_tokens token_src = { &giver, give_token };
    struct http_urls url_src = { &giver, give_url };
    struct http_opts opts = { .follow = true };
    struct diag d = DIAG_NONE;
    struct http_client *c = NULL;

    (void)state;
    bench_init(&b, NULL, 0);
    assert_int_equal(http_open(&c, &b.env, &opts, "http://h/f", NULL), ESP_OK);
    http_set_tokens(c, &token_src);
    assert_int_equal(http_request(c, &d), ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(d.text, "no token"));
    http_set_tokens(c, NULL);
    http_set_urls(c, &url_src);
    d = (struct diag)DIAG_NONE;
    assert_int_equal(http_request(c, &d), ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(d.text, "no URL"));
    assert_int_equal(b.net.open_cnt, 0);
    http_close(c);
    bench_check_clean(&b);
}

static void test_proxy_urls(void **state)
{
    static const struct {
        const char *url;
        esp_err_t err;
    } rows[] = { { "http://p", ESP_OK },
                 { "http://u:p@p:1/", ESP_OK },
                 { "https://p", ESP_ERR_NOT_SUPPORTED },
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
        cmocka_unit_test(test_homes),       cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_urls),        cmocka_unit_test(test_proxies),
        cmocka_unit_test(test_givers_fail), cmocka_unit_test(test_proxy_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
