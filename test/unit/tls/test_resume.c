/* Going on with an earlier session: when it is done, and when it must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "fixture.h"
#include "http/client.h"
#include "linux_sys.h"

enum change {
    NOTHING,
    OTHER_NAME,
    ENDED,        /* the certificate that was verified, meanwhile */
    NEW_CLIENT,   /* no change, but it would also speak TLS 1.3 */
    NO_LONGER_12, /* this client wants TLS 1.3 now */
    OTHER_TRUST
};

static const struct row {
    const char *claim;
    int version;
    bool tickets;
    bool first_unverified; /* the first session did not verify */
    bool then_unverified;
    enum change change;
    bool resumed;
} rows[] = {
    { "TLS 1.3 goes on", 3, true, false, false, NOTHING, true },
    { "TLS 1.2 goes on", 2, true, false, false, NOTHING, true },
    { "TLS 1.2 goes on when the client offers both", 2, true, false, false,
      NEW_CLIENT, true },
    { "TLS 1.3 without tickets begins anew", 3, false, false, false, NOTHING,
      false },
    { "TLS 1.2 without tickets begins anew", 2, false, false, false, NOTHING,
      false },
    { "another name begins anew", 3, true, false, false, OTHER_NAME, false },
    { "another name begins anew with TLS 1.2, too", 2, true, false, false,
      OTHER_NAME, false },
    { "what was not verified is when it has to be", 3, true, true, false,
      NOTHING, false },
    { "what was not verified is when it has to be, with TLS 1.2, too", 2, true,
      true, false, NOTHING, false },
    { "not verifying may go on with not verifying", 3, true, true, true,
      NOTHING, true },
    { "not verifying may go on with verifying", 3, true, false, true, NOTHING,
      true },
    { "a certificate that ended meanwhile is found out", 3, true, false, false,
      ENDED, false },
    { "other trust begins anew", 3, true, false, false, OTHER_TRUST, false },
    { "other trust begins anew with TLS 1.2, too", 2, true, false, false,
      OTHER_TRUST, false },
    { "a version that is not wanted any more is not offered", 2, true, false,
      false, NO_LONGER_12, false },
};

static void run_row(const struct row *row)
{
    struct peer_conf pc = { .ident = &idents[ID_GOOD],
                            .version = row->version,
                            .tickets = row->tickets };
    struct tls_conf conf = { .ca = span_str(idents[ID_CA].pem),
                             .keep_ticket = true,
                             .skip_verify = row->first_unverified };
    struct peer peer = { .pid = 0 };
    struct result r;

    print_message("# %s\n", row->claim);
    if (row->change == NO_LONGER_12)
        pc.version = 0;
    if (row->version == 2 && row->change != NEW_CLIENT)
        conf.max = TLS_VERSION_1_2;
    wall.now_s = NOW;
    peer_start(&peer, &pc);
    session(peer.port, &conf, HOST, 5000, &r);
    assert_int_equal(r.err, ESP_OK);
    assert_false(r.resumed);
    if (row->tickets)
        assert_non_null(r.ticket);
    struct tls_ticket *ticket = r.ticket;
    offer = ticket;
    conf.skip_verify = row->then_unverified;
    if (row->change == NO_LONGER_12)
        conf.min = conf.max = TLS_VERSION_1_3;
    if (row->change == OTHER_TRUST)
        conf.ca = span_str(idents[ID_SELF].pem);
    if (row->change == ENDED)
        wall.now_s = INT64_C(4102444800); /* 2100-01-01 */
    session(peer.port, &conf, row->change == OTHER_NAME ? "alias.test" : HOST,
            5000, &r);
    offer = NULL;
    tls_ticket_free(ticket);
    tls_ticket_free(r.ticket);
    peer_stop(&peer);
    assert_int_equal(r.err, row->change == ENDED || row->change == OTHER_TRUST
                                ? ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED
                                : ESP_OK);
    assert_int_equal(r.resumed, row->resumed);
    if (!r.err)
        assert_string_equal(r.answer, "pong");
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        size_t before = heap.cur_cnt;
        run_row(&rows[i]);
        assert_int_equal(heap.cur_cnt, before);
    }
}

/* A server that lost its keys (or another one behind the same name) makes a
 * whole handshake of it, and is verified. */
static void test_a_ticket_that_is_refused(void **state)
{
    struct peer_conf pc = { .ident = &idents[ID_GOOD], .tickets = true };
    struct tls_conf conf = { .ca = span_str(idents[ID_CA].pem),
                             .keep_ticket = true };
    struct result r;

    (void)state;
    for (int version = 2; version <= 3; version++) {
        pc.version = version;
        run_one(&pc, &conf, &r);
        assert_non_null(r.ticket);
        struct tls_ticket *ticket = r.ticket;
        offer = ticket;
        pc.ident = &idents[ID_GOOD];
        run_one(&pc, &conf, &r);
        tls_ticket_free(r.ticket);
        assert_int_equal(r.err, ESP_OK);
        assert_false(r.resumed);
        pc.ident = &idents[ID_SELF];
        run_one(&pc, &conf, &r);
        assert_int_equal(r.err, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED);
        assert_non_null(strstr(r.d.text, "self-signed"));
        offer = NULL;
        tls_ticket_free(ticket);
        pc.ident = &idents[ID_GOOD];
    }
}

/* However often it went on, what was verified at first has its end. */
static void test_the_end_is_inherited(void **state)
{
    struct peer_conf pc = { .ident = &idents[ID_GOOD], .tickets = true };
    struct tls_floor floor = { .s = 0 };
    struct tls_conf conf = { .ca = span_str(idents[ID_CA].pem),
                             .floor = &floor,
                             .keep_ticket = true };
    struct tls_ticket *ticket = NULL;
    struct peer peer = { .pid = 0 };
    struct result r;

    (void)state;
    wall.now_s = NOW;
    peer_start(&peer, &pc);
    for (int i = 0; i < 3; i++) {
        offer = ticket;
        session(peer.port, &conf, HOST, 5000, &r);
        tls_ticket_free(ticket);
        ticket = r.ticket;
        assert_int_equal(r.resumed, i > 0);
    }
    /* Who went on has not looked at a certificate: no proof of the time. */
    wall.now_s = NOW + 10 * 86400;
    floor.s = NOW;
    offer = ticket;
    session(peer.port, &conf, HOST, 5000, &r);
    tls_ticket_free(ticket);
    ticket = r.ticket;
    assert_true(r.resumed && floor.s == NOW);
    wall.now_s = INT64_C(4102444800); /* 2100-01-01 */
    offer = ticket;
    session(peer.port, &conf, HOST, 5000, &r);
    assert_int_equal(r.err, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED);
    assert_non_null(strstr(r.d.text, "expired"));
    offer = NULL;
    tls_ticket_free(ticket);
    peer_stop(&peer);
}

static void test_no_ticket_is_kept_unasked(void **state)
{
    struct peer_conf pc = { .ident = &idents[ID_GOOD], .tickets = true };
    struct tls_conf conf = { .ca = span_str(idents[ID_CA].pem) };
    struct result r;

    (void)state;
    run_one(&pc, &conf, &r);
    assert_int_equal(r.err, ESP_OK);
    assert_null(r.ticket);
}

/* --- the latest time seen ------------------------------------------------- */

static int64_t kept_s;
static unsigned kept_cnt;

static void keep(void *ctx, int64_t s)
{
    *(int64_t *)ctx = s;
    kept_cnt++;
}

static void test_the_floor_rises_with_proof(void **state)
{
    struct tls_floor floor = { .keep = keep, .ctx = &kept_s };
    struct peer_conf pc = { .ident = &idents[ID_GOOD] };
    struct tls_conf conf = { .ca = span_str(idents[ID_CA].pem),
                             .floor = &floor };
    struct result r;

    (void)state;
    run_one(&pc, &conf, &r);
    assert_int_equal(r.err, ESP_OK);
    assert_true(floor.s == NOW && kept_s == NOW && kept_cnt == 1);
    floor.s = NOW - 86399; /* not a day: not worth a write */
    run_one(&pc, &conf, &r);
    assert_true(floor.s == NOW - 86399 && kept_cnt == 1);

    floor.s = 0;
    conf.skip_verify = true; /* nobody says that the clock is right */
    run_one(&pc, &conf, &r);
    assert_true(r.err == ESP_OK && floor.s == 0 && kept_cnt == 1);
    conf.skip_verify = false;
    conf.dates = POL_DATES_OFF;
    run_one(&pc, &conf, &r);
    assert_true(r.err == ESP_OK && floor.s == 0 && kept_cnt == 1);
    conf.dates = POL_DATES_PLAUSIBLE;
    pc.ident = &idents[ID_EXPIRED]; /* a handshake that fails proves nothing */
    run_one(&pc, &conf, &r);
    assert_true(r.err != ESP_OK && floor.s == 0 && kept_cnt == 1);
}

static void test_a_clock_that_went_back(void **state)
{
    struct tls_floor floor = { .s = NOW + 1 };
    struct peer_conf pc = { .ident = &idents[ID_FUTURE] };
    struct tls_conf conf = { .ca = span_str(idents[ID_CA].pem),
                             .floor = &floor };
    struct result r;

    (void)state;
    run_one(&pc, &conf, &r); /* the clock shows NOW: not to be believed */
    assert_int_equal(r.err, ESP_OK);
    assert_true(floor.s == NOW + 1);
    conf.dates = POL_DATES_STRICT;
    run_one(&pc, &conf, &r);
    assert_int_equal(r.err, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED);
    assert_non_null(strstr(r.d.text, "clock"));
}

/* --- an HTTP client ------------------------------------------------------- */

static struct linux_sys sys;
static struct policy policy;

static void get(struct http_client *c, esp_err_t want, struct diag *d)
{
    uint8_t body[16];
    size_t got = 0;

    assert_int_equal(http_request(c, d), ESP_OK);
    esp_err_t err = http_read(c, body, sizeof(body), &got, d);
    while (!err && !http_body_done(c))
        err = http_read(c, body, sizeof(body), &got, d);
    assert_int_equal(err, want);
}

static struct http_client *client(const struct peer *peer,
                                  const struct http_opts *opts)
{
    const struct http_env http = { .net = &net.port,
                                   .sys = &sys.port,
                                   .heap = &heap.port,
                                   .policy = &policy };
    struct http_client *c = NULL;
    char url[64];

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", peer->port);
    assert_int_equal(http_open(&c, &http, opts, url, NULL), ESP_OK);
    return c;
}

static struct http_opts opts_of(const char *name)
{
    return (struct http_opts){ .tls = { .ca = span_str(idents[ID_CA].pem),
                                        .name = name,
                                        .build_s = 1,
                                        .keep_ticket = true } };
}

static void test_a_client_that_connects_again(void **state)
{
    struct peer_conf pc = { .kind = PEER_HTTP,
                            .ident = &idents[ID_GOOD],
                            .tickets = true };
    struct http_opts opts = opts_of(HOST);
    size_t before = heap.cur_cnt;

    (void)state;
    wall.now_s = NOW;
    for (int version = 2; version <= 3; version++) {
        struct peer peer = { .pid = 0 };
        pc.version = version;
        peer_start(&peer, &pc);
        struct http_client *c = client(&peer, &opts);
        for (int i = 0; i < 3; i++)
            get(c, ESP_OK, NULL);
        assert_int_equal(http_stats(c)->handshakes, 3);
        assert_int_equal(http_stats(c)->resumed, 2);
        http_close(c);
        peer_stop(&peer);
    }
    assert_int_equal(heap.cur_cnt, before);
}

static void test_an_alert_in_the_middle_of_a_body(void **state)
{
    struct peer_conf pc = { .kind = PEER_HTTP_ALERT,
                            .ident = &idents[ID_GOOD] };
    struct http_opts opts = opts_of(HOST);
    struct diag d = DIAG_NONE;
    struct peer peer = { .pid = 0 };
    size_t before = heap.cur_cnt;

    (void)state;
    wall.now_s = NOW;
    peer_start(&peer, &pc);
    struct http_client *c = client(&peer, &opts);
    get(c, ESP_ERR_HTTP_INCOMPLETE_DATA, &d);
    assert_non_null(strstr(d.text, "alert 80, internal error"));
    assert_int_equal(http_stats(c)->tls.alert, 80);
    http_close(c);
    peer_stop(&peer);
    assert_int_equal(heap.cur_cnt, before);
}

/* --- policies ------------------------------------------------------------- */

static unsigned alarms;

static void sink(void *ctx, enum log_level level, const char *tag,
                 const char *fmt, va_list args)
{
    (void)ctx;
    (void)tag;
    (void)args;
    alarms += level == LOG_NONE && strstr(fmt, "NOT verified");
}

static esp_err_t ask(const struct peer *peer, const struct http_opts *opts,
                     struct diag *d)
{
    struct http_client *c = client(peer, opts);
    esp_err_t err = http_request(c, d);

    http_close(c);
    return err;
}

static void test_skipping_verification_is_loud(void **state)
{
    struct peer_conf pc = { .kind = PEER_HTTP, .ident = &idents[ID_SELF] };
    struct http_opts opts = { .rx_len = 0 };
    struct diag d = DIAG_NONE;
    struct peer peer = { .pid = 0 };

    (void)state;
    wall.now_s = NOW;
    alarms = 0;
    log_set_sink(sink, NULL);
    peer_start(&peer, &pc);
    /* Off: nothing to verify by is an error. */
    assert_int_equal(ask(&peer, &opts, &d), ESP_ERR_MBEDTLS_SSL_SETUP_FAILED);
    assert_int_equal(alarms, 0);
    /* On: each connection warns. */
    policy.skip_cert_verify = true;
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(ask(&peer, &opts, NULL), ESP_OK);
        assert_int_equal(alarms, i);
    }
    /* On, and something to verify by: it is used. */
    opts.tls.ca = span_str(idents[ID_CA].pem);
    assert_int_equal(ask(&peer, &opts, &d),
                     ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED);
    assert_int_equal(alarms, 3);
    policy.skip_cert_verify = false;
    peer_stop(&peer);
    log_set_sink(NULL, NULL);
}

static void test_plain_http_can_be_refused(void **state)
{
    struct peer_conf pc = { .kind = PEER_RAW,
                            .raw = "HTTP/1.0 200 OK\r\n\r\npong",
                            .raw_len = 23 };
    struct http_opts opts = { .rx_len = 0 };
    struct diag d = DIAG_NONE;
    struct peer peer = { .pid = 0 };
    char url[64];

    (void)state;
    peer_start(&peer, &pc);
    struct http_client *c = client(&peer, &opts);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", peer.port);
    assert_int_equal(http_set_url(c, url), ESP_OK);
    get(c, ESP_OK, NULL);
    http_refuse_plain(c);
    assert_int_equal(http_request(c, &d), ESP_ERR_NOT_ALLOWED);
    assert_non_null(strstr(d.text, "http:"));
    http_close(c);
    peer_stop(&peer);
}

static void test_keys_need_their_option(void **state)
{
    struct peer_conf pc = { .kind = PEER_HTTP,
                            .psk = "0123456789abcdef",
                            .psk_identity = "dev-1" };
    struct http_opts opts = { .rx_len = 0 };
    struct diag d = DIAG_NONE;
    struct peer peer = { .pid = 0 };

    (void)state;
    opts.tls.psk = span_str(pc.psk);
    opts.tls.psk_identity = span_str(pc.psk_identity);
    peer_start(&peer, &pc);
    assert_int_equal(ask(&peer, &opts, &d), ESP_ERR_MBEDTLS_SSL_SETUP_FAILED);
    /* A key that is not used is no reason to go without. */
    policy.skip_cert_verify = true;
    assert_int_equal(ask(&peer, &opts, NULL), ESP_ERR_MBEDTLS_SSL_SETUP_FAILED);
    policy.skip_cert_verify = false;
    policy.psk = true;
    assert_int_equal(ask(&peer, &opts, NULL), ESP_OK);
    policy.psk = false;
    peer_stop(&peer);
}

static int setup(void **state)
{
    linux_sys_init(&sys, NULL);
    return group_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_a_ticket_that_is_refused),
        cmocka_unit_test(test_the_end_is_inherited),
        cmocka_unit_test(test_no_ticket_is_kept_unasked),
        cmocka_unit_test(test_the_floor_rises_with_proof),
        cmocka_unit_test(test_a_clock_that_went_back),
        cmocka_unit_test(test_a_client_that_connects_again),
        cmocka_unit_test(test_an_alert_in_the_middle_of_a_body),
        cmocka_unit_test(test_skipping_verification_is_loud),
        cmocka_unit_test(test_plain_http_can_be_refused),
        cmocka_unit_test(test_keys_need_their_option),
    };

    return cmocka_run_group_tests(tests, setup, group_teardown);
}
