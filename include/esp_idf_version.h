/* esp_idf_version.h - the ESP-IDF release whose interface this library has. */
#ifndef ESP_IDF_VERSION_H
#define ESP_IDF_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_IDF_VERSION_MAJOR 6
#define ESP_IDF_VERSION_MINOR 2
#define ESP_IDF_VERSION_PATCH 0

/* A number that compares as versions do; usable in #if. */
#define ESP_IDF_VERSION_VAL(major, minor, patch) \
    (((major) << 16) | ((minor) << 8) | (patch))

#define ESP_IDF_VERSION                                               \
    ESP_IDF_VERSION_VAL(ESP_IDF_VERSION_MAJOR, ESP_IDF_VERSION_MINOR, \
                        ESP_IDF_VERSION_PATCH)

/* "v6.2.0"; static storage. */
const char *esp_get_idf_version(void);

#ifdef __cplusplus
}
#endif

#endif
