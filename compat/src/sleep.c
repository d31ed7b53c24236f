/* esp_sleep.h: a deep sleep is a reset with a reason, after its time. */
#include "esp_sleep.h"

#include <stdbool.h>
#include <stdint.h>

#include "compat.h"
#include "esp_system.h"
#include "linux_time.h"

static bool timer_on, slept_light;
static uint64_t timer_us;

esp_err_t esp_sleep_enable_timer_wakeup(uint64_t time_in_us)
{
    timer_us = time_in_us;
    timer_on = true;
    return ESP_OK;
}

esp_err_t esp_sleep_disable_wakeup_source(esp_sleep_source_t source)
{
    bool was = timer_on;
    if (source != ESP_SLEEP_WAKEUP_TIMER && source != ESP_SLEEP_WAKEUP_ALL)
        return ESP_ERR_INVALID_STATE;
    timer_on = false;
    return was || source == ESP_SLEEP_WAKEUP_ALL ? ESP_OK
                                                 : ESP_ERR_INVALID_STATE;
}

esp_sleep_wakeup_cause_t esp_sleep_get_wakeup_cause(void)
{
    return slept_light || esp_reset_reason() == ESP_RST_DEEPSLEEP
               ? ESP_SLEEP_WAKEUP_TIMER
               : ESP_SLEEP_WAKEUP_UNDEFINED;
}

/* The board waits, so that no task and no watchdog of this boot goes on. */
void esp_deep_sleep_start(void)
{
    compat_deep_sleep(timer_on ? timer_us : UINT64_MAX);
}

void esp_deep_sleep(uint64_t time_in_us)
{
    (void)esp_sleep_enable_timer_wakeup(time_in_us);
    esp_deep_sleep_start();
}

esp_err_t esp_light_sleep_start(void)
{
    if (!timer_on)
        return ESP_ERR_INVALID_STATE;
    linux_sleep_us(timer_us);
    slept_light = true;
    return ESP_OK;
}
