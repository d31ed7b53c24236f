/* esp_wifi_types.h - the types of esp_wifi.h, which has them all. */
#ifndef ESP_WIFI_TYPES_H
#define ESP_WIFI_TYPES_H

#include "esp_wifi.h"

#endif
