/* esp_task_wdt.h - the watchdog of tasks.
 *
 * A task or user that is watched must call esp_task_wdt_reset() or
 * _reset_user() within the time. When one did not, its name is logged, and with
 * trigger_panic the device resets: the next reset reason is ESP_RST_TASK_WDT.
 * Idle tasks are not watched: a host has none. */
#ifndef ESP_TASK_WDT_H
#define ESP_TASK_WDT_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t timeout_ms;
    uint32_t idle_core_mask; /* accepted */
    bool trigger_panic;
} esp_task_wdt_config_t;

struct compat_wdt_user;
typedef struct compat_wdt_user *esp_task_wdt_user_handle_t;

/* CONFIG_ESP_TASK_WDT_INIT does it at the start: then it is
 * ESP_ERR_INVALID_STATE, and esp_task_wdt_reconfigure() is what is wanted. */
esp_err_t esp_task_wdt_init(const esp_task_wdt_config_t *config);
esp_err_t esp_task_wdt_reconfigure(const esp_task_wdt_config_t *config);
/* ESP_ERR_INVALID_STATE: somebody is still watched. */
esp_err_t esp_task_wdt_deinit(void);

/* NULL: the calling task. ESP_ERR_INVALID_ARG: it is watched already. */
esp_err_t esp_task_wdt_add(TaskHandle_t task_handle);
esp_err_t esp_task_wdt_add_user(const char *user_name,
                                esp_task_wdt_user_handle_t *user_handle_ret);
/* ESP_ERR_NOT_FOUND: it is not watched. */
esp_err_t esp_task_wdt_reset(void);
esp_err_t esp_task_wdt_reset_user(esp_task_wdt_user_handle_t user_handle);
esp_err_t esp_task_wdt_delete(TaskHandle_t task_handle);
esp_err_t esp_task_wdt_delete_user(esp_task_wdt_user_handle_t user_handle);
/* ESP_OK: it is watched. */
esp_err_t esp_task_wdt_status(TaskHandle_t task_handle);

#ifdef __cplusplus
}
#endif

#endif
