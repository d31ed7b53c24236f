/* Says what the options of a project do: a line "fact NAME VALUE" for each. */
#include <stdarg.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "boot_facts.h"
#include "esp_crt_bundle.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_heap_caps.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"
#include "esp_tls.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "protocol_examples_common.h"

static const char *TAG = "probe";

/* Port 1 of this machine: nobody listens there. */
#define NOBODY "://127.0.0.1:1/app.bin"

void fact(const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("fact %s ", name);
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

void fact_err(const char *name, esp_err_t err)
{
    fact(name, "%s", esp_err_to_name(err));
}

/* --- updates -------------------------------------------------------------- */

static esp_err_t decrypt(decrypt_cb_arg_t *args, void *user_ctx)
{
    (void)args;
    (void)user_ctx;
    return ESP_FAIL;
}

static esp_err_t begin(const char *url, const char *cert, decrypt_cb_t cb)
{
    esp_http_client_config_t http = { .url = url, .cert_pem = cert };
    esp_https_ota_config_t config = { .http_config = &http, .decrypt_cb = cb };
    esp_https_ota_handle_t handle;

    return esp_https_ota_begin(&config, &handle);
}

static void update_facts(void)
{
#if CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
    fact_err("http", begin("http" NOBODY, NULL, decrypt));
#else
    fact_err("http", begin("http" NOBODY, NULL, NULL));
#endif
    fact_err("decrypt", begin("https" NOBODY, "x", decrypt));
    fact_err("clear", begin("https" NOBODY, "x", NULL));
}

/* --- TLS ------------------------------------------------------------------ */

/* A port of this machine that lets everybody in and says nothing. */
static int silent_port(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&addr, len) != 0 || listen(fd, 5) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
        abort();
    return ntohs(addr.sin_port);
}

static esp_err_t connect_error(const esp_tls_cfg_t *cfg)
{
    esp_tls_error_handle_t handle;
    esp_tls_t *tls = esp_tls_init();
    esp_err_t err = ESP_OK;

    if (esp_tls_conn_new_sync("127.0.0.1", 9, silent_port(), cfg, tls) != 1 &&
        esp_tls_get_error_handle(tls, &handle) == ESP_OK)
        err = handle->last_error;
    esp_tls_conn_destroy(tls);
    return err;
}

static int choose_cert(mbedtls_ssl_context *ssl)
{
    (void)ssl;
    return 0;
}

static void tls_facts(void)
{
    static const uint8_t key[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    psk_hint_key_t psk = { key, sizeof(key), "probe" };
    esp_tls_cfg_t nothing = { .timeout_ms = 100 };
    esp_tls_cfg_t with_psk = { .timeout_ms = 100, .psk_hint_key = &psk };
    esp_tls_cfg_server_t server = { .cert_select_cb = choose_cert };
    int fds[2];

    fact_err("unverified", connect_error(&nothing));
    fact_err("psk", connect_error(&with_psk));
    fact_err("bundle", esp_crt_bundle_attach(NULL));
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return;
    esp_tls_t *tls = esp_tls_init();
    fact_err("cert_select", esp_tls_server_session_init(&server, fds[0], tls));
    esp_tls_server_session_delete(tls);
    close(fds[1]);
}

/* --- the network ---------------------------------------------------------- */

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)data;
    fact("event", "%s %d", base, (int)id);
    if (base == WIFI_EVENT && id == WIFI_EVENT_STA_DISCONNECTED) {
        const wifi_event_sta_disconnected_t *event = data;
        fact("reason", "%u", (unsigned)event->reason);
    }
}

static void network_facts(void)
{
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_event, NULL);
    esp_event_handler_register(IP_EVENT, ESP_EVENT_ANY_ID, on_event, NULL);
    esp_event_handler_register(ETH_EVENT, ESP_EVENT_ANY_ID, on_event, NULL);
    fact_err("connect", example_connect());
}

/* --- the rest ------------------------------------------------------------- */

static int evaluated;

static esp_err_t evaluate(void)
{
    evaluated++;
    return ESP_OK;
}

static void build_facts(void)
{
    ESP_LOGE(TAG, "an error");
    ESP_LOGD(TAG, "a detail that was formatted: %s", "yes");
    ESP_ERROR_CHECK(evaluate());
    fact("evaluated", "%d", evaluated);
    fact_err("goes_on", ESP_ERROR_CHECK_WITHOUT_ABORT(ESP_ERR_NOT_FOUND));
#ifdef NDEBUG
    fact("asserts", "off");
#else
    fact("asserts", "on");
#endif
    fact("hz", "%d", (int)configTICK_RATE_HZ);
    /* The shortest: a machine that does something else as well is late. */
    int64_t took = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        int64_t start = esp_timer_get_time();
        vTaskDelay(CONFIG_FREERTOS_HZ / 20);
        int64_t now = esp_timer_get_time() - start;
        took = now < took ? now : took;
    }
    fact("a_20th", "%s", took >= 45000 && took < 500000 ? "right" : "wrong");
    fact("url", "%s", CONFIG_FIRMWARE_UPGRADE_URL);
    fact("example_url", "%s", CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL);
    fact("recv_timeout", "%d", CONFIG_EXAMPLE_OTA_RECV_TIMEOUT);
    fact("target", "%s", CONFIG_IDF_TARGET);
}

static void system_facts(void)
{
    const esp_task_wdt_config_t config = { .timeout_ms = 60000 };

    fact("heap", "%u",
         (unsigned)(heap_caps_get_total_size(MALLOC_CAP_DEFAULT) >> 20));
    fact_err("wdt", esp_task_wdt_init(&config));
}

void app_main(void)
{
    build_facts();
    system_facts();
    boot_facts();
    update_facts();
    tls_facts();
    network_facts();
    vTaskDelay(pdMS_TO_TICKS(200)); /* the handlers of the last events */
    fact("end", "reached");
}
