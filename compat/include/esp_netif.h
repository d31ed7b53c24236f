/* esp_netif.h - the network interface of the host, as an object. */
#ifndef ESP_NETIF_H
#define ESP_NETIF_H

#include <stdbool.h>

#include "esp_bit_defs.h"
#include "esp_err.h"
#include "esp_event_base.h"
#include "esp_netif_ip_addr.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct compat_netif esp_netif_t;

typedef struct {
    esp_ip4_addr_t ip;
    esp_ip4_addr_t netmask;
    esp_ip4_addr_t gw;
} esp_netif_ip_info_t;

ESP_EVENT_DECLARE_BASE(IP_EVENT);

typedef enum {
    IP_EVENT_STA_GOT_IP, /* data: ip_event_got_ip_t */
    IP_EVENT_STA_LOST_IP,
    IP_EVENT_AP_STAIPASSIGNED,
    IP_EVENT_GOT_IP6,
    IP_EVENT_ETH_GOT_IP, /* data: ip_event_got_ip_t */
    IP_EVENT_ETH_LOST_IP,
    IP_EVENT_PPP_GOT_IP,
    IP_EVENT_PPP_LOST_IP
} ip_event_t;

typedef struct {
    esp_netif_t *esp_netif;
    esp_netif_ip_info_t ip_info;
    bool ip_changed;
} ip_event_got_ip_t;

/* The host is connected already: nothing to do. */
esp_err_t esp_netif_init(void);
esp_err_t esp_netif_deinit(void);

/* The one of that kind; it is there without being made. */
esp_netif_t *esp_netif_create_default_wifi_sta(void);
/* "WIFI_STA_DEF" or "ETH_DEF". NULL: no such key. */
esp_netif_t *esp_netif_get_handle_from_ifkey(const char *if_key);
const char *esp_netif_get_ifkey(esp_netif_t *esp_netif);
const char *esp_netif_get_desc(esp_netif_t *esp_netif);
/* One that is connected; NULL: none is. */
esp_netif_t *esp_netif_get_default_netif(void);
/* Kept and told again; the host's own name is what the network sees.
 * ESP_ERR_INVALID_ARG: more than 31 characters. */
esp_err_t esp_netif_set_hostname(esp_netif_t *esp_netif, const char *hostname);
esp_err_t esp_netif_get_hostname(esp_netif_t *esp_netif, const char **hostname);

/* The interface's name on the host, at most 5 characters and a NUL. */
esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *esp_netif, char *name);
/* Zeros while it is not connected. */
esp_err_t esp_netif_get_ip_info(esp_netif_t *esp_netif,
                                esp_netif_ip_info_t *ip_info);
bool esp_netif_is_netif_up(esp_netif_t *esp_netif);

#ifdef __cplusplus
}
#endif

#endif
