/* What the tests of the board run: after every power-on an update with the
 * options that the partition "settings" names, and figures about it.
 *
 * Settings are lines `key=value` (url, tls=1.2, chunk=N for requests with a
 * range, keep=1 to go on after a cut, hold=1 not to restart, heap=N to take so
 * many bytes away first, psk=HEX for the key of "board", pin=N for an input
 * that has to be high when an update is on trial), an empty line, and CA
 * certificates in PEM. family=6 asks for addresses of IPv6. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "driver/gpio.h"
#include "esp_app_desc.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "nvs_flash.h"
#include "porta/ota_auth.h"
#include "porta/ota_control.h"
#include "vrt_flash.h"
#include "vrt_heap.h"

#define SETTINGS_LEN 4096

static const char *TAG = "ota";
static char text[SETTINGS_LEN + 1];

static bool settings_load(void)
{
    const esp_partition_t *part = esp_partition_find_first(
        ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "settings");

    if (!part || esp_partition_read(part, 0, text, SETTINGS_LEN) != ESP_OK)
        return false;
    char *end = memchr(text, 0xff, SETTINGS_LEN);
    if (end)
        *end = '\0';
    return text[0] != '\0';
}

/* The value of a key, "" without one. */
static const char *setting(const char *key)
{
    static char value[300];
    size_t len = strlen(key);

    for (const char *line = text; *line && *line != '\n';) {
        const char *end = strchr(line, '\n');
        if (!end)
            break;
        if (strncmp(line, key, len) == 0 && line[len] == '=') {
            snprintf(value, sizeof(value), "%.*s",
                     (int)(end - line - (int)len - 1), line + len + 1);
            return value;
        }
        line = end + 1;
    }
    return "";
}

static const char *certificates(void)
{
    const char *at = strstr(text, "\n\n");

    return at ? at + 2 : "";
}

static void show_result(void *ctx, const porta_ota_result_t *r)
{
    (void)ctx;
    printf("RESULT err=%s stage=%s resumed=%" PRIu32 " received=%" PRIu32
           " requests=%" PRIu32 " handshakes=%" PRIu32 "\n",
           esp_err_to_name(r->err), r->stage, r->resumed_from, r->received_len,
           r->requests, r->handshakes);
    if (r->message[0])
        printf("MESSAGE %s\n", r->message);
}

static void show_figures(uint32_t heap_before)
{
    struct vrt_heap_stats heap;

    vrt_heap_stats(&heap);
    printf("FIGURES heap_before=%" PRIu32 " heap_peak=%" PRIu32
           " heap_used_peak=%" PRIu32 " heap_now=%" PRIu32 " refused=%" PRIu32
           " stack=%" PRIu32 " flash_longest_us=%" PRIu32 "\n",
           heap_before, heap.peak_len, heap.used_peak_len, heap.cur_len,
           heap.refused_cnt, bare_stack_depth(),
           bare_flash_stats()->longest_us);
}

static esp_err_t use_psk(esp_http_client_handle_t client)
{
    static uint8_t key[32];
    const char *hex = setting("psk");
    size_t len = 0;

    for (; len < sizeof(key) && hex[2 * len] && hex[2 * len + 1]; len++) {
        const char digits[3] = { hex[2 * len], hex[2 * len + 1], '\0' };
        key[len] = (uint8_t)strtoul(digits, NULL, 16);
    }
    const psk_hint_key_t psk = { .key = key, .key_size = len, .hint = "board" };
    return len > 0 ? porta_ota_set_psk(client, &psk) : ESP_OK;
}

static void update(void)
{
    static char url[300];
    int chunk = atoi(setting("chunk"));
    snprintf(url, sizeof(url), "%s", setting("url"));
    esp_http_client_config_t http = {
        .url = url,
        .cert_pem = certificates(),
        .timeout_ms = 3000,
        .addr_type = strcmp(setting("family"), "6") == 0
                         ? HTTP_ADDR_TYPE_INET6
                         : HTTP_ADDR_TYPE_UNSPEC,
        .tls_version = strcmp(setting("tls"), "1.2") == 0
                           ? ESP_HTTP_CLIENT_TLS_VER_TLS_1_2
                           : ESP_HTTP_CLIENT_TLS_VER_ANY,
    };
    const esp_https_ota_config_t config = { .http_config = &http,
                                            .http_client_init_cb = use_psk,
                                            .partial_http_download = chunk > 0,
                                            .max_http_request_size = chunk };
    const porta_ota_options_t options = {
        .keep = setting("keep")[0] == '1',
        .stall_ms = 2000,
        .on_result = show_result,
    };
    porta_ota_set_options(&options);
    char *volatile taken = malloc((size_t)atoi(setting("heap")));
    struct vrt_heap_stats before;
    vrt_heap_peak_reset();
    vrt_heap_stats(&before);
    esp_err_t err = esp_https_ota(&config);
    free(taken);
    show_figures(before.cur_len);
    printf("UPDATE %s\n", esp_err_to_name(err));
    if (err == ESP_OK && setting("hold")[0] != '1')
        esp_restart();
}

static bool is_on_trial(void)
{
    esp_ota_img_states_t state;

    return esp_ota_get_state_partition(esp_ota_get_running_partition(),
                                       &state) == ESP_OK &&
           state == ESP_OTA_IMG_PENDING_VERIFY;
}

static bool is_well(void)
{
    const char *pin = setting("pin");
    const gpio_config_t config = { .pin_bit_mask = 1ull << atoi(pin),
                                   .mode = GPIO_MODE_INPUT,
                                   .pull_up_en = GPIO_PULLUP_ENABLE };

    return !pin[0] || (gpio_config(&config) == ESP_OK &&
                       gpio_get_level((gpio_num_t)atoi(pin)) == 1);
}

static void judge_trial(void)
{
    if (is_well()) {
        printf("CONFIRMED %s\n",
               esp_err_to_name(esp_ota_mark_app_valid_cancel_rollback()));
        return;
    }
    printf("UNWELL\n");
    printf("ROLLBACK %s\n",
           esp_err_to_name(esp_ota_mark_app_invalid_rollback_and_reboot()));
}

void app_main(void)
{
    bool ok = settings_load();

    printf("RUNS version=%s slot=%s reset=%d\n",
           esp_app_get_description()->version,
           esp_ota_get_running_partition()->label, (int)esp_reset_reason());
    if (nvs_flash_init() != ESP_OK)
        ESP_LOGW(TAG, "there is no NVS");
    if (!ok)
        ESP_LOGE(TAG, "the partition 'settings' is blank");
    else if (is_on_trial())
        judge_trial();
    else if (esp_reset_reason() == ESP_RST_POWERON)
        update();
}
