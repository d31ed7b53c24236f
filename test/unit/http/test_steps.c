/* A client whose caller takes each step himself, and what then goes wrong. */
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

static struct http_client *open_client(struct bench *b)
{
    static const struct http_opts opts = { .follow = true };
    struct http_client *c = NULL;

    assert_int_equal(http_open(&c, &b->env, &opts, "http://h/f", NULL), ESP_OK);
    return c;
}

static void need_text(const struct diag *d, const char *says)
{
    if (!strstr(d->text, says))
        fail_msg("'%s' is not in '%s'", says, d->text);
}

/* --- a second request ----------------------------------------------------- */

/* Up to here the first one goes, to its last byte. */
#define FIRST_LEN \
    (sizeof("GET /f HTTP/1.1\r\nUser-Agent: porta\r\nHost: h\r\n\r\n") - 1)

static const struct {
    const char *claim;
    struct sim_net_script conns[2];
    size_t conn_cnt;
    const char *method, *body;
    unsigned connects;
    esp_err_t err;
    const char *says;
} seconds[] = {
    { "what breaks on its way out goes out again",
      { { .steps = STEPS(DATA(BODY)),
          .step_cnt = 1,
          .send_fail_at = FIRST_LEN + 10 },
        CONN(DATA(BODY)) },
      2,
      "GET",
      NULL,
      2,
      ESP_OK,
      NULL },
    { "but a POST does not: it may have come",
      { { .steps = STEPS(DATA(BODY)),
          .step_cnt = 1,
          .send_fail_at = FIRST_LEN + 10 },
        CONN(DATA(BODY)) },
      2,
      "POST",
      NULL,
      1,
      ESP_ERR_HTTP_WRITE_DATA,
      "broke while the request" },
    { "nor what has a body, which is not kept",
      { CONN(DATA(BODY)), CONN(DATA(BODY)) },
      2,
      "PUT",
      "a=b",
      1,
      ESP_ERR_HTTP_FETCH_HEADER,
      "without an answer" },
    { "and nothing does when nobody is there any more",
      { CONN(DATA(BODY)) },
      1,
      "GET",
      NULL,
      2,
      ESP_ERR_HTTP_CONNECT,
      "cannot connect" },
};

static void test_seconds(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(seconds); i++) {
        struct diag d = DIAG_NONE;
        char body[16] = "";
        struct bench b;

        print_message("# %s\n", seconds[i].claim);
        bench_init(&b, seconds[i].conns, seconds[i].conn_cnt);
        struct http_client *c = open_client(&b);
        assert_int_equal(http_request(c, &d), ESP_OK);
        assert_int_equal(read_all(c, 16, body, &d), ESP_OK);
        assert_int_equal(http_set_method(c, seconds[i].method), ESP_OK);
        if (seconds[i].body)
            http_set_body(c, seconds[i].body, strlen(seconds[i].body));
        assert_int_equal(http_request(c, &d), seconds[i].err);
        assert_int_equal(http_stats(c)->connects, seconds[i].connects);
        if (seconds[i].says)
            need_text(&d, seconds[i].says);
        http_close(c);
        bench_check_clean(&b);
    }
}

/* Whoever asks anew before the answer came does not get the old one. */
static void test_head_twice(void **state)
{
    const struct sim_net_script conns[] = {
        CONN(DATA("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")),
        CONN(DATA(BODY))
    };
    struct bench b;

    (void)state;
    bench_init(&b, conns, CNT(conns));
    struct http_client *c = open_client(&b);
    assert_int_equal(http_send_head(c, 0, NULL), ESP_OK);
    assert_int_equal(http_send_head(c, 0, NULL), ESP_OK);
    assert_int_equal(http_recv_head(c, NULL), ESP_OK);
    assert_int_equal(http_head(c)->status, 200);
    assert_int_equal(http_stats(c)->connects, 2);
    http_close(c);
    bench_check_clean(&b);
}

static void test_body_breaks(void **state)
{
    static const char big[2000];
    const struct sim_net_script conns[] = { { .send_fail_at = 1000 } };
    struct diag d = DIAG_NONE;
    struct bench b;

    (void)state;
    bench_init(&b, conns, CNT(conns));
    struct http_client *c = open_client(&b);
    assert_int_equal(http_set_method(c, "PUT"), ESP_OK);
    assert_int_equal(http_send_head(c, sizeof(big), &d), ESP_OK);
    assert_int_equal(http_send_body(c, big, sizeof(big), &d),
                     ESP_ERR_HTTP_WRITE_DATA);
    need_text(&d, "broke while the request");
    assert_false(http_connected(c));
    assert_int_equal(http_send_body(c, big, 1, &d), ESP_ERR_INVALID_STATE);
    http_close(c);
    bench_check_clean(&b);
}

/* Head lines that are longer than what is sent at once. */
static void test_long_head_breaks(void **state)
{
    const struct sim_net_script conns[] = { { .send_fail_at = 10 } };
    struct diag d = DIAG_NONE;
    char *value = malloc(5001);
    struct bench b;

    (void)state;
    assert_non_null(value);
    memset(value, 'v', 5000);
    value[5000] = '\0';
    bench_init(&b, conns, CNT(conns));
    struct http_client *c = open_client(&b);
    assert_int_equal(http_set_header(c, "X-Long", value), ESP_OK);
    assert_int_equal(http_request(c, &d), ESP_ERR_HTTP_WRITE_DATA);
    need_text(&d, "broke while the request");
    assert_int_equal(b.net.sent_len, 10);
    http_close(c);
    bench_check_clean(&b);
    free(value);
}

/* --- what is set ---------------------------------------------------------- */

static const struct {
    const char *claim, *method, *name, *value, *rest;
} heads[] = {
    { "nothing is said about the body that DELETE has not", "DELETE", "X", "y",
      "X: y\r\n\r\n" },
    { "but that of POST is empty", "POST", "X", "y",
      "X: y\r\nContent-Length: 0\r\n\r\n" },
    { "who says a length says it once", "POST", "Content-Length", "0",
      "Content-Length: 0\r\n\r\n" },
    { "who says a coding has no length", "POST", "Transfer-Encoding", "chunked",
      "Transfer-Encoding: chunked\r\n\r\n" },
    { "what is the proxy's is not the server's", "GET", "Proxy-Authorization",
      "Basic dTpw", "\r\n" },
};

static void test_heads(void **state)
{
    const struct sim_net_script conns[] = { CONN(DATA(BODY)) };

    (void)state;
    for (size_t i = 0; i < CNT(heads); i++) {
        char want[256];
        struct bench b;

        print_message("# %s\n", heads[i].claim);
        bench_init(&b, conns, CNT(conns));
        struct http_client *c = open_client(&b);
        assert_int_equal(http_set_method(c, heads[i].method), ESP_OK);
        assert_int_equal(http_set_header(c, heads[i].name, heads[i].value),
                         ESP_OK);
        assert_int_equal(http_request(c, NULL), ESP_OK);
        strcpy(want, heads[i].method);
        strcat(want, " /f HTTP/1.1\r\nUser-Agent: porta\r\nHost: h\r\n");
        strcat(want, heads[i].rest);
        assert_string_equal(bench_sent(&b), want);
        http_close(c);
        bench_check_clean(&b);
    }
}

static void test_method_names(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, NULL, 0);
    struct http_client *c = open_client(&b);
    assert_int_equal(http_set_method(c, "A-METHOD-OF-AS-MANY-LETTERS-AS31"),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(http_set_method(c, "A-METHOD-OF-AS-MANY-LETTERS-A31"),
                     ESP_OK);
    http_close(c);
    bench_check_clean(&b);
}

static void test_timeout(void **state)
{
    static const struct {
        const char *claim;
        uint32_t ms;
        const char *says;
    } rows[] = { { "what is set counts", 250, "no answer for 0.2 s" },
                 { "0 is the usual one", 0, "no answer for 5.0 s" } };
    const struct sim_net_script conns[] = { CONN(SILENCE) };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct diag d = DIAG_NONE;
        struct bench b;

        print_message("# %s\n", rows[i].claim);
        bench_init(&b, conns, CNT(conns));
        struct http_client *c = open_client(&b);
        http_set_timeout(c, rows[i].ms);
        assert_int_equal(http_request(c, &d), ESP_ERR_HTTP_READ_TIMEOUT);
        need_text(&d, rows[i].says);
        http_close(c);
        bench_check_clean(&b);
    }
}

static void test_nothing_asked(void **state)
{
    const struct sim_net_script conns[] = { CONN(
        DATA(OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        DATA(BODY)) };
    char buf[4] = "";
    size_t got = 9;
    struct bench b;

    (void)state;
    bench_init(&b, conns, CNT(conns));
    struct http_client *c = open_client(&b);
    assert_int_equal(http_fd(c), -1);
    assert_int_equal(http_request(c, NULL), ESP_OK);
    assert_int_equal(http_read(c, buf, 0, &got, NULL), ESP_OK);
    assert_int_equal(got, 0);
    assert_false(http_body_done(c));
    assert_int_equal(http_read(c, buf, 1, &got, NULL), ESP_OK);
    assert_int_equal(http_chunk_len(c), 2);
    assert_int_equal(http_read(c, buf, 4, &got, NULL), ESP_OK);
    assert_memory_equal(buf, "k", 1);
    assert_int_equal(http_request(c, NULL), ESP_OK);
    assert_int_equal(http_chunk_len(c), 0);
    http_close(c);
    bench_check_clean(&b);
}

/* --- logins --------------------------------------------------------------- */

#define WHO(challenge)                                 \
    "HTTP/1.1 401 Who\r\nWWW-Authenticate: " challenge \
    "\r\nContent-Length: 4\r\n\r\nwho?"
#define DIGEST "Digest realm=\"r\", nonce=\"n\""

static const struct {
    const char *claim, *user;
    bool no_rng, broken_rng, own;
    struct sim_net_script conn;
    int status;
    esp_err_t err;
    const char *says;
    unsigned requests;
} logins[] = {
    { .claim = "a nonce that is always stale is a refusal",
      .user = "u",
      .conn = CONN(DATA(WHO(DIGEST)), DATA(WHO(DIGEST ", stale=true")),
                   DATA(WHO(DIGEST ", stale=true")), DATA(BODY)),
      .status = 401,
      .requests = 3 },
    { .claim = "a server that cannot decide is not asked for ever",
      .user = "u",
      .conn = CONN(DATA(WHO(DIGEST)), DATA(WHO("Basic")), DATA(WHO(DIGEST)),
                   DATA(WHO("Basic")), DATA(BODY)),
      .status = 401,
      .requests = 4 },
    { .claim = "a header that was given is sent as it is",
      .user = "u",
      .own = true,
      .conn = CONN(DATA(WHO("Basic")), DATA(BODY)),
      .status = 401,
      .requests = 1 },
    { .claim = "a line break in the name is not sent",
      .user = "u\r\nX: y",
      .conn = CONN(DATA(WHO(DIGEST)), DATA(BODY)),
      .err = ESP_ERR_INVALID_ARG,
      .says = "cannot be written",
      .requests = 2 },
    { .claim = "no random numbers, no Digest",
      .user = "u",
      .no_rng = true,
      .conn = CONN(DATA(WHO(DIGEST)), DATA(BODY)),
      .err = ESP_ERR_NOT_SUPPORTED,
      .says = "cannot be written",
      .requests = 2 },
    { .claim = "nor with a source of them that is broken",
      .user = "u",
      .broken_rng = true,
      .conn = CONN(DATA(WHO(DIGEST)), DATA(BODY)),
      .err = ESP_FAIL,
      .says = "cannot be written",
      .requests = 2 },
};

static void test_logins(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(logins); i++) {
        struct http_opts opts = { .follow = true,
                                  .max_auth_retries = 3,
                                  .username = logins[i].user,
                                  .password = "p" };
        struct http_client *c = NULL;
        struct diag d = DIAG_NONE;
        struct bench b;

        print_message("# %s\n", logins[i].claim);
        bench_init(&b, &logins[i].conn, 1);
        b.rng.broken = logins[i].broken_rng;
        if (logins[i].no_rng)
            b.env.rng = NULL;
        assert_int_equal(http_open(&c, &b.env, &opts, "http://h/f", NULL),
                         ESP_OK);
        if (logins[i].own)
            assert_int_equal(http_set_header(c, "Authorization", "Mine"),
                             ESP_OK);
        http_set_auth(c, logins[i].own ? HTTP_AUTH_BASIC : HTTP_AUTH_NONE);
        assert_int_equal(http_request(c, &d), logins[i].err);
        if (logins[i].says)
            need_text(&d, logins[i].says);
        else
            assert_int_equal(http_head(c)->status, logins[i].status);
        assert_int_equal(http_stats(c)->requests, logins[i].requests);
        assert_int_equal(bench_sent_cnt(&b, "X: y"), 0);
        assert_int_equal(bench_sent_cnt(&b, "Authorization: Mine"),
                         logins[i].own);
        http_close(c);
        bench_check_clean(&b);
    }
}

/* A challenge that came some other way. */
static void test_challenge_by_hand(void **state)
{
    static const struct {
        const char *claim, *challenge;
        esp_err_t err;
        const char *says, *sent;
    } rows[] = {
        { "Digest", "Digest realm=\"r\", nonce=\"n\"", ESP_OK, NULL,
          "Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\"" },
        { "what nobody can answer", "Negotiate", ESP_ERR_NOT_SUPPORTED,
          "no challenge that can be answered", NULL },
        { "a quote without its end", "Digest realm=\"r", ESP_ERR_NOT_SUPPORTED,
          "no challenge that can be answered", NULL },
    };
    const struct sim_net_script conns[] = { CONN(DATA(BODY)) };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct diag d = DIAG_NONE;
        struct bench b;

        print_message("# %s\n", rows[i].claim);
        bench_init(&b, conns, CNT(conns));
        struct http_client *c = open_client(&b);
        assert_int_equal(http_set_login(c, "u", "p"), ESP_OK);
        assert_int_equal(http_set_challenge(c, span_str(rows[i].challenge)),
                         ESP_OK);
        assert_int_equal(http_authenticate(c, &d), rows[i].err);
        if (rows[i].says)
            need_text(&d, rows[i].says);
        assert_int_equal(http_request(c, NULL), ESP_OK);
        if (rows[i].sent)
            assert_int_equal(bench_sent_cnt(&b, rows[i].sent), 1);
        else
            assert_int_equal(bench_sent_cnt(&b, "Authorization"), 0);
        http_close(c);
        bench_check_clean(&b);
    }
}

/* However often the same challenge is given, it is answered so often only. */
static void test_challenges_by_hand_end(void **state)
{
    const struct http_opts opts = { .max_auth_retries = 1 };
    struct http_client *c = NULL;
    struct diag d = DIAG_NONE;
    struct bench b;

    (void)state;
    bench_init(&b, NULL, 0);
    assert_int_equal(http_open(&c, &b.env, &opts, "http://u:p@h/f", NULL),
                     ESP_OK);
    assert_int_equal(http_set_challenge(c, span_str(DIGEST)), ESP_OK);
    assert_int_equal(http_authenticate(c, &d), ESP_OK);
    assert_int_equal(http_set_challenge(c, span_str("Basic")), ESP_OK);
    assert_int_equal(http_authenticate(c, &d), ESP_FAIL);
    need_text(&d, "status 401 after 1 retries");
    http_close(c);
    bench_check_clean(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_head_twice),
        cmocka_unit_test(test_body_breaks),
        cmocka_unit_test(test_long_head_breaks),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_method_names),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_nothing_asked),
        cmocka_unit_test(test_logins),
        cmocka_unit_test(test_challenge_by_hand),
        cmocka_unit_test(test_challenges_by_hand_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
