/* esp_system.h - reset, its reason, memory. */
#ifndef ESP_SYSTEM_H
#define ESP_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_idf_version.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_RST_UNKNOWN,
    ESP_RST_POWERON,
    ESP_RST_EXT,
    ESP_RST_SW,
    ESP_RST_PANIC,
    ESP_RST_INT_WDT,
    ESP_RST_TASK_WDT,
    ESP_RST_WDT,
    ESP_RST_DEEPSLEEP,
    ESP_RST_BROWNOUT,
    ESP_RST_SDIO,
    ESP_RST_USB,
    ESP_RST_JTAG,
    ESP_RST_EFUSE,
    ESP_RST_PWR_GLITCH,
    ESP_RST_CPU_LOCKUP
} esp_reset_reason_t;

typedef void (*shutdown_handler_t)(void);

/* Runs the shutdown handlers, last registered first, and resets the device. */
void esp_restart(void) __attribute__((noreturn));

/* Why the last reset happened. */
esp_reset_reason_t esp_reset_reason(void);

/* ESP_ERR_INVALID_STATE: registered already, or not at all.
 * ESP_ERR_NO_MEM: more than five. */
esp_err_t esp_register_shutdown_handler(shutdown_handler_t handle);
esp_err_t esp_unregister_shutdown_handler(shutdown_handler_t handle);

/* Ends the program as a crash does: the next reset reason is ESP_RST_PANIC. */
void esp_system_abort(const char *details) __attribute__((noreturn));

/* Bytes that could be allocated, and the least that any call has found.
 * On a host: the machine's free memory, at most 4 GiB. */
uint32_t esp_get_free_heap_size(void);
uint32_t esp_get_free_internal_heap_size(void);
uint32_t esp_get_minimum_free_heap_size(void);

#ifdef __cplusplus
}
#endif

#endif
