/* porta/ota_confirm.h: what became of the last trial, and releases that
 * failed. */
#include "api/ota.h"

#include <string.h>

static esp_err_t read_verdict(struct ota_event *event, uint32_t *slot_cnt)
{
    struct api_records r;
    esp_err_t err;

    api_lock();
    err = api_records_read(&r);
    if (!err)
        err = otadata_verdict(&r.at, &r.o, event);
    api_unlock();
    if (err)
        return err;
    *slot_cnt = r.slot_cnt;
    return event->kind == OTA_EVENT_NONE || r.slot_cnt == 0 ? ESP_ERR_NOT_FOUND
                                                            : ESP_OK;
}

esp_err_t porta_ota_last_verdict(porta_ota_verdict_t *verdict)
{
    struct ota_event event;
    uint32_t slot_cnt;
    esp_err_t err;

    if (!verdict)
        return ESP_ERR_INVALID_ARG;
    err = read_verdict(&event, &slot_cnt);
    if (err)
        return err;
    *verdict = (porta_ota_verdict_t){
        .confirmed = event.kind == OTA_EVENT_CONFIRMED,
        .who = ota_event_who_name(event.who),
        .why = ota_event_why_text(event.why),
        .slot = ota_seq_slot(event.seq, slot_cnt),
        .reset_reason = event.reset_reason,
        .resets = event.charged,
        .power_resets = event.power,
        .uptime_ms = event.up_ms,
        .conditions = event.conditions,
    };
    memcpy(verdict->words, event.text, sizeof(event.text));
    return ESP_OK;
}

esp_err_t porta_ota_denied_get(uint32_t idx, uint8_t sha256[32])
{
    struct api_records r;
    esp_err_t err;

    if (!sha256)
        return ESP_ERR_INVALID_ARG;
    api_lock();
    err = api_records_read(&r);
    if (!err)
        err = otadata_deny_get(&r.at, &r.o, idx, sha256);
    api_unlock();
    return err;
}

esp_err_t porta_ota_deny(const uint8_t sha256[32])
{
    struct api_records r;
    esp_err_t err;

    if (!sha256)
        return ESP_ERR_INVALID_ARG;
    api_lock();
    err = api_records_read(&r);
    if (!err)
        err = otadata_deny_add(&r.at, &r.o, sha256);
    api_unlock();
    return err;
}

esp_err_t porta_ota_denied_clear(void)
{
    struct api_records r;
    esp_err_t err;

    api_lock();
    err = api_records_read(&r);
    if (!err)
        err = otadata_deny_clear(&r.at, &r.o);
    api_unlock();
    return err;
}
