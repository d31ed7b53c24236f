/* Other partitions than the application's; see porta/ota_control.h. */
#include "api/https_ota.h"

#include <stdio.h>

#include "api/ota.h"
#include "base/log.h"
#include "slot/slot.h"

#include "porta/ota_control.h"

esp_err_t porta_ota_get_risk(const esp_partition_t *partition,
                             porta_ota_risk_t *risk)
{
    struct part_entry entry;
    struct upd_risk r;

    if (!partition || !risk)
        return ESP_ERR_INVALID_ARG;
    entry = api_entry(partition);
    upd_risk_of(&entry, api_device()->flash.erase_len, &r);
    *risk = (porta_ota_risk_t){ r.survives && !r.never, r.sector_cnt,
                                r.typical_ms };
    return r.never ? ESP_ERR_NOT_ALLOWED : ESP_OK;
}

esp_err_t porta_ota_finish_copy(void)
{
    struct api_device *dev = api_device();
    struct upd_env env = { dev->http, &dev->upd, dev->boot.work };
    struct diag why = DIAG_NONE;
    esp_err_t err;

    api_lock();
    err = upd_redo_copy(&env, &api_ota_store, &why);
    api_unlock();
    if (err && err != ESP_ERR_NOT_FOUND)
        LOGE(OTA_TAG, "%s", why.text);
    return err;
}

/* --- data of an application ----------------------------------------------- */

static const esp_partition_t *data_of(const char *name,
                                      const esp_partition_t *app)
{
    char label[PART_LABEL_LEN + 1];
    const esp_partition_t *p;

    if (!app || !api_is_ota_app(app) ||
        snprintf(
            label, sizeof(label), "%s_%u", name,
            (unsigned)(app->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN)) >=
            (int)sizeof(label))
        return NULL;
    p = esp_partition_find_first(ESP_PARTITION_TYPE_ANY,
                                 ESP_PARTITION_SUBTYPE_ANY, label);
    return p && p->type != ESP_PARTITION_TYPE_APP ? p : NULL;
}

const esp_partition_t *porta_ota_data_partition(const char *name)
{
    return name ? data_of(name, esp_ota_get_running_partition()) : NULL;
}

/* The image in the next slot goes with the data that is about to go. */
static esp_err_t give_up_image(const esp_partition_t *app)
{
    struct part_entry entry = api_entry(app);
    esp_ota_handle_t handle;
    /* Asks all that must hold before that slot is written, erases nothing. */
    esp_err_t err = esp_ota_begin(app, OTA_WITH_SEQUENTIAL_WRITES, &handle);

    if (err)
        return err;
    (void)esp_ota_abort(handle);
    api_lock();
    err = slot_spoil(&api_device()->parts, &entry);
    api_unlock();
    return err;
}

esp_err_t porta_ota_prepare_data(const char *name,
                                 const esp_partition_t **partition)
{
    const esp_partition_t *app;
    esp_err_t err;

    if (!name || !partition)
        return ESP_ERR_INVALID_ARG;
    app = esp_ota_get_next_update_partition(NULL);
    *partition = data_of(name, app);
    if (!*partition)
        return ESP_ERR_NOT_FOUND;
    err = give_up_image(app);
    if (err)
        *partition = NULL;
    return err;
}
