/* protocol_examples_common.h - the helper of ESP-IDF's network examples. */
#ifndef PROTOCOL_EXAMPLES_COMMON_H
#define PROTOCOL_EXAMPLES_COMMON_H

#include "esp_err.h"
#include "esp_netif.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EXAMPLE_NETIF_DESC_STA "example_netif_sta"
#define EXAMPLE_NETIF_DESC_ETH "example_netif_eth"
#define EXAMPLE_NETIF_DESC_PPP "example_netif_ppp"
#define EXAMPLE_NETIF_DESC_THREAD "example_netif_thread"

#define EXAMPLE_INTERFACE get_example_netif()
#ifdef CONFIG_EXAMPLE_CONNECT_WIFI
#define get_example_netif() get_example_netif_from_desc(EXAMPLE_NETIF_DESC_STA)
#else
#define get_example_netif() get_example_netif_from_desc(EXAMPLE_NETIF_DESC_ETH)
#endif

/* Connects as the menu "Example Connection Configuration" says, and logs the
 * address; see esp_wifi.h for what is in the air. ESP_FAIL: the name or the
 * password is wrong. */
esp_err_t example_connect(void);
esp_err_t example_disconnect(void);

/* Standard input and output are what they are. */
esp_err_t example_configure_stdin_stdout(void);

/* The host's interface; one whose description names a radio or a wire alike.
 * NULL: no such description. */
esp_netif_t *get_example_netif_from_desc(const char *desc);

#ifdef __cplusplus
}
#endif

#endif
