/* Ranges, challenges, credentials, redirects, fields: the small decisions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/date.h"
#include "http/auth.h"
#include "http/buf.h"
#include "http/fields.h"
#include "http/head.h"
#include "http/range.h"
#include "http/redirect.h"
#include "sim_heap.h"
#include "len_rows.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define NONE HTTP_LEN_UNKNOWN

static void test_content_range(void **state)
{
    static const struct {
        const char *in;
        bool ok, satisfied;
        uint64_t first, last, total;
    } rows[] = {
        { "bytes 0-499/1234", true, true, 0, 499, 1234 },
        { "BYTES 0-0/1", true, true, 0, 0, 1 },
        { "bytes  5-6/7 ", true, true, 5, 6, 7 },
        { "bytes 42-1233/*", true, true, 42, 1233, NONE },
        { "bytes */1234", true, false, 0, 0, 1234 },
        { "bytes */0", true, false, 0, 0, 0 },
        { "bytes 0-" LEN_MAX_1 "/" LEN_MAX, true, true, 0, NONE - 2, NONE - 1 },
        { "bytes */*", false, false, 0, 0, 0 },
        { "bytes 0-499", false, false, 0, 0, 0 },
        { "bytes 0-499/", false, false, 0, 0, 0 },
        { "bytes 499-0/1234", false, false, 0, 0, 0 },
        { "bytes 0-1234/1234", false, false, 0, 0, 0 },
        { "bytes -5/10", false, false, 0, 0, 0 },
        { "bytes 5-/10", false, false, 0, 0, 0 },
        { "bytes=0-4/10", false, false, 0, 0, 0 },
        { "items 0-4/10", false, false, 0, 0, 0 },
        { "bytes 0x0-4/10", false, false, 0, 0, 0 },
        { "bytes 0-4/10,5-6/10", false, false, 0, 0, 0 },
        { "bytes 0-4/-1", false, false, 0, 0, 0 },
        { "bytes 0-99999999999999999999/*", false, false, 0, 0, 0 },
        { "bytes", false, false, 0, 0, 0 },
        { "", false, false, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct http_range r;
        esp_err_t err = http_range_parse(span_str(rows[i].in), &r);

        print_message("# %s\n", rows[i].in);
        assert_int_equal(err, rows[i].ok ? ESP_OK : ESP_ERR_INVALID_RESPONSE);
        if (!rows[i].ok)
            continue;
        assert_int_equal(r.satisfied, rows[i].satisfied);
        assert_int_equal(r.first, rows[i].first);
        assert_int_equal(r.last, rows[i].last);
        assert_int_equal(r.total, rows[i].total);
    }
}

static void test_len_signed(void **state)
{
    (void)state;
    assert_int_equal(http_len_signed(NONE), -1);
    assert_int_equal(http_len_signed(0), 0);
    assert_int_equal(http_len_signed(INT32_MAX), INT32_MAX);
    /* What has no place in the signed number is not known, either. */
    assert_true(http_len_signed(NONE - 1) ==
                (NONE - 1 > (uint64_t)INT64_MAX ? -1 : (int64_t)(NONE - 1)));
}

static void test_range_text(void **state)
{
    char text[HTTP_RANGE_TEXT_LEN];

    (void)state;
    http_range_format(0, NONE, text);
    assert_string_equal(text, "bytes=0-");
    http_range_format(65536, 131071, text);
    assert_string_equal(text, "bytes=65536-131071");
    http_range_format(NONE - 2, NONE - 1, text);
    assert_string_equal(text, "bytes=" LEN_MAX_1 "-" LEN_MAX);
}

static const struct {
    const char *claim, *in;
    esp_err_t err;
    enum http_auth scheme;
    bool sha256, sess, qop, stale;
    const char *realm, *nonce, *opaque;
} challenges[] = {
    { "basic", "Basic realm=\"a b\"", ESP_OK, HTTP_AUTH_BASIC, false, false,
      false, false, "a b", "", NULL },
    { "basic without realm", "basic", ESP_OK, HTTP_AUTH_BASIC, false, false,
      false, false, "", "", NULL },
    { "digest", "Digest realm=\"r\", nonce=\"n\"", ESP_OK, HTTP_AUTH_DIGEST,
      false, false, false, false, "r", "n", NULL },
    { "everything, in another order and spacing",
      "DIGEST qop = \"auth,auth-int\" ,algorithm=SHA-256,nonce=\"n,=\", "
      "opaque=\"\",stale=TRUE,realm=\"r\\\"q\" , charset=UTF-8",
      ESP_OK, HTTP_AUTH_DIGEST, true, false, true, true, "r\\\"q", "n,=", "" },
    { "session variants",
      "Digest realm=\"r\",nonce=\"n\",qop=auth,"
      "algorithm=md5-sess",
      ESP_OK, HTTP_AUTH_DIGEST, false, true, true, false, "r", "n", NULL },
    { "the better of two",
      "Basic realm=\"x\", Digest realm=\"r\", "
      "nonce=\"n\"",
      ESP_OK, HTTP_AUTH_DIGEST, false, false, false, false, "r", "n", NULL },
    { "SHA-256 before MD5",
      "Digest realm=\"r\", nonce=\"1\", "
      "algorithm=MD5, Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256,"
      " Basic realm=\"b\"",
      ESP_OK, HTTP_AUTH_DIGEST, true, false, false, false, "r", "2", NULL },
    { "the first of equals", "Basic realm=\"1\", Basic realm=\"2\"", ESP_OK,
      HTTP_AUTH_BASIC, false, false, false, false, "1", "", NULL },
    { "schemes and nothing else", "Negotiate,Basic", ESP_OK, HTTP_AUTH_BASIC,
      false, false, false, false, "", "", NULL },
    { "an unknown scheme before", "Negotiate YII=, Basic realm=\"b\"", ESP_OK,
      HTTP_AUTH_BASIC, false, false, false, false, "b", "", NULL },
    { "its parameters are not ours", "Basic realm=\"b\", Bearer realm=\"t\"",
      ESP_OK, HTTP_AUTH_BASIC, false, false, false, false, "b", "", NULL },
    { "a hash that we do not have",
      "Digest realm=\"r\", nonce=\"n\", "
      "algorithm=SHA-512-256",
      ESP_ERR_NOT_SUPPORTED, HTTP_AUTH_NONE, false, false, false, false, "", "",
      NULL },
    { "a hash written without its hyphen",
      "Digest realm=\"r\", nonce=\"n\", "
      "algorithm=SHA256",
      ESP_OK, HTTP_AUTH_DIGEST, true, false, false, false, "r", "n", NULL },
    { "a parameter without a value at the end", "Digest nonce=\"n\", realm=",
      ESP_OK, HTTP_AUTH_DIGEST, false, false, false, false, "", "n", NULL },
    { "values without quotes, blanks behind them",
      "Digest realm=r , nonce=n\t, qop=auth", ESP_OK, HTTP_AUTH_DIGEST, false,
      false, true, false, "r", "n", NULL },
    { "no realm", "Digest nonce=\"n\"", ESP_ERR_NOT_SUPPORTED, HTTP_AUTH_NONE,
      false, false, false, false, "", "", NULL },
    { "parameters of no scheme", "realm=\"r\", nonce=\"n\"",
      ESP_ERR_NOT_SUPPORTED, HTTP_AUTH_NONE, false, false, false, false, "", "",
      NULL },
    { "integrity only",
      "Digest realm=\"r\", nonce=\"n\", "
      "qop=\"auth-int\"",
      ESP_ERR_NOT_SUPPORTED, HTTP_AUTH_NONE, false, false, false, false, "", "",
      NULL },
    { "no nonce", "Digest realm=\"r\"", ESP_ERR_NOT_SUPPORTED, HTTP_AUTH_NONE,
      false, false, false, false, "", "", NULL },
    { "bearer", "Bearer realm=\"r\"", ESP_ERR_NOT_SUPPORTED, HTTP_AUTH_NONE,
      false, false, false, false, "", "", NULL },
    { "nothing", "", ESP_ERR_NOT_SUPPORTED, HTTP_AUTH_NONE, false, false, false,
      false, "", "", NULL },
    { "commas", " , ,", ESP_ERR_NOT_SUPPORTED, HTTP_AUTH_NONE, false, false,
      false, false, "", "", NULL },
    { "a quote without end", "Basic realm=\"x", ESP_ERR_INVALID_RESPONSE,
      HTTP_AUTH_NONE, false, false, false, false, "", "", NULL },
    { "a quote that a backslash keeps open", "Basic realm=\"x\\\"",
      ESP_ERR_INVALID_RESPONSE, HTTP_AUTH_NONE, false, false, false, false, "",
      "", NULL },
    { "a quote where a name should be", "Basic \"x\"", ESP_ERR_INVALID_RESPONSE,
      HTTP_AUTH_NONE, false, false, false, false, "", "", NULL },
};

static void test_challenge(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(challenges); i++) {
        struct http_challenge c;

        print_message("# %s\n", challenges[i].claim);
        assert_int_equal(http_challenge_parse(span_str(challenges[i].in), &c),
                         challenges[i].err);
        if (challenges[i].err)
            continue;
        assert_int_equal(c.scheme, challenges[i].scheme);
        assert_int_equal(c.sha256, challenges[i].sha256);
        assert_int_equal(c.sess, challenges[i].sess);
        assert_int_equal(c.qop_auth, challenges[i].qop);
        assert_int_equal(c.stale, challenges[i].stale);
        assert_true(span_eq(c.realm, challenges[i].realm));
        assert_true(span_eq(c.nonce, challenges[i].nonce));
        assert_int_equal(c.has_opaque, challenges[i].opaque != NULL);
    }
}

/* RFC 4648 section 10, the reference's example, RFC 7617's. */
static void test_basic(void **state)
{
    static const struct {
        const char *user, *password, *want;
    } rows[] = {
        { "user", "passwd", "Basic dXNlcjpwYXNzd2Q=" },
        { "Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
        { "test", "123\xc2\xa3", "Basic dGVzdDoxMjPCow==" },
        { "", "", "Basic Og==" },
        { "a", "", "Basic YTo=" },
        { "a", "b", "Basic YTpi" },
        { "a", ":", "Basic YTo6" },
        { "\xff\xfe", "\xfb", "Basic //46+w==" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct http_login login = { span_str(rows[i].user),
                                    span_str(rows[i].password) };
        char out[64];
        size_t need = 0;

        assert_int_equal(http_basic_format(&login, out, sizeof(out), &need),
                         ESP_OK);
        assert_string_equal(out, rows[i].want);
        assert_int_equal(need, strlen(out) + 1);
        assert_int_equal(http_basic_format(&login, out, need - 1, &need),
                         ESP_ERR_INVALID_SIZE);
    }
    struct http_login colon = { span_str("a:b"), span_str("c") };
    char out[64];
    size_t need = 0;
    assert_int_equal(http_basic_format(&colon, out, sizeof(out), &need),
                     ESP_ERR_INVALID_ARG);
}

struct digest_row {
    const char *claim, *challenge, *user, *password, *uri, *cnonce, *want;
};

/* The reference's vectors; RFC 2069 (with its erratum) and RFC 7616. Those of
 * sessions were reckoned with Python's hashlib by RFC 7616 section 3.4.2. */
static const struct digest_row digests[] = {
    { "MD5", "Digest realm=\"realm\", nonce=\"abc\", qop=\"auth\"", "user",
      "passwd", "/fw.bin", "0123456789abcdef",
      "3965dfbd68aaadca7547552812e3d819" },
    { "SHA-256",
      "Digest realm=\"realm\", nonce=\"abc\", qop=\"auth\", "
      "algorithm=SHA-256",
      "user", "passwd", "/fw.bin", "0123456789abcdef",
      "22de2c1f1488732267c3f92f840680fe7dffa6d10e0bacefb05d5cf0d9b73beb" },
    { "no qop",
      "Digest realm=\"testrealm@host.com\", "
      "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
      "Mufasa", "CircleOfLife", "/dir/index.html", "",
      "1949323746fe6a43ef61f9606e7febea" },
    { "a session's key",
      "Digest realm=\"realm\", nonce=\"abc\", qop=\"auth\", "
      "algorithm=MD5-sess",
      "user", "passwd", "/fw.bin", "0123456789abcdef",
      "251d45b9b8e16482bfe546b28ef728e4" },
    { "a session's key by SHA-256, without qop",
      "Digest realm=\"realm\", nonce=\"abc\", algorithm=SHA-256-sess", "user",
      "passwd", "/fw.bin", "0123456789abcdef",
      "42013eff5680702af7048c4b145ffcb8c298b76d2b442bb066eeb900218a6bf9" },
};

static void digest_of(const struct digest_row *row, struct http_digest *d,
                      struct http_challenge *c, struct http_login *login)
{
    assert_int_equal(http_challenge_parse(span_str(row->challenge), c), ESP_OK);
    *login =
        (struct http_login){ span_str(row->user), span_str(row->password) };
    *d = (struct http_digest){ .challenge = c,
                               .login = login,
                               .method = span_str("GET"),
                               .uri = span_str(row->uri),
                               .nc = 1 };
    strcpy(d->cnonce, row->cnonce);
}

static void test_digest(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(digests); i++) {
        struct http_digest d;
        struct http_challenge c;
        struct http_login login;
        char out[65];

        print_message("# %s\n", digests[i].claim);
        digest_of(&digests[i], &d, &c, &login);
        http_digest_response(&d, out);
        assert_string_equal(out, digests[i].want);
    }
}

static void test_digest_text(void **state)
{
    static const struct {
        struct digest_row in;
        const char *algorithm, *rest;
    } rows[] = {
        { { "a challenge with everything",
            "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", opaque=\"o\"",
            "u\"x\\", "p", "/f?q", "0123456789abcdef", "" },
          "MD5",
          ", qop=auth, nc=0000001f, cnonce=\"0123456789abcdef\", "
          "opaque=\"o\"" },
        { { "a session without qop needs our nonce, too",
            "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256-sess", "u\"x\\",
            "p", "/f?q", "0123456789abcdef", "" },
          "SHA-256-sess",
          ", cnonce=\"0123456789abcdef\"" },
        { { "without either it is not sent", "Digest realm=\"r\", nonce=\"n\"",
            "u\"x\\", "p", "/f?q", "0123456789abcdef", "" },
          "MD5",
          "" },
    };
    struct http_digest d;
    struct http_challenge c;
    struct http_login login;
    char out[512], response[65];
    char want[512];
    size_t need = 0;

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        print_message("# %s\n", rows[i].in.claim);
        digest_of(&rows[i].in, &d, &c, &login);
        d.nc = 0x1f;
        http_digest_response(&d, response);
        (void)snprintf(
            want, sizeof(want),
            "Digest username=\"u\\\"x\\\\\", realm=\"r\", nonce=\"n\", "
            "uri=\"/f?q\", algorithm=%s, response=\"%s\"%s",
            rows[i].algorithm, response, rows[i].rest);
        assert_int_equal(http_digest_format(&d, out, sizeof(out), &need),
                         ESP_OK);
        assert_string_equal(out, want);
        /* Each piece is the first that does not fit any more. */
        for (size_t room = need; room-- > 0;)
            assert_int_equal(http_digest_format(&d, out, room, &need),
                             ESP_ERR_INVALID_SIZE);
    }
}

static void test_redirect(void **state)
{
    static const struct {
        const char *claim, *from, *to;
        uint32_t done;
        bool seen;
        esp_err_t err;
        bool new_origin;
    } rows[] = {
        { "the same host", "https://h/a", "https://h/b", 0, false, ESP_OK,
          false },
        { "another host", "https://h/a", "https://i/a", 9, false, ESP_OK,
          true },
        { "another port", "https://h/", "https://h:444/", 0, false, ESP_OK,
          true },
        { "up to https", "http://h/", "https://h/", 0, false, ESP_OK, true },
        { "plain to plain", "http://h/", "http://h/x", 0, false, ESP_OK,
          false },
        { "down to http", "https://h/", "http://h/", 0, false,
          ESP_ERR_HTTP_REDIRECT_DOWNGRADE, false },
        { "down, however often", "https://h/", "http://h/", 10, true,
          ESP_ERR_HTTP_REDIRECT_DOWNGRADE, false },
        { "too often", "https://h/", "https://h/x", 10, false,
          ESP_ERR_HTTP_MAX_REDIRECT, false },
        { "a loop", "https://h/", "https://h/x", 1, true,
          ESP_ERR_HTTP_MAX_REDIRECT, false },
        { "nowhere", "https://h/", NULL, 0, false, ESP_ERR_INVALID_ARG, false },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        struct http_url from, to;
        struct http_redirect_in in = { .from = &from,
                                       .done_cnt = rows[i].done,
                                       .max_cnt = 10,
                                       .seen = rows[i].seen };

        print_message("# %s\n", rows[i].claim);
        assert_int_equal(http_url_parse(span_str(rows[i].from), &from), ESP_OK);
        if (rows[i].to) {
            assert_int_equal(http_url_parse(span_str(rows[i].to), &to), ESP_OK);
            in.to = &to;
        }
        struct http_redirect r = http_redirect_decide(&in);
        assert_int_equal(r.err, rows[i].err);
        assert_int_equal(r.new_origin, rows[i].new_origin);
        assert_int_equal(r.why != NULL, rows[i].err != ESP_OK);
    }
    for (int status = 100; status < 600; status++) {
        bool want = status == 301 || status == 302 || status == 303 ||
                    status == 307 || status == 308;
        assert_int_equal(http_redirect_status(status), want);
    }
}

/* --- fields --------------------------------------------------------------- */

static esp_err_t set(struct http_fields *fs, const char *name,
                     const char *value)
{
    return http_fields_set(fs, span_str(name), span_str(value));
}

static void check_list(const struct http_fields *fs, const char *want)
{
    char got[256] = "";

    for (const struct http_field *f = fs->first; f; f = f->next) {
        strcat(got, f->text);
        strcat(got, "=");
        strcat(got, f->text + f->name_len + 1);
        strcat(got, ";");
    }
    assert_string_equal(got, want);
}

static void test_fields(void **state)
{
    struct sim_heap heap;
    struct http_fields fs = { .heap = &heap.port };

    (void)state;
    sim_heap_init(&heap);
    assert_int_equal(set(&fs, "A", "1"), ESP_OK);
    assert_int_equal(set(&fs, "B", ""), ESP_OK);
    assert_int_equal(set(&fs, "C", "3"), ESP_OK);
    check_list(&fs, "A=1;B=;C=3;");
    assert_int_equal(set(&fs, "b", "two"), ESP_OK);
    check_list(&fs, "A=1;b=two;C=3;");
    assert_null(http_fields_get(&fs, span_str("D")));
    assert_non_null(http_fields_get(&fs, span_str("c")));
    heap.fail_at = heap.alloc_cnt + 1;
    assert_int_equal(set(&fs, "A", "9"), ESP_ERR_NO_MEM);
    check_list(&fs, "A=1;b=two;C=3;");
    heap.fail_at = 0;
    assert_true(http_fields_remove(&fs, span_str("A")));
    assert_false(http_fields_remove(&fs, span_str("A")));
    check_list(&fs, "b=two;C=3;");
    http_fields_clear(&fs);
    assert_int_equal(heap.cur_cnt, 0);
}

static void test_fields_injection(void **state)
{
    static const struct {
        const char *name, *value;
    } rows[] = {
        { "A", "b\r\nEvil: 1" }, { "A", "b\nEvil: 1" }, { "A", "b\r" },
        { "A", "b\x01" },        { "A", "b\x7f" },      { "A: b\r\nC", "d" },
        { "A B", "c" },          { "A:", "c" },         { "", "c" },
    };
    struct sim_heap heap;
    struct http_fields fs = { .heap = &heap.port };

    (void)state;
    sim_heap_init(&heap);
    for (size_t i = 0; i < CNT(rows); i++)
        assert_int_equal(set(&fs, rows[i].name, rows[i].value),
                         ESP_ERR_INVALID_ARG);
    assert_int_equal(http_fields_set(&fs, span_str("A"), span_of("b\0c", 3)),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(http_fields_set(&fs, span_of("A\0B", 3), span_str("c")),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(set(&fs, "A", "b\tc \xc3\xa4"), ESP_OK);
    http_fields_clear(&fs);
}

static void test_fields_secrets(void **state)
{
    static const char *const secret[] = { "Authorization",
                                          "Proxy-Authorization",
                                          "cookie",
                                          "Cookie2",
                                          "PRIVATE-TOKEN",
                                          "X-Api-Key",
                                          "X-Amz-Security-Token",
                                          "JOB-TOKEN",
                                          "X-Auth",
                                          "my-secret",
                                          "X-Session-Id" };
    static const char *const plain[] = { "Accept", "User-Agent", "Range",
                                         "If-None-Match", "Host" };
    struct sim_heap heap;
    struct http_fields fs = { .heap = &heap.port };

    (void)state;
    sim_heap_init(&heap);
    for (size_t i = 0; i < CNT(secret); i++)
        assert_int_equal(set(&fs, secret[i], "s"), ESP_OK);
    for (size_t i = 0; i < CNT(plain); i++)
        assert_int_equal(set(&fs, plain[i], "p"), ESP_OK);
    http_fields_drop_secrets(&fs);
    check_list(&fs, "Accept=p;User-Agent=p;Range=p;If-None-Match=p;Host=p;");
    http_fields_clear(&fs);
    assert_int_equal(heap.cur_cnt, 0);
}

static void test_buf(void **state)
{
    struct sim_heap heap;
    struct http_buf b = { .heap = &heap.port };

    (void)state;
    sim_heap_init(&heap);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(http_buf_add(&b, span_str("0123456789")), ESP_OK);
    assert_int_equal(b.len, 10000);
    assert_int_equal(strlen(b.ptr), 10000);
    heap.fail_at = heap.alloc_cnt + 1;
    assert_int_equal(http_buf_reserve(&b, 100000), ESP_ERR_NO_MEM);
    assert_int_equal(strlen(b.ptr), 10000);
    assert_int_equal(http_buf_reserve(&b, SIZE_MAX), ESP_ERR_NO_MEM);
    http_buf_reset(&b);
    assert_string_equal(b.ptr, "");
    http_buf_free(&b);
    assert_int_equal(heap.cur_cnt, 0);
}

static void test_dates(void **state)
{
    static const struct {
        const char *text;
        int64_t s; /* 0: none */
    } rows[] = {
        { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Thu, 01 Jan 1970 00:00:01 GMT", 1 },
        { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
        { "Tue, 19 Jan 2038 03:14:08 GMT", 2147483648 },
        { "Sun, 06 Nov 1994 08:49:37 UTC", 0 },
        { "Sun, 06 Nov 1994 08:49:37 GMT ", 0 },
        { "Sun, 6 Nov 1994 08:49:37 GMT", 0 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 0 },
        { "Sun Nov  6 08:49:37 1994", 0 },
        { "Sun, 06 Nev 1994 08:49:37 GMT", 0 },
        { "Sun, 00 Nov 1994 08:49:37 GMT", 0 },
        { "Sun, 32 Nov 1994 08:49:37 GMT", 0 },
        { "Sun, 06 Nov 1994 24:49:37 GMT", 0 },
        { "Sun, 06 Nov 1994 08:60:37 GMT", 0 },
        { "Sun, 06 Nov 1994 08:49:61 GMT", 0 },
        { "Sun, 06 Nov 1969 08:49:37 GMT", 0 },
        { "", 0 },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        int64_t s = -1;
        esp_err_t err = http_date_parse(span_str(rows[i].text), &s);

        print_message("# %s\n", rows[i].text);
        assert_int_equal(err, rows[i].s ? ESP_OK : ESP_ERR_INVALID_RESPONSE);
        assert_true(s == rows[i].s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_range),
        cmocka_unit_test(test_len_signed),
        cmocka_unit_test(test_range_text),
        cmocka_unit_test(test_challenge),
        cmocka_unit_test(test_basic),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_digest_text),
        cmocka_unit_test(test_redirect),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_fields_injection),
        cmocka_unit_test(test_fields_secrets),
        cmocka_unit_test(test_buf),
        cmocka_unit_test(test_dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
