/* api/nvs_handle.h - mounted partitions and open namespaces of nvs_*.
 *
 * All of it under api_lock(). */
#ifndef API_NVS_HANDLE_H
#define API_NVS_HANDLE_H

#include "api/device.h" /* first: the core's names, then the public ones */
#include "kv/kv.h"

#include "nvs.h"

struct api_nvs_mount {
    struct api_nvs_mount *next;
    uint32_t id; /* never used twice */
    char label[PART_LABEL_LEN + 1];
    struct kv *kv;
};

struct api_nvs_handle {
    struct api_nvs_handle *next;
    nvs_handle_t id;
    struct api_nvs_mount *mount;
    struct kv_ns ns;
    bool readonly;
};

/* NULL: not initialised. label NULL: the default one. */
struct api_nvs_mount *api_nvs_mount(const char *label);
/* NULL: de-initialised since. */
struct api_nvs_mount *api_nvs_mount_by_id(uint32_t id);

/* NULL: no such handle. */
struct api_nvs_handle *api_nvs_handle(nvs_handle_t id);
/* For a call that writes: also ESP_ERR_NVS_READ_ONLY. */
MUST_CHECK esp_err_t api_nvs_writer(nvs_handle_t id, const char *key,
                                    struct api_nvs_handle **out);
MUST_CHECK esp_err_t api_nvs_reader(nvs_handle_t id, const char *key,
                                    struct api_nvs_handle **out);
/* Every handle of one partition. */
void api_nvs_close_of(const struct api_nvs_mount *mount);

#endif
