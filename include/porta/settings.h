/* porta/settings.h - settings that follow the image.
 *
 * A new image may keep its settings in another form (schema) than the one it
 * replaces. It then works on a copy, which its own hook changes, and the old
 * settings stay as they are: an image that is gone back to finds them. Images
 * of one schema share their settings.
 *
 *     static esp_err_t migrate(void *ctx, uint32_t from, uint32_t to)
 *     {
 *         nvs_handle_t h;
 *         esp_err_t err = porta_settings_open("wifi", NVS_READWRITE, &h);
 *         ...
 *     }
 *     static const char *const names[] = { "wifi", "app" };
 *     const porta_settings_t mine = { names, 2, 3, migrate, NULL };
 *     nvs_flash_init();
 *     porta_settings_begin(&mine);
 *     porta_settings_open("wifi", NVS_READWRITE, &h); // for nvs_open()
 *
 * Power may go at any time: until porta_settings_begin() returned ESP_OK the
 * old settings count, and the next start does all of it again. They are in the
 * default NVS partition, which needs room for both; those that were left stay
 * until a later schema needs the room. What ran last is what a new schema
 * starts from: settings of an image that was left are not merged. */
#ifndef PORTA_SETTINGS_H
#define PORTA_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "nvs.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *const *namespaces; /* at most 14 characters each */
    size_t namespace_cnt;
    uint32_t schema; /* 1 to 16383; another number for another form */
    /* Changes a copy; to is the schema above, from 0: what was kept before
     * there was a schema, perhaps nothing; from > to: an older image runs
     * and its own settings are gone. Another result than ESP_OK ends
     * porta_settings_begin(). NULL: a copy will do. */
    esp_err_t (*migrate)(void *ctx, uint32_t from, uint32_t to);
    void *ctx;
} porta_settings_t;

/* Once at each start, after nvs_flash_init(), before a handle is opened.
 * ESP_ERR_NVS_NOT_INITIALIZED; ESP_ERR_INVALID_ARG;
 * ESP_ERR_NVS_NOT_ENOUGH_SPACE: no room for a copy. An image on trial for
 * which this fails should not confirm itself. */
esp_err_t porta_settings_begin(const porta_settings_t *settings);

/* nvs_open() for a namespace of those above; also inside the hook.
 * ESP_ERR_INVALID_STATE: porta_settings_begin() did not succeed. */
esp_err_t porta_settings_open(const char *name, nvs_open_mode_t mode,
                              nvs_handle_t *out);

#ifdef __cplusplus
}
#endif

#endif
