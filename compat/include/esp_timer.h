/* esp_timer.h - time in microseconds, and functions that are called later.
 *
 * Call-backs of all timers run one after the other on one thread, that of
 * freertos/timers.h too. */
#ifndef ESP_TIMER_H
#define ESP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct esp_timer;
typedef struct esp_timer *esp_timer_handle_t;
typedef void (*esp_timer_cb_t)(void *arg);

typedef enum { ESP_TIMER_TASK, ESP_TIMER_MAX } esp_timer_dispatch_t;

typedef struct {
    esp_timer_cb_t callback;
    void *arg;
    esp_timer_dispatch_t dispatch_method;
    const char *name;
    bool skip_unhandled_events; /* what was missed is always skipped */
} esp_timer_create_args_t;

/* There is nothing to set up; for programs that call it. */
esp_err_t esp_timer_init(void);
esp_err_t esp_timer_deinit(void);

esp_err_t esp_timer_create(const esp_timer_create_args_t *create_args,
                           esp_timer_handle_t *out_handle);
/* ESP_ERR_INVALID_STATE: it runs already. */
esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t timeout_us);
esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer,
                                   uint64_t period_us);
/* ESP_ERR_INVALID_STATE: it does not run. */
esp_err_t esp_timer_restart(esp_timer_handle_t timer, uint64_t timeout_us);
esp_err_t esp_timer_stop(esp_timer_handle_t timer);
/* ESP_ERR_INVALID_STATE: it runs. */
esp_err_t esp_timer_delete(esp_timer_handle_t timer);
bool esp_timer_is_active(esp_timer_handle_t timer);
/* ESP_ERR_INVALID_ARG: it is not periodic. */
esp_err_t esp_timer_get_period(esp_timer_handle_t timer, uint64_t *period);

/* Microseconds since the start. */
int64_t esp_timer_get_time(void);

#ifdef __cplusplus
}
#endif

#endif
