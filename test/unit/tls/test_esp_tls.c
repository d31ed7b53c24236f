/* The client's side of esp_tls.h, as applications use it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "device.h"
#include "esp_tls.h"

static int device_up(void **state)
{
    (void)state;
    device_start(false);
    return 0;
}

static int device_down(void **state)
{
    (void)state;
    device_stop();
    return 0;
}

static const unsigned char *pem(enum ident id, unsigned *len)
{
    *len = (unsigned)strlen(idents[id].pem) + 1;
    return (const unsigned char *)idents[id].pem;
}

static esp_err_t fill_store(enum ident id)
{
    unsigned len = 0;
    const unsigned char *text = pem(id, &len);

    return esp_tls_set_global_ca_store(text, len);
}

static void talk(esp_tls_t *tls)
{
    char buf[8] = "";

    assert_int_equal(esp_tls_conn_write(tls, "ping", 4), 4);
    assert_int_equal(esp_tls_conn_read(tls, buf, 2), 2);
    assert_int_equal(esp_tls_get_bytes_avail(tls), 2);
    assert_int_equal(esp_tls_conn_read(tls, buf + 2, 4), 2);
    assert_string_equal(buf, "pong");
    assert_int_equal(esp_tls_conn_read(tls, buf, sizeof(buf)), 0);
}

/* --- a client ------------------------------------------------------------- */

enum trust { T_NONE, T_CA, T_STORE, T_EMPTY_STORE, T_ATTACH, T_PSK };

static mbedtls_x509_crt own_ca; /* as an application might have it */

static esp_err_t attach_ca(void *conf)
{
    mbedtls_ssl_conf_ca_chain(conf, &own_ca, NULL);
    return ESP_OK;
}

static const psk_hint_key_t psk = { (const uint8_t *)"0123456789abcdef", 16,
                                    "dev-1" };
static const psk_hint_key_t no_hint = { (const uint8_t *)"0123456789abcdef", 16,
                                        NULL };

static const struct row {
    const char *claim;
    struct peer_conf peer;
    enum ident ident;
    enum trust trust;
    esp_tls_cfg_t cfg;
    struct policy policy;
    esp_err_t err; /* ESP_OK: connects */
    int flags;     /* of the certificate */
} rows[] = {
    { .claim = "a certificate that is given", .ident = ID_GOOD, .trust = T_CA },
    { .claim = "the store", .ident = ID_GOOD, .trust = T_STORE },
    { .claim = "a callback", .ident = ID_GOOD, .trust = T_ATTACH },
    { .claim = "nothing fails closed",
      .ident = ID_GOOD,
      .err = ESP_ERR_MBEDTLS_SSL_SETUP_FAILED },
    { .claim = "nothing, and that was allowed",
      .ident = ID_SELF,
      .policy.skip_cert_verify = true },
    { .claim = "an empty store fails closed, whatever is allowed",
      .ident = ID_SELF,
      .trust = T_EMPTY_STORE,
      .policy.skip_cert_verify = true,
      .err = ESP_ERR_MBEDTLS_SSL_SETUP_FAILED },
    { .claim = "a wrong certificate, and its flags",
      .ident = ID_SELF,
      .trust = T_CA,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .flags = MBEDTLS_X509_BADCERT_NOT_TRUSTED },
    { .claim = "a wrong name, and its flags",
      .ident = ID_OTHER,
      .trust = T_CA,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
      .flags = MBEDTLS_X509_BADCERT_CN_MISMATCH },
    { .claim = "another name that is expected",
      .ident = ID_OTHER,
      .trust = T_CA,
      .cfg.common_name = "elsewhere.test" },
    { .claim = "no name that is expected",
      .ident = ID_OTHER,
      .trust = T_CA,
      .cfg.skip_common_name = true },
    { .claim = "a version that the server does not have",
      .ident = ID_GOOD,
      .trust = T_CA,
      .peer.version = 2,
      .cfg.tls_version = ESP_TLS_VER_TLS_1_3,
      .err = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED },
    { .claim = "a key that both know",
      .peer.psk = "0123456789abcdef",
      .peer.psk_identity = "dev-1",
      .trust = T_PSK,
      .policy.psk = true,
      .cfg.psk_hint_key = &psk },
    { .claim = "a key without the option for keys",
      .peer.psk = "0123456789abcdef",
      .peer.psk_identity = "dev-1",
      .trust = T_PSK,
      .cfg.psk_hint_key = &psk,
      .err = ESP_ERR_MBEDTLS_SSL_SETUP_FAILED },
    { .claim = "a key without the option for keys, and skipping allowed",
      .ident = ID_SELF,
      .policy.skip_cert_verify = true,
      .cfg.psk_hint_key = &psk,
      .err = ESP_ERR_MBEDTLS_SSL_SETUP_FAILED },
    { .claim = "a key without a hint",
      .trust = T_PSK,
      .policy.psk = true,
      .cfg.psk_hint_key = &no_hint,
      .err = ESP_ERR_MBEDTLS_SSL_CONF_PSK_FAILED },
    { .claim = "a secure element is not there",
      .trust = T_CA,
      .cfg.use_secure_element = true,
      .err = ESP_ERR_NOT_SUPPORTED },
};

static void set_trust(const struct row *row, esp_tls_cfg_t *cfg)
{
    switch (row->trust) {
    case T_CA:
        cfg->cacert_buf = pem(ID_CA, &cfg->cacert_bytes);
        break;
    case T_STORE:
        cfg->use_global_ca_store = true;
        assert_int_equal(fill_store(ID_CA), ESP_OK);
        break;
    case T_EMPTY_STORE:
        cfg->use_global_ca_store = true;
        break;
    case T_ATTACH:
        cfg->crt_bundle_attach = attach_ca;
        break;
    default:
        break;
    }
}

static void check_failure(esp_tls_t *tls, const struct row *row)
{
    esp_tls_error_handle_t handle = NULL;
    esp_tls_conn_state_t conn = ESP_TLS_DONE;
    int code = 0, flags = -1;

    assert_int_equal(esp_tls_get_error_handle(tls, &handle), ESP_OK);
    assert_int_equal(esp_tls_get_conn_state(tls, &conn), ESP_OK);
    assert_int_equal(conn, ESP_TLS_FAIL);
    assert_int_equal(esp_tls_get_and_clear_last_error(handle, &code, &flags),
                     row->err);
    assert_int_equal(flags, row->flags);
    if (row->flags)
        assert_int_equal(code, 0x2700);
    assert_int_equal(esp_tls_get_and_clear_last_error(handle, NULL, NULL),
                     ESP_OK);
    assert_int_equal(esp_tls_conn_write(tls, "x", 1), -1);
}

static void run_row(const struct row *row, bool http)
{
    struct peer_conf pc = row->peer;
    esp_tls_cfg_t cfg = row->cfg;
    struct peer peer = { .pid = 0 };
    char url[64];

    print_message("# %s\n", row->claim);
    if (row->ident)
        pc.ident = &idents[row->ident];
    device_policy = row->policy;
    set_trust(row, &cfg);
    if (!cfg.common_name)
        cfg.common_name = HOST;
    peer_start(&peer, &pc);
    esp_tls_t *tls = esp_tls_init();
    assert_non_null(tls);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", peer.port);
    int ret =
        http ? esp_tls_conn_http_new_sync(url, &cfg, tls)
             : esp_tls_conn_new_sync("127.0.0.1+", 9, peer.port, &cfg, tls);
    assert_int_equal(ret, row->err ? -1 : 1);
    if (row->err)
        check_failure(tls, row);
    else
        talk(tls);
    assert_int_equal(esp_tls_conn_destroy(tls), 0);
    peer_stop(&peer);
    esp_tls_free_global_ca_store();
}

static void test_rows(void **state)
{
    const char *ca = idents[ID_CA].pem;

    (void)state;
    mbedtls_x509_crt_init(&own_ca);
    assert_int_equal(mbedtls_x509_crt_parse(&own_ca, (const unsigned char *)ca,
                                            strlen(ca) + 1),
                     0);
    assert_int_equal(esp_tls_init_global_ca_store(), ESP_OK); /* stays */
    for (size_t i = 0; i < CNT(rows); i++) {
        size_t before = heap.cur_cnt;
        run_row(&rows[i], i % 2 == 1);
        assert_int_equal(heap.cur_cnt, before);
    }
    mbedtls_x509_crt_free(&own_ca);
}

static void test_without_a_server(void **state)
{
    esp_tls_cfg_t cfg = { .timeout_ms = 1000 };
    struct peer_conf pc = { .kind = PEER_CLOSE };
    struct peer peer = { .pid = 0 };
    esp_tls_error_handle_t handle = NULL;
    int code = 0;

    (void)state;
    cfg.cacert_buf = pem(ID_CA, &cfg.cacert_bytes);
    peer_start(&peer, &pc); /* a port that nobody else has */
    peer_stop(&peer);
    esp_tls_t *tls = esp_tls_init();
    assert_int_equal(
        esp_tls_conn_new_sync("127.0.0.1", 9, peer.port, &cfg, tls), -1);
    assert_int_equal(esp_tls_get_error_handle(tls, &handle), ESP_OK);
    assert_int_equal(esp_tls_get_and_clear_error_type(
                         handle, ESP_TLS_ERR_TYPE_SYSTEM, &code),
                     ESP_OK);
    assert_int_equal(code, ECONNREFUSED);
    assert_int_equal(
        esp_tls_get_and_clear_error_type(handle, ESP_TLS_ERR_TYPE_ESP, &code),
        ESP_OK);
    assert_int_equal(code, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
    assert_int_equal(
        esp_tls_get_and_clear_error_type(handle, ESP_TLS_ERR_TYPE_MAX, &code),
        ESP_ERR_INVALID_ARG);
    (void)esp_tls_conn_destroy(tls);
}

static void test_a_silent_server(void **state)
{
    struct peer_conf pc = { .kind = PEER_SILENT };
    esp_tls_cfg_t cfg = { .timeout_ms = 80, .common_name = HOST };
    struct peer peer = { .pid = 0 };
    esp_tls_error_handle_t handle = NULL;

    (void)state;
    cfg.cacert_buf = pem(ID_CA, &cfg.cacert_bytes);
    peer_start(&peer, &pc);
    esp_tls_t *tls = esp_tls_init();
    assert_int_equal(
        esp_tls_conn_new_sync("127.0.0.1", 9, peer.port, &cfg, tls), -1);
    assert_int_equal(esp_tls_get_error_handle(tls, &handle), ESP_OK);
    assert_int_equal(esp_tls_get_and_clear_last_error(handle, NULL, NULL),
                     ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT);
    (void)esp_tls_conn_destroy(tls);
    peer_stop(&peer);
}

static int connect_in_steps(esp_tls_t *tls, const esp_tls_cfg_t *cfg,
                            uint16_t port)
{
    int ret = 0;

    for (unsigned i = 0; ret == 0 && i < 1000000; i++)
        ret = esp_tls_conn_new_async("127.0.0.1", 9, port, cfg, tls);
    return ret;
}

static void test_in_steps(void **state)
{
    struct peer_conf pc = { .ident = &idents[ID_GOOD] };
    esp_tls_cfg_t cfg = { .non_block = true, .common_name = HOST };
    struct peer peer = { .pid = 0 };
    int fd = -1;
    char buf[8];

    (void)state;
    cfg.cacert_buf = pem(ID_CA, &cfg.cacert_bytes);
    peer_start(&peer, &pc);
    for (int sockets = 0; sockets < 2; sockets++) {
        device_stop();
        device_start(!sockets); /* without, the first step waits for TCP */
        esp_tls_t *tls = esp_tls_init();
        assert_int_equal(connect_in_steps(tls, &cfg, peer.port), 1);
        assert_int_equal(esp_tls_get_conn_sockfd(tls, &fd), ESP_OK);
        assert_true(fd >= 0);
        assert_int_equal(esp_tls_conn_read(tls, buf, sizeof(buf)),
                         ESP_TLS_ERR_SSL_WANT_READ);
        assert_int_equal(esp_tls_conn_write(tls, "ping", 4), 4);
        ssize_t got = ESP_TLS_ERR_SSL_WANT_READ;
        for (unsigned i = 0; got == ESP_TLS_ERR_SSL_WANT_READ && i < 1000000;
             i++)
            got = esp_tls_conn_read(tls, buf, sizeof(buf));
        assert_int_equal(got, 4);
        (void)esp_tls_conn_destroy(tls);
    }
    peer_stop(&peer);
}

/* A step does not wait: the deadline is far away, the test is not. */
static void test_in_steps_to_a_silent_server(void **state)
{
    struct peer_conf pc = { .kind = PEER_SILENT };
    esp_tls_cfg_t cfg = { .non_block = true,
                          .timeout_ms = 3600000,
                          .common_name = HOST };
    esp_tls_conn_state_t conn = ESP_TLS_INIT;
    struct peer peer = { .pid = 0 };

    (void)state;
    cfg.cacert_buf = pem(ID_CA, &cfg.cacert_bytes);
    peer_start(&peer, &pc);
    esp_tls_t *tls = esp_tls_init();
    while (conn != ESP_TLS_HANDSHAKE) {
        assert_int_equal(
            esp_tls_conn_new_async("127.0.0.1", 9, peer.port, &cfg, tls), 0);
        assert_int_equal(esp_tls_get_conn_state(tls, &conn), ESP_OK);
    }
    for (int i = 0; i < 10; i++)
        assert_int_equal(
            esp_tls_conn_new_async("127.0.0.1", 9, peer.port, &cfg, tls), 0);
    (void)esp_tls_conn_destroy(tls);
    peer_stop(&peer);
}

static void test_in_steps_to_nobody(void **state)
{
    esp_tls_cfg_t cfg = { .non_block = true, .timeout_ms = 2000 };
    struct peer_conf pc = { .kind = PEER_CLOSE };
    struct peer peer = { .pid = 0 };
    esp_tls_error_handle_t handle = NULL;

    (void)state;
    cfg.cacert_buf = pem(ID_CA, &cfg.cacert_bytes);
    peer_start(&peer, &pc);
    peer_stop(&peer);
    esp_tls_t *tls = esp_tls_init();
    assert_int_equal(connect_in_steps(tls, &cfg, peer.port), -1);
    assert_int_equal(esp_tls_get_error_handle(tls, &handle), ESP_OK);
    assert_int_equal(esp_tls_get_and_clear_last_error(handle, NULL, NULL),
                     ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
    /* It stays failed. */
    assert_int_equal(connect_in_steps(tls, &cfg, peer.port), -1);
    (void)esp_tls_conn_destroy(tls);
}

static void test_going_on_with_a_session(void **state)
{
    struct peer_conf pc = { .ident = &idents[ID_GOOD], .tickets = true };
    esp_tls_cfg_t cfg = { .common_name = HOST };
    struct peer peer = { .pid = 0 };

    (void)state;
    cfg.cacert_buf = pem(ID_CA, &cfg.cacert_bytes);
    peer_start(&peer, &pc);
    for (int i = 0; i < 2; i++) {
        esp_tls_t *tls = esp_tls_init();
        assert_int_equal(
            esp_tls_conn_new_sync("127.0.0.1", 9, peer.port, &cfg, tls), 1);
        talk(tls);
        /* No certificate is shown in a session that goes on (TLS 1.3). */
        assert_int_equal(
            mbedtls_ssl_get_peer_cert(esp_tls_get_ssl_context(tls)) == NULL,
            i == 1);
        esp_tls_client_session_t *session = esp_tls_get_client_session(tls);
        assert_non_null(session);
        (void)esp_tls_conn_destroy(tls);
        esp_tls_free_client_session(cfg.client_session);
        cfg.client_session = session;
    }
    esp_tls_free_client_session(cfg.client_session);
    peer_stop(&peer);
}

static void test_plain_tcp(void **state)
{
    struct peer_conf pc = { .kind = PEER_RAW, .raw = "hello", .raw_len = 5 };
    esp_tls_cfg_t cfg = { .is_plain_tcp = true };
    struct esp_tls_last_error err = { 0, 0, 0 };
    struct peer peer = { .pid = 0 };
    char buf[8] = "";
    int fd = -1;

    (void)state;
    peer_start(&peer, &pc);
    esp_tls_t *tls = esp_tls_init();
    assert_int_equal(
        esp_tls_conn_new_sync("127.0.0.1", 9, peer.port, &cfg, tls), 1);
    assert_null(esp_tls_get_ssl_context(tls));
    assert_int_equal(esp_tls_conn_write(tls, "x", 1), 1);
    assert_int_equal(esp_tls_conn_read(tls, buf, sizeof(buf)), 5);
    assert_int_equal(esp_tls_get_bytes_avail(tls), 0);
    (void)esp_tls_conn_destroy(tls);

    assert_int_equal(
        esp_tls_plain_tcp_connect("127.0.0.1", 9, peer.port, &cfg, &err, &fd),
        ESP_OK);
    assert_int_equal(send(fd, "x", 1, 0), 1);
    assert_int_equal(recv(fd, buf, sizeof(buf), 0), 5); /* it blocks */
    assert_string_equal(buf, "hello");
    close(fd);
    peer_stop(&peer);
    assert_int_equal(
        esp_tls_plain_tcp_connect("127.0.0.1", 9, peer.port, &cfg, &err, &fd),
        ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
    assert_int_equal(err.last_error, ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
}

static void test_arguments(void **state)
{
    esp_tls_cfg_t cfg = { .timeout_ms = 0 };
    esp_tls_conn_state_t conn;
    esp_tls_t *tls = esp_tls_init();
    char url[400];
    int fd = 7;

    (void)state;
    assert_int_equal(esp_tls_conn_new_sync("x", 1, 443, &cfg, NULL), -1);
    assert_int_equal(esp_tls_conn_new_sync("x", 1, 443, NULL, tls), -1);
    assert_int_equal(esp_tls_conn_http_new_sync("no url", &cfg, tls), -1);
    memset(url, 'a', sizeof(url));
    assert_int_equal(esp_tls_conn_new_sync(url, 300, 443, &cfg, tls), -1);
    assert_int_equal(esp_tls_conn_destroy(NULL), -1);
    assert_int_equal(esp_tls_get_bytes_avail(NULL), -1);
    assert_int_equal(esp_tls_get_conn_sockfd(NULL, &fd), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_tls_get_conn_sockfd(tls, &fd), ESP_OK);
    assert_int_equal(fd, -1);
    assert_int_equal(esp_tls_get_conn_state(tls, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_tls_get_conn_state(tls, &conn), ESP_OK);
    assert_int_equal(esp_tls_set_conn_state(tls, ESP_TLS_DONE),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_tls_set_conn_state(tls, ESP_TLS_HANDSHAKE),
                     ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_tls_set_conn_state(tls, ESP_TLS_INIT), ESP_OK);
    assert_null(esp_tls_get_client_session(tls));
    const int *suite = esp_tls_get_ciphersuites_list();
    while (*suite && *suite != MBEDTLS_TLS1_3_AES_128_GCM_SHA256)
        suite++;
    assert_int_not_equal(*suite, 0);
    (void)esp_tls_conn_destroy(tls);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, device_up, device_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rows),
        TEST(test_without_a_server),
        TEST(test_a_silent_server),
        TEST(test_in_steps),
        TEST(test_in_steps_to_a_silent_server),
        TEST(test_in_steps_to_nobody),
        TEST(test_going_on_with_a_session),
        TEST(test_plain_tcp),
        TEST(test_arguments),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
