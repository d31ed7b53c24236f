/* esp_log.h - log lines "I (123) tag: text", filtered by level and by tag.
 *
 * LOG_LOCAL_LEVEL, defined before this header is included, drops the lines of
 * that file that are above it. At run time INFO and what is graver is shown
 * until esp_log_level_set() says otherwise. */
#ifndef ESP_LOG_H
#define ESP_LOG_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_LOG_NONE = 0,
    ESP_LOG_ERROR = 1,
    ESP_LOG_WARN = 2,
    ESP_LOG_INFO = 3,
    ESP_LOG_DEBUG = 4,
    ESP_LOG_VERBOSE = 5,
    ESP_LOG_MAX = 6
} esp_log_level_t;

typedef int (*vprintf_like_t)(const char *, va_list);

/* tag "*": every tag, and what was set for single ones is forgotten.
 * At most 32 tags have a level of their own. */
void esp_log_level_set(const char *tag, esp_log_level_t level);
esp_log_level_t esp_log_level_get(const char *tag);
/* Raises or lowers all of it at once. */
void esp_log_set_level_master(esp_log_level_t level);
esp_log_level_t esp_log_get_level_master(void);

/* Where lines go; returns the former place. The default is vprintf(). */
vprintf_like_t esp_log_set_vprintf(vprintf_like_t func);

/* Milliseconds since the start. */
uint32_t esp_log_timestamp(void);
uint32_t esp_log_early_timestamp(void);
/* "HH:MM:SS.mmm" since the start, in static storage. */
char *esp_log_system_timestamp(void);

/* Writes the text as it is, if tag and level are shown. */
void esp_log_write(esp_log_level_t level, const char *tag, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));
void esp_log_writev(esp_log_level_t level, const char *tag, const char *format,
                    va_list args) __attribute__((format(printf, 3, 0)));

void esp_log_buffer_hex_internal(const char *tag, const void *buffer,
                                 uint16_t buff_len, esp_log_level_t level);
void esp_log_buffer_char_internal(const char *tag, const void *buffer,
                                  uint16_t buff_len, esp_log_level_t level);
void esp_log_buffer_hexdump_internal(const char *tag, const void *buffer,
                                     uint16_t buff_len,
                                     esp_log_level_t log_level);

/* A project's sdkconfig.h may say which lines are compiled in, and that they
 * are coloured; see docs/options.md. */
#ifndef LOG_LOCAL_LEVEL
#ifdef PORTA_LOG_LEVEL_MAX
#define LOG_LOCAL_LEVEL ((esp_log_level_t)PORTA_LOG_LEVEL_MAX)
#else
#define LOG_LOCAL_LEVEL ESP_LOG_VERBOSE
#endif
#endif

#define LOG_COLOR_BLACK "30"
#define LOG_COLOR_RED "31"
#define LOG_COLOR_GREEN "32"
#define LOG_COLOR_BROWN "33"
#define LOG_COLOR_BLUE "34"
#define LOG_COLOR_PURPLE "35"
#define LOG_COLOR_CYAN "36"
#define LOG_COLOR(COLOR) "\033[0;" COLOR "m"
#define LOG_BOLD(COLOR) "\033[1;" COLOR "m"
#define LOG_COLOR_E LOG_COLOR(LOG_COLOR_RED)
#define LOG_COLOR_W LOG_COLOR(LOG_COLOR_BROWN)
#define LOG_COLOR_I LOG_COLOR(LOG_COLOR_GREEN)
#define LOG_COLOR_D
#define LOG_COLOR_V
#define LOG_RESET_COLOR "\033[0m"

#ifdef PORTA_LOG_COLORS
#define LOG_FORMAT(letter, format)                                             \
    LOG_COLOR_##letter #letter " (%" PRIu32 ") %s: " format "" LOG_RESET_COLOR \
                               "\n"
#else
#define LOG_FORMAT(letter, format) #letter " (%" PRIu32 ") %s: " format "\n"
#endif

/* The line of one level, whatever LOG_LOCAL_LEVEL is. */
#define ESP_LOG_LINE_(level, letter, tag, format, ...)                         \
    esp_log_write(level, tag, LOG_FORMAT(letter, format), esp_log_timestamp(), \
                  tag, ##__VA_ARGS__)

#define ESP_LOG_LEVEL(level, tag, format, ...)                             \
    do {                                                                   \
        if ((level) == ESP_LOG_ERROR)                                      \
            ESP_LOG_LINE_(ESP_LOG_ERROR, E, tag, format, ##__VA_ARGS__);   \
        else if ((level) == ESP_LOG_WARN)                                  \
            ESP_LOG_LINE_(ESP_LOG_WARN, W, tag, format, ##__VA_ARGS__);    \
        else if ((level) == ESP_LOG_DEBUG)                                 \
            ESP_LOG_LINE_(ESP_LOG_DEBUG, D, tag, format, ##__VA_ARGS__);   \
        else if ((level) == ESP_LOG_VERBOSE)                               \
            ESP_LOG_LINE_(ESP_LOG_VERBOSE, V, tag, format, ##__VA_ARGS__); \
        else                                                               \
            ESP_LOG_LINE_(ESP_LOG_INFO, I, tag, format, ##__VA_ARGS__);    \
    } while (0)

#define ESP_LOG_LEVEL_LOCAL(level, tag, format, ...)          \
    do {                                                      \
        if (LOG_LOCAL_LEVEL >= (level))                       \
            ESP_LOG_LEVEL(level, tag, format, ##__VA_ARGS__); \
    } while (0)

#define ESP_LOGE(tag, format, ...) \
    ESP_LOG_LEVEL_LOCAL(ESP_LOG_ERROR, tag, format, ##__VA_ARGS__)
#define ESP_LOGW(tag, format, ...) \
    ESP_LOG_LEVEL_LOCAL(ESP_LOG_WARN, tag, format, ##__VA_ARGS__)
#define ESP_LOGI(tag, format, ...) \
    ESP_LOG_LEVEL_LOCAL(ESP_LOG_INFO, tag, format, ##__VA_ARGS__)
#define ESP_LOGD(tag, format, ...) \
    ESP_LOG_LEVEL_LOCAL(ESP_LOG_DEBUG, tag, format, ##__VA_ARGS__)
#define ESP_LOGV(tag, format, ...) \
    ESP_LOG_LEVEL_LOCAL(ESP_LOG_VERBOSE, tag, format, ##__VA_ARGS__)

/* No stage of the start and no interrupt is too early to log here. */
#define ESP_EARLY_LOGE ESP_LOGE
#define ESP_EARLY_LOGW ESP_LOGW
#define ESP_EARLY_LOGI ESP_LOGI
#define ESP_EARLY_LOGD ESP_LOGD
#define ESP_EARLY_LOGV ESP_LOGV
#define ESP_DRAM_LOGE ESP_LOGE
#define ESP_DRAM_LOGW ESP_LOGW
#define ESP_DRAM_LOGI ESP_LOGI
#define ESP_DRAM_LOGD ESP_LOGD
#define ESP_DRAM_LOGV ESP_LOGV

#define ESP_LOG_BUFFER_HEX_LEVEL(tag, buffer, buff_len, level)         \
    do {                                                               \
        if (LOG_LOCAL_LEVEL >= (level))                                \
            esp_log_buffer_hex_internal(tag, buffer, buff_len, level); \
    } while (0)
#define ESP_LOG_BUFFER_CHAR_LEVEL(tag, buffer, buff_len, level)         \
    do {                                                                \
        if (LOG_LOCAL_LEVEL >= (level))                                 \
            esp_log_buffer_char_internal(tag, buffer, buff_len, level); \
    } while (0)
#define ESP_LOG_BUFFER_HEXDUMP(tag, buffer, buff_len, level)               \
    do {                                                                   \
        if (LOG_LOCAL_LEVEL >= (level))                                    \
            esp_log_buffer_hexdump_internal(tag, buffer, buff_len, level); \
    } while (0)
#define ESP_LOG_BUFFER_HEX(tag, buffer, buff_len) \
    ESP_LOG_BUFFER_HEX_LEVEL(tag, buffer, buff_len, ESP_LOG_INFO)
#define ESP_LOG_BUFFER_CHAR(tag, buffer, buff_len) \
    ESP_LOG_BUFFER_CHAR_LEVEL(tag, buffer, buff_len, ESP_LOG_INFO)

#ifdef __cplusplus
}
#endif

#endif
