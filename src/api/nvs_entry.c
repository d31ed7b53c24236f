/* nvs_*: statistics, and walking what is stored. */
#include "api/nvs_handle.h"

#include <string.h>

struct nvs_opaque_iterator_t {
    uint32_t mount_id; /* it may be gone by the next call */
    struct kv_iter iter;
    struct kv_info info;
};

/* --- statistics ----------------------------------------------------------- */

esp_err_t nvs_get_stats(const char *part_name, nvs_stats_t *nvs_stats)
{
    struct kv_stats s = { 0 };
    struct api_nvs_mount *mount;
    esp_err_t err = ESP_ERR_NVS_NOT_INITIALIZED;

    if (!nvs_stats)
        return ESP_ERR_INVALID_ARG;
    api_lock();
    mount = api_nvs_mount(part_name);
    if (mount)
        err = kv_get_stats(mount->kv, &s);
    api_unlock();
    *nvs_stats = (nvs_stats_t){ .used_entries = s.used_cnt,
                                .free_entries = s.free_cnt,
                                .available_entries = s.avail_cnt,
                                .total_entries = s.total_cnt,
                                .namespace_count = s.ns_cnt };
    return err;
}

/* --- iterators ------------------------------------------------------------ */

static esp_err_t first(const struct api_nvs_mount *mount, uint8_t ns,
                       nvs_type_t type, nvs_iterator_t *out)
{
    nvs_iterator_t it = api_alloc(sizeof(*it));
    esp_err_t err;

    if (!it)
        return ESP_ERR_NO_MEM;
    it->mount_id = mount->id;
    it->iter.ns = ns;
    it->iter.type = (uint8_t)type;
    err = kv_iter_next(mount->kv, &it->iter, &it->info);
    if (err)
        api_free(it);
    else
        *out = it;
    return err;
}

static esp_err_t first_of(const struct api_nvs_mount *mount, const char *name,
                          nvs_type_t type, nvs_iterator_t *out)
{
    struct kv_ns ns = { .idx = 0 };
    esp_err_t err = name ? kv_open(mount->kv, name, false, &ns) : ESP_OK;

    return err ? err : first(mount, ns.idx, type, out);
}

esp_err_t nvs_entry_find(const char *part_name, const char *namespace_name,
                         nvs_type_t type, nvs_iterator_t *output_iterator)
{
    struct api_nvs_mount *mount;
    esp_err_t err = ESP_ERR_NVS_NOT_FOUND;

    if (!part_name || !output_iterator)
        return ESP_ERR_INVALID_ARG;
    *output_iterator = NULL;
    api_lock();
    mount = api_nvs_mount(part_name);
    if (mount)
        err = first_of(mount, namespace_name, type, output_iterator);
    api_unlock();
    return err;
}

esp_err_t nvs_entry_find_in_handle(nvs_handle_t handle, nvs_type_t type,
                                   nvs_iterator_t *output_iterator)
{
    struct api_nvs_handle *h;
    esp_err_t err;

    if (!output_iterator)
        return ESP_ERR_INVALID_ARG;
    *output_iterator = NULL;
    api_lock();
    err = api_nvs_reader(handle, "", &h);
    if (!err)
        err = first(h->mount, h->ns.idx, type, output_iterator);
    api_unlock();
    return err;
}

esp_err_t nvs_entry_next(nvs_iterator_t *iterator)
{
    struct api_nvs_mount *mount;
    esp_err_t err = ESP_ERR_NVS_NOT_FOUND;

    if (!iterator || !*iterator)
        return ESP_ERR_INVALID_ARG;
    api_lock();
    mount = api_nvs_mount_by_id((*iterator)->mount_id);
    if (mount)
        err = kv_iter_next(mount->kv, &(*iterator)->iter, &(*iterator)->info);
    if (err) {
        api_free(*iterator);
        *iterator = NULL;
    }
    api_unlock();
    return err;
}

esp_err_t nvs_entry_info(const nvs_iterator_t iterator,
                         nvs_entry_info_t *out_info)
{
    if (!iterator || !out_info)
        return ESP_ERR_INVALID_ARG;
    memcpy(out_info->namespace_name, iterator->info.ns_name,
           sizeof(out_info->namespace_name));
    memcpy(out_info->key, iterator->info.key, sizeof(out_info->key));
    out_info->type = (nvs_type_t)iterator->info.type;
    return ESP_OK;
}

void nvs_release_iterator(nvs_iterator_t iterator)
{
    if (iterator)
        api_free(iterator);
}
