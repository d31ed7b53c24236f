/* esp_netif_ip_addr.h - IPv4 addresses as text. */
#ifndef ESP_NETIF_IP_ADDR_H
#define ESP_NETIF_IP_ADDR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t addr; /* in the order of the network */
} esp_ip4_addr_t;

#define esp_ip4_addr_get_byte(ipaddr, idx) \
    (((const uint8_t *)(&(ipaddr)->addr))[idx])

#define IP2STR(ipaddr)                                                  \
    esp_ip4_addr_get_byte(ipaddr, 0), esp_ip4_addr_get_byte(ipaddr, 1), \
        esp_ip4_addr_get_byte(ipaddr, 2), esp_ip4_addr_get_byte(ipaddr, 3)
#define IPSTR "%d.%d.%d.%d"

#ifdef __cplusplus
}
#endif

#endif
