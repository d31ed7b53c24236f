/* otadata/read.c - feed the two sectors to the scan. */
#include "otadata/log.h"

esp_err_t otadata_parse(struct span bytes, struct otadata *out)
{
    if (bytes.len < OTADATA_LEN)
        return ESP_ERR_INVALID_SIZE;
    struct ota_scan scan;
    ota_scan_begin(&scan, out);
    for (uint32_t off = 0; off < OTADATA_LEN; off += OTA_LOG_ENTRY_LEN)
        ota_scan_feed(&scan, off, bytes.ptr + off);
    ota_scan_end(&scan);
    return ESP_OK;
}

esp_err_t otadata_read(const struct otadata_place *at, uint32_t len,
                       struct otadata *out)
{
    if (len < OTADATA_LEN)
        return ESP_ERR_INVALID_SIZE;
    struct ota_scan scan;
    struct otadata seen; /* *out stays when the flash cannot be read */
    ota_scan_begin(&scan, &seen);
    for (uint32_t off = 0; off < OTADATA_LEN; off += OTA_LOG_ENTRY_LEN) {
        uint8_t window[OTA_LOG_ENTRY_LEN];
        esp_err_t err = at->flash->read(at->flash->ctx, at->off + off, window,
                                        sizeof(window));
        if (err)
            return err;
        ota_scan_feed(&scan, off, window);
    }
    ota_scan_end(&scan);
    *out = seen;
    return ESP_OK;
}
