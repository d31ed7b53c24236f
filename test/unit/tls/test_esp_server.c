/* The server's side of esp_tls.h: both ends are here, on a pair of sockets,
 * and go on in turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "device.h"
#include "esp_tls.h"

struct pair {
    esp_tls_t *client, *server;
    int server_fd;
    int client_ret, server_ret; /* 1, -1; 0, -1 */
};

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

static bool server_waits(int ret)
{
    return ret == ESP_TLS_ERR_SSL_WANT_READ ||
           ret == ESP_TLS_ERR_SSL_WANT_WRITE;
}

static void pair_open(struct pair *p, const esp_tls_cfg_t *client,
                      esp_tls_cfg_server_t *server)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    p->server_fd = fds[1];
    p->client = esp_tls_init();
    p->server = esp_tls_init();
    assert_int_equal(esp_tls_set_conn_sockfd(p->client, fds[0]), ESP_OK);
    p->client_ret = 0;
    p->server_ret =
        esp_tls_server_session_init(server, fds[1], p->server) == ESP_OK
            ? ESP_TLS_ERR_SSL_WANT_READ
            : -1;
    for (int i = 0;
         i < 100 && (p->client_ret == 0 || server_waits(p->server_ret)); i++) {
        if (p->client_ret == 0)
            p->client_ret = esp_tls_conn_new_async(HOST, (int)strlen(HOST), 443,
                                                   client, p->client);
        if (server_waits(p->server_ret))
            p->server_ret = esp_tls_server_session_continue_async(p->server);
    }
}

/* Both ways, and TLS 1.3's tickets with it. */
static void pair_talk(struct pair *p)
{
    char buf[8] = "";

    assert_int_equal(esp_tls_conn_write(p->server, "hello", 5), 5);
    assert_int_equal(esp_tls_conn_read(p->client, buf, sizeof(buf)), 5);
    assert_int_equal(esp_tls_conn_write(p->client, "ping", 4), 4);
    assert_int_equal(esp_tls_conn_read(p->server, buf, sizeof(buf)), 4);
    assert_memory_equal(buf, "ping", 4);
}

/* The server's socket is the caller's, and still open. */
static void pair_close(struct pair *p)
{
    assert_int_equal(esp_tls_conn_destroy(p->client), 0);
    esp_tls_server_session_delete(p->server);
    assert_int_equal(close(p->server_fd), 0);
}

static struct span key_of(enum ident id, unsigned char der[1200])
{
    int len = mbedtls_pk_write_key_der(&idents[id].key, der, 1200);

    assert_true(len > 0);
    return span_of(der + 1200 - len, (size_t)len);
}

static esp_tls_cfg_t client_cfg(void)
{
    esp_tls_cfg_t cfg = { .non_block = true, .common_name = HOST };

    cfg.cacert_buf = (const unsigned char *)idents[ID_CA].pem;
    cfg.cacert_bytes = (unsigned)strlen(idents[ID_CA].pem) + 1;
    return cfg;
}

static esp_tls_cfg_server_t server_cfg(enum ident id, unsigned char der[1200])
{
    esp_tls_cfg_server_t cfg = { .tls_handshake_timeout_ms = 2000 };
    struct span key = key_of(id, der);

    cfg.servercert_buf = (const unsigned char *)idents[id].pem;
    cfg.servercert_bytes = (unsigned)strlen(idents[id].pem) + 1;
    cfg.serverkey_buf = key.ptr;
    cfg.serverkey_bytes = (unsigned)key.len;
    return cfg;
}

static void test_a_session(void **state)
{
    unsigned char der[1200];
    esp_tls_cfg_t client = client_cfg();
    esp_tls_cfg_server_t server = server_cfg(ID_GOOD, der);
    struct pair p;

    (void)state;
    for (int version = 0; version < ESP_TLS_VER_TLS_MAX; version++) {
        server.tls_version = (esp_tls_proto_ver_t)version;
        pair_open(&p, &client, &server);
        assert_int_equal(p.client_ret, 1);
        assert_int_equal(p.server_ret, 0);
        assert_string_equal(
            mbedtls_ssl_get_version(esp_tls_get_ssl_context(p.server)),
            version == ESP_TLS_VER_TLS_1_2 ? "TLSv1.2" : "TLSv1.3");
        pair_talk(&p);
        assert_int_equal(esp_tls_server_session_continue_async(p.server), 0);
        pair_close(&p);
    }
}

static void test_client_certificates(void **state)
{
    static const struct {
        const char *claim;
        enum ident client;
        bool optional, server_good;
    } rows[] = {
        { "one that the server trusts", ID_CLIENT, false, true },
        { "none", ID_NONE, false, false },
        { "one that it does not trust", ID_SELF, false, false },
        { "none, and it need not be", ID_NONE, true, true },
    };
    unsigned char der[1200], own[1200];

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        esp_tls_cfg_t client = client_cfg();
        esp_tls_cfg_server_t server = server_cfg(ID_GOOD, der);
        enum ident id = rows[i].client;
        struct pair p;
        print_message("# %s\n", rows[i].claim);
        server.cacert_buf = client.cacert_buf;
        server.cacert_bytes = client.cacert_bytes;
        server.client_cert_authmode_optional = rows[i].optional;
        if (id) {
            struct span key = key_of(id, own);
            client.clientcert_buf = (const unsigned char *)idents[id].pem;
            client.clientcert_bytes = (unsigned)strlen(idents[id].pem) + 1;
            client.clientkey_buf = key.ptr;
            client.clientkey_bytes = (unsigned)key.len;
        }
        pair_open(&p, &client, &server);
        assert_int_equal(p.server_ret, rows[i].server_good ? 0 : -1);
        pair_close(&p);
    }
}

static void test_a_key_that_both_know(void **state)
{
    static const psk_hint_key_t psk = { (const uint8_t *)"0123456789abcdef", 16,
                                        "dev-1" };
    static const psk_hint_key_t other = { (const uint8_t *)"0123456789abcdef",
                                          16, "dev-2" };
    esp_tls_cfg_t client = { .non_block = true, .psk_hint_key = &psk };
    esp_tls_cfg_server_t server = { .psk_hint_key = &psk };
    struct pair p;

    (void)state;
    pair_open(&p, &client, &server); /* the option is off */
    assert_int_equal(p.server_ret, -1);
    pair_close(&p);
    device_policy.psk = true;
    for (int version = 1; version < ESP_TLS_VER_TLS_MAX; version++) {
        server.psk_hint_key = &psk;
        server.tls_version = (esp_tls_proto_ver_t)version;
        pair_open(&p, &client, &server);
        assert_int_equal(p.client_ret, 1);
        assert_int_equal(p.server_ret, 0);
        pair_talk(&p);
        pair_close(&p);
        server.psk_hint_key = &other;
        pair_open(&p, &client, &server);
        assert_int_equal(p.server_ret, -1);
        pair_close(&p);
    }
}

static void test_tickets(void **state)
{
    unsigned char der[1200];
    esp_tls_cfg_t client = client_cfg();
    esp_tls_cfg_server_t server = server_cfg(ID_GOOD, der);
    struct pair p;

    (void)state;
    assert_int_equal(esp_tls_cfg_server_session_tickets_init(&server), ESP_OK);
    assert_int_equal(esp_tls_cfg_server_session_tickets_init(&server),
                     ESP_ERR_INVALID_ARG);
    for (int i = 0; i < 2; i++) {
        pair_open(&p, &client, &server);
        assert_int_equal(p.client_ret, 1);
        pair_talk(&p);
        assert_int_equal(mbedtls_ssl_get_peer_cert(
                             esp_tls_get_ssl_context(p.client)) == NULL,
                         i == 1);
        esp_tls_free_client_session(client.client_session);
        client.client_session = esp_tls_get_client_session(p.client);
        assert_null(esp_tls_get_client_session(p.server));
        pair_close(&p);
    }
    esp_tls_free_client_session(client.client_session);
    esp_tls_cfg_server_session_tickets_free(&server);
    assert_null(server.ticket_ctx);
    esp_tls_cfg_server_session_tickets_free(&server);
}

/* --- the hook ------------------------------------------------------------- */

struct shelf {
    mbedtls_x509_crt crt[2];
    mbedtls_pk_context *key[2];
    int refuse;
    unsigned asked;
};

/* Who asks for alias.test, or for the protocol "other", gets the second. */
static int select_cert(mbedtls_ssl_context *ssl)
{
    struct shelf *shelf = mbedtls_ssl_conf_get_user_data_p(
        writable(mbedtls_ssl_context_get_config(ssl)));
    const char *alpn = mbedtls_ssl_get_alpn_protocol(ssl);
    size_t len = 0;
    const unsigned char *sni = mbedtls_ssl_get_hs_sni(ssl, &len);
    bool second = (sni && len == 10 && memcmp(sni, "alias.test", 10) == 0) ||
                  (alpn && strcmp(alpn, "other") == 0);

    shelf->asked++;
    if (shelf->refuse)
        return shelf->refuse;
    return mbedtls_ssl_set_hs_own_cert(ssl, &shelf->crt[second],
                                       shelf->key[second]);
}

static void shelf_open(struct shelf *shelf)
{
    static const enum ident ids[] = { ID_GOOD, ID_BELOW };

    memset(shelf, 0, sizeof(*shelf));
    for (int i = 0; i < 2; i++) {
        const char *pem = idents[ids[i]].pem;
        mbedtls_x509_crt_init(&shelf->crt[i]);
        assert_int_equal(mbedtls_x509_crt_parse(&shelf->crt[i],
                                                (const unsigned char *)pem,
                                                strlen(pem) + 1),
                         0);
        shelf->key[i] = &idents[ids[i]].key;
    }
}

static void test_the_callback_selects(void **state)
{
    static const char *other[] = { "other", NULL },
                      *both[] = { "one", "other", NULL };
    static const struct {
        const char *claim, *name;
        const char **alpn;
        bool second;
    } rows[] = {
        { "a name", HOST, NULL, false },
        { "another name", "alias.test", NULL, true },
        { "no name", NULL, NULL, false },
        { "a protocol", HOST, other, true },
        { "the server's choice of two", HOST, both, false },
    };
    struct shelf shelf;

    (void)state;
    shelf_open(&shelf);
    for (size_t i = 0; i < 2 * CNT(rows); i++) {
        size_t row = i / 2;
        esp_tls_cfg_t client = client_cfg();
        esp_tls_cfg_server_t server = { .cert_select_cb = select_cert,
                                        .userdata = &shelf,
                                        .alpn_protos = both };
        struct pair p;
        print_message("# %s\n", rows[row].claim);
        device_policy.skip_cert_verify = true; /* what is shown matters here */
        client.cacert_buf = NULL;
        client.common_name = rows[row].name;
        client.skip_common_name = !rows[row].name;
        client.alpn_protos = rows[row].alpn;
        server.tls_version = i % 2 ? ESP_TLS_VER_TLS_1_2 : ESP_TLS_VER_TLS_1_3;
        pair_open(&p, &client, &server);
        assert_int_equal(p.client_ret, 1);
        const mbedtls_x509_crt *shown =
            mbedtls_ssl_get_peer_cert(esp_tls_get_ssl_context(p.client));
        const mbedtls_x509_crt *want = &shelf.crt[rows[row].second];
        assert_int_equal(shown->raw.len, want->raw.len);
        assert_memory_equal(shown->raw.p, want->raw.p, want->raw.len);
        pair_talk(&p);
        pair_close(&p);
    }
    assert_int_equal(shelf.asked, 2 * CNT(rows));
    mbedtls_x509_crt_free(&shelf.crt[0]);
    mbedtls_x509_crt_free(&shelf.crt[1]);
}

static void test_the_callback_refuses(void **state)
{
    unsigned char der[1200];
    esp_tls_cfg_t client = client_cfg();
    esp_tls_cfg_server_t server = server_cfg(ID_GOOD, der);
    struct shelf shelf;
    struct pair p;

    (void)state;
    shelf_open(&shelf);
    shelf.refuse = -1;
    server.cert_select_cb = select_cert;
    server.userdata = &shelf;
    pair_open(&p, &client, &server);
    assert_int_equal(p.server_ret, -1);
    assert_int_equal(shelf.asked, 1);
    pair_close(&p);
    mbedtls_x509_crt_free(&shelf.crt[0]);
    mbedtls_x509_crt_free(&shelf.crt[1]);
}

/* --- what cannot be ------------------------------------------------------- */

static void test_refused(void **state)
{
    unsigned char der[1200], wrong[1200];
    esp_tls_cfg_server_t nothing = { .tls_handshake_timeout_ms = 0 };
    esp_tls_cfg_server_t mixed = server_cfg(ID_GOOD, der);
    struct span key = key_of(ID_OTHER, wrong);
    esp_tls_error_handle_t handle = NULL;
    esp_tls_t *tls = esp_tls_init();
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(esp_tls_server_session_create(&nothing, fds[0], tls), -1);
    assert_int_equal(esp_tls_get_error_handle(tls, &handle), ESP_OK);
    assert_int_equal(esp_tls_get_and_clear_last_error(handle, NULL, NULL),
                     ESP_ERR_MBEDTLS_SSL_SETUP_FAILED);
    esp_tls_server_session_delete(tls);

    mixed.serverkey_buf = key.ptr;
    mixed.serverkey_bytes = (unsigned)key.len;
    tls = esp_tls_init();
    assert_int_equal(esp_tls_server_session_init(&mixed, fds[0], tls),
                     ESP_ERR_MBEDTLS_SSL_CONF_OWN_CERT_FAILED);
    esp_tls_server_session_delete(tls);
    tls = esp_tls_init();
    assert_int_equal(esp_tls_server_session_init(&mixed, -1, tls),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_tls_server_session_init(NULL, fds[0], tls),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_tls_server_session_continue_async(tls), -1);
    assert_int_equal(esp_tls_server_session_continue_async(NULL), -1);
    esp_tls_server_session_delete(tls);
    esp_tls_server_session_delete(NULL);
    close(fds[0]);
    close(fds[1]);
}

/* A client that says nothing is given up when its time is over. */
static void test_a_silent_client(void **state)
{
    unsigned char der[1200];
    esp_tls_cfg_server_t server = server_cfg(ID_GOOD, der);
    esp_tls_error_handle_t handle = NULL;
    esp_tls_t *tls = esp_tls_init();
    int fds[2];

    (void)state;
    server.tls_handshake_timeout_ms = 60;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(esp_tls_server_session_create(&server, fds[0], tls), -1);
    assert_int_equal(esp_tls_get_error_handle(tls, &handle), ESP_OK);
    assert_int_equal(esp_tls_get_and_clear_last_error(handle, NULL, NULL),
                     ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT);
    esp_tls_server_session_delete(tls);
    close(fds[0]);
    close(fds[1]);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, device_up, device_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_session),
        TEST(test_client_certificates),
        TEST(test_a_key_that_both_know),
        TEST(test_tickets),
        TEST(test_the_callback_selects),
        TEST(test_the_callback_refuses),
        TEST(test_refused),
        TEST(test_a_silent_client),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
