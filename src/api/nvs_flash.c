/* nvs_flash_*: partitions, from mounting to erasing. */
#include "api/nvs_handle.h"

#include <string.h>

#include "nvs_flash.h"

/* --- mounts --------------------------------------------------------------- */

struct api_nvs_mount *api_nvs_mount(const char *label)
{
    struct api_nvs_mount *m = api_device()->nvs_mounts;

    label = label ? label : NVS_DEFAULT_PART_NAME;
    while (m && strcmp(m->label, label) != 0)
        m = m->next;
    return m;
}

struct api_nvs_mount *api_nvs_mount_by_id(uint32_t id)
{
    struct api_nvs_mount *m = api_device()->nvs_mounts;

    while (m && m->id != id)
        m = m->next;
    return m;
}

static void unmount(struct api_nvs_mount *m)
{
    struct api_nvs_mount **at = &api_device()->nvs_mounts;

    api_nvs_close_of(m);
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    kv_unmount(m->kv);
    api_free(m);
}

static void unmount_all(void)
{
    while (api_device()->nvs_mounts)
        unmount(api_device()->nvs_mounts);
}

static esp_err_t mount(const esp_partition_t *partition)
{
    struct api_device *dev = api_device();
    struct part_entry entry = api_entry(partition);
    struct api_nvs_mount *m;
    esp_err_t err;

    if (api_nvs_mount(partition->label))
        return ESP_OK;
    if (partition->encrypted)
        return ESP_ERR_NVS_WRONG_ENCRYPTION;
    m = api_alloc(sizeof(*m));
    if (!m)
        return ESP_ERR_NO_MEM;
    err = kv_mount(&dev->parts, &entry, dev->boot.heap, &m->kv);
    if (err) {
        api_free(m);
        return err;
    }
    m->id = ++dev->nvs_last;
    memcpy(m->label, entry.label, sizeof(m->label));
    m->next = dev->nvs_mounts;
    dev->nvs_mounts = m;
    dev->at_stop[API_STOP_NVS] = unmount_all;
    return ESP_OK;
}

/* --- initialise ----------------------------------------------------------- */

static const esp_partition_t *find(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA,
                                    ESP_PARTITION_SUBTYPE_DATA_NVS, label);
}

esp_err_t nvs_flash_init_partition_ptr(const esp_partition_t *partition)
{
    esp_err_t err;

    if (!partition)
        return ESP_ERR_INVALID_ARG;
    api_lock();
    err = mount(partition);
    api_unlock();
    return err;
}

esp_err_t nvs_flash_init_partition(const char *partition_label)
{
    const esp_partition_t *partition;

    if (!partition_label || strlen(partition_label) > NVS_PART_NAME_MAX_SIZE)
        return ESP_ERR_INVALID_ARG;
    partition = find(partition_label);
    if (!partition)
        return ESP_ERR_NOT_FOUND;
    return nvs_flash_init_partition_ptr(partition);
}

esp_err_t nvs_flash_init(void)
{
    return nvs_flash_init_partition(NVS_DEFAULT_PART_NAME);
}

esp_err_t nvs_flash_secure_init_partition(const char *partition_label,
                                          nvs_sec_cfg_t *cfg)
{
    return cfg ? ESP_ERR_NVS_ENCR_NOT_SUPPORTED
               : nvs_flash_init_partition(partition_label);
}

esp_err_t nvs_flash_secure_init(nvs_sec_cfg_t *cfg)
{
    return nvs_flash_secure_init_partition(NVS_DEFAULT_PART_NAME, cfg);
}

esp_err_t nvs_flash_deinit_partition(const char *partition_label)
{
    struct api_nvs_mount *m;

    if (!partition_label)
        return ESP_ERR_INVALID_ARG;
    api_lock();
    m = api_nvs_mount(partition_label);
    if (m)
        unmount(m);
    api_unlock();
    return m ? ESP_OK : ESP_ERR_NVS_NOT_INITIALIZED;
}

esp_err_t nvs_flash_deinit(void)
{
    return nvs_flash_deinit_partition(NVS_DEFAULT_PART_NAME);
}

/* --- erase ---------------------------------------------------------------- */

esp_err_t nvs_flash_erase_partition_ptr(const esp_partition_t *partition)
{
    struct part_entry entry;
    struct api_nvs_mount *m;
    esp_err_t err;

    if (!partition)
        return ESP_ERR_INVALID_ARG;
    entry = api_entry(partition);
    api_lock();
    m = api_nvs_mount(partition->label);
    if (m)
        unmount(m);
    err = kv_wipe(&api_device()->parts, &entry);
    api_unlock();
    return err;
}

esp_err_t nvs_flash_erase_partition(const char *part_name)
{
    const esp_partition_t *partition;

    if (!part_name)
        return ESP_ERR_INVALID_ARG;
    partition = find(part_name);
    if (!partition)
        return ESP_ERR_NOT_FOUND;
    return nvs_flash_erase_partition_ptr(partition);
}

esp_err_t nvs_flash_erase(void)
{
    return nvs_flash_erase_partition(NVS_DEFAULT_PART_NAME);
}
