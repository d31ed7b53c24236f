/* example_connect() and its like: what the project's options say, on a radio
 * that is simulated or a wire that is always plugged in. */
#include <string.h>

#include "compat.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_wifi.h"
#include "porta/app_config.h"
#include "protocol_examples_common.h"

static const char tag[] = "example_connect";

static void say_address(esp_netif_t *netif)
{
    esp_netif_ip_info_t info;
    char name[8] = "none";
    (void)esp_netif_get_netif_impl_name(netif, name);
    (void)esp_netif_get_ip_info(netif, &info);
    ESP_LOGI(tag, "Connected by interface %s, IPv4 address: " IPSTR ",", name,
             IP2STR(&info.ip));
}

/* "name password" in a line, as the reference asks for it. */
static void from_console(wifi_sta_config_t *sta)
{
    char line[128], *save;
    ESP_LOGI(tag, "Please input ssid password:");
    if (!fgets(line, sizeof(line), stdin))
        return;
    const char *name = strtok_r(line, " \n", &save);
    const char *password = name ? strtok_r(NULL, " \n", &save) : NULL;
    if (name)
        memcpy(sta->ssid, name, strnlen(name, sizeof(sta->ssid)));
    if (password)
        memcpy(sta->password, password,
               strnlen(password, sizeof(sta->password)));
}

static void from_options(wifi_sta_config_t *sta)
{
    const struct porta_app_config *app = &porta_app_config;
    memcpy(sta->ssid, app->wifi_ssid,
           strnlen(app->wifi_ssid, sizeof(sta->ssid)));
    memcpy(sta->password, app->wifi_password,
           strnlen(app->wifi_password, sizeof(sta->password)));
}

static esp_err_t wifi_start(void)
{
    wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    wifi_config_t conf = { .sta = { .ssid = { 0 } } };
    esp_err_t err = esp_wifi_init(&init);
    if (!err)
        err = esp_wifi_set_mode(WIFI_MODE_STA);
    if (porta_app_config.wifi_from_stdin)
        from_console(&conf.sta);
    else
        from_options(&conf.sta);
    if (!err)
        err = esp_wifi_set_config(WIFI_IF_STA, &conf);
    return err ? err : esp_wifi_start();
}

/* Of the network that was asked for; it may have no NUL of its own. */
static const char *network_name(void)
{
    static char name[33];
    wifi_config_t conf;
    if (esp_wifi_get_config(WIFI_IF_STA, &conf) == ESP_OK)
        snprintf(name, sizeof(name), "%.32s", (const char *)conf.sta.ssid);
    return name;
}

static esp_err_t connect_wifi(void)
{
    esp_netif_t *netif = esp_netif_create_default_wifi_sta();
    esp_err_t err = wifi_start();
    for (int i = 0; !err && i <= porta_app_config.wifi_retries; i++) {
        ESP_LOGI(tag, "Connecting to %s...", network_name());
        err = esp_wifi_connect();
        if (!err && esp_netif_is_netif_up(netif)) {
            say_address(netif);
            return ESP_OK;
        }
    }
    ESP_LOGE(tag, "WiFi Connect failed %d times, stop reconnect.",
             porta_app_config.wifi_retries + 1);
    return err ? err : ESP_FAIL;
}

static void connect_eth(void)
{
    (void)esp_event_post(ETH_EVENT, ETHERNET_EVENT_START, NULL, 0, 0);
    (void)esp_event_post(ETH_EVENT, ETHERNET_EVENT_CONNECTED, NULL, 0, 0);
    compat_netif_up(COMPAT_NETIF_ETH, IP_EVENT_ETH_GOT_IP);
    say_address(get_example_netif_from_desc(EXAMPLE_NETIF_DESC_ETH));
}

/* A project without the menu has a wire. */
esp_err_t example_connect(void)
{
    if (porta_app_config.connect_wifi) {
        esp_err_t err = connect_wifi();
        if (err)
            return err;
    }
    if (porta_app_config.connect_eth || !porta_app_config.connect_wifi)
        connect_eth();
    return ESP_OK;
}

esp_err_t example_disconnect(void)
{
    compat_netif_down(COMPAT_NETIF_ETH);
    if (!porta_app_config.connect_wifi)
        return ESP_OK;
    esp_err_t err = esp_wifi_stop();
    return err ? err : esp_wifi_deinit();
}

esp_err_t example_configure_stdin_stdout(void)
{
    return ESP_OK;
}
