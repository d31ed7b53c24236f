/* The host's network, behind the names of ESP-IDF's. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "compat.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "protocol_examples_common.h"

#define HOSTNAME_LEN 32
#define NAME_LEN 6 /* lwIP's NETIF_NAMESIZE, which callers count on */

struct compat_netif {
    const char *desc, *key;
    atomic_bool up;
    char hostname[HOSTNAME_LEN];
};

static struct compat_netif netifs[] = {
    [COMPAT_NETIF_STA] = { EXAMPLE_NETIF_DESC_STA, "WIFI_STA_DEF", false,
                           "espressif" },
    [COMPAT_NETIF_ETH] = { EXAMPLE_NETIF_DESC_ETH, "ETH_DEF", false,
                           "espressif" },
};
#define NETIF_CNT (sizeof(netifs) / sizeof(netifs[0]))

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

static uint32_t addr_of(const struct sockaddr *addr)
{
    if (!addr)
        return 0;
    const struct sockaddr_in *in =
        (const struct sockaddr_in *)(const void *)addr;
    return in->sin_addr.s_addr;
}

/* The host's address; its gateway is not asked for. */
static bool host_address(esp_netif_ip_info_t *out, char name[IF_NAMESIZE])
{
    struct ifaddrs *list;
    const struct ifaddrs *best = host_interface(&list);
    *out = (esp_netif_ip_info_t){ .ip = { 0 } };
    name[0] = '\0';
    if (best) {
        out->ip.addr = addr_of(best->ifa_addr);
        out->netmask.addr = addr_of(best->ifa_netmask);
        snprintf(name, IF_NAMESIZE, "%s", best->ifa_name);
    }
    if (list)
        freeifaddrs(list);
    return name[0] != '\0';
}

/* --- esp_netif ------------------------------------------------------------ */

void compat_netif_up(enum compat_netif_idx idx, int32_t event)
{
    ip_event_got_ip_t got = { .esp_netif = &netifs[idx], .ip_changed = true };
    char name[IF_NAMESIZE];
    (void)host_address(&got.ip_info, name);
    atomic_store(&netifs[idx].up, true);
    (void)esp_event_post(IP_EVENT, event, &got, sizeof(got), 0);
}

void compat_netif_down(enum compat_netif_idx idx)
{
    atomic_store(&netifs[idx].up, false);
}

esp_netif_t *esp_netif_create_default_wifi_sta(void)
{
    return &netifs[COMPAT_NETIF_STA];
}

esp_netif_t *esp_netif_get_handle_from_ifkey(const char *if_key)
{
    for (size_t i = 0; i < NETIF_CNT; i++)
        if (if_key && strcmp(netifs[i].key, if_key) == 0)
            return &netifs[i];
    return NULL;
}

const char *esp_netif_get_ifkey(esp_netif_t *esp_netif)
{
    return esp_netif ? esp_netif->key : NULL;
}

esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *esp_netif, char *name)
{
    esp_netif_ip_info_t info;
    char found[IF_NAMESIZE];
    if (!esp_netif || !name)
        return ESP_ERR_INVALID_ARG;
    if (!host_address(&info, found) || strlen(found) >= NAME_LEN)
        return ESP_ERR_NOT_FOUND;
    memcpy(name, found, strlen(found) + 1);
    return ESP_OK;
}

const char *esp_netif_get_desc(esp_netif_t *esp_netif)
{
    return esp_netif ? esp_netif->desc : NULL;
}

esp_netif_t *esp_netif_get_default_netif(void)
{
    for (size_t i = 0; i < NETIF_CNT; i++)
        if (esp_netif_is_netif_up(&netifs[i]))
            return &netifs[i];
    return NULL;
}

esp_err_t esp_netif_set_hostname(esp_netif_t *esp_netif, const char *hostname)
{
    if (!esp_netif || !hostname || strlen(hostname) >= HOSTNAME_LEN)
        return ESP_ERR_INVALID_ARG;
    memcpy(esp_netif->hostname, hostname, strlen(hostname) + 1);
    return ESP_OK;
}

esp_err_t esp_netif_get_hostname(esp_netif_t *esp_netif, const char **hostname)
{
    if (!esp_netif || !hostname)
        return ESP_ERR_INVALID_ARG;
    *hostname = esp_netif->hostname;
    return ESP_OK;
}

bool esp_netif_is_netif_up(esp_netif_t *esp_netif)
{
    return esp_netif && atomic_load(&esp_netif->up);
}

esp_err_t esp_netif_get_ip_info(esp_netif_t *esp_netif,
                                esp_netif_ip_info_t *ip_info)
{
    char name[IF_NAMESIZE];
    if (!esp_netif || !ip_info)
        return ESP_ERR_INVALID_ARG;
    *ip_info = (esp_netif_ip_info_t){ .ip = { 0 } };
    if (esp_netif_is_netif_up(esp_netif))
        (void)host_address(ip_info, name);
    return ESP_OK;
}

esp_netif_t *get_example_netif_from_desc(const char *desc)
{
    for (size_t i = 0; i < NETIF_CNT; i++)
        if (desc && strcmp(netifs[i].desc, desc) == 0)
            return &netifs[i];
    return NULL;
}
