/* Where requests go and what they say there: redirects away from home and the
 * way back, tokens, URLs that are made anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "walk.h"

#define LONG_HOST                 \
    "a-host-whose-name-has-more-" \
    "than-sixty-four-letters-so-that-it-needs-a-buffer-of-its-own"

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
    { .claim = "a home with a long name",
      CONNS(CONN(DATA(OK)), CONN(DATA(OK))),
      OPS(ASK(200), GO("http://" LONG_HOST "/f"), ASK(200)),
      .sent = GET_("/f", "h", "") GET_("/f", LONG_HOST, "") },
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
    { .claim = "the way back from a place of the same host is no new start",
      .login = true,
      CONNS(CONN(DATA(TO("/x")), DATA(OK), DATA(OK))),
      OPS(ASK(200), BACK, ASK(200)),
      .sent = GET_("/f", "h", "Authorization: Basic dTpw\r\n")
          GET_("/x", "h", "Authorization: Basic dTpw\r\n")
              GET_("/f", "h", "Authorization: Basic dTpw\r\n") },
    { .claim = "what was learnt of a host goes with another path of it",
      .url = "http://us%65r:p%61sswd@h/f",
      CONNS(CONN(DATA(ANSWER("401", "WWW-Authenticate: Basic\r\n")), DATA(OK),
                 DATA(OK))),
      OPS(ASK(200), GO("/a/../g"), ASK(200)),
      .sent = GET_("/f", "h", "")
          GET_("/f", "h", "Authorization: Basic dXNlcjpwYXNzd2Q=\r\n")
              GET_("/g", "h", "Authorization: Basic dXNlcjpwYXNzd2Q=\r\n") },
    { .claim = "a '%' that begins no byte is one",
      .url = "http://%4g%:%zz%1@h/f",
      CONNS(CONN(DATA(ANSWER("401", "WWW-Authenticate: Basic\r\n")), DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_("/f", "h", "")
          GET_("/f", "h", "Authorization: Basic JTRnJTolenolMQ==\r\n") },
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
    { .claim = "whatever comes with the refusal is read over",
      .tokens = true,
      CONNS(CONN(DATA("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno"),
                 DATA(OK))),
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
    { .claim = "whoever gives none leaves the one that there is",
      .urls = true,
      .silent = true,
      CONNS(CONN(DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_("/f", "h", ""),
      .asked = "start " },
    { .claim = "after a pause there is another",
      .urls = true,
      CONNS(CONN(DATA(OK), DATA(OK))),
      OPS(ASK(200), AGAIN, ASK(200)),
      .sent = GET_("/s1", "h", "") GET_("/s2", "h", ""),
      .asked = "start resume " },
};

#define FILL_256 FILL_64 FILL_64 FILL_64 FILL_64
#define FILL_64                        \
    "0123456789012345678901234567890." \
    "0123456789012345678901234567890."
#define CHUNK_3K                                                             \
    "c00\r\n" FILL_256 FILL_256 FILL_256 FILL_256 FILL_256 FILL_256 FILL_256 \
        FILL_256 FILL_256 FILL_256 FILL_256 FILL_256 "\r\n"
#define HOP(n) DATA(TO("/" n))
#define GET_HOP(n) GET_("/" n, "h", "")

/* What is left of an answer that sends us on. */
static const struct row leftovers[] = {
    { .claim = "chunks are read over",
      CONNS(CONN(DATA("HTTP/1.1 302 X\r\nLocation: /x\r\nTransfer-Encoding: "
                      "chunked\r\n\r\n4\r\nover\r\n0\r\n\r\n"),
                 DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_("/f", "h", "") GET_("/x", "h", "") },
    { .claim = "chunks without end are not",
      CONNS(CONN(DATA("HTTP/1.1 302 X\r\nLocation: /x\r\nTransfer-Encoding: "
                      "chunked\r\n\r\n"),
                 DATA(CHUNK_3K), DATA(CHUNK_3K), DATA(CHUNK_3K), DATA(CHUNK_3K),
                 DATA(CHUNK_3K), DATA(CHUNK_3K), DATA("0\r\n\r\n"),
                 DATA(ANSWER("500", ""))),
            CONN(DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_("/f", "h", "") GET_("/x", "h", "") },
    { .claim = "nor what comes before the server closes",
      CONNS(CONN(DATA("HTTP/1.1 302 X\r\nLocation: /x\r\nConnection: close\r\n"
                      "Content-Length: 4\r\n\r\nover"),
                 DATA(ANSWER("500", ""))),
            CONN(DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_("/f", "h", "") GET_("/x", "h", "") },
    { .claim = "what ends early has a new connection behind it",
      CONNS(CONN(DATA("HTTP/1.1 302 X\r\nLocation: /x\r\n"
                      "Content-Length: 9\r\n\r\nover")),
            CONN(DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_("/f", "h", "") GET_("/x", "h", "") },
    { .claim = "more places than are remembered are gone to all the same",
      .max_redirects = 20,
      CONNS(CONN(HOP("1"), HOP("2"), HOP("3"), HOP("4"), HOP("5"), HOP("6"),
                 HOP("7"), HOP("8"), HOP("9"), HOP("10"), HOP("11"), HOP("12"),
                 HOP("13"), HOP("14"), HOP("15"), HOP("16"), HOP("17"),
                 HOP("18"), DATA(OK))),
      OPS(ASK(200)),
      .sent = GET_HOP("f") GET_HOP("1") GET_HOP("2") GET_HOP("3") GET_HOP(
          "4") GET_HOP("5") GET_HOP("6") GET_HOP("7") GET_HOP("8") GET_HOP("9")
          GET_HOP("10") GET_HOP("11") GET_HOP("12") GET_HOP("13") GET_HOP("14")
              GET_HOP("15") GET_HOP("16") GET_HOP("17") GET_HOP("18") },
};

static void test_leftovers(void **state)
{
    (void)state;
    walk_rows(leftovers, CNT(leftovers));
}

static void test_homes(void **state)
{
    (void)state;
    walk_rows(homes, CNT(homes));
}

static void test_tokens(void **state)
{
    (void)state;
    walk_rows(tokens, CNT(tokens));
}

static void test_urls(void **state)
{
    (void)state;
    walk_rows(urls, CNT(urls));
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    walk_without_memory(homes, CNT(homes));
    walk_without_memory(leftovers, CNT(leftovers));
    walk_without_memory(tokens, CNT(tokens));
    walk_without_memory(urls, CNT(urls));
}

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

/* Whoever sets the header himself is not given a token. */
static void test_own_authorization(void **state)
{
    const struct sim_net_script conns[] = { CONN(DATA(OK)) };
    struct giver giver = { .cnt = 0 };
    struct http_tokens token_src = { &giver, give_token };
    struct http_opts opts = { .follow = true, .tokens = &token_src };
    struct http_client *c = NULL;
    struct bench b;

    (void)state;
    bench_init(&b, conns, CNT(conns));
    assert_int_equal(http_open(&c, &b.env, &opts, "http://h/f", NULL), ESP_OK);
    assert_int_equal(http_set_header(c, "Authorization", "Mine"), ESP_OK);
    assert_int_equal(http_request(c, NULL), ESP_OK);
    assert_string_equal(bench_sent(&b),
                        GET_("/f", "h", "Authorization: Mine\r\n"));
    assert_string_equal(giver.asked, "");
    http_close(c);
    bench_check_clean(&b);
}

static esp_err_t give_text(void *ctx, bool renew, struct http_buf *out,
                           struct diag *d)
{
    (void)renew;
    (void)d;
    return http_buf_add(out, span_str(ctx));
}

/* A token that would be no field, or none at all, is not sent. */
static void test_tokens_of_no_use(void **state)
{
    static char none[] = "", lines[] = "a\r\nX: y";
    char *const texts[] = { none, lines };

    (void)state;
    for (size_t i = 0; i < CNT(texts); i++) {
        struct http_tokens token_src = { texts[i], give_text };
        struct http_opts opts = { .follow = true, .tokens = &token_src };
        struct diag d = DIAG_NONE;
        struct http_client *c = NULL;
        struct bench b;

        bench_init(&b, NULL, 0);
        assert_int_equal(http_open(&c, &b.env, &opts, "http://h/f", NULL),
                         ESP_OK);
        assert_int_equal(http_request(c, &d), ESP_ERR_INVALID_ARG);
        assert_non_null(strstr(d.text, "no token that can be sent"));
        assert_int_equal(b.net.open_cnt, 0);
        http_close(c);
        bench_check_clean(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_homes),
        cmocka_unit_test(test_leftovers),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_each_allocation_fails),
        cmocka_unit_test(test_givers_fail),
        cmocka_unit_test(test_own_authorization),
        cmocka_unit_test(test_tokens_of_no_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
