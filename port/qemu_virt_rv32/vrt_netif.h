/* vrt_netif.h - the network card under lwIP, polled, with an address from
 * DHCP. */
#ifndef VRT_NETIF_H
#define VRT_NETIF_H

#include <stdbool.h>

#include "base/err.h"

/* Starts lwIP, the card and DHCP. ESP_ERR_NOT_FOUND: there is no card. */
MUST_CHECK esp_err_t vrt_netif_init(void);
/* There is a card, and it has an address. */
bool vrt_netif_is_up(void);
bool vrt_netif_exists(void);
/* Handles what has arrived and what is due. Returns whether frames came. */
bool vrt_netif_poll(void);

#endif
