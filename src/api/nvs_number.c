/* nvs_*: numbers of every width. */
#include "api/nvs_handle.h"

#include <string.h>

/* --- numbers: by their bits ----------------------------------------------- */

static esp_err_t set_number(nvs_handle_t handle, const char *key,
                            nvs_type_t type, uint64_t bits)
{
    struct api_nvs_handle *h;
    esp_err_t err;

    api_lock();
    err = api_nvs_writer(handle, key, &h);
    if (!err)
        err = kv_set_number(&h->ns, key, (uint8_t)type, bits);
    api_unlock();
    return err;
}

static esp_err_t get_number(nvs_handle_t handle, const char *key,
                            nvs_type_t type, uint64_t *bits)
{
    struct api_nvs_handle *h;
    esp_err_t err;

    api_lock();
    err = api_nvs_reader(handle, key, &h);
    if (!err)
        err = kv_get_number(&h->ns, key, (uint8_t)type, bits);
    api_unlock();
    return err;
}

esp_err_t nvs_set_i8(nvs_handle_t handle, const char *key, int8_t value)
{
    return set_number(handle, key, NVS_TYPE_I8, (uint8_t)value);
}

esp_err_t nvs_set_u8(nvs_handle_t handle, const char *key, uint8_t value)
{
    return set_number(handle, key, NVS_TYPE_U8, value);
}

esp_err_t nvs_set_i16(nvs_handle_t handle, const char *key, int16_t value)
{
    return set_number(handle, key, NVS_TYPE_I16, (uint16_t)value);
}

esp_err_t nvs_set_u16(nvs_handle_t handle, const char *key, uint16_t value)
{
    return set_number(handle, key, NVS_TYPE_U16, value);
}

esp_err_t nvs_set_i32(nvs_handle_t handle, const char *key, int32_t value)
{
    return set_number(handle, key, NVS_TYPE_I32, (uint32_t)value);
}

esp_err_t nvs_set_u32(nvs_handle_t handle, const char *key, uint32_t value)
{
    return set_number(handle, key, NVS_TYPE_U32, value);
}

esp_err_t nvs_set_i64(nvs_handle_t handle, const char *key, int64_t value)
{
    return set_number(handle, key, NVS_TYPE_I64, (uint64_t)value);
}

esp_err_t nvs_set_u64(nvs_handle_t handle, const char *key, uint64_t value)
{
    return set_number(handle, key, NVS_TYPE_U64, value);
}

esp_err_t nvs_set_float(nvs_handle_t handle, const char *key, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return set_number(handle, key, NVS_TYPE_FLOAT, bits);
}

esp_err_t nvs_set_double(nvs_handle_t handle, const char *key, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return set_number(handle, key, NVS_TYPE_DOUBLE, bits);
}

esp_err_t nvs_get_i8(nvs_handle_t handle, const char *key, int8_t *out_value)
{
    uint64_t bits;
    esp_err_t err = out_value ? get_number(handle, key, NVS_TYPE_I8, &bits)
                              : ESP_ERR_INVALID_ARG;

    if (!err)
        *out_value = (int8_t)bits;
    return err;
}

esp_err_t nvs_get_u8(nvs_handle_t handle, const char *key, uint8_t *out_value)
{
    uint64_t bits;
    esp_err_t err = out_value ? get_number(handle, key, NVS_TYPE_U8, &bits)
                              : ESP_ERR_INVALID_ARG;

    if (!err)
        *out_value = (uint8_t)bits;
    return err;
}

esp_err_t nvs_get_i16(nvs_handle_t handle, const char *key, int16_t *out_value)
{
    uint64_t bits;
    esp_err_t err = out_value ? get_number(handle, key, NVS_TYPE_I16, &bits)
                              : ESP_ERR_INVALID_ARG;

    if (!err)
        *out_value = (int16_t)bits;
    return err;
}

esp_err_t nvs_get_u16(nvs_handle_t handle, const char *key, uint16_t *out_value)
{
    uint64_t bits;
    esp_err_t err = out_value ? get_number(handle, key, NVS_TYPE_U16, &bits)
                              : ESP_ERR_INVALID_ARG;

    if (!err)
        *out_value = (uint16_t)bits;
    return err;
}

esp_err_t nvs_get_i32(nvs_handle_t handle, const char *key, int32_t *out_value)
{
    uint64_t bits;
    esp_err_t err = out_value ? get_number(handle, key, NVS_TYPE_I32, &bits)
                              : ESP_ERR_INVALID_ARG;

    if (!err)
        *out_value = (int32_t)bits;
    return err;
}

esp_err_t nvs_get_u32(nvs_handle_t handle, const char *key, uint32_t *out_value)
{
    uint64_t bits;
    esp_err_t err = out_value ? get_number(handle, key, NVS_TYPE_U32, &bits)
                              : ESP_ERR_INVALID_ARG;

    if (!err)
        *out_value = (uint32_t)bits;
    return err;
}

esp_err_t nvs_get_i64(nvs_handle_t handle, const char *key, int64_t *out_value)
{
    uint64_t bits;
    esp_err_t err = out_value ? get_number(handle, key, NVS_TYPE_I64, &bits)
                              : ESP_ERR_INVALID_ARG;

    if (!err)
        *out_value = (int64_t)bits;
    return err;
}

esp_err_t nvs_get_u64(nvs_handle_t handle, const char *key, uint64_t *out_value)
{
    uint64_t bits;
    esp_err_t err = out_value ? get_number(handle, key, NVS_TYPE_U64, &bits)
                              : ESP_ERR_INVALID_ARG;

    if (!err)
        *out_value = (uint64_t)bits;
    return err;
}

static float float_of(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

esp_err_t nvs_get_float(nvs_handle_t handle, const char *key, float *out_value)
{
    uint64_t bits;
    esp_err_t err = out_value ? get_number(handle, key, NVS_TYPE_FLOAT, &bits)
                              : ESP_ERR_INVALID_ARG;

    if (!err)
        *out_value = float_of((uint32_t)bits);
    return err;
}

esp_err_t nvs_get_double(nvs_handle_t handle, const char *key,
                         double *out_value)
{
    uint64_t bits;
    esp_err_t err = out_value ? get_number(handle, key, NVS_TYPE_DOUBLE, &bits)
                              : ESP_ERR_INVALID_ARG;

    if (!err)
        memcpy(out_value, &bits, sizeof(bits));
    return err;
}
