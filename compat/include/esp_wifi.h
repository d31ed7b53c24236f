/* esp_wifi.h - there is no radio on a host; power saving is accepted. */
#ifndef ESP_WIFI_H
#define ESP_WIFI_H

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    WIFI_PS_NONE,
    WIFI_PS_MIN_MODEM,
    WIFI_PS_MAX_MODEM
} wifi_ps_type_t;

/* ESP_ERR_INVALID_ARG: no such mode. */
esp_err_t esp_wifi_set_ps(wifi_ps_type_t type);
esp_err_t esp_wifi_get_ps(wifi_ps_type_t *type);

#ifdef __cplusplus
}
#endif

#endif
