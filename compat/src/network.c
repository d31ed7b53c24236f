/* The host's network, behind the names of ESP-IDF's. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "esp_log.h"
#include "esp_netif.h"
#include "esp_wifi.h"
#include "protocol_examples_common.h"

#define NAME_LEN 6 /* lwIP's NETIF_NAMESIZE, which callers count on */

struct compat_netif {
    const char *desc;
};

static const char tag[] = "example_connect";

static struct compat_netif netifs[] = {
    { EXAMPLE_NETIF_DESC_STA },
    { EXAMPLE_NETIF_DESC_ETH },
};

esp_err_t esp_netif_init(void)
{
    return ESP_OK;
}

esp_err_t esp_netif_deinit(void)
{
    return ESP_ERR_NOT_SUPPORTED; /* as the reference's */
}

/* An interface that is up and no loopback is better than the loopback. */
static bool is_better(const struct ifaddrs *a, const struct ifaddrs *best)
{
    if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET ||
        !(a->ifa_flags & IFF_UP))
        return false;
    return !best ||
           ((best->ifa_flags & IFF_LOOPBACK) && !(a->ifa_flags & IFF_LOOPBACK));
}

/* NULL: none. Free *list with freeifaddrs(). */
static const struct ifaddrs *host_interface(struct ifaddrs **list)
{
    const struct ifaddrs *best = NULL;
    if (getifaddrs(list) != 0) {
        *list = NULL;
        return NULL;
    }
    for (const struct ifaddrs *a = *list; a; a = a->ifa_next)
        if (is_better(a, best))
            best = a;
    return best;
}

esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *esp_netif, char *name)
{
    struct ifaddrs *list;
    if (!esp_netif || !name)
        return ESP_ERR_INVALID_ARG;
    const struct ifaddrs *best = host_interface(&list);
    esp_err_t err = ESP_ERR_NOT_FOUND;
    if (best && strlen(best->ifa_name) < NAME_LEN) {
        snprintf(name, NAME_LEN, "%s", best->ifa_name);
        err = ESP_OK;
    }
    if (list)
        freeifaddrs(list);
    return err;
}

const char *esp_netif_get_desc(esp_netif_t *esp_netif)
{
    return esp_netif ? esp_netif->desc : NULL;
}

esp_netif_t *get_example_netif_from_desc(const char *desc)
{
    for (size_t i = 0; i < sizeof(netifs) / sizeof(netifs[0]); i++)
        if (desc && strcmp(netifs[i].desc, desc) == 0)
            return &netifs[i];
    return NULL;
}

esp_err_t example_connect(void)
{
    struct ifaddrs *list;
    char text[INET_ADDRSTRLEN] = "none";
    const struct ifaddrs *best = host_interface(&list);
    if (best) {
        const struct sockaddr_in *addr =
            (const struct sockaddr_in *)(const void *)best->ifa_addr;
        inet_ntop(AF_INET, &addr->sin_addr, text, sizeof(text));
    }
    ESP_LOGI(tag, "Connected by interface %s, IPv4 address: %s,",
             best ? best->ifa_name : "none", text);
    if (list)
        freeifaddrs(list);
    return ESP_OK;
}

esp_err_t example_disconnect(void)
{
    return ESP_OK;
}

esp_err_t example_configure_stdin_stdout(void)
{
    return ESP_OK;
}

static wifi_ps_type_t ps_type = WIFI_PS_MIN_MODEM;

esp_err_t esp_wifi_set_ps(wifi_ps_type_t type)
{
    if (type != WIFI_PS_NONE && type != WIFI_PS_MIN_MODEM &&
        type != WIFI_PS_MAX_MODEM)
        return ESP_ERR_INVALID_ARG;
    ps_type = type;
    return ESP_OK;
}

esp_err_t esp_wifi_get_ps(wifi_ps_type_t *type)
{
    if (!type)
        return ESP_ERR_INVALID_ARG;
    *type = ps_type;
    return ESP_OK;
}
