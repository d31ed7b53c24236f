/* Timers of both kinds, as an application sets them. */
#include <pthread.h>
#include <stdatomic.h>

#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/timers.h"
#include "runtime.h"

static atomic_int calls, periods;
static pthread_t alarm_thread, period_thread;
static SemaphoreHandle_t called;

static void on_alarm(void *arg)
{
    (void)arg;
    alarm_thread = pthread_self();
    atomic_fetch_add(&calls, 1);
    xSemaphoreGive(called);
}

static void check_esp_timer(void)
{
    const esp_timer_create_args_t args = { .callback = on_alarm,
                                           .name = "alarm" };
    esp_timer_handle_t timer;
    int64_t start = esp_timer_get_time();

    check("a timer is made", esp_timer_create(&args, &timer) == ESP_OK);
    check("and started", esp_timer_start_once(timer, 500000) == ESP_OK &&
                             esp_timer_is_active(timer));
    check("not twice", esp_timer_start_once(timer, 1) == ESP_ERR_INVALID_STATE);
    check("nor deleted while it runs",
          esp_timer_delete(timer) == ESP_ERR_INVALID_STATE);
    xSemaphoreTake(called, pdMS_TO_TICKS(5000));
    check("called in time",
          atomic_load(&calls) == 1 && esp_timer_get_time() - start >= 500000);
    check("once", !esp_timer_is_active(timer));
    esp_timer_start_periodic(timer, 5000);
    for (int i = 0; i < 3; i++)
        xSemaphoreTake(called, pdMS_TO_TICKS(5000));
    check("again and again", atomic_load(&calls) >= 4);
    check("until it is stopped",
          esp_timer_stop(timer) == ESP_OK &&
              esp_timer_stop(timer) == ESP_ERR_INVALID_STATE);
    check("then deleted", esp_timer_delete(timer) == ESP_OK);
}

static void on_period(TimerHandle_t timer)
{
    period_thread = pthread_self();
    atomic_fetch_add(&periods, 1);
    xSemaphoreGive((SemaphoreHandle_t)pvTimerGetTimerID(timer));
}

static void check_freertos_timer(void)
{
    TimerHandle_t once =
        xTimerCreate("once", pdMS_TO_TICKS(20000), pdFALSE, called, on_period);

    check("no timer of no time",
          xTimerCreate("none", 0, pdFALSE, NULL, on_period) == NULL);
    check("a timer does not run by itself",
          xTimerIsTimerActive(once) == pdFALSE);
    xTimerStart(once, 0);
    check("it runs", xTimerIsTimerActive(once) == pdTRUE);
    xTimerStop(once, 0);
    check("it is stopped", xTimerIsTimerActive(once) == pdFALSE);
    xTimerChangePeriod(once, pdMS_TO_TICKS(10), 0);
    xSemaphoreTake(called, pdMS_TO_TICKS(5000));
    check("called once", atomic_load(&periods) == 1);
    check("one thread calls both",
          pthread_equal(alarm_thread, period_thread) &&
              !pthread_equal(alarm_thread, pthread_self()));
    xTimerDelete(once, 0);
}

void check_timers(void)
{
    called = xSemaphoreCreateCounting(100, 0);
    check_esp_timer();
    while (xSemaphoreTake(called, 0) == pdTRUE)
        ;
    check_freertos_timer();
}
