/* nvs_*: opening, closing, committing, erasing keys. */
#include "api/nvs_handle.h"

/* --- handles -------------------------------------------------------------- */

struct api_nvs_handle *api_nvs_handle(nvs_handle_t id)
{
    struct api_nvs_handle *h = api_device()->nvs_handles;

    while (h && h->id != id)
        h = h->next;
    return h;
}

esp_err_t api_nvs_reader(nvs_handle_t id, const char *key,
                         struct api_nvs_handle **out)
{
    *out = api_nvs_handle(id);
    if (!*out)
        return ESP_ERR_NVS_INVALID_HANDLE;
    return key ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t api_nvs_writer(nvs_handle_t id, const char *key,
                         struct api_nvs_handle **out)
{
    esp_err_t err = api_nvs_reader(id, key, out);

    if (*out && (*out)->readonly)
        return ESP_ERR_NVS_READ_ONLY;
    return err;
}

static void close_at(struct api_nvs_handle **at)
{
    struct api_nvs_handle *h = *at;

    *at = h->next;
    api_free(h);
}

void api_nvs_close_of(const struct api_nvs_mount *mount)
{
    struct api_nvs_handle **at = &api_device()->nvs_handles;

    while (*at) {
        if ((*at)->mount == mount)
            close_at(at);
        else
            at = &(*at)->next;
    }
}

void nvs_close(nvs_handle_t handle)
{
    struct api_nvs_handle **at;

    api_lock();
    at = &api_device()->nvs_handles;
    while (*at && (*at)->id != handle)
        at = &(*at)->next;
    if (*at)
        close_at(at);
    api_unlock();
}

/* --- open ----------------------------------------------------------------- */

static esp_err_t open_in(struct api_nvs_mount *mount, const char *name,
                         nvs_open_mode_t mode, nvs_handle_t *out)
{
    struct api_device *dev = api_device();
    struct api_nvs_handle *h = api_alloc(sizeof(*h));
    esp_err_t err;

    if (!h)
        return ESP_ERR_NO_MEM;
    err = kv_open(mount->kv, name, mode != NVS_READONLY, &h->ns);
    if (err) {
        api_free(h);
        return err;
    }
    h->ns.purge = mode == NVS_READWRITE_PURGE;
    h->readonly = mode == NVS_READONLY;
    h->mount = mount;
    h->id = ++dev->nvs_last;
    h->next = dev->nvs_handles;
    dev->nvs_handles = h;
    *out = h->id;
    return ESP_OK;
}

esp_err_t nvs_open_from_partition(const char *part_name,
                                  const char *namespace_name,
                                  nvs_open_mode_t open_mode,
                                  nvs_handle_t *out_handle)
{
    struct api_nvs_mount *mount;
    esp_err_t err;

    if (!part_name || !namespace_name || !out_handle)
        return ESP_ERR_INVALID_ARG;
    api_lock();
    mount = api_nvs_mount(part_name);
    if (!api_device()->nvs_mounts)
        err = ESP_ERR_NVS_NOT_INITIALIZED;
    else if (!mount)
        err = ESP_ERR_NVS_PART_NOT_FOUND;
    else
        err = open_in(mount, namespace_name, open_mode, out_handle);
    api_unlock();
    return err;
}

esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode,
                   nvs_handle_t *out_handle)
{
    return nvs_open_from_partition(NVS_DEFAULT_PART_NAME, namespace_name,
                                   open_mode, out_handle);
}

/* --- keys ----------------------------------------------------------------- */

esp_err_t nvs_commit(nvs_handle_t handle)
{
    struct api_nvs_handle *h;

    api_lock();
    h = api_nvs_handle(handle);
    api_unlock();
    return h ? ESP_OK : ESP_ERR_NVS_INVALID_HANDLE;
}

esp_err_t nvs_find_key(nvs_handle_t handle, const char *key,
                       nvs_type_t *out_type)
{
    struct api_nvs_handle *h;
    uint8_t type;
    esp_err_t err;

    api_lock();
    err = api_nvs_reader(handle, key, &h);
    if (!err)
        err = kv_find_key(&h->ns, key, &type);
    if (!err && out_type)
        *out_type = (nvs_type_t)type;
    api_unlock();
    return err;
}

esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key)
{
    struct api_nvs_handle *h;
    esp_err_t err;

    api_lock();
    err = api_nvs_writer(handle, key, &h);
    if (!err)
        err = kv_erase(&h->ns, key);
    api_unlock();
    return err;
}

esp_err_t nvs_erase_all(nvs_handle_t handle)
{
    struct api_nvs_handle *h;
    esp_err_t err;

    api_lock();
    err = api_nvs_writer(handle, "", &h);
    if (!err)
        err = kv_erase_all(&h->ns);
    api_unlock();
    return err;
}

esp_err_t nvs_purge_all(nvs_handle_t handle)
{
    struct api_nvs_handle *h;
    esp_err_t err;

    api_lock();
    err = api_nvs_writer(handle, "", &h);
    if (!err)
        err = kv_purge(&h->ns);
    api_unlock();
    return err;
}

esp_err_t nvs_get_used_entry_count(nvs_handle_t handle, size_t *used_entries)
{
    struct api_nvs_handle *h;
    esp_err_t err;

    if (!used_entries)
        return ESP_ERR_INVALID_ARG;
    *used_entries = 0;
    api_lock();
    err = api_nvs_reader(handle, "", &h);
    if (!err)
        err = kv_used(&h->ns, used_entries);
    api_unlock();
    return err;
}
