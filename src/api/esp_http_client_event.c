/* The portable client's events, as the ones that applications know. */
#include "api/http_handle.h"

#include <string.h>

#include "base/log.h"
#include "http/redirect.h"

ESP_EVENT_DEFINE_BASE(ESP_HTTP_CLIENT_EVENT);

/* How long a full event queue may hold up a download. */
#define POST_WAIT_MS 2000u
#define DEFAULT_TICK_MS 10u

static const char tag[] = "HTTP_CLIENT";

static void post(struct esp_http_client *h, const esp_http_client_event_t *e)
{
    int status = http_head(h->http)->status;
    uint32_t tick_ms = api_device()->boot.tick_ms;
    esp_http_client_on_data_t on_data = {
        h, (int64_t)http_stats(h->http)->body_len
    };
    esp_http_client_redirect_event_data_t on_redirect = { h, status };
    const void *data = &h;
    size_t len = sizeof(h);

    if (!CFG_EVENTS || !api_device()->event_loop)
        return;
    if (e->event_id == HTTP_EVENT_ON_DATA) {
        data = &on_data;
        len = sizeof(on_data);
    } else if (e->event_id == HTTP_EVENT_REDIRECT) {
        data = &on_redirect;
        len = sizeof(on_redirect);
    }
    esp_err_t err =
        esp_event_post(ESP_HTTP_CLIENT_EVENT, e->event_id, data, len,
                       POST_WAIT_MS / (tick_ms ? tick_ms : DEFAULT_TICK_MS));
    if (err)
        LOGW(tag, "event %d was not posted: %s", (int)e->event_id,
             err_name(err));
}

void api_http_emit(struct esp_http_client *handle,
                   esp_http_client_event_t *event)
{
    event->client = handle;
    event->user_data = handle->user_data;
    if (handle->handler)
        (void)handle->handler(event);
    if (handle->http) /* not while it is being made */
        post(handle, event);
}

static void save_header(struct esp_http_client *h,
                        const struct http_event_info *info)
{
    struct span value = span_str(info->value);

    if (h->saved_cnt == API_HTTP_SAVED_CNT || value.len > API_HTTP_SAVED_LEN)
        return;
    /* One that cannot be kept is as if it had come eleventh. */
    if (http_fields_set(&h->saved, span_str(info->name), value) == ESP_OK)
        h->saved_cnt++;
}

static void take_tls_error(struct esp_http_client *h)
{
    const struct http_stats *stats = http_stats(h->http);

    h->tls_err.pub.last_error = stats->transport_err;
    h->tls_err.pub.esp_tls_error_code = -stats->tls.code;
    h->tls_err.pub.esp_tls_flags = (int)stats->tls.flags;
    h->tls_err.sys_errno = stats->sys_errno;
}

/* An answer that only leads to the next one is not the end of the exchange. */
static bool leads_on(int status)
{
    return http_redirect_status(status) || status == 401;
}

static esp_http_client_event_id_t id_of(enum http_event ev)
{
    switch (ev) {
    case HTTP_EV_CONNECTED:
        return HTTP_EVENT_ON_CONNECTED;
    case HTTP_EV_HEADERS_SENT:
        return HTTP_EVENT_HEADERS_SENT;
    case HTTP_EV_STATUS:
        return HTTP_EVENT_ON_STATUS_CODE;
    case HTTP_EV_HEADER:
        return HTTP_EVENT_ON_HEADER;
    case HTTP_EV_HEADERS_DONE:
        return HTTP_EVENT_ON_HEADERS_COMPLETE;
    case HTTP_EV_DATA:
        return HTTP_EVENT_ON_DATA;
    case HTTP_EV_FINISH:
        return HTTP_EVENT_ON_FINISH;
    case HTTP_EV_DISCONNECTED:
        return HTTP_EVENT_DISCONNECTED;
    case HTTP_EV_REDIRECT:
        return HTTP_EVENT_REDIRECT;
    case HTTP_EV_ERROR:
        break;
    }
    return HTTP_EVENT_ERROR;
}

static void set_state(struct esp_http_client *h, enum http_event ev)
{
    switch (ev) {
    case HTTP_EV_CONNECTED:
        h->state = HTTP_STATE_CONNECTED;
        break;
    case HTTP_EV_HEADERS_SENT:
        h->state = HTTP_STATE_REQ_COMPLETE_HEADER;
        http_fields_clear(&h->saved);
        h->saved_cnt = 0;
        break;
    case HTTP_EV_HEADERS_DONE:
        h->state = HTTP_STATE_RES_ON_DATA_START;
        break;
    case HTTP_EV_FINISH:
        h->state = HTTP_STATE_RES_COMPLETE_DATA;
        break;
    case HTTP_EV_DISCONNECTED:
        if (h->state != HTTP_STATE_RES_COMPLETE_DATA)
            h->state = HTTP_STATE_INIT;
        break;
    default:
        break;
    }
}

void api_http_on_event(void *ctx, const struct http_event_info *info)
{
    struct esp_http_client *h = ctx;
    int status = info->status;
    esp_http_client_event_t event = { .event_id = id_of(info->ev) };

    set_state(h, info->ev);
    if (info->ev == HTTP_EV_FINISH && leads_on(status))
        return;
    if (info->ev == HTTP_EV_HEADER)
        save_header(h, info);
    if (info->ev == HTTP_EV_ERROR)
        take_tls_error(h);
    event.header_key = api_writable(info->name);
    event.header_value = api_writable(info->value);
    if (info->ev == HTTP_EV_DATA) {
        event.data = api_writable(info->data.ptr);
        event.data_len = (int)info->data.len;
    } else if (info->ev == HTTP_EV_STATUS) {
        event.data = &status;
        event.data_len = sizeof(status);
    } else if (info->ev == HTTP_EV_ERROR || info->ev == HTTP_EV_DISCONNECTED) {
        event.data = &h->tls_err.pub;
        event.data_len = sizeof(h->tls_err.pub);
    }
    api_http_emit(h, &event);
}
