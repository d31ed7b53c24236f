#include "progress.h"

#include <string.h>

#include "esp_check.h"
#include "esp_log.h"
#include "nvs.h"

#define URL_SIZE 256

static const char *TAG = "progress";

static esp_err_t load(nvs_handle_t nvs, const char *url, uint16_t *kib)
{
    char saved[URL_SIZE];
    size_t len = sizeof(saved);

    ESP_RETURN_ON_ERROR(nvs_get_str(nvs, "nvs_ota_url", saved, &len), TAG,
                        "nothing was begun");
    ESP_RETURN_ON_FALSE(strcmp(saved, url) == 0, ESP_ERR_NOT_FOUND, TAG,
                        "what was begun came from %s", saved);
    return nvs_get_u16(nvs, "nvs_ota_wr_len", kib);
}

size_t progress_load(const char *url)
{
    nvs_handle_t nvs;
    uint16_t kib = 0;

    if (nvs_open("ota_resumption", NVS_READWRITE, &nvs) != ESP_OK)
        return 0;
    if (load(nvs, url, &kib) != ESP_OK)
        kib = 0;
    nvs_close(nvs);
    return (size_t)kib * 1024;
}

void progress_save(const char *url, size_t written)
{
    static uint16_t last;
    uint16_t kib = (uint16_t)(written / 1024);
    nvs_handle_t nvs;

    /* A page of NVS for every 64 KiB is enough. */
    if (kib / 64 == last / 64 ||
        nvs_open("ota_resumption", NVS_READWRITE, &nvs) != ESP_OK)
        return;
    last = kib;
    esp_err_t err = nvs_set_str(nvs, "nvs_ota_url", url);
    if (err == ESP_OK)
        err = nvs_set_u16(nvs, "nvs_ota_wr_len", kib);
    if (err == ESP_OK)
        err = nvs_commit(nvs);
    if (err != ESP_OK)
        ESP_LOGW(TAG, "not saved: %s", esp_err_to_name(err));
    nvs_close(nvs);
}

void progress_clear(void)
{
    nvs_handle_t nvs;

    if (nvs_open("ota_resumption", NVS_READWRITE, &nvs) != ESP_OK)
        return;
    nvs_erase_all(nvs);
    nvs_commit(nvs);
    nvs_close(nvs);
}
