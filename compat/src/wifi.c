/* A station without a radio. What is in the air is PORTA_WIFI=name:password;
 * who connects to it has the host's address. */
#include "esp_wifi.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_mac.h"

ESP_EVENT_DEFINE_BASE(WIFI_EVENT);
ESP_EVENT_DEFINE_BASE(ETH_EVENT);
ESP_EVENT_DEFINE_BASE(IP_EVENT);

static const char tag[] = "wifi";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    bool init, started, connected;
    wifi_mode_t mode;
    wifi_ps_type_t ps;
    wifi_config_t conf;
} wifi = { .ps = WIFI_PS_MIN_MODEM };

/* An application without a loop does not hear of it. */
static void post(esp_event_base_t base, int32_t id, const void *data,
                 size_t len)
{
    (void)esp_event_post(base, id, data, len, 0);
}

/* --- what is in the air --------------------------------------------------- */

static size_t ssid_len(const wifi_sta_config_t *sta)
{
    return strnlen((const char *)sta->ssid, sizeof(sta->ssid));
}

/* 0: connected, otherwise the reason why not. */
static uint8_t try_air(const wifi_sta_config_t *sta)
{
    const char *air = getenv("PORTA_WIFI");
    if (!air)
        return 0;
    const char *colon = strchr(air, ':');
    size_t name_len = colon ? (size_t)(colon - air) : strlen(air);
    const char *password = colon ? colon + 1 : "";
    size_t len = strnlen((const char *)sta->password, sizeof(sta->password));
    if (name_len != ssid_len(sta) || memcmp(air, sta->ssid, name_len) != 0)
        return WIFI_REASON_NO_AP_FOUND;
    if (strlen(password) != len || memcmp(password, sta->password, len) != 0)
        return WIFI_REASON_4WAY_HANDSHAKE_TIMEOUT;
    return 0;
}

static void say_disconnected(const wifi_sta_config_t *sta, uint8_t reason)
{
    wifi_event_sta_disconnected_t event = { .reason = reason, .rssi = -127 };
    event.ssid_len = (uint8_t)ssid_len(sta);
    memcpy(event.ssid, sta->ssid, sizeof(event.ssid));
    post(WIFI_EVENT, WIFI_EVENT_STA_DISCONNECTED, &event, sizeof(event));
}

static void say_connected(const wifi_sta_config_t *sta)
{
    wifi_event_sta_connected_t event = { .channel = 1, .aid = 1 };
    event.authmode = sta->password[0] ? WIFI_AUTH_WPA2_PSK : WIFI_AUTH_OPEN;
    event.ssid_len = (uint8_t)ssid_len(sta);
    memcpy(event.ssid, sta->ssid, sizeof(event.ssid));
    post(WIFI_EVENT, WIFI_EVENT_STA_CONNECTED, &event, sizeof(event));
    compat_netif_up(COMPAT_NETIF_STA, IP_EVENT_STA_GOT_IP);
}

/* --- the driver ----------------------------------------------------------- */

esp_err_t esp_wifi_init(const wifi_init_config_t *config)
{
    if (!config)
        return ESP_ERR_INVALID_ARG;
    pthread_mutex_lock(&lock);
    if (!wifi.init)
        wifi.mode = WIFI_MODE_STA;
    wifi.init = true;
    pthread_mutex_unlock(&lock);
    return ESP_OK;
}

esp_err_t esp_wifi_deinit(void)
{
    pthread_mutex_lock(&lock);
    esp_err_t err = !wifi.init     ? ESP_ERR_WIFI_NOT_INIT
                    : wifi.started ? ESP_ERR_WIFI_NOT_STOPPED
                                   : ESP_OK;
    if (!err)
        wifi.init = false;
    pthread_mutex_unlock(&lock);
    return err;
}

esp_err_t esp_wifi_set_mode(wifi_mode_t mode)
{
    if (mode == WIFI_MODE_AP || mode == WIFI_MODE_APSTA)
        return ESP_ERR_NOT_SUPPORTED;
    if (mode != WIFI_MODE_NULL && mode != WIFI_MODE_STA)
        return ESP_ERR_INVALID_ARG;
    pthread_mutex_lock(&lock);
    esp_err_t err = wifi.init ? ESP_OK : ESP_ERR_WIFI_NOT_INIT;
    if (!err)
        wifi.mode = mode;
    pthread_mutex_unlock(&lock);
    return err;
}

esp_err_t esp_wifi_get_mode(wifi_mode_t *mode)
{
    if (!mode)
        return ESP_ERR_INVALID_ARG;
    pthread_mutex_lock(&lock);
    esp_err_t err = wifi.init ? ESP_OK : ESP_ERR_WIFI_NOT_INIT;
    *mode = wifi.mode;
    pthread_mutex_unlock(&lock);
    return err;
}

static esp_err_t check_config(wifi_interface_t interface,
                              const wifi_config_t *conf)
{
    if (!conf)
        return ESP_ERR_INVALID_ARG;
    if (interface != WIFI_IF_STA)
        return ESP_ERR_WIFI_IF;
    return wifi.init ? ESP_OK : ESP_ERR_WIFI_NOT_INIT;
}

esp_err_t esp_wifi_set_config(wifi_interface_t interface, wifi_config_t *conf)
{
    pthread_mutex_lock(&lock);
    esp_err_t err = check_config(interface, conf);
    if (!err)
        wifi.conf = *conf;
    pthread_mutex_unlock(&lock);
    return err;
}

esp_err_t esp_wifi_get_config(wifi_interface_t interface, wifi_config_t *conf)
{
    pthread_mutex_lock(&lock);
    esp_err_t err = check_config(interface, conf);
    if (!err)
        *conf = wifi.conf;
    pthread_mutex_unlock(&lock);
    return err;
}

esp_err_t esp_wifi_set_storage(wifi_storage_t storage)
{
    return storage == WIFI_STORAGE_FLASH || storage == WIFI_STORAGE_RAM
               ? ESP_OK
               : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_wifi_start(void)
{
    pthread_mutex_lock(&lock);
    bool init = wifi.init;
    bool starts = init && !wifi.started && wifi.mode == WIFI_MODE_STA;
    wifi.started |= starts;
    pthread_mutex_unlock(&lock);
    if (starts)
        post(WIFI_EVENT, WIFI_EVENT_STA_START, NULL, 0);
    return init ? ESP_OK : ESP_ERR_WIFI_NOT_INIT;
}

esp_err_t esp_wifi_stop(void)
{
    pthread_mutex_lock(&lock);
    bool init = wifi.init, stops = wifi.started;
    wifi.started = false;
    pthread_mutex_unlock(&lock);
    if (stops) {
        (void)esp_wifi_disconnect();
        post(WIFI_EVENT, WIFI_EVENT_STA_STOP, NULL, 0);
    }
    return init ? ESP_OK : ESP_ERR_WIFI_NOT_INIT;
}

esp_err_t esp_wifi_connect(void)
{
    pthread_mutex_lock(&lock);
    wifi_sta_config_t sta = wifi.conf.sta;
    esp_err_t err = !wifi.init            ? ESP_ERR_WIFI_NOT_INIT
                    : !wifi.started       ? ESP_ERR_WIFI_NOT_STARTED
                    : ssid_len(&sta) == 0 ? ESP_ERR_WIFI_SSID
                                          : ESP_OK;
    uint8_t reason = err ? 0 : try_air(&sta);
    if (!err)
        wifi.connected = reason == 0;
    pthread_mutex_unlock(&lock);
    if (err)
        return err;
    if (reason) {
        ESP_LOGI(tag, "not connected, reason %u", (unsigned)reason);
        say_disconnected(&sta, reason);
    } else {
        say_connected(&sta);
    }
    return ESP_OK;
}

esp_err_t esp_wifi_disconnect(void)
{
    pthread_mutex_lock(&lock);
    bool init = wifi.init, was = wifi.connected;
    wifi_sta_config_t sta = wifi.conf.sta;
    wifi.connected = false;
    pthread_mutex_unlock(&lock);
    if (was) {
        compat_netif_down(COMPAT_NETIF_STA);
        say_disconnected(&sta, WIFI_REASON_ASSOC_LEAVE);
    }
    return init ? ESP_OK : ESP_ERR_WIFI_NOT_INIT;
}

esp_err_t esp_wifi_get_mac(wifi_interface_t ifx, uint8_t mac[6])
{
    return esp_read_mac(mac, ifx == WIFI_IF_STA ? ESP_MAC_WIFI_STA
                                                : ESP_MAC_WIFI_SOFTAP);
}

esp_err_t esp_wifi_sta_get_ap_info(wifi_ap_record_t *ap_info)
{
    if (!ap_info)
        return ESP_ERR_INVALID_ARG;
    pthread_mutex_lock(&lock);
    bool connected = wifi.connected;
    wifi_sta_config_t sta = wifi.conf.sta;
    pthread_mutex_unlock(&lock);
    if (!connected)
        return ESP_ERR_WIFI_NOT_CONNECT;
    *ap_info = (wifi_ap_record_t){ .primary = 1, .rssi = -50 };
    memcpy(ap_info->ssid, sta.ssid, sizeof(sta.ssid));
    ap_info->authmode = sta.password[0] ? WIFI_AUTH_WPA2_PSK : WIFI_AUTH_OPEN;
    return ESP_OK;
}

esp_err_t esp_wifi_set_ps(wifi_ps_type_t type)
{
    if (type != WIFI_PS_NONE && type != WIFI_PS_MIN_MODEM &&
        type != WIFI_PS_MAX_MODEM)
        return ESP_ERR_INVALID_ARG;
    pthread_mutex_lock(&lock);
    wifi.ps = type;
    pthread_mutex_unlock(&lock);
    return ESP_OK;
}

esp_err_t esp_wifi_get_ps(wifi_ps_type_t *type)
{
    if (!type)
        return ESP_ERR_INVALID_ARG;
    pthread_mutex_lock(&lock);
    *type = wifi.ps;
    pthread_mutex_unlock(&lock);
    return ESP_OK;
}
