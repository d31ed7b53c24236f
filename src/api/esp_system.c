#include "esp_system.h"

#include <stdlib.h>

#include "api/device.h"
#include "base/log.h"

static const char tag[] = "system";

/* --- reset ---------------------------------------------------------------- */

#define SHUTDOWN_CNT 5u

/* ESP-IDF's shutdown handlers have no owner; this is their list. */
static shutdown_handler_t shutdown_handlers[SHUTDOWN_CNT];

static shutdown_handler_t *shutdown_slot(shutdown_handler_t handle)
{
    for (size_t i = 0; i < SHUTDOWN_CNT; i++)
        if (shutdown_handlers[i] == handle)
            return &shutdown_handlers[i];
    return NULL;
}

static esp_err_t shutdown_add(shutdown_handler_t handle)
{
    shutdown_handler_t *slot = shutdown_slot(NULL);

    if (shutdown_slot(handle))
        return ESP_ERR_INVALID_STATE;
    if (!slot)
        return ESP_ERR_NO_MEM;
    *slot = handle;
    return ESP_OK;
}

esp_err_t esp_register_shutdown_handler(shutdown_handler_t handle)
{
    esp_err_t err;

    api_lock();
    err = shutdown_add(handle);
    api_unlock();
    return err;
}

esp_err_t esp_unregister_shutdown_handler(shutdown_handler_t handle)
{
    shutdown_handler_t *slot;

    api_lock();
    slot = shutdown_slot(handle);
    if (slot)
        *slot = NULL;
    api_unlock();
    return slot ? ESP_OK : ESP_ERR_INVALID_STATE;
}

void esp_restart(void)
{
    const struct port_sys *sys = api_device()->boot.sys;

    for (size_t i = SHUTDOWN_CNT; i > 0; i--)
        if (shutdown_handlers[i - 1])
            shutdown_handlers[i - 1]();
    sys->restart(sys->ctx);
    LOGE(tag, "the device did not reset");
    abort();
}

esp_reset_reason_t esp_reset_reason(void)
{
    const struct port_sys *sys = api_device()->boot.sys;

    /* The numbers of the port are those of ESP-IDF. */
    return (esp_reset_reason_t)sys->reset_reason(sys->ctx);
}

void esp_system_abort(const char *details)
{
    LOGE(tag, "abort: %s", details ? details : "(no details)");
    abort();
}
