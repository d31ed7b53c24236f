/* One request each: what went over the wire, what the caller got. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

struct row {
    const char *claim;
    const char *url; /* NULL: http://h/f */
    const char *method;
    struct sim_net_script conns[CONNS_MAX];
    size_t conn_cnt;
    struct http_opts opts;
    esp_err_t err;      /* of the request */
    esp_err_t read_err; /* of the body */
    int status;
    const char *body;
    const char *says;   /* part of the sentence */
    const char *sent;   /* went out */
    const char *unsent; /* did not, in no request */
    unsigned requests, connects, redirects;
};

#define OK "HTTP/1.1 200 OK\r\n"
#define FOLLOW .opts.follow = true

static const struct row bodies[] = {
    { .claim = "a length",
      .conns = { CONN(DATA(OK "Content-Length: 4\r\n\r\nbody")) },
      .status = 200,
      .body = "body",
      .sent = "GET /f HTTP/1.1\r\nUser-Agent: porta\r\nHost: h\r\n\r\n" },
    { .claim = "head and body in pieces",
      .conns = { CONN(DATA("HTT"), DATA("P/1.1 200 OK\r"), DATA("\nContent-"),
                      DATA("Length: 4\r\n\r"), DATA("\nb"), DATA("ody")) },
      .status = 200,
      .body = "body" },
    { .claim = "bytes behind the body are not the body's",
      .conns = { CONN(DATA(OK "Content-Length: 4\r\n\r\nbodyHTTP/1.1")) },
      .status = 200,
      .body = "body" },
    { .claim = "no length: to the end of the connection",
      .conns = { CONN(DATA(OK "\r\nall of it"), DATA(" and more")) },
      .status = 200,
      .body = "all of it and more" },
    { .claim = "chunked",
      .conns = { CONN(DATA(OK "Transfer-Encoding: chunked\r\n\r\n"
                              "4\r\nwith\r\n"),
                      DATA("6;x=y\r\n chunk\r\n0\r\nTrailer: t\r\n\r\n")) },
      .status = 200,
      .body = "with chunk" },
    { .claim = "a length of 0",
      .conns = { CONN(DATA(OK "Content-Length: 0\r\n\r\n")) },
      .status = 200,
      .body = "" },
    { .claim = "HEAD has no body",
      .method = "HEAD",
      .conns = { CONN(DATA(OK "Content-Length: 4\r\n\r\n")) },
      .status = 200,
      .body = "",
      .sent = "HEAD /f HTTP/1.1\r\n" },
    { .claim = "204 has no body",
      .conns = { CONN(DATA("HTTP/1.1 204 No\r\n\r\n")) },
      .status = 204,
      .body = "" },
    { .claim = "304 has no body",
      .conns = { CONN(DATA("HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n")) },
      .status = 304,
      .body = "" },
    { .claim = "interim answers are read over",
      .conns = { CONN(DATA("HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 103 Hints\r\n"
                           "Location: /no\r\n\r\n" OK
                           "Content-Length: 1\r\n\r\nx")) },
      .status = 200,
      .body = "x" },
    { .claim = "an error status is an answer",
      .conns = { CONN(DATA("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno")) },
      .status = 404,
      .body = "no",
      FOLLOW },
    { .claim = "the peer closes before the length",
      .conns = { CONN(DATA(OK "Content-Length: 100\r\n\r\nbody")) },
      .status = 200,
      .body = "body",
      .read_err = ESP_ERR_HTTP_INCOMPLETE_DATA,
      .says = "h:80: the connection ended after 4 of 100 bytes: closed" },
    { .claim = "the connection breaks before the length",
      .conns = { CONN(DATA(OK "Content-Length: 100\r\n\r\nbody"), RESET) },
      .status = 200,
      .body = "body",
      .read_err = ESP_ERR_HTTP_INCOMPLETE_DATA,
      .says = "4 of 100 bytes: Connection reset" },
    { .claim = "the peer closes inside a chunk",
      .conns = { CONN(DATA(OK "Transfer-Encoding: chunked\r\n\r\n9\r\nbo")) },
      .status = 200,
      .body = "bo",
      .read_err = ESP_ERR_HTTP_INCOMPLETE_DATA,
      .says = "before the end of the body" },
    { .claim = "the peer closes between chunks",
      .conns = { CONN(DATA(OK "Transfer-Encoding: chunked\r\n\r\n"
                              "2\r\nbo\r\n")) },
      .status = 200,
      .body = "bo",
      .read_err = ESP_ERR_HTTP_INCOMPLETE_DATA },
    { .claim = "the connection breaks between chunks",
      .conns = { CONN(DATA(OK "Transfer-Encoding: chunked\r\n\r\n"
                              "2\r\nbo\r\n"),
                      RESET) },
      .status = 200,
      .body = "bo",
      .read_err = ESP_ERR_HTTP_INCOMPLETE_DATA,
      .says = "Connection reset" },
    { .claim = "a chunk size that overflows",
      .conns = { CONN(DATA(OK "Transfer-Encoding: chunked\r\n\r\n"
                              "fffffffffffffffff\r\nbody")) },
      .status = 200,
      .body = "",
      .read_err = ESP_ERR_INVALID_RESPONSE,
      .says = "too large" },
    { .claim = "a chunk's size line that trickles is given up, too",
      .conns = { CONN(DATA(OK "Transfer-Encoding: chunked\r\n\r\n"
                              "2\r\nbo\r\n4;"),
                      DELAY(4900), DATA("a"), DELAY(4900), DATA("b"),
                      DELAY(4900), DATA("c"), DELAY(4900), DATA("d"),
                      DELAY(4900), DATA("e\r\ndyok\r\n0\r\n\r\n")) },
      .status = 200,
      .body = "bo",
      .read_err = ESP_ERR_TIMEOUT,
      .says = "after 2 bytes" },
    { .claim = "silence in the body",
      .conns = { CONN(DATA(OK "Content-Length: 9\r\n\r\nbody"), SILENCE) },
      .status = 200,
      .body = "body",
      .read_err = ESP_ERR_TIMEOUT,
      .says = "no data for 5.0 s after 4 bytes" },
};

static const struct row failures[] = {
    { .claim = "nobody listens",
      .err = ESP_ERR_HTTP_CONNECT,
      .says = "h:80: cannot connect: Connection refused",
      .connects = 1 },
    { .claim = "nobody listens at an IPv6 address, which has its brackets",
      .url = "http://[2001:db8::1]:81/",
      .err = ESP_ERR_HTTP_CONNECT,
      .says = "[2001:db8::1]:81: cannot connect",
      .connects = 1 },
    { .claim = "the name is not found",
      .conns = { { .open_err = ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME } },
      .err = ESP_ERR_HTTP_CONNECT,
      .says = "name was not found" },
    { .claim = "nobody answers the call",
      .conns = { { .open_err = ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT,
                   .open_errno = ETIMEDOUT } },
      .opts.connect_timeout_ms = 1500,
      .err = ESP_ERR_HTTP_CONNECT,
      .says = "no connection within 1.5 s" },
    { .claim = "no answer",
      .conns = { CONN(SILENCE) },
      .err = ESP_ERR_HTTP_READ_TIMEOUT,
      .says = "h:80: no answer for 5.0 s" },
    { .claim = "no answer, with a timeout of our own",
      .conns = { CONN(SILENCE) },
      .opts.timeout_ms = 250,
      .err = ESP_ERR_HTTP_READ_TIMEOUT,
      .says = "no answer for 0.2 s" },
    { .claim = "a head that trickles in has an end, too",
      .conns = { CONN(DATA("H"), DELAY(4900), DATA("T"), DELAY(4900), DATA("T"),
                      DELAY(4900), DATA("P"), DELAY(4900), DATA("/"),
                      DELAY(4900), DATA("1")) },
      .err = ESP_ERR_HTTP_READ_TIMEOUT,
      .says = "not complete after 20.0 s" },
    { .claim = "closed without an answer",
      .conns = { CONN(DELAY(1)) },
      .err = ESP_ERR_HTTP_FETCH_HEADER,
      .says = "without an answer: closed by the server",
      .requests = 1 },
    { .claim = "reset without an answer",
      .conns = { CONN(DELAY(1), RESET) },
      .err = ESP_ERR_HTTP_FETCH_HEADER,
      .says = "Connection reset" },
    { .claim = "closed inside the head",
      .conns = { CONN(DATA("HTTP/1.1 2")) },
      .err = ESP_ERR_HTTP_FETCH_HEADER,
      .says = "inside the head" },
    { .claim = "broken while sending",
      .conns = { { .send_fail_at = 10 } },
      .err = ESP_ERR_HTTP_WRITE_DATA,
      .says = "broke while the request" },
    { .claim = "no HTTP",
      .conns = { CONN(DATA("220 mail ready\r\n")) },
      .err = ESP_ERR_HTTP_FETCH_HEADER,
      .says = "does not begin as HTTP" },
    { .claim = "two lengths",
      .conns = { CONN(DATA(OK "Content-Length: 1\r\nContent-Length: 2\r\n"
                              "\r\nab")) },
      .err = ESP_ERR_HTTP_FETCH_HEADER,
      .says = "two different" },
    { .claim = "another protocol",
      .conns = { CONN(DATA("HTTP/1.1 101 Switching\r\n\r\n")) },
      .err = ESP_ERR_HTTP_FETCH_HEADER,
      .says = "101" },
    { .claim = "https with nothing to verify by is not even called",
      .url = "https://h/f",
      .err = ESP_ERR_MBEDTLS_SSL_SETUP_FAILED,
      .says = "CA certificate" },
};

static const struct row requests[] = {
    { .claim = "a port and a query",
      .url = "http://h:8080/a?b=c#d",
      .conns = { CONN(DATA(OK "Content-Length: 0\r\n\r\n")) },
      .status = 200,
      .body = "",
      .sent = "GET /a?b=c HTTP/1.1\r\nUser-Agent: porta\r\n"
              "Host: h:8080\r\n\r\n" },
    { .claim = "no path",
      .url = "http://h",
      .conns = { CONN(DATA(OK "Content-Length: 0\r\n\r\n")) },
      .status = 200,
      .body = "",
      .sent = "GET / HTTP/1.1\r\n" },
    { .claim = "an IPv6 literal",
      .url = "http://[::1]:81/",
      .conns = { CONN(DATA(OK "Content-Length: 0\r\n\r\n")) },
      .status = 200,
      .body = "",
      .sent = "Host: [::1]:81\r\n" },
    { .claim = "another name for us",
      .opts.user_agent = "dev/2",
      .conns = { CONN(DATA(OK "Content-Length: 0\r\n\r\n")) },
      .status = 200,
      .body = "",
      .sent = "User-Agent: dev/2\r\n" },
    { .claim = "a server that takes a byte at a time",
      .conns = { { .steps = STEPS(DATA(OK "Content-Length: 2\r\n\r\nok")),
                   .step_cnt = 1,
                   .max_send = 1,
                   .max_recv = 1 } },
      .status = 200,
      .body = "ok",
      .sent = "GET /f HTTP/1.1\r\nUser-Agent: porta\r\nHost: h\r\n\r\n" },
    { .claim = "credentials of the URL, sent unasked when told to",
      .url = "http://us%65r:p%61sswd@h/f",
      .opts.auth = HTTP_AUTH_BASIC,
      .conns = { CONN(DATA(OK "Content-Length: 0\r\n\r\n")) },
      .status = 200,
      .body = "",
      .sent = "Authorization: Basic dXNlcjpwYXNzd2Q=\r\n",
      .unsent = "@h" },
    { .claim = "and not when not",
      .url = "http://user:passwd@h/f",
      .conns = { CONN(DATA(OK "Content-Length: 0\r\n\r\n")) },
      .status = 200,
      .body = "",
      .unsent = "Authorization" },
    { .claim = "credentials that are given count before the URL's",
      .url = "http://a:b@h/f",
      .opts.auth = HTTP_AUTH_BASIC,
      .opts.username = "user",
      .opts.password = "passwd",
      .conns = { CONN(DATA(OK "Content-Length: 0\r\n\r\n")) },
      .status = 200,
      .body = "",
      .sent = "Authorization: Basic dXNlcjpwYXNzd2Q=\r\n" },
    { .claim = "a user name that would break Basic",
      .opts.auth = HTTP_AUTH_BASIC,
      .opts.username = "a:b",
      .conns = { CONN(DATA(OK "\r\n")) },
      .err = ESP_ERR_INVALID_ARG,
      .says = "colon" },
};

#define AUTH_BASIC                                                \
    "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"r\"\r\n" \
    "Content-Length: 4\r\n\r\nwho?"
#define AUTH_DIGEST                                                        \
    "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"r\"\r\n"          \
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\"\r\n" \
    "Content-Length: 0\r\n\r\n"

static const struct row challenges[] = {
    { .claim = "a challenge is answered, on the same connection",
      FOLLOW,
      .opts.username = "user",
      .opts.password = "passwd",
      .conns = { CONN(DATA(AUTH_BASIC),
                      DATA(OK "Content-Length: 2\r\n\r\nok")) },
      .status = 200,
      .body = "ok",
      .requests = 2,
      .connects = 1,
      .sent = "Host: h\r\nAuthorization: Basic dXNlcjpwYXNzd2Q=\r\n\r\n" },
    { .claim = "credentials that were refused are not sent again",
      FOLLOW,
      .opts.username = "user",
      .opts.password = "wrong",
      .conns = { CONN(DATA(AUTH_BASIC), DATA(AUTH_BASIC), DATA(OK)) },
      .status = 401,
      .body = "who?",
      .requests = 2 },
    { .claim = "nor those that were sent unasked",
      FOLLOW,
      .opts.auth = HTTP_AUTH_BASIC,
      .opts.username = "user",
      .opts.password = "wrong",
      .conns = { CONN(DATA(AUTH_BASIC), DATA(OK)) },
      .status = 401,
      .body = "who?",
      .requests = 1 },
    { .claim = "without credentials 401 is the answer",
      FOLLOW,
      .conns = { CONN(DATA(AUTH_BASIC)) },
      .status = 401,
      .body = "who?",
      .requests = 1 },
    { .claim = "Digest is preferred",
      FOLLOW,
      .opts.username = "user",
      .opts.password = "passwd",
      .conns = { CONN(DATA(AUTH_DIGEST),
                      DATA(OK "Content-Length: 2\r\n\r\nok")) },
      .status = 200,
      .body = "ok",
      .requests = 2,
      .sent = "Authorization: Digest username=\"user\", realm=\"r\", "
              "nonce=\"n1\", uri=\"/f\", algorithm=MD5, response=\"",
      .unsent = "Basic" },
    { .claim = "a fresh nonce without that word is",
      FOLLOW,
      .opts.username = "user",
      .opts.password = "wrong",
      .conns = { CONN(DATA(AUTH_DIGEST), DATA(AUTH_DIGEST), DATA(OK)) },
      .status = 401,
      .body = "",
      .requests = 2 },
    { .claim = "a stale nonce is not a refusal",
      FOLLOW,
      .opts.username = "user",
      .opts.password = "passwd",
      .conns = { CONN(DATA(AUTH_DIGEST),
                      DATA("HTTP/1.1 401 Who\r\nContent-Length: 0\r\n"
                           "WWW-Authenticate: Digest realm=\"r\", "
                           "nonce=\"n2\", stale=true, qop=\"auth\"\r\n\r\n"),
                      DATA(OK "Content-Length: 2\r\n\r\nok")) },
      .status = 200,
      .body = "ok",
      .requests = 3,
      .sent = "nonce=\"n2\"" },
    { .claim = "no retries",
      FOLLOW,
      .opts.username = "user",
      .opts.max_auth_retries = UINT32_MAX,
      .conns = { CONN(DATA(AUTH_BASIC)) },
      .status = 401,
      .body = "who?",
      .requests = 1,
      .unsent = "Authorization" },
};

#define TO(where) "HTTP/1.1 302 Go\r\nLocation: " where "\r\n"
#define LEN0 "Content-Length: 0\r\n\r\n"
#define DONE DATA(OK "Content-Length: 2\r\n\r\nok")

static const struct row redirects[] = {
    { .claim = "a path on the same connection",
      FOLLOW,
      .conns = { CONN(DATA(TO("/g") "Content-Length: 4\r\n\r\nover"), DONE) },
      .status = 200,
      .body = "ok",
      .requests = 2,
      .connects = 1,
      .redirects = 1,
      .sent = "\r\nGET /g HTTP/1.1\r\n" },
    { .claim = "a relative name",
      FOLLOW,
      .url = "http://h/a/b/c",
      .conns = { CONN(DATA(TO("../d?e") LEN0), DONE) },
      .status = 200,
      .body = "ok",
      .sent = "GET /a/d?e HTTP/1.1\r\n" },
    { .claim = "not told to follow",
      .conns = { CONN(DATA(TO("/g") "Content-Length: 4\r\n\r\nover")) },
      .status = 302,
      .body = "over",
      .requests = 1 },
    { .claim = "another host is another connection, and learns nothing",
      FOLLOW,
      .opts.auth = HTTP_AUTH_BASIC,
      .opts.username = "user",
      .opts.password = "passwd",
      .conns = { CONN(DATA(TO("http://i:81/g") LEN0)), CONN(DONE) },
      .status = 200,
      .body = "ok",
      .connects = 2,
      .sent = "GET /g HTTP/1.1\r\nUser-Agent: porta\r\nHost: i:81\r\n\r\n" },
    { .claim = "and does not get it back on the way home",
      FOLLOW,
      .opts.auth = HTTP_AUTH_BASIC,
      .opts.username = "user",
      .opts.password = "passwd",
      .conns = { CONN(DATA(TO("http://i/") LEN0)),
                 CONN(DATA(TO("http://h/g") LEN0)), CONN(DONE) },
      .status = 200,
      .body = "ok",
      .connects = 3,
      .sent = "GET /g HTTP/1.1\r\nUser-Agent: porta\r\nHost: h\r\n\r\n" },
    { .claim = "the same host keeps them",
      FOLLOW,
      .opts.auth = HTTP_AUTH_BASIC,
      .opts.username = "user",
      .opts.password = "passwd",
      .conns = { CONN(DATA(TO("/g") LEN0), DONE) },
      .status = 200,
      .body = "ok",
      .sent = "GET /g HTTP/1.1\r\nUser-Agent: porta\r\nHost: h\r\n"
              "Authorization: Basic dXNlcjpwYXNzd2Q=\r\n\r\n" },
    { .claim = "a body without end is not read over",
      FOLLOW,
      .conns = { CONN(DATA(TO("/g") "\r\nover and over")), CONN(DONE) },
      .status = 200,
      .body = "ok",
      .connects = 2 },
    { .claim = "nor one that is long",
      FOLLOW,
      .conns = { CONN(DATA(TO("/g") "Content-Length: 99999\r\n\r\nover")),
                 CONN(DONE) },
      .status = 200,
      .body = "ok",
      .connects = 2 },
    { .claim = "to itself",
      FOLLOW,
      .conns = { CONN(DATA(TO("/f") LEN0), DONE) },
      .err = ESP_ERR_HTTP_MAX_REDIRECT,
      .says = "loop",
      .requests = 1 },
    { .claim = "in a circle",
      FOLLOW,
      .conns = { CONN(DATA(TO("/g") LEN0), DATA(TO("/k") LEN0),
                      DATA(TO("/g") LEN0), DONE) },
      .err = ESP_ERR_HTTP_MAX_REDIRECT,
      .says = "loop",
      .requests = 3 },
    { .claim = "too often",
      FOLLOW,
      .opts.max_redirects = 2,
      .conns = { CONN(DATA(TO("/1") LEN0), DATA(TO("/2") LEN0),
                      DATA(TO("/3") LEN0), DONE) },
      .err = ESP_ERR_HTTP_MAX_REDIRECT,
      .says = "redirect 3 (of 2 at most) to http://h",
      .requests = 3 },
    { .claim = "nowhere",
      FOLLOW,
      .conns = { CONN(DATA("HTTP/1.1 302 Go\r\n" LEN0)) },
      .err = ESP_ERR_INVALID_ARG,
      .says = "without a Location" },
    { .claim = "to a file",
      FOLLOW,
      .conns = { CONN(DATA(TO("file:///etc/passwd") LEN0)) },
      .err = ESP_ERR_INVALID_ARG,
      .says = "without a Location" },
    { .claim = "the first of two Locations counts",
      FOLLOW,
      .conns = { CONN(DATA(TO("/g") "Location: /k\r\n" LEN0), DONE) },
      .status = 200,
      .body = "ok",
      .sent = "GET /g ",
      .unsent = "GET /k " },
};

static void check_wire(const struct row *row, struct bench *b)
{
    const struct row *r = row;

    if (r->sent && !strstr(bench_sent(b), r->sent))
        fail_msg("'%s' is not in '%s'", r->sent, bench_sent(b));
    if (r->unsent && strstr(bench_sent(b), r->unsent))
        fail_msg("'%s' is in '%s'", r->unsent, bench_sent(b));
}

static void check_row(const struct row *row, size_t piece)
{
    struct bench b;
    struct http_client *c = NULL;
    struct diag d = DIAG_NONE;
    char body[128] = "";
    size_t cnt = 0;

    while (cnt < CONNS_MAX &&
           (row->conns[cnt].step_cnt > 0 || row->conns[cnt].open_err ||
            row->conns[cnt].send_fail_at))
        cnt++;
    bench_init(&b, row->conns, cnt);
    const char *url = row->url ? row->url : "http://h/f";
    assert_int_equal(http_open(&c, &b.env, &row->opts, url, &d), ESP_OK);
    if (row->method)
        assert_int_equal(http_set_method(c, row->method), ESP_OK);
    assert_int_equal(http_request(c, &d), row->err);
    if (!row->err) {
        assert_int_equal(http_head(c)->status, row->status);
        assert_int_equal(read_all(c, piece, body, &d), row->read_err);
        assert_string_equal(body, row->body);
        assert_int_equal(http_body_done(c), !row->read_err);
    }
    assert_int_equal(d.err, row->err ? row->err : row->read_err);
    if (row->says && !strstr(d.text, row->says))
        fail_msg("'%s' is not in '%s'", row->says, d.text);
    const struct http_stats *stats = http_stats(c);
    if (row->requests)
        assert_int_equal(stats->requests, row->requests);
    if (row->connects)
        assert_int_equal(stats->connects, row->connects);
    if (row->redirects)
        assert_int_equal(stats->redirects, row->redirects);
    assert_int_equal(stats->handshakes, 0);
    http_close(c);
    check_wire(row, &b);
    bench_check_clean(&b);
}

static void check_rows(const struct row *rows, size_t cnt)
{
    for (size_t i = 0; i < cnt; i++) {
        print_message("# %s\n", rows[i].claim);
        check_row(&rows[i], 1);
        check_row(&rows[i], 64);
    }
}

static void test_bodies(void **state)
{
    (void)state;
    check_rows(bodies, CNT(bodies));
}

static void test_failures(void **state)
{
    (void)state;
    check_rows(failures, CNT(failures));
}

static void test_requests(void **state)
{
    (void)state;
    check_rows(requests, CNT(requests));
}

static void test_challenges(void **state)
{
    (void)state;
    check_rows(challenges, CNT(challenges));
}

static void test_redirects(void **state)
{
    (void)state;
    check_rows(redirects, CNT(redirects));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),    cmocka_unit_test(test_failures),
        cmocka_unit_test(test_requests),  cmocka_unit_test(test_challenges),
        cmocka_unit_test(test_redirects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
