/* esp_sntp.h - the time of day.
 *
 * The host's clock is kept right by the host: servers are accepted and not
 * asked, and the time is synchronized as soon as it is asked for. */
#ifndef ESP_SNTP_H
#define ESP_SNTP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SNTP_OPMODE_POLL 0
#define ESP_SNTP_OPMODE_POLL SNTP_OPMODE_POLL
#define ESP_SNTP_OPMODE_LISTENONLY 1
#define SNTP_MAX_SERVERS 4

typedef enum { SNTP_SYNC_MODE_IMMED, SNTP_SYNC_MODE_SMOOTH } sntp_sync_mode_t;
typedef enum {
    SNTP_SYNC_STATUS_RESET,
    SNTP_SYNC_STATUS_COMPLETED,
    SNTP_SYNC_STATUS_IN_PROGRESS
} sntp_sync_status_t;
typedef uint8_t esp_sntp_operatingmode_t;
typedef void (*sntp_sync_time_cb_t)(struct timeval *tv);

void esp_sntp_setoperatingmode(esp_sntp_operatingmode_t operating_mode);
void esp_sntp_setservername(uint8_t idx, const char *server);
const char *esp_sntp_getservername(uint8_t idx);
void esp_sntp_init(void);
void esp_sntp_stop(void);
bool esp_sntp_enabled(void);

/* Called when the time is synchronized: by esp_sntp_init(). */
void sntp_set_time_sync_notification_cb(sntp_sync_time_cb_t callback);
void sntp_set_sync_mode(sntp_sync_mode_t sync_mode);
sntp_sync_mode_t sntp_get_sync_mode(void);
/* COMPLETED once after esp_sntp_init(), then RESET, as in the reference. */
sntp_sync_status_t sntp_get_sync_status(void);
void sntp_set_sync_interval(uint32_t interval_ms);
uint32_t sntp_get_sync_interval(void);
bool sntp_restart(void);

#define esp_sntp_get_sync_status() sntp_get_sync_status()
#define esp_sntp_set_time_sync_notification_cb(callback) \
    sntp_set_time_sync_notification_cb(callback)
#define sntp_setoperatingmode(mode) esp_sntp_setoperatingmode(mode)
#define sntp_setservername(idx, server) esp_sntp_setservername(idx, server)
#define sntp_init() esp_sntp_init()
#define sntp_stop() esp_sntp_stop()

#ifdef __cplusplus
}
#endif

#endif
