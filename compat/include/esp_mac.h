/* esp_mac.h - the device's hardware addresses.
 *
 * A device on Linux has one of its own, which follows from the name of its
 * flash file: locally administered, 02:..., the same at every start. The
 * environment variable PORTA_MAC=02:11:22:33:44:55 sets another. */
#ifndef ESP_MAC_H
#define ESP_MAC_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_MAC_WIFI_STA,
    ESP_MAC_WIFI_SOFTAP,
    ESP_MAC_BT,
    ESP_MAC_ETH,
    ESP_MAC_IEEE802154,
    ESP_MAC_BASE,
    ESP_MAC_EFUSE_FACTORY,
    ESP_MAC_EFUSE_CUSTOM,
    ESP_MAC_EFUSE_EXT
} esp_mac_type_t;

#define MAC2STR(a) (a)[0], (a)[1], (a)[2], (a)[3], (a)[4], (a)[5]
#define MACSTR "%02x:%02x:%02x:%02x:%02x:%02x"

/* ESP_ERR_INVALID_ARG: a group address. */
esp_err_t esp_base_mac_addr_set(const uint8_t *mac);
esp_err_t esp_base_mac_addr_get(uint8_t *mac);
esp_err_t esp_efuse_mac_get_default(uint8_t *mac);
/* The base address, with 1 (access point), 2 (Bluetooth) or 3 (Ethernet) added
 * to its last byte. ESP_ERR_NOT_SUPPORTED: the other kinds. */
esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type);

#ifdef __cplusplus
}
#endif

#endif
