/* Who is trusted, what is said about who is not, and how long a silent peer is
 * waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

/* A ServerHello of TLS 1.1, as far as it is read. */
static const char hello_1_1[] =
    "\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02"
    "0123456789abcdef0123456789abcdef\x00\xc0\x13\x00";
static const char alert_70[] = "\x15\x03\x01\x00\x02\x02\x46";
static const char plain_http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

struct row {
    const char *claim;
    struct peer_conf peer;
    enum ident ident, chain, ca, client;
    enum ident bundle[3]; /* trusted as a bundle */
    const char *host;     /* NULL: HOST */
    struct tls_conf conf;
    int64_t clock_s; /* 0: NOW; -1: never set */
    uint32_t wait_ms;
    esp_err_t err;
    const char *says, *says_too;
    const char *version;
};

static const struct row rows[] = {
    { .claim = "TLS 1.3 is agreed when both have it",
      .ident = ID_GOOD,
      .ca = ID_CA,
      .version = "TLSv1.3" },
    { .claim = "session tickets pass by without being seen",
      .ident = ID_GOOD,
      .ca = ID_CA,
      .peer.version = 3,
      .peer.tickets = true,
      .version = "TLSv1.3" },
    { .claim = "TLS 1.2 is agreed when the server has no more",
      .ident = ID_GOOD,
      .ca = ID_CA,
      .peer.version = 2,
      .version = "TLSv1.2" },
    { .claim = "TLS 1.2 is agreed when the client is told so",
      .ident = ID_GOOD,
      .ca = ID_CA,
      .conf.max = TLS_VERSION_1_2,
      .version = "TLSv1.2" },
    { .claim = "a server below our minimum is refused",
      .ident = ID_GOOD,
      .ca = ID_CA,
      .peer.version = 2,
      .conf.min = TLS_VERSION_1_3,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "alert" },
    { .claim = "a server with TLS 1.1 only is refused by name",
      .ca = ID_CA,
      .peer.kind = PEER_RAW,
      .peer.raw = hello_1_1,
      .peer.raw_len = sizeof(hello_1_1) - 1,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "no common version",
      .says_too = "1.2 to 1.3" },
    { .claim = "an alert is told in words",
      .ca = ID_CA,
      .peer.kind = PEER_RAW,
      .peer.raw = alert_70,
      .peer.raw_len = sizeof(alert_70) - 1,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "alert 70",
      .says_too = "protocol version" },
    { .claim = "a server that does not speak TLS is found out",
      .ca = ID_CA,
      .peer.kind = PEER_RAW,
      .peer.raw = plain_http,
      .peer.raw_len = sizeof(plain_http) - 1,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "not TLS" },
    { .claim = "the issuer that is missing is named",
      .ident = ID_GOOD,
      .ca = ID_OTHER_CA,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "unknown issuer",
      .says_too = "CN=Test Authority" },
    { .claim = "a self-signed certificate is called so",
      .ident = ID_SELF,
      .ca = ID_CA,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "self-signed" },
    { .claim = "a self-signed certificate that is given is trusted",
      .ident = ID_SELF,
      .ca = ID_SELF },
    { .claim = "the names of a wrong certificate are told",
      .ident = ID_OTHER,
      .ca = ID_CA,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "elsewhere.test",
      .says_too = "not for \"" HOST },
    { .claim = "an alternative name is a name",
      .ident = ID_GOOD,
      .ca = ID_CA,
      .host = "alias.test" },
    { .claim = "a wild card stands for one label",
      .ident = ID_OTHER,
      .ca = ID_CA,
      .host = "any.wild.test" },
    { .claim = "an address is a name",
      .ident = ID_IP,
      .ca = ID_CA,
      .host = "192.0.2.7" },
    { .claim = "another address is not",
      .ident = ID_IP,
      .ca = ID_CA,
      .host = "192.0.2.8",
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "192.0.2.7" },
    { .claim = "without alternative names the common name counts",
      .ident = ID_CN_ONLY,
      .ca = ID_CA,
      .host = "old.test" },
    { .claim = "and is told when it is wrong",
      .ident = ID_CN_ONLY,
      .ca = ID_CA,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "\"old.test\"" },
    { .claim = "the name can be left unchecked",
      .ident = ID_OTHER,
      .ca = ID_CA,
      .conf.skip_name_check = true },
    { .claim = "but not the issuer with it",
      .ident = ID_OTHER,
      .ca = ID_OTHER_CA,
      .conf.skip_name_check = true,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "unknown issuer" },
    { .claim = "another name can be asked for",
      .ident = ID_OTHER,
      .ca = ID_CA,
      .conf.name = "elsewhere.test" },
    { .claim = "the end of a certificate's life is told",
      .ident = ID_EXPIRED,
      .ca = ID_CA,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "expired on 2024-02-29 12:34",
      .says_too = HOST },
    { .claim = "and its begin",
      .ident = ID_FUTURE,
      .ca = ID_CA,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "not valid before 2027-01-01",
      .says_too = "clock" },
    { .claim = "a clock in that life accepts it",
      .ident = ID_EXPIRED,
      .ca = ID_CA,
      .clock_s = 1709000000 /* 2024-02-27 */ },
    { .claim = "a clock that was never set judges no dates",
      .ident = ID_EXPIRED,
      .ca = ID_CA,
      .clock_s = -1 },
    { .claim = "a clock that was never set judges issuers",
      .ident = ID_EXPIRED,
      .ca = ID_OTHER_CA,
      .clock_s = -1,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "unknown issuer" },
    { .claim = "nothing to verify by is no session",
      .ident = ID_GOOD,
      .err = ESP_ERR_MBEDTLS_SSL_SETUP_FAILED,
      .says = "CA certificate" },
    { .claim = "unless that was asked for",
      .ident = ID_OTHER,
      .conf.skip_verify = true },
    { .claim = "not verifying works with TLS 1.2, too",
      .ident = ID_OTHER,
      .conf.skip_verify = true,
      .peer.version = 2 },
    { .claim = "a CA that is no certificate is an error",
      .ident = ID_GOOD,
      .conf.ca = { (const uint8_t *)"-----BEGIN nonsense", 19 },
      .err = ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED,
      .says = "not a certificate" },
    { .claim = "a silent server is waited for until the deadline",
      .ca = ID_CA,
      .peer.kind = PEER_SILENT,
      .wait_ms = 80,
      .err = ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT,
      .says = "stopped answering" },
    { .claim = "a server that hangs up is told from one that is silent",
      .ca = ID_CA,
      .peer.kind = PEER_CLOSE,
      .err = ESP_ERR_ESP_TLS_TCP_CLOSED_FIN,
      .says = "during the TLS" },
    { .claim = "a key both know is enough",
      .peer.psk = "0123456789abcdef",
      .peer.psk_identity = "dev-1",
      .conf.psk = { (const uint8_t *)"0123456789abcdef", 16 },
      .conf.psk_identity = { (const uint8_t *)"dev-1", 5 } },
    { .claim = "the same under TLS 1.2",
      .peer.psk = "0123456789abcdef",
      .peer.psk_identity = "dev-1",
      .peer.version = 2,
      .conf.psk = { (const uint8_t *)"0123456789abcdef", 16 },
      .conf.psk_identity = { (const uint8_t *)"dev-1", 5 } },
    { .claim = "a key that only one knows is not",
      .peer.psk = "0123456789abcdef",
      .peer.psk_identity = "dev-1",
      .conf.psk = { (const uint8_t *)"fedcba9876543210", 16 },
      .conf.psk_identity = { (const uint8_t *)"dev-1", 5 },
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "alert" },
    { .claim = "with a key alone no certificate is believed",
      .ident = ID_GOOD,
      .conf.psk = { (const uint8_t *)"0123456789abcdef", 16 },
      .conf.psk_identity = { (const uint8_t *)"dev-1", 5 },
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED },
    { .claim = "an intermediate that is not sent is named",
      .ident = ID_BELOW,
      .ca = ID_CA,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "CN=Middle Authority",
      .says_too = "was not sent along" },
    { .claim = "an intermediate that is sent leads to the root",
      .ident = ID_BELOW,
      .chain = ID_MIDDLE,
      .ca = ID_CA },
    { .claim = "an intermediate may be trusted itself",
      .ident = ID_BELOW,
      .ca = ID_MIDDLE },
    { .claim = "a chain to somebody else names that one",
      .ident = ID_BELOW,
      .chain = ID_MIDDLE,
      .ca = ID_OTHER_CA,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "CN=Test Authority" },
    { .claim = "a key of 1024 bits is too weak, and the bits are told",
      .ident = ID_WEAK,
      .ca = ID_CA,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "RSA 1024 bits",
      .says_too = "2048" },
    { .claim = "a bundle is trusted",
      .ident = ID_GOOD,
      .bundle = { ID_OTHER_CA, ID_CA } },
    { .claim = "a bundle is trusted under TLS 1.2, too",
      .ident = ID_GOOD,
      .bundle = { ID_OTHER_CA, ID_CA },
      .peer.version = 2 },
    { .claim = "a bundle without the issuer names it",
      .ident = ID_GOOD,
      .bundle = { ID_OTHER_CA },
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "unknown issuer",
      .says_too = "CN=Test Authority" },
    { .claim = "a name in a bundle is nothing without the key",
      .ident = ID_SELF,
      .bundle = { ID_CA },
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "self-signed" },
    { .claim = "with a bundle names are checked",
      .ident = ID_OTHER,
      .bundle = { ID_CA },
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "elsewhere.test" },
    { .claim = "with a bundle dates are checked",
      .ident = ID_EXPIRED,
      .bundle = { ID_CA },
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "expired on 2024-02-29" },
    { .claim = "with a bundle weak keys are refused",
      .ident = ID_WEAK,
      .bundle = { ID_CA },
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "too weak" },
    { .claim = "a bundle and a chain",
      .ident = ID_BELOW,
      .chain = ID_MIDDLE,
      .bundle = { ID_CA } },
    { .claim = "an intermediate that a bundle needs and does not get is named",
      .ident = ID_BELOW,
      .bundle = { ID_CA },
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "CN=Middle Authority" },
    { .claim = "a chain ends at the one whom the bundle has, whatever was "
               "sent above, even when that has ended",
      .ident = ID_BELOW,
      .chain = ID_MIDDLE_CROSS,
      .bundle = { ID_MIDDLE } },
    { .claim = "and then a wrong name is what is said",
      .ident = ID_BELOW,
      .chain = ID_MIDDLE_CROSS,
      .bundle = { ID_MIDDLE },
      .host = "wrong.test",
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "wrong host name" },
    { .claim = "the same with a list is no reason to trust the other root",
      .ident = ID_BELOW,
      .chain = ID_MIDDLE_CROSS,
      .bundle = { ID_CA },
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "CN=Other Authority" },
    { .claim = "a name that is only claimed is not believed: a list",
      .ident = ID_FORGED,
      .chain = ID_CA,
      .ca = ID_CA,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "unknown issuer" },
    { .claim = "a name that is only claimed is not believed: a bundle",
      .ident = ID_FORGED,
      .bundle = { ID_CA },
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "unknown issuer" },
    { .claim = "nor when the root that it claims is sent along",
      .ident = ID_FORGED,
      .chain = ID_CA,
      .bundle = { ID_CA },
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "unknown issuer" },
    { .claim = "a list beside a bundle counts, too",
      .ident = ID_GOOD,
      .ca = ID_CA,
      .bundle = { ID_OTHER_CA } },
    { .claim = "and the bundle beside a list",
      .ident = ID_GOOD,
      .ca = ID_OTHER_CA,
      .bundle = { ID_CA } },
    { .claim = "strict dates: a clock that is not set is a reason to refuse",
      .ident = ID_GOOD,
      .ca = ID_CA,
      .clock_s = -1,
      .conf.dates = POL_DATES_STRICT,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "clock is not set" },
    { .claim = "strict dates: a clock that is set is none",
      .ident = ID_GOOD,
      .ca = ID_CA,
      .conf.dates = POL_DATES_STRICT },
    { .claim = "no dates: what has ended is trusted",
      .ident = ID_EXPIRED,
      .ca = ID_CA,
      .conf.dates = POL_DATES_OFF },
    { .claim = "without a clock: what ended before the build has ended",
      .ident = ID_EXPIRED,
      .ca = ID_CA,
      .clock_s = -1,
      .conf.build_s = NOW,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .says = "expired on 2024-02-29",
      .says_too = "the clock is wrong" },
    { .claim = "a clock that shows less than the build is not believed",
      .ident = ID_GOOD,
      .ca = ID_CA,
      .clock_s = 1, /* "not valid before 2020" otherwise */
      .conf.build_s = NOW },
    { .claim = "a client shows its certificate",
      .ident = ID_GOOD,
      .ca = ID_CA,
      .client = ID_CLIENT,
      .peer.client_ca = &idents[ID_CA] },
};

static void run_row(const struct row *row)
{
    struct peer_conf pc = row->peer;
    struct tls_conf conf = row->conf;
    struct peer peer = { .pid = 0 };
    struct result r;
    unsigned char der[1200];
    struct span bundle = { NULL, 0 };

    print_message("# %s\n", row->claim);
    if (row->ident)
        pc.ident = &idents[row->ident];
    if (row->ca) /* without its NUL: as read from a file */
        conf.ca = span_str(idents[row->ca].pem);
    if (row->client) {
        conf.client_cert = span_str(idents[row->client].pem);
        int len = mbedtls_pk_write_key_der(&idents[row->client].key, der,
                                           sizeof(der));
        assert_true(len > 0);
        conf.client_key = span_of(der + sizeof(der) - len, (size_t)len);
    }
    if (row->chain)
        pc.chain[0] = &idents[row->chain];
    if (row->bundle[0])
        conf.bundle = bundle = make_bundle(row->bundle, 3);
    wall.now_s = row->clock_s > 0 ? row->clock_s : row->clock_s ? 0 : NOW;
    peer_start(&peer, &pc);
    session(peer.port, &conf, row->host ? row->host : HOST,
            row->wait_ms ? row->wait_ms : 5000, &r);
    peer_stop(&peer);
    heap.port.free(heap.port.ctx, writable(bundle.ptr));
    if (r.err != row->err)
        print_message("  0x%x %s\n", (unsigned)r.err, r.d.text);
    assert_int_equal(r.err, row->err);
    assert_int_equal(r.d.err, row->err);
    if (row->says && !strstr(r.d.text, row->says))
        fail_msg("'%s' is not in '%s'", row->says, r.d.text);
    if (row->says_too && !strstr(r.d.text, row->says_too))
        fail_msg("'%s' is not in '%s'", row->says_too, r.d.text);
    if (row->version)
        assert_string_equal(r.version, row->version);
    if (row->err == ESP_OK) {
        assert_string_equal(r.answer, "pong");
        assert_int_equal(r.recv_err, ESP_OK);
        assert_true(r.clean);
    }
    if (row->wait_ms)
        assert_in_range(r.took_ms, row->wait_ms, row->wait_ms + 2000);
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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
