/* esp_mac.h: an address that stays the same for a device. */
#include "esp_mac.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "compat.h"

#define MAC_LEN 6

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint8_t base[MAC_LEN];
static bool base_set;

/* Locally administered, and no group. */
static void from_name(const char *name, uint8_t mac[MAC_LEN])
{
    uint32_t hash = crc32_le(0, name, strlen(name));
    const uint8_t made[MAC_LEN] = { 0x02,
                                    0x00,
                                    (uint8_t)(hash >> 24),
                                    (uint8_t)(hash >> 16),
                                    (uint8_t)(hash >> 8),
                                    (uint8_t)hash };
    memcpy(mac, made, MAC_LEN);
}

static bool from_text(const char *text, uint8_t mac[MAC_LEN])
{
    unsigned b[MAC_LEN];
    char end;
    if (!text || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2],
                        &b[3], &b[4], &b[5], &end) != MAC_LEN)
        return false;
    for (int i = 0; i < MAC_LEN; i++)
        mac[i] = (uint8_t)b[i];
    return (mac[0] & 1) == 0;
}

esp_err_t esp_efuse_mac_get_default(uint8_t *mac)
{
    if (!mac)
        return ESP_ERR_INVALID_ARG;
    if (!from_text(getenv("PORTA_MAC"), mac))
        from_name(compat_flash_path(), mac);
    return ESP_OK;
}

esp_err_t esp_base_mac_addr_set(const uint8_t *mac)
{
    if (!mac || (mac[0] & 1))
        return ESP_ERR_INVALID_ARG;
    pthread_mutex_lock(&lock);
    memcpy(base, mac, MAC_LEN);
    base_set = true;
    pthread_mutex_unlock(&lock);
    return ESP_OK;
}

esp_err_t esp_base_mac_addr_get(uint8_t *mac)
{
    if (!mac)
        return ESP_ERR_INVALID_ARG;
    pthread_mutex_lock(&lock);
    bool set = base_set;
    memcpy(mac, base, MAC_LEN);
    pthread_mutex_unlock(&lock);
    return set ? ESP_OK : esp_efuse_mac_get_default(mac);
}

esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type)
{
    if (type == ESP_MAC_EFUSE_FACTORY)
        return esp_efuse_mac_get_default(mac);
    if (type > ESP_MAC_BASE || type == ESP_MAC_IEEE802154)
        return ESP_ERR_NOT_SUPPORTED;
    esp_err_t err = esp_base_mac_addr_get(mac);
    if (err == ESP_OK && type != ESP_MAC_BASE)
        mac[MAC_LEN - 1] = (uint8_t)(mac[MAC_LEN - 1] + (unsigned)type);
    return err;
}
