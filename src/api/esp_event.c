#include "esp_event.h"

#include "api/device.h"
#include "event/event.h"

#define DEFAULT_CAP_CNT 32u
#define DEFAULT_TICK_MS 10u

/* UINT32_MAX ticks are "for ever", as portMAX_DELAY is. */
static uint32_t ticks_ms(uint32_t ticks)
{
    uint32_t tick_ms = api_device()->boot.tick_ms;
    uint64_t ms = (uint64_t)ticks * (tick_ms ? tick_ms : DEFAULT_TICK_MS);
    if (ticks == UINT32_MAX)
        return EVENT_WAIT_FOREVER;
    return ms < EVENT_WAIT_FOREVER ? (uint32_t)ms : EVENT_WAIT_FOREVER - 1;
}

/* --- loops ---------------------------------------------------------------- */

static esp_err_t loop_new(uint32_t cap_cnt, const char *task_name,
                          struct event_loop **out)
{
    const struct api_boot *boot = &api_device()->boot;
    struct event_loop *loop = api_alloc(sizeof(*loop));
    esp_err_t err = ESP_OK;

    if (!loop)
        return ESP_ERR_NO_MEM;
    event_loop_open(loop, boot->heap, boot->task, cap_cnt);
    if (task_name)
        err = event_loop_start(loop, task_name);
    if (err) {
        event_loop_close(loop);
        api_free(loop);
        return err;
    }
    *out = loop;
    return ESP_OK;
}

static esp_err_t loop_delete(struct event_loop *loop)
{
    esp_err_t err = event_loop_stop(loop);

    if (err)
        return err;
    event_loop_close(loop);
    api_free(loop);
    return ESP_OK;
}

esp_err_t esp_event_loop_create(const esp_event_loop_args_t *event_loop_args,
                                esp_event_loop_handle_t *event_loop)
{
    struct event_loop *loop = NULL;
    esp_err_t err;

    if (!event_loop_args || !event_loop || event_loop_args->queue_size < 1)
        return ESP_ERR_INVALID_ARG;
    err = loop_new((uint32_t)event_loop_args->queue_size,
                   event_loop_args->task_name, &loop);
    if (err)
        return err;
    *event_loop = loop;
    return ESP_OK;
}

esp_err_t esp_event_loop_delete(esp_event_loop_handle_t event_loop)
{
    return event_loop ? loop_delete(event_loop) : ESP_ERR_INVALID_ARG;
}

static struct event_loop *default_loop(void)
{
    struct event_loop *loop;

    api_lock();
    loop = api_device()->event_loop;
    api_unlock();
    return loop;
}

esp_err_t esp_event_loop_delete_default(void)
{
    struct event_loop *loop = default_loop();
    esp_err_t err;

    if (!loop)
        return ESP_ERR_INVALID_STATE;
    err = loop_delete(loop);
    if (err)
        return err;
    api_lock();
    api_device()->event_loop = NULL;
    api_unlock();
    return ESP_OK;
}

static void stop(void)
{
    if (default_loop())
        (void)esp_event_loop_delete_default();
}

esp_err_t esp_event_loop_create_default(void)
{
    struct api_device *dev = api_device();
    struct event_loop *loop = NULL;
    esp_err_t err = ESP_ERR_INVALID_STATE;

    api_lock();
    if (!dev->event_loop)
        err = loop_new(DEFAULT_CAP_CNT, "sys_evt", &loop);
    if (!err) {
        dev->event_loop = loop;
        dev->at_stop[API_STOP_EVENT] = stop;
    }
    api_unlock();
    return err;
}

esp_err_t esp_event_loop_run(esp_event_loop_handle_t event_loop,
                             uint32_t ticks_to_run)
{
    const struct port_sys *sys = api_device()->boot.sys;
    uint32_t ms = ticks_ms(ticks_to_run);
    uint64_t start = sys->mono_ms(sys->ctx);
    esp_err_t err;

    if (!event_loop)
        return ESP_ERR_INVALID_ARG;
    do {
        uint64_t spent = sys->mono_ms(sys->ctx) - start;
        uint32_t left = spent < ms ? ms - (uint32_t)spent : 0;

        if (ms == EVENT_WAIT_FOREVER)
            left = ms;
        err = event_run_one(event_loop, left);
    } while (err == ESP_OK);
    return err == ESP_ERR_TIMEOUT ? ESP_OK : err;
}

/* --- handlers ------------------------------------------------------------- */

esp_err_t esp_event_handler_register_with(esp_event_loop_handle_t event_loop,
                                          esp_event_base_t event_base,
                                          int32_t event_id,
                                          esp_event_handler_t event_handler,
                                          void *event_handler_arg)
{
    struct event_key key = { event_base, event_id, event_handler };

    if (!event_loop)
        return ESP_ERR_INVALID_ARG;
    return event_register(event_loop, &key, event_handler_arg, NULL);
}

esp_err_t esp_event_handler_register(esp_event_base_t event_base,
                                     int32_t event_id,
                                     esp_event_handler_t event_handler,
                                     void *event_handler_arg)
{
    struct event_loop *loop = default_loop();

    if (!loop)
        return ESP_ERR_INVALID_STATE;
    return esp_event_handler_register_with(loop, event_base, event_id,
                                           event_handler, event_handler_arg);
}

esp_err_t esp_event_handler_instance_register_with(
    esp_event_loop_handle_t event_loop, esp_event_base_t event_base,
    int32_t event_id, esp_event_handler_t event_handler,
    void *event_handler_arg, esp_event_handler_instance_t *instance)
{
    struct event_key key = { event_base, event_id, event_handler };
    struct event_handler *handler = NULL;
    esp_err_t err;

    if (!event_loop)
        return ESP_ERR_INVALID_ARG;
    err = event_register(event_loop, &key, event_handler_arg, &handler);
    if (!err && instance)
        *instance = handler;
    return err;
}

esp_err_t esp_event_handler_instance_register(
    esp_event_base_t event_base, int32_t event_id,
    esp_event_handler_t event_handler, void *event_handler_arg,
    esp_event_handler_instance_t *instance)
{
    struct event_loop *loop = default_loop();

    if (!loop)
        return ESP_ERR_INVALID_STATE;
    return esp_event_handler_instance_register_with(
        loop, event_base, event_id, event_handler, event_handler_arg, instance);
}

static esp_err_t absent_is_fine(esp_err_t err)
{
    return err == ESP_ERR_NOT_FOUND ? ESP_OK : err;
}

esp_err_t esp_event_handler_unregister_with(esp_event_loop_handle_t event_loop,
                                            esp_event_base_t event_base,
                                            int32_t event_id,
                                            esp_event_handler_t event_handler)
{
    struct event_key key = { event_base, event_id, event_handler };

    if (!event_loop || !event_handler)
        return ESP_ERR_INVALID_ARG;
    return absent_is_fine(event_unregister(event_loop, &key));
}

esp_err_t esp_event_handler_unregister(esp_event_base_t event_base,
                                       int32_t event_id,
                                       esp_event_handler_t event_handler)
{
    struct event_loop *loop = default_loop();

    if (!loop)
        return ESP_ERR_INVALID_STATE;
    return esp_event_handler_unregister_with(loop, event_base, event_id,
                                             event_handler);
}

esp_err_t esp_event_handler_instance_unregister_with(
    esp_event_loop_handle_t event_loop, esp_event_base_t event_base,
    int32_t event_id, esp_event_handler_instance_t instance)
{
    (void)event_base; /* the instance knows its events */
    (void)event_id;
    if (!event_loop || !instance)
        return ESP_ERR_INVALID_ARG;
    return absent_is_fine(event_unregister_instance(event_loop, instance));
}

esp_err_t esp_event_handler_instance_unregister(
    esp_event_base_t event_base, int32_t event_id,
    esp_event_handler_instance_t instance)
{
    struct event_loop *loop = default_loop();

    if (!loop)
        return ESP_ERR_INVALID_STATE;
    return esp_event_handler_instance_unregister_with(loop, event_base,
                                                      event_id, instance);
}

/* --- posts ---------------------------------------------------------------- */

esp_err_t esp_event_post_to(esp_event_loop_handle_t event_loop,
                            esp_event_base_t event_base, int32_t event_id,
                            const void *event_data, size_t event_data_size,
                            uint32_t ticks_to_wait)
{
    struct event_post post = { event_base, event_id, event_data,
                               event_data_size };

    if (!event_loop)
        return ESP_ERR_INVALID_ARG;
    return event_post(event_loop, &post, ticks_ms(ticks_to_wait));
}

esp_err_t esp_event_post(esp_event_base_t event_base, int32_t event_id,
                         const void *event_data, size_t event_data_size,
                         uint32_t ticks_to_wait)
{
    struct event_loop *loop = default_loop();

    if (!loop)
        return ESP_ERR_INVALID_STATE;
    return esp_event_post_to(loop, event_base, event_id, event_data,
                             event_data_size, ticks_to_wait);
}
