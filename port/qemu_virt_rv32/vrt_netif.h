/* vrt_netif.h - the network card under lwIP, polled, with addresses from DHCP
 * and from a router's advertisements. */
#ifndef VRT_NETIF_H
#define VRT_NETIF_H

#include <stdbool.h>

#include "base/err.h"

/* Starts lwIP, the card and DHCP. ESP_ERR_NOT_FOUND: there is no card. */
MUST_CHECK esp_err_t vrt_netif_init(void);
/* There is a card, and it has an address. The one of IPv6 comes a second or
 * two later: nobody else may have it. */
bool vrt_netif_has_v4(void);
bool vrt_netif_has_v6(void);
bool vrt_netif_exists(void);
/* Handles what has arrived and what is due. Returns whether frames came. */
bool vrt_netif_poll(void);

#endif
