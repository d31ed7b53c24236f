/* Tokens from an OAuth 2.0 server: its answers, what is sent to it, and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "http/oauth2.h"
#include "http/oauth2_json.h"

#define NONE OAUTH2_LIFE_UNKNOWN

static const struct {
    const char *claim, *in;
    esp_err_t err;
    const char *token, *refresh, *error;
    uint32_t life_s;
} answers[] = {
    { "a token", "{\"access_token\":\"t\",\"token_type\":\"Bearer\"}", ESP_OK,
      "t", "", "", NONE },
    { "everything, among other things",
      " { \"scope\" : [\"a\", {\"access_token\":\"no\"}], \"x\":{\"y\":[1,2]},"
      "\"access_token\":\"t\", \"expires_in\": 3600,\r\n"
      "\"refresh_token\":\"r\" , \"z\":null }\n",
      ESP_OK, "t", "r", "", 3600 },
    { "a life as text", "{\"expires_in\":\"60\"}", ESP_OK, "", "", "", 60 },
    { "a life with a fraction", "{\"expires_in\":59.9}", ESP_OK, "", "", "",
      59 },
    { "no life", "{\"expires_in\":null}", ESP_OK, "", "", "", NONE },
    { "a life of ages", "{\"expires_in\":99999999999999999999}", ESP_OK, "", "",
      "", NONE - 1 },
    { "an error", "{\"error\":\"invalid_client\"}", ESP_OK, "", "",
      "invalid_client", NONE },
    { "nothing in it", "{}", ESP_OK, "", "", "", NONE },
    { "a life that is just too long", "{\"expires_in\":4294967295}", ESP_OK, "",
      "", "", NONE - 1 },
    { "a life that is an object", "{\"expires_in\":{}}",
      ESP_ERR_INVALID_RESPONSE, "", "", "", NONE },
    { "two lives", "{\"expires_in\":1,\"expires_in\":2}",
      ESP_ERR_INVALID_RESPONSE, "", "", "", NONE },
    { "a name without a value", "{\"access_token\"}", ESP_ERR_INVALID_RESPONSE,
      "", "", "", NONE },
    { "names without values", "{\"access_token\",\"token_type\":\"Bearer\"}",
      ESP_ERR_INVALID_RESPONSE, "", "", "", NONE },
    { "a name that is none", "{1:2}", ESP_ERR_INVALID_RESPONSE, "", "", "",
      NONE },
    { "a name that is a list", "{[]:2}", ESP_ERR_INVALID_RESPONSE, "", "", "",
      NONE },
    { "a life before birth", "{\"expires_in\":-1}", ESP_ERR_INVALID_RESPONSE,
      "", "", "", NONE },
    { "a token that is no text", "{\"access_token\":1}",
      ESP_ERR_INVALID_RESPONSE, "", "", "", NONE },
    { "two tokens", "{\"access_token\":\"a\",\"access_token\":\"b\"}",
      ESP_ERR_INVALID_RESPONSE, "", "", "", NONE },
    { "a list", "[\"access_token\",\"t\"]", ESP_ERR_INVALID_RESPONSE, "", "",
      "", NONE },
    { "cut off", "{\"access_token\":\"t\"", ESP_ERR_INVALID_RESPONSE, "", "",
      "", NONE },
    { "more behind it", "{\"access_token\":\"t\"}{}", ESP_ERR_INVALID_RESPONSE,
      "", "", "", NONE },
    { "a page", "<html>login</html>", ESP_ERR_INVALID_RESPONSE, "", "", "",
      NONE },
    { "nothing", "", ESP_ERR_INVALID_RESPONSE, "", "", "", NONE },
};

static bool same(struct span s, const char *want)
{
    return span_eq(s, want);
}

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(answers); i++) {
        struct oauth2_answer a;

        print_message("# %s\n", answers[i].claim);
        assert_int_equal(oauth2_json_parse(span_str(answers[i].in), &a),
                         answers[i].err);
        if (answers[i].err)
            continue;
        assert_true(same(a.access_token, answers[i].token));
        assert_true(same(a.refresh_token, answers[i].refresh));
        assert_true(same(a.error, answers[i].error));
        assert_int_equal(a.life_s, answers[i].life_s);
    }
}

static void test_too_many_members(void **state)
{
    char text[1024] = "{\"x\":[1";
    struct oauth2_answer a;

    (void)state;
    for (unsigned i = 0; i < OAUTH2_JSON_TOKENS; i++)
        strcat(text, ",1");
    strcat(text, "]}");
    assert_int_equal(oauth2_json_parse(span_str(text), &a),
                     ESP_ERR_INVALID_SIZE);
}

static void test_escapes(void **state)
{
    static const struct {
        const char *in, *want; /* want NULL: refused */
    } rows[] = {
        { "plain", "plain" },
        { "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t" },
        { "\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac" },
        { "\\ud83d\\ude00!", "\xf0\x9f\x98\x80!" },
        { "\\u0000", NULL },
        { "\\ufffd", "\xef\xbf\xbd" },
        { "\\ud83d", NULL },
        { "\\ud83d1234567", NULL },
        { "\\ud83d\\n123456", NULL },
        { "\\ud83d\\uffff", NULL },
        { "\\ud83d\\uzzzz", NULL },
        { "\\ud83dx", NULL },
        { "\\ud83d\\u0041", NULL },
        { "\\ude00", NULL },
        { "\\u12", NULL },
        { "\\u12g4", NULL },
        { "\\x", NULL },
        { "\\", NULL },
    };
    char out[64];
    size_t len = 0;

    (void)state;
    assert_int_equal(oauth2_json_text(span_of("a\0b", 3), out, &len),
                     ESP_ERR_INVALID_RESPONSE);
    for (size_t i = 0; i < CNT(rows); i++) {
        esp_err_t err = oauth2_json_text(span_str(rows[i].in), out, &len);

        print_message("# %s\n", rows[i].in);
        assert_int_equal(err, rows[i].want ? ESP_OK : ESP_ERR_INVALID_RESPONSE);
        if (rows[i].want)
            assert_string_equal(out, rows[i].want);
    }
}

/* --- against a server ----------------------------------------------------- */

#define JSON(status, body)                                                    \
    "HTTP/1.1 " status " X\r\nContent-Type: application/json\r\nConnection: " \
    "close\r\n\r\n" body
#define TOKEN(rest) JSON("200", "{\"access_token\":\"tok\"" rest "}")

struct row {
    const char *claim;
    const char *id, *secret, *refresh, *scope; /* id NULL: "id" */
    struct sim_net_script conns[CONNS_MAX];
    size_t conn_cnt;
    bool renew;      /* the second call */
    uint32_t wait_s; /* before it */
    unsigned calls, requests;
    esp_err_t err; /* of the last call */
    const char *token, *says, *unsaid;
    const char *sent, *unsent;
    const char *kept; /* the refresh token that was to be kept */
};

#define BASIC_ID_S "Authorization: Basic aWQ6cw==\r\n" /* id:s */

static const struct row flows[] = {
    { .claim = "client credentials by Basic, a scope",
      .secret = "s",
      .scope = "a b",
      .conns = { CONN(DATA(TOKEN(""))) },
      .calls = 1,
      .requests = 1,
      .token = "tok",
      .sent = "POST /t HTTP/1.1\r\nUser-Agent: porta\r\nHost: h\r\n"
              "Accept: application/json\r\n"
              "Content-Type: application/x-www-form-urlencoded\r\n"
              "Authorization: Basic aWQ6cw==\r\nContent-Length: 41\r\n\r\n"
              "grant_type=client_credentials&scope=a%20b" },
    { .claim = "a public client says its id in the body",
      .refresh = "r&=",
      .conns = { CONN(DATA(TOKEN(""))) },
      .calls = 1,
      .requests = 1,
      .token = "tok",
      .sent = "\r\n\r\ngrant_type=refresh_token&refresh_token=r%26%3D"
              "&client_id=id",
      .unsent = "Authorization" },
    { .claim = "id and secret are encoded before Basic",
      .id = "a:b",
      .secret = "c d",
      .conns = { CONN(DATA(TOKEN(""))) },
      .calls = 1,
      .requests = 1,
      .token = "tok",
      .sent = "Authorization: Basic YSUzQWI6YyUyMGQ=\r\n" },
    { .claim = "a server that wants them in the body gets them there",
      .secret = "s",
      .conns = { CONN(DATA(JSON("401", "{\"error\":\"invalid_client\"}"))),
                 CONN(DATA(TOKEN(",\"expires_in\":60"))),
                 CONN(DATA(TOKEN(""))) },
      .calls = 2,
      .wait_s = 60,
      .requests = 3,
      .token = "tok",
      .sent = "grant_type=client_credentials&client_id=id&client_secret=s" },
    { .claim = "a public client has no secret to say elsewhere",
      .conns = { CONN(DATA(JSON("401", "{\"error\":\"invalid_client\"}"))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_FAIL,
      .says = "401, invalid_client: check the client's id" },
    { .claim = "all that may stand as it is, and what may not",
      .scope = "aZ09-._~ %\xc3/+",
      .conns = { CONN(DATA(TOKEN(""))) },
      .calls = 1,
      .requests = 1,
      .token = "tok",
      .sent = "&scope=aZ09-._~%20%25%C3%2F%2B&client_id=id" },
    { .claim = "a refresh token that was changed to one that breaks lines",
      .refresh = "r1",
      .conns = { CONN(DATA(TOKEN(",\"refresh_token\":\"a\\r\\nb\""))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_ERR_INVALID_RESPONSE,
      .says = "a token that cannot be used" },
    { .claim = "a token is kept while it lives",
      .secret = "s",
      .conns = { CONN(DATA(TOKEN(",\"expires_in\":3600"))) },
      .calls = 2,
      .wait_s = 3569,
      .requests = 1,
      .token = "tok" },
    { .claim = "and not until its last second",
      .secret = "s",
      .conns = { CONN(DATA(TOKEN(",\"expires_in\":3600"))),
                 CONN(DATA(JSON("200", "{\"access_token\":\"two\"}"))) },
      .calls = 2,
      .wait_s = 3571,
      .requests = 2,
      .token = "two" },
    { .claim = "one that was refused is replaced at once",
      .secret = "s",
      .conns = { CONN(DATA(TOKEN(",\"expires_in\":3600"))),
                 CONN(DATA(JSON("200", "{\"access_token\":\"two\"}"))) },
      .calls = 2,
      .renew = true,
      .requests = 2,
      .token = "two" },
    { .claim = "a refresh token that was changed is kept, and used",
      .refresh = "r1",
      .conns = { CONN(DATA(TOKEN(",\"refresh_token\":\"r2\""))),
                 CONN(DATA(TOKEN(""))) },
      .calls = 2,
      .renew = true,
      .requests = 2,
      .token = "tok",
      .kept = "r2",
      .sent = "refresh_token=r2" },
    { .claim = "the same one is not news",
      .refresh = "r1",
      .conns = { CONN(DATA(TOKEN(",\"refresh_token\":\"r1\""))) },
      .calls = 1,
      .requests = 1,
      .token = "tok" },
    { .claim = "a wrong secret, told without it",
      .secret = "s3cret",
      .conns = { CONN(DATA(JSON("401", "{\"error\":\"invalid_client\"}"))),
                 CONN(DATA(JSON("401", "{\"error\":\"invalid_client\","
                                       "\"error_description\":\"not "
                                       "s3cret\"}"))) },
      .calls = 1,
      .requests = 2,
      .err = ESP_FAIL,
      .says = "401, invalid_client: check the client's id",
      .unsaid = "s3cret" },
    { .claim = "a server that repeats the secret as its error",
      .secret = "long-secret",
      .conns = { CONN(DATA(JSON("400", "{\"error\":\"long-secret\"}"))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_FAIL,
      .says = "answered 400 and no token",
      .unsaid = "long" },
    { .claim = "or the refresh token",
      .refresh = "long-token",
      .conns = { CONN(DATA(JSON("400", "{\"error\":\"long-token\"}"))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_FAIL,
      .says = "answered 400 and no token",
      .unsaid = "long" },
    { .claim = "or has it in its words",
      .refresh = "long-token",
      .conns = { CONN(DATA(JSON("400", "{\"error\":\"invalid_grant\","
                                       "\"error_description\":\"no long-token "
                                       "here\"}"))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_FAIL,
      .says = "400, invalid_grant: the refresh token",
      .unsaid = "long" },
    { .claim = "a refresh token that is over",
      .refresh = "r",
      .conns = { CONN(DATA(JSON("400", "{\"error\":\"invalid_grant\","
                                       "\"error_description\":\"old\"}"))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_FAIL,
      .says = "400, invalid_grant (\"old\"): the refresh token" },
    { .claim = "a server that says later, which may pass",
      .secret = "s",
      .conns = { CONN(DATA(JSON("503", "{\"error\":\"busy\"}"))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_ERR_HTTP_EAGAIN,
      .says = "answered 503, busy" },
    { .claim = "one that has had too many questions, which passes, too",
      .secret = "s",
      .conns = { CONN(DATA(JSON("429", "{}"))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_ERR_HTTP_EAGAIN,
      .says = "answered 429 and no token" },
    { .claim = "one in front of it that cannot reach it",
      .secret = "s",
      .conns = { CONN(DATA(JSON("502", "<html>"))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_ERR_HTTP_EAGAIN,
      .says = "answered 502 and no token" },
    { .claim = "or not in time",
      .secret = "s",
      .conns = { CONN(DATA(JSON("504", ""))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_ERR_HTTP_EAGAIN,
      .says = "answered 504 and no token" },
    { .claim = "success without a token",
      .secret = "s",
      .conns = { CONN(DATA(JSON("200", "{\"token_type\":\"Bearer\"}"))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_ERR_INVALID_RESPONSE,
      .says = "no JSON object with an access_token" },
    { .claim = "an answer that breaks off",
      .secret = "s",
      .conns = { CONN(DATA("HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\n{")) },
      .calls = 1,
      .requests = 1,
      .err = ESP_ERR_HTTP_INCOMPLETE_DATA,
      .says = "after 1 of 99 bytes" },
    { .claim = "a redirect is not followed",
      .secret = "s",
      .conns = { CONN(DATA(JSON("302", "")), DATA("Location: http://i/\r\n")) },
      .calls = 1,
      .requests = 1,
      .err = ESP_FAIL,
      .says = "answered 302, a redirect" },
    { .claim = "a login page",
      .secret = "s",
      .conns = { CONN(DATA(JSON("200", "<html>"))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_ERR_INVALID_RESPONSE,
      .says = "no JSON object with an access_token" },
    { .claim = "a server in trouble",
      .secret = "s",
      .conns = { CONN(DATA(JSON("500", "oops"))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_ERR_HTTP_EAGAIN,
      .says = "answered 500 and no token" },
    { .claim = "a token that would break the line",
      .secret = "s",
      .conns = { CONN(DATA(JSON("200", "{\"access_token\":\"a\\r\\nb\"}"))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_ERR_INVALID_RESPONSE,
      .says = "cannot be used" },
    { .claim = "a token of another type",
      .secret = "s",
      .conns = { CONN(DATA(TOKEN(",\"token_type\":\"mac\""))) },
      .calls = 1,
      .requests = 1,
      .err = ESP_ERR_NOT_SUPPORTED,
      .says = "not of the type Bearer" },
    { .claim = "nobody there",
      .secret = "s",
      .conns = { { .open_err = ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST } },
      .calls = 1,
      .requests = 1,
      .err = ESP_ERR_HTTP_CONNECT,
      .says = "h:80: cannot connect" },
};

static void keep(void *ctx, const char *token)
{
    char *kept = ctx;

    snprintf(kept, 16, "%s", token);
}

static esp_err_t call(struct oauth2 *o, const struct http_env *env, bool renew,
                      char out[32], struct diag *d)
{
    const struct http_tokens *t = oauth2_tokens(o);
    struct http_buf token = { .heap = env->heap };
    esp_err_t err = t->get(t->ctx, renew, &token, d);

    snprintf(out, 32, "%s", token.ptr ? token.ptr : "");
    http_buf_free(&token);
    return err;
}

static void check_row(const struct row *row, struct bench *b, struct oauth2 *o)
{
    char token[32] = "";
    struct diag d = DIAG_NONE;
    esp_err_t err = ESP_OK;

    for (unsigned i = 0; i < row->calls; i++) {
        if (i > 0)
            b->sys.port.sleep_ms(b->sys.port.ctx, row->wait_s * 1000);
        err = call(o, &b->env, i > 0 && row->renew, token, &d);
    }
    if (err != row->err)
        print_message("%s\n", d.text);
    assert_int_equal(err, row->err);
    assert_int_equal(oauth2_stats(o)->requests, row->requests);
    if (row->token)
        assert_string_equal(token, row->token);
    if (row->says && !strstr(d.text, row->says))
        fail_msg("'%s' is not in '%s'", row->says, d.text);
    if (row->unsaid)
        assert_null(strstr(d.text, row->unsaid));
    if (row->sent && !strstr(bench_sent(b), row->sent))
        fail_msg("'%s' is not in '%s'", row->sent, bench_sent(b));
    if (row->unsent)
        assert_null(strstr(bench_sent(b), row->unsent));
}

static void test_flows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(flows); i++) {
        const struct row *row = &flows[i];
        char kept[16] = "";
        struct oauth2_opts opts = { .token_url = "http://h/t",
                                    .client_id = row->id ? row->id : "id",
                                    .client_secret = row->secret,
                                    .refresh_token = row->refresh,
                                    .scope = row->scope,
                                    .on_refresh_token = keep,
                                    .ctx = kept };
        struct oauth2 *o = NULL;
        struct bench b;

        print_message("# %s\n", row->claim);
        bench_init(&b, row->conns, CONNS_MAX);
        b.policy.allow_http = true;
        assert_int_equal(oauth2_open(&o, &b.env, &opts, NULL), ESP_OK);
        check_row(row, &b, o);
        assert_string_equal(kept, row->kept ? row->kept : "");
        oauth2_close(o);
        bench_check_clean(&b);
    }
}

static void test_refused_options(void **state)
{
    static const struct {
        const char *url, *id;
        esp_err_t err;
    } rows[] = { { "http://h/t", "id", ESP_ERR_NOT_ALLOWED },
                 { "https://h/t", NULL, ESP_ERR_INVALID_ARG },
                 { "h/t", "id", ESP_ERR_INVALID_ARG },
                 { NULL, "id", ESP_ERR_INVALID_ARG } };
    struct bench b;

    (void)state;
    bench_init(&b, NULL, 0);
    for (size_t i = 0; i < CNT(rows); i++) {
        struct oauth2_opts opts = { .token_url = rows[i].url,
                                    .client_id = rows[i].id };
        struct oauth2 *o = NULL;

        assert_int_equal(oauth2_open(&o, &b.env, &opts, NULL), rows[i].err);
        assert_null(o);
    }
    bench_check_clean(&b);
}

/* An answer without end takes no more memory than the limit. */
static void test_long_answer(void **state)
{
    static char page[OAUTH2_ANSWER_MAX_LEN + 100];
    const struct sim_net_script conns[] = { CONN(
        DATA("HTTP/1.1 200 OK\r\n\r\n"), DATA(page)) };
    struct oauth2_opts opts = { .token_url = "http://h/t", .client_id = "id" };
    struct oauth2 *o = NULL;
    struct diag d = DIAG_NONE;
    struct bench b;
    char token[32];

    (void)state;
    memset(page, ' ', sizeof(page) - 1);
    bench_init(&b, conns, CNT(conns));
    b.policy.allow_http = true;
    assert_int_equal(oauth2_open(&o, &b.env, &opts, NULL), ESP_OK);
    assert_int_equal(call(o, &b.env, false, token, &d), ESP_ERR_INVALID_SIZE);
    assert_non_null(strstr(d.text, "32768 bytes"));
    oauth2_close(o);
    bench_check_clean(&b);
}

/* Nor more time, however it trickles. */
static void test_slow_answer(void **state)
{
    const struct sim_net_script conns[] = { CONN(
        DATA("HTTP/1.1 200 OK\r\n\r\n"), DATA("{"), DELAY(4000), DATA(" "),
        DELAY(4000), DATA(" "), DELAY(4000), DATA(" "), DELAY(4000), DATA(" "),
        DELAY(4000), DATA(" "), DELAY(4000), DATA(" "), DELAY(4000)) };
    struct oauth2_opts opts = { .token_url = "http://h/t", .client_id = "id" };
    struct oauth2 *o = NULL;
    struct diag d = DIAG_NONE;
    struct bench b;
    char token[32];

    (void)state;
    bench_init(&b, conns, CNT(conns));
    b.policy.allow_http = true;
    assert_int_equal(oauth2_open(&o, &b.env, &opts, NULL), ESP_OK);
    uint64_t since_ms = b.sys.now_ms;
    assert_int_equal(call(o, &b.env, false, token, &d),
                     ESP_ERR_HTTP_READ_TIMEOUT);
    assert_non_null(strstr(d.text, "after 20.0 s"));
    assert_int_equal(b.sys.now_ms - since_ms, 20000);
    oauth2_close(o);
    bench_check_clean(&b);
}

static void test_each_allocation_fails(void **state)
{
    /* Encoded, they fill a buffer to its last byte but one. */
    static const char slashes[] = "/////////////////////////////";
    /* The second answer is to id and secret in the body. */
    const struct sim_net_script conns[] = {
        CONN(DATA(JSON("401", "{\"error\":\"invalid_client\"}"))),
        CONN(DATA(TOKEN(",\"refresh_token\":\"r2\"")))
    };
    struct oauth2_opts opts = { .token_url = "http://h/t",
                                .client_id = "a client with a name",
                                .client_secret = "s",
                                .refresh_token = slashes,
                                .scope = "one two three" };
    unsigned n = 0;
    esp_err_t err = ESP_ERR_NO_MEM;

    (void)state;
    for (n = 1; err && n < 200; n++) {
        struct oauth2 *o = NULL;
        struct bench b;
        char token[32];

        bench_init(&b, conns, CNT(conns));
        b.policy.allow_http = true;
        b.heap.fail_at = n;
        err = oauth2_open(&o, &b.env, &opts, NULL);
        if (!err)
            err = call(o, &b.env, false, token, NULL);
        assert_true(!err || err == ESP_ERR_NO_MEM);
        oauth2_close(o);
        bench_check_clean(&b);
    }
    assert_int_equal(err, ESP_OK);
    print_message("# %u allocations, each failed once\n", n - 2);
    assert_in_range(n, 10, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_too_many_members),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_flows),
        cmocka_unit_test(test_refused_options),
        cmocka_unit_test(test_long_answer),
        cmocka_unit_test(test_slow_answer),
        cmocka_unit_test(test_each_allocation_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
