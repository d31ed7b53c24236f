#include "settings.h"

#include <string.h>

#include "esp_log.h"
#include "esp_partition.h"

static const char *TAG = "settings";

static esp_err_t not_there(const char *why)
{
    ESP_LOGE(TAG,
             "%s: write URL and certificate with "
             "'porta flash write FLASH settings FILE'",
             why);
    return ESP_ERR_NOT_FOUND;
}

esp_err_t settings_load(struct settings *s)
{
    const esp_partition_t *part = esp_partition_find_first(
        ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "settings");
    size_t len = SETTINGS_MAX_LEN;
    char *end;

    if (part == NULL)
        return not_there("there is no partition 'settings'");
    if (part->size < len)
        len = part->size;
    esp_err_t err = esp_partition_read(part, 0, s->text, len);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot be read: %s", esp_err_to_name(err));
        return err;
    }
    /* Erased flash is 0xFF: the text ends where it begins. */
    s->text[len] = '\0';
    end = memchr(s->text, 0xFF, len);
    if (end != NULL)
        *end = '\0';
    end = strchr(s->text, '\n');
    if (end == NULL)
        return not_there("the partition 'settings' is blank");
    *end = '\0';
    s->url = s->text;
    s->cert_pem = end + 1;
    return ESP_OK;
}
