/* esp_netif_types.h - the types of esp_netif.h, which has them all. */
#ifndef ESP_NETIF_TYPES_H
#define ESP_NETIF_TYPES_H

#include "esp_netif.h"

#endif
