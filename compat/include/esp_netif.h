/* esp_netif.h - the network interface of the host, as an object. */
#ifndef ESP_NETIF_H
#define ESP_NETIF_H

#include "esp_err.h"
#include "esp_event_base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct compat_netif esp_netif_t;

/* The host is connected already: nothing to do. */
esp_err_t esp_netif_init(void);
esp_err_t esp_netif_deinit(void);

/* The interface's name on the host, at most 5 characters and a NUL. */
esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *esp_netif, char *name);
const char *esp_netif_get_desc(esp_netif_t *esp_netif);

#ifdef __cplusplus
}
#endif

#endif
