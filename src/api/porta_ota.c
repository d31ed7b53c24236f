/* What porta adds to esp_https_ota; see porta/ota_control.h. */
#include "api/https_ota.h"

#include <string.h>

#include "porta/ota_control.h"

ESP_EVENT_DEFINE_BASE(PORTA_OTA_EVENT);

void api_ota_session_open(struct api_https_ota *ota)
{
    struct api_device *dev = api_device();

    if (!CFG_RESULT)
        return;
    ota->result.image_len = -1;
    api_lock();
    ota->next = dev->https_ota_list;
    dev->https_ota_list = ota;
    api_unlock();
}

static void unlink_session(struct api_https_ota *ota)
{
    struct api_https_ota **link = &api_device()->https_ota_list;

    api_lock();
    while (*link && *link != ota)
        link = &(*link)->next;
    if (*link)
        *link = ota->next;
    api_unlock();
}

static void tell(const struct api_https_ota *ota, porta_ota_result_t *out)
{
    const struct upd_result *r = &ota->result;
    const struct http_stats *http = http_stats(api_http_client(ota->client));

    *out = (porta_ota_result_t){
        .err = r->err,
        .stage = diag_stage_name(r->stage),
        .http_status = r->http_status,
        .port = http->port,
        .transport_err = http->transport_err,
        .sys_errno = http->sys_errno,
        .tls_code = http->tls.code,
        .tls_alert = http->tls.alert,
        .tls_verify_flags = http->tls.flags,
        .image_len = r->image_len,
        .received_len = r->received_len,
        .written_len = r->written_len,
        .resumed_from = r->resumed_from,
        .requests = http->requests,
        .connections = http->connects,
        .handshakes = http->handshakes,
        .handshakes_resumed = http->resumed,
        .redirects = http->redirects,
        .retries = r->retries,
        .checkpoints = r->checkpoint_cnt,
        .erases = r->erase_cnt,
        .programs = r->prog_cnt,
        .updatable = pre_updatable_name(r->pre.updatable),
        .elapsed_ms = r->elapsed_ms,
    };
    _Static_assert(sizeof(out->host) == sizeof(http->host) &&
                       sizeof(out->message) >= sizeof(ota->diag.text),
                   "they are copied whole");
    memcpy(out->host, http->host, sizeof(out->host));
    memcpy(out->message, ota->diag.text, sizeof(ota->diag.text));
}

void api_ota_session_close(struct api_https_ota *ota)
{
    const porta_ota_options_t *o = &api_device()->ota_options;
    porta_ota_result_t result;

    if (!CFG_RESULT)
        return;
    unlink_session(ota);
    if (!ota->asked)
        return;
    tell(ota, &result);
    api_post(PORTA_OTA_EVENT, PORTA_OTA_EVENT_RESULT, &result, sizeof(result));
    if (o->on_result)
        o->on_result(o->ctx, &result);
}

void porta_ota_set_options(const porta_ota_options_t *options)
{
    api_lock();
    api_device()->ota_options = *options;
    api_device()->keep = CFG_STORE && options->keep ? &api_ota_store : NULL;
    api_unlock();
}

esp_err_t porta_ota_cancel(esp_https_ota_handle_t handle)
{
    esp_err_t err = ESP_ERR_NOT_FOUND;

    api_lock();
    for (struct api_https_ota *ota = api_device()->https_ota_list; ota;
         ota = ota->next) {
        if (handle && handle != ota)
            continue;
        port_limit_stop(&ota->limit);
        err = ESP_OK;
    }
    api_unlock();
    return err;
}

esp_err_t porta_ota_get_result(esp_https_ota_handle_t handle,
                               porta_ota_result_t *result)
{
    struct api_https_ota *ota = handle;

    if (!ota || !result)
        return ESP_ERR_INVALID_ARG;
    ota->result = *upd_result(ota->upd);
    tell(ota, result);
    return ESP_OK;
}
