/* What a server says is shown only when it repeats no secret of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

struct row {
    const char *claim;
    const char *url;             /* NULL: http://h/f */
    const char *name, *value;    /* a header that was set */
    const char *user, *password; /* NULL: none */
    bool strays;                 /* a redirect led to another host */
    const char *text;            /* what the server says */
    bool told;
};

static const struct row rows[] = {
    { .claim = "words of its own", .text = "no such file" },
    { .claim = "the value of a parameter",
      .url = "http://h/f?v=1&sig=0123456789",
      .text = "sig 0123456789 is over",
      .told = true },
    { .claim = "a parameter without a name",
      .url = "http://h/f?0123456789",
      .text = "0123456789?",
      .told = true },
    { .claim = "a parameter that is as short as a version",
      .url = "http://h/f?v=1234567",
      .text = "1234567" },
    { .claim = "a password",
      .user = "u",
      .password = "open sesame",
      .text = "is it open sesame?",
      .told = true },
    { .claim = "its front, where the text was cut",
      .user = "u",
      .password = "open sesame",
      .text = "is it open",
      .told = true },
    { .claim = "a front that may be there by chance",
      .user = "u",
      .password = "open sesame",
      .text = "is it ope" },
    { .claim = "a password of three letters, none of which is there",
      .user = "u",
      .password = "abc",
      .text = "xyzxyz" },
    { .claim = "nothing at all", .user = "u", .password = "abc", .text = "" },
    { .claim = "what Basic makes of it",
      .user = "Aladdin",
      .password = "open sesame",
      .text = "got QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
      .told = true },
    { .claim = "a name alone is no secret",
      .user = "Aladdin",
      .password = "open sesame",
      .text = "who is Aladdin?" },
    { .claim = "a name that Basic cannot say has a password all the same",
      .user = "a:b",
      .password = "open sesame",
      .text = "open sesame",
      .told = true },
    { .claim = "and nothing else",
      .user = "a:b",
      .password = "open sesame",
      .text = "a:b" },
    { .claim = "the password of the place that sent us here",
      .user = "u",
      .password = "open sesame",
      .strays = true,
      .text = "is it open sesame?",
      .told = true },
    { .claim = "the token of a header",
      .name = "Authorization",
      .value = "Bearer 0123456789",
      .text = "0123456789 is no token",
      .told = true },
    { .claim = "not the scheme in front of it",
      .name = "Authorization",
      .value = "Bearer 0123456789",
      .text = "Bearer needed" },
    { .claim = "one of several cookies",
      .name = "Cookie",
      .value = "lang=en; id=0123456789",
      .text = "unknown id=0123456789",
      .told = true },
    { .claim = "one before another, without its semicolon",
      .name = "Cookie",
      .value = "id=0123456789; lang=en",
      .text = "unknown id=0123456789",
      .told = true },
    { .claim = "blanks between cookies are nothing",
      .name = "Cookie",
      .value = "id=0123456789;  lang=en ",
      .text = "no" },
    { .claim = "a header that is no secret",
      .name = "Accept",
      .value = "0123456789",
      .text = "0123456789" },
};

static const struct sim_net_script away[] = {
    CONN(DATA("HTTP/1.1 302 Go\r\nLocation: http://i/\r\n"
              "Content-Length: 0\r\n\r\n")),
    CONN(DATA("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
};

static struct http_client *open_row(struct bench *b, const struct row *row)
{
    struct http_opts opts = { .follow = true,
                              .username = row->user,
                              .password = row->password };
    struct http_client *c = NULL;

    bench_init(b, away, row->strays ? CNT(away) : 0);
    assert_int_equal(
        http_open(&c, &b->env, &opts, row->url ? row->url : "http://h/f", NULL),
        ESP_OK);
    if (row->name)
        assert_int_equal(http_set_header(c, row->name, row->value), ESP_OK);
    if (row->strays)
        assert_int_equal(http_request(c, NULL), ESP_OK);
    return c;
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct bench b;
        struct http_client *c = open_row(&b, &rows[i]);

        print_message("# %s\n", rows[i].claim);
        assert_int_equal(http_is_secret_told(c, span_str(rows[i].text)),
                         rows[i].told);
        http_close(c);
        bench_check_clean(&b);
    }
}

/* Who cannot find out does not show it. */
static void test_no_memory(void **state)
{
    static const struct row row = { .user = "u", .password = "open sesame" };
    struct bench b;
    struct http_client *c = open_row(&b, &row);

    (void)state;
    assert_false(http_is_secret_told(c, span_str("no such file")));
    b.heap.fail_at = b.heap.alloc_cnt + 1;
    assert_true(http_is_secret_told(c, span_str("no such file")));
    http_close(c);
    bench_check_clean(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
