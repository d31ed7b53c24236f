/* esp_netif_sntp.h - the time of day, the newer way; see esp_sntp.h. */
#ifndef ESP_NETIF_SNTP_H
#define ESP_NETIF_SNTP_H

#include "esp_netif.h"
#include "esp_sntp.h"
#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*esp_sntp_time_cb_t)(struct timeval *tv);

typedef struct {
    bool smooth_sync;
    bool server_from_dhcp;
    bool wait_for_sync;
    bool start; /* now, and not by esp_netif_sntp_start() */
    esp_sntp_time_cb_t sync_cb;
    bool renew_servers_after_new_IP;
    ip_event_t ip_event_to_renew;
    size_t index_of_first_server;
    size_t num_of_servers;
    const char *servers[SNTP_MAX_SERVERS];
} esp_sntp_config_t;

#define ESP_SNTP_SERVER_LIST(...) \
    {                             \
        __VA_ARGS__               \
    }
#define ESP_NETIF_SNTP_DEFAULT_CONFIG_MULTIPLE(servers_in_list, list_of) \
    {                                                                    \
        .smooth_sync = false, .server_from_dhcp = false,                 \
        .wait_for_sync = true, .start = true, .sync_cb = NULL,           \
        .renew_servers_after_new_IP = false,                             \
        .ip_event_to_renew = (ip_event_t)0, .index_of_first_server = 0,  \
        .num_of_servers = (servers_in_list), .servers = list_of          \
    }
#define ESP_NETIF_SNTP_DEFAULT_CONFIG(server) \
    ESP_NETIF_SNTP_DEFAULT_CONFIG_MULTIPLE(1, { server })

/* ESP_ERR_INVALID_STATE: it was called before. */
esp_err_t esp_netif_sntp_init(const esp_sntp_config_t *config);
esp_err_t esp_netif_sntp_start(void);
void esp_netif_sntp_deinit(void);
/* ESP_ERR_INVALID_STATE: nobody asked for it, or it does not wait.
 * ESP_ERR_TIMEOUT: it was not started. */
esp_err_t esp_netif_sntp_sync_wait(TickType_t tout);
esp_err_t esp_netif_sntp_reachability(unsigned int index,
                                      unsigned int *reachability);

#ifdef __cplusplus
}
#endif

#endif
