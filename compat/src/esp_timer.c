#include "esp_timer.h"

#include <stdlib.h>

#include "alarm.h"

struct esp_timer {
    struct compat_alarm alarm;
};

esp_err_t esp_timer_init(void)
{
    return ESP_OK;
}

esp_err_t esp_timer_deinit(void)
{
    return ESP_OK;
}

esp_err_t esp_timer_create(const esp_timer_create_args_t *create_args,
                           esp_timer_handle_t *out_handle)
{
    if (!create_args || !create_args->callback || !out_handle)
        return ESP_ERR_INVALID_ARG;
    struct esp_timer *timer = calloc(1, sizeof(*timer));
    if (!timer)
        return ESP_ERR_NO_MEM;
    timer->alarm.fn = create_args->callback;
    timer->alarm.arg = create_args->arg;
    *out_handle = timer;
    return ESP_OK;
}

static esp_err_t start(esp_timer_handle_t timer, uint64_t after_us,
                       uint64_t period_us)
{
    if (!timer)
        return ESP_ERR_INVALID_ARG;
    if (compat_alarm_active(&timer->alarm))
        return ESP_ERR_INVALID_STATE;
    return compat_alarm_start(&timer->alarm, after_us, period_us)
               ? ESP_OK
               : ESP_ERR_NO_MEM;
}

esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t timeout_us)
{
    return start(timer, timeout_us, 0);
}

esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t period_us)
{
    if (period_us == 0)
        return ESP_ERR_INVALID_ARG;
    return start(timer, period_us, period_us);
}

esp_err_t esp_timer_restart(esp_timer_handle_t timer, uint64_t timeout_us)
{
    if (!timer)
        return ESP_ERR_INVALID_ARG;
    if (!compat_alarm_active(&timer->alarm))
        return ESP_ERR_INVALID_STATE;
    bool periodic = timer->alarm.period_us > 0;
    if (periodic && timeout_us == 0)
        return ESP_ERR_INVALID_ARG;
    return compat_alarm_start(&timer->alarm, timeout_us,
                              periodic ? timeout_us : 0)
               ? ESP_OK
               : ESP_ERR_NO_MEM;
}

esp_err_t esp_timer_stop(esp_timer_handle_t timer)
{
    if (!timer)
        return ESP_ERR_INVALID_ARG;
    return compat_alarm_stop(&timer->alarm) ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_timer_delete(esp_timer_handle_t timer)
{
    if (!timer)
        return ESP_ERR_INVALID_ARG;
    if (compat_alarm_active(&timer->alarm))
        return ESP_ERR_INVALID_STATE;
    compat_alarm_drop(&timer->alarm);
    free(timer);
    return ESP_OK;
}

bool esp_timer_is_active(esp_timer_handle_t timer)
{
    return timer && compat_alarm_active(&timer->alarm);
}

esp_err_t esp_timer_get_period(esp_timer_handle_t timer, uint64_t *period)
{
    if (!timer || !period || timer->alarm.period_us == 0)
        return ESP_ERR_INVALID_ARG;
    *period = timer->alarm.period_us;
    return ESP_OK;
}

int64_t esp_timer_get_time(void)
{
    return (int64_t)compat_now_us();
}
