/* Whom connections trust: the global store, bundles, the machine's own; and
 * the warning when it is nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/log.h"
#include "base/log.h"
#include "device.h"
#include "esp_crt_bundle.h"
#include "esp_http_client.h"
#include "esp_log.h"
#include "esp_tls.h"
#include "porta/ota_auth.h"
#include "tls/date.h"

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

static esp_err_t fill_store(enum ident id)
{
    const char *text = idents[id].pem;

    return esp_tls_set_global_ca_store((const unsigned char *)text,
                                       (unsigned)strlen(text) + 1);
}

/* --- the store ------------------------------------------------------------ */

static void test_the_store(void **state)
{
    static char two[2 * PEER_PEM_LEN];

    (void)state;
    assert_null(esp_tls_get_global_ca_store());
    assert_int_equal(esp_tls_init_global_ca_store(), ESP_OK);
    assert_non_null(esp_tls_get_global_ca_store());
    assert_int_equal(esp_tls_set_global_ca_store(NULL, 4), ESP_ERR_INVALID_ARG);
    (void)snprintf(two, sizeof(two), "%s%s", idents[ID_CA].pem,
                   idents[ID_OTHER_CA].pem);
    assert_int_equal(esp_tls_set_global_ca_store((const unsigned char *)two,
                                                 (unsigned)strlen(two) + 1),
                     ESP_OK);
    assert_non_null(esp_tls_get_global_ca_store()->next);
    /* Set again: in the place of, not beside. */
    assert_int_equal(fill_store(ID_CA), ESP_OK);
    assert_null(esp_tls_get_global_ca_store()->next);
    (void)snprintf(two, sizeof(two), "%s%s", idents[ID_CA].pem,
                   "-----BEGIN CERTIFICATE-----\nAAAA\n"
                   "-----END CERTIFICATE-----\n");
    assert_int_equal(esp_tls_set_global_ca_store((const unsigned char *)two,
                                                 (unsigned)strlen(two) + 1),
                     ESP_ERR_MBEDTLS_CERT_PARTLY_OK);
    assert_int_equal(esp_tls_set_global_ca_store((const unsigned char *)"x", 2),
                     ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED);
    esp_tls_free_global_ca_store();
    assert_null(esp_tls_get_global_ca_store());
    esp_tls_free_global_ca_store();
}

/* A client holds on to the store for as long as it lives. */
static void test_the_store_of_a_client(void **state)
{
    struct peer_conf pc = { .kind = PEER_HTTP, .ident = &idents[ID_GOOD] };
    struct peer peer = { .pid = 0 };
    char url[64];
    int code = 0;

    (void)state;
    peer_start(&peer, &pc);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", peer.port);
    esp_http_client_config_t config = { .url = url,
                                        .common_name = HOST,
                                        .use_global_ca_store = true };
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_non_null(client);
    assert_int_not_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(
        esp_http_client_get_and_clear_last_tls_error(client, &code, NULL),
        ESP_ERR_MBEDTLS_SSL_SETUP_FAILED);
    assert_int_equal(fill_store(ID_CA), ESP_OK);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    esp_tls_free_global_ca_store();
    assert_int_not_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
    peer_stop(&peer);
}

/* A key that both know, for a client and in place of certificates. */
static void test_the_key_of_a_client(void **state)
{
    static const char key[] = "0123456789abcdef", other[] = "fedcba9876543210";
    const psk_hint_key_t good = { (const uint8_t *)key, 16, "dev-1" };
    const psk_hint_key_t bad = { (const uint8_t *)other, 16, "dev-1" };
    const psk_hint_key_t none = { (const uint8_t *)key, 0, "dev-1" };
    const psk_hint_key_t nameless = { (const uint8_t *)key, 16, "" };
    struct peer_conf pc = { .kind = PEER_HTTP,
                            .psk = key,
                            .psk_identity = "dev-1" };
    struct peer peer = { .pid = 0 };
    char url[64];

    (void)state;
    peer_start(&peer, &pc);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", peer.port);
    esp_http_client_config_t config = { .url = url };
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_non_null(client);
    assert_int_equal(porta_ota_set_psk(NULL, &good), ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_ota_set_psk(client, &none), ESP_ERR_INVALID_ARG);
    assert_int_equal(porta_ota_set_psk(client, &nameless), ESP_ERR_INVALID_ARG);
    device_policy.psk = false;
    assert_int_equal(porta_ota_set_psk(client, &good),
                     ESP_ERR_MBEDTLS_SSL_SETUP_FAILED);
    device_policy.psk = true;
    assert_int_not_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(porta_ota_set_psk(client, &good), ESP_OK);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_int_equal(porta_ota_set_psk(client, &bad), ESP_OK);
    assert_int_not_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(porta_ota_set_psk(client, NULL), ESP_OK);
    assert_int_not_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
    device_policy.psk = false;
    peer_stop(&peer);
}

/* --- bundles -------------------------------------------------------------- */

static int attempt(uint16_t port, esp_err_t (*attach)(void *))
{
    esp_tls_cfg_t cfg = { .crt_bundle_attach = attach, .common_name = HOST };
    esp_tls_t *tls = esp_tls_init();
    int ret = esp_tls_conn_new_sync("127.0.0.1", 9, port, &cfg, tls);

    (void)esp_tls_conn_destroy(tls);
    return ret;
}

static void test_the_bundle(void **state)
{
    static const enum ident good[] = { ID_OTHER_CA, ID_CA };
    static const enum ident bad[] = { ID_OTHER_CA };
    struct peer_conf pc = { .ident = &idents[ID_GOOD] };
    struct span with = make_bundle(good, 2), without = make_bundle(bad, 1);
    struct peer peer = { .pid = 0 };
    mbedtls_ssl_config conf;

    (void)state;
    peer_start(&peer, &pc);
    assert_int_equal(esp_crt_bundle_set(NULL, 4), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_crt_bundle_set(with.ptr, with.len), ESP_OK);
    assert_int_equal(attempt(peer.port, esp_crt_bundle_attach), 1);
    assert_int_equal(esp_crt_bundle_set(without.ptr, without.len), ESP_OK);
    assert_int_equal(attempt(peer.port, esp_crt_bundle_attach), -1);
    /* A damaged one changes nothing. */
    assert_int_equal(esp_crt_bundle_set(with.ptr, with.len), ESP_OK);
    assert_int_equal(esp_crt_bundle_set(with.ptr, with.len - 1),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(attempt(peer.port, esp_crt_bundle_attach), 1);

    mbedtls_ssl_config_init(&conf);
    assert_int_equal(esp_crt_bundle_attach(&conf), ESP_OK);
    assert_true(esp_crt_bundle_in_use(conf.MBEDTLS_PRIVATE(ca_chain)));
    esp_crt_bundle_detach(&conf);
    assert_false(esp_crt_bundle_in_use(conf.MBEDTLS_PRIVATE(ca_chain)));
    mbedtls_ssl_config_free(&conf);
    peer_stop(&peer);
    heap.port.free(heap.port.ctx, writable(with.ptr));
    heap.port.free(heap.port.ctx, writable(without.ptr));
}

/* SSL_CERT_FILE names the machine's store: read once, when it is needed. */
static void test_the_machines_store(void **state)
{
    struct peer_conf pc = { .ident = &idents[ID_GOOD] };
    struct peer peer = { .pid = 0 };
    char path[] = "/tmp/porta-test-store-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    peer_start(&peer, &pc);
    assert_int_equal(setenv("SSL_CERT_FILE", path, 1), 0);
    assert_int_equal(attempt(peer.port, esp_crt_bundle_attach), -1); /* empty */
    ssize_t len = (ssize_t)strlen(idents[ID_CA].pem);
    assert_int_equal(write(fd, idents[ID_CA].pem, (size_t)len), len);
    assert_int_equal(attempt(peer.port, esp_crt_bundle_attach), 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(attempt(peer.port, esp_crt_bundle_attach), 1);
    device_stop();
    device_start(false);
    assert_int_equal(esp_crt_bundle_attach(NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
    close(fd);
    peer_stop(&peer);
}

/* --- the latest time seen ------------------------------------------------- */

static void test_the_device_remembers_the_time(void **state)
{
    const int64_t later = tls_date_build_s() + 365 * INT64_C(86400);
    struct peer_conf pc = { .kind = PEER_HTTP, .ident = &idents[ID_GOOD] };
    struct peer peer = { .pid = 0 };
    char url[64];

    (void)state;
    assert_int_equal(fill_store(ID_CA), ESP_OK);
    peer_start(&peer, &pc);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", peer.port);
    esp_http_client_config_t config = { .url = url,
                                        .common_name = HOST,
                                        .use_global_ca_store = true };
    esp_http_client_handle_t client = esp_http_client_init(&config);
    wall.now_s = NOW; /* before the build, or long before `later` */
    device_floor.s = later;
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_true(device_floor.s == later);
    wall.now_s = later + 86400;
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_true(device_floor.s == later + 86400);
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
    peer_stop(&peer);
}

/* --- what no level silences ----------------------------------------------- */

static unsigned warned;

static int count_warnings(const char *fmt, va_list args) PRINTF_LIKE(1, 0);

static int count_warnings(const char *fmt, va_list args)
{
    char line[512];
    int len = vsnprintf(line, sizeof(line), fmt, args);

    warned += line[0] == 'W' && strstr(line, "NOT verified");
    return len;
}

static void test_the_alarm_is_heard(void **state)
{
    struct peer_conf pc = { .ident = &idents[ID_SELF] };
    struct peer peer = { .pid = 0 };

    (void)state;
    api_log_start(NULL);
    vprintf_like_t old = esp_log_set_vprintf(count_warnings);
    esp_log_level_set("*", ESP_LOG_NONE);
    esp_log_set_level_master(ESP_LOG_NONE);
    warned = 0;
    device_policy.skip_cert_verify = true;
    peer_start(&peer, &pc);
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(attempt(peer.port, NULL), 1);
        assert_int_equal(warned, i);
    }
    peer_stop(&peer);
    esp_log_set_level_master(ESP_LOG_MAX);
    esp_log_level_set("*", ESP_LOG_INFO);
    (void)esp_log_set_vprintf(old);
    log_set_sink(NULL, NULL);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, device_up, device_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_store),
        TEST(test_the_store_of_a_client),
        TEST(test_the_key_of_a_client),
        TEST(test_the_bundle),
        TEST(test_the_machines_store),
        TEST(test_the_device_remembers_the_time),
        TEST(test_the_alarm_is_heard),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
