/* nvs.h - a key/value store that survives power loss.
 *
 * Initialise the partition first (nvs_flash.h). What a set or erase returns
 * ESP_OK for is in flash already; nvs_commit() is there for code that calls
 * it. A key has one value of one type; setting it replaces whatever it had.
 * Names and keys have 1 to 15 characters.
 *
 * Every function that takes a handle: ESP_ERR_NVS_INVALID_HANDLE; those that
 * write: ESP_ERR_NVS_READ_ONLY on a handle of mode NVS_READONLY. Strings and
 * structs that must not be NULL and are: ESP_ERR_INVALID_ARG. */
#ifndef NVS_H
#define NVS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NVS_DEFAULT_PART_NAME "nvs"
#define NVS_PART_NAME_MAX_SIZE 16
#define NVS_KEY_NAME_MAX_SIZE 16 /* with the NUL */
#define NVS_NS_NAME_MAX_SIZE NVS_KEY_NAME_MAX_SIZE

typedef uint32_t nvs_handle_t;
typedef nvs_handle_t nvs_handle;

typedef enum {
    NVS_READONLY,
    NVS_READWRITE,
    NVS_READWRITE_PURGE /* and what is erased is overwritten with zeros */
} nvs_open_mode_t;
typedef nvs_open_mode_t nvs_open_mode;

typedef enum {
    NVS_TYPE_U8 = 0x01,
    NVS_TYPE_I8 = 0x11,
    NVS_TYPE_U16 = 0x02,
    NVS_TYPE_I16 = 0x12,
    NVS_TYPE_U32 = 0x04,
    NVS_TYPE_I32 = 0x14,
    NVS_TYPE_U64 = 0x08,
    NVS_TYPE_I64 = 0x18,
    NVS_TYPE_FLOAT = 0x24,
    NVS_TYPE_DOUBLE = 0x28,
    NVS_TYPE_STR = 0x21,
    NVS_TYPE_BLOB = 0x42,
    NVS_TYPE_ANY = 0xff
} nvs_type_t;

typedef struct {
    char namespace_name[NVS_NS_NAME_MAX_SIZE];
    char key[NVS_KEY_NAME_MAX_SIZE];
    nvs_type_t type;
} nvs_entry_info_t;

typedef struct nvs_opaque_iterator_t *nvs_iterator_t;

/* In entries; a page has 126. */
typedef struct {
    size_t used_entries;
    size_t free_entries;
    size_t available_entries; /* free, less the page that is kept free */
    size_t total_entries;
    size_t namespace_count;
} nvs_stats_t;

/* ESP_ERR_NVS_NOT_INITIALIZED: no partition is. _NVS_PART_NOT_FOUND: this one
 * is not. _NVS_NOT_FOUND: to be read, and there is no such namespace. To be
 * written, a namespace is made. ESP_ERR_NOT_ALLOWED: to be written, and the
 * partition is readonly. _NVS_INVALID_NAME, _NVS_KEY_TOO_LONG: the name.
 * _NVS_NOT_ENOUGH_SPACE: no room for its name, or 254 are there. */
esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode,
                   nvs_handle_t *out_handle);
esp_err_t nvs_open_from_partition(const char *part_name,
                                  const char *namespace_name,
                                  nvs_open_mode_t open_mode,
                                  nvs_handle_t *out_handle);
/* An unknown handle is ignored. */
void nvs_close(nvs_handle_t handle);
esp_err_t nvs_commit(nvs_handle_t handle);

/* ESP_ERR_NVS_KEY_TOO_LONG. _NVS_VALUE_TOO_LONG: a string above 4000 bytes
 * with its NUL, a blob above (pages - 1) * 4000. _NVS_NOT_ENOUGH_SPACE: the
 * old value stays. A value that is there already is not written again. */
esp_err_t nvs_set_i8(nvs_handle_t handle, const char *key, int8_t value);
esp_err_t nvs_set_u8(nvs_handle_t handle, const char *key, uint8_t value);
esp_err_t nvs_set_i16(nvs_handle_t handle, const char *key, int16_t value);
esp_err_t nvs_set_u16(nvs_handle_t handle, const char *key, uint16_t value);
esp_err_t nvs_set_i32(nvs_handle_t handle, const char *key, int32_t value);
esp_err_t nvs_set_u32(nvs_handle_t handle, const char *key, uint32_t value);
esp_err_t nvs_set_i64(nvs_handle_t handle, const char *key, int64_t value);
esp_err_t nvs_set_u64(nvs_handle_t handle, const char *key, uint64_t value);
esp_err_t nvs_set_float(nvs_handle_t handle, const char *key, float value);
esp_err_t nvs_set_double(nvs_handle_t handle, const char *key, double value);
esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value);
esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value,
                       size_t length);

/* ESP_ERR_NVS_NOT_FOUND: no such key of this type; *out_value is as it was. */
esp_err_t nvs_get_i8(nvs_handle_t handle, const char *key, int8_t *out_value);
esp_err_t nvs_get_u8(nvs_handle_t handle, const char *key, uint8_t *out_value);
esp_err_t nvs_get_i16(nvs_handle_t handle, const char *key, int16_t *out_value);
esp_err_t nvs_get_u16(nvs_handle_t handle, const char *key,
                      uint16_t *out_value);
esp_err_t nvs_get_i32(nvs_handle_t handle, const char *key, int32_t *out_value);
esp_err_t nvs_get_u32(nvs_handle_t handle, const char *key,
                      uint32_t *out_value);
esp_err_t nvs_get_i64(nvs_handle_t handle, const char *key, int64_t *out_value);
esp_err_t nvs_get_u64(nvs_handle_t handle, const char *key,
                      uint64_t *out_value);
esp_err_t nvs_get_float(nvs_handle_t handle, const char *key, float *out_value);
esp_err_t nvs_get_double(nvs_handle_t handle, const char *key,
                         double *out_value);
/* out_value NULL: *length becomes the length, with the NUL of a string.
 * ESP_ERR_NVS_INVALID_LENGTH: *length is too small and becomes the length, or
 * length is NULL. */
esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *out_value,
                      size_t *length);
esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value,
                       size_t *length);

/* ESP_ERR_NVS_NOT_FOUND. out_type may be NULL. */
esp_err_t nvs_find_key(nvs_handle_t handle, const char *key,
                       nvs_type_t *out_type);
/* ESP_ERR_NVS_NOT_FOUND: no such key. */
esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key);
/* The whole namespace; its name stays. */
esp_err_t nvs_erase_all(nvs_handle_t handle);
/* Overwrites what was erased from the namespace earlier. */
esp_err_t nvs_purge_all(nvs_handle_t handle);

/* part_name NULL: the default. ESP_ERR_NVS_NOT_INITIALIZED. */
esp_err_t nvs_get_stats(const char *part_name, nvs_stats_t *nvs_stats);
/* Of one namespace, its name's own entry not counted. */
esp_err_t nvs_get_used_entry_count(nvs_handle_t handle, size_t *used_entries);

/* The first key of this type (NVS_TYPE_ANY: any) in this namespace (NULL:
 * any). ESP_ERR_NVS_NOT_FOUND: there is none, no such namespace, or the
 * partition is not initialised; *output_iterator is NULL then. ESP_ERR_NO_MEM.
 * An iterator is valid until nvs_release_iterator(), or until there is no next
 * entry. Keys set meanwhile may be seen twice. */
esp_err_t nvs_entry_find(const char *part_name, const char *namespace_name,
                         nvs_type_t type, nvs_iterator_t *output_iterator);
esp_err_t nvs_entry_find_in_handle(nvs_handle_t handle, nvs_type_t type,
                                   nvs_iterator_t *output_iterator);
/* ESP_ERR_NVS_NOT_FOUND: that was the last; *iterator is released and NULL. */
esp_err_t nvs_entry_next(nvs_iterator_t *iterator);
esp_err_t nvs_entry_info(const nvs_iterator_t iterator,
                         nvs_entry_info_t *out_info);
/* NULL is a no-op. */
void nvs_release_iterator(nvs_iterator_t iterator);

#ifdef __cplusplus
}
#endif

#endif
