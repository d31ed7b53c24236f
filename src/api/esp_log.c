/* The level of a tag is looked up for each line, so the table is read without
 * a lock: a row is written before the count that makes it visible, its level
 * is atomic, and rows never go away ("*" only makes their levels equal). */
#include "esp_log.h"

#include <stdatomic.h>
#include <string.h>

#include "api/log.h"
#include "base/log.h"

#define TAG_CNT 32u
#define TAG_LEN 24u

struct tag_level {
    char tag[TAG_LEN];
    atomic_int level;
};

/* ESP-IDF's log has no handle; this is its state. */
static struct {
    const struct port_sys *sys;
    uint64_t start_ms;
    _Atomic(vprintf_like_t) out;
    atomic_int level;
    atomic_int master;
    bool colors;
    struct tag_level tags[TAG_CNT];
    atomic_uint tag_cnt;
} state = { .level = ESP_LOG_INFO, .master = ESP_LOG_MAX };

/* --- levels --------------------------------------------------------------- */

static struct tag_level *tag_find(const char *tag)
{
    unsigned cnt = atomic_load(&state.tag_cnt);
    for (unsigned i = 0; i < cnt; i++)
        if (strncmp(state.tags[i].tag, tag, TAG_LEN - 1) == 0)
            return &state.tags[i];
    return NULL;
}

static void level_set_all(esp_log_level_t level)
{
    unsigned cnt = atomic_load(&state.tag_cnt);
    for (unsigned i = 0; i < cnt; i++)
        atomic_store(&state.tags[i].level, (int)level);
    atomic_store(&state.level, (int)level);
}

void esp_log_level_set(const char *tag, esp_log_level_t level)
{
    struct tag_level *row;
    unsigned cnt;

    if (strcmp(tag, "*") == 0) {
        level_set_all(level);
        return;
    }
    row = tag_find(tag);
    if (!row) {
        cnt = atomic_load(&state.tag_cnt);
        if (cnt == TAG_CNT)
            return;
        row = &state.tags[cnt];
        snprintf(row->tag, TAG_LEN, "%s", tag);
        atomic_store(&row->level, (int)level);
        atomic_store(&state.tag_cnt, cnt + 1);
    }
    atomic_store(&row->level, (int)level);
}

esp_log_level_t esp_log_level_get(const char *tag)
{
    struct tag_level *row = tag_find(tag);
    atomic_int *level = row ? &row->level : &state.level;

    return (esp_log_level_t)atomic_load(level);
}

void esp_log_set_level_master(esp_log_level_t level)
{
    atomic_store(&state.master, (int)level);
}

esp_log_level_t esp_log_get_level_master(void)
{
    return (esp_log_level_t)atomic_load(&state.master);
}

static bool is_shown(esp_log_level_t level, const char *tag)
{
    return level != ESP_LOG_NONE && level <= esp_log_get_level_master() &&
           level <= esp_log_level_get(tag);
}

/* --- time ----------------------------------------------------------------- */

static uint64_t since_start_ms(void)
{
    if (!state.sys)
        return 0;
    return state.sys->mono_ms(state.sys->ctx) - state.start_ms;
}

uint32_t esp_log_timestamp(void)
{
    return (uint32_t)since_start_ms();
}

uint32_t esp_log_early_timestamp(void)
{
    return esp_log_timestamp();
}

char *esp_log_system_timestamp(void)
{
    static char text[24];
    uint64_t ms = since_start_ms();

    snprintf(text, sizeof(text), "%02u:%02u:%02u.%03u",
             (unsigned)(ms / 3600000), (unsigned)(ms / 60000 % 60),
             (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
    return text;
}

/* --- lines ---------------------------------------------------------------- */

vprintf_like_t esp_log_set_vprintf(vprintf_like_t func)
{
    vprintf_like_t old = atomic_exchange(&state.out, func);

    return old ? old : vprintf;
}

static void put_v(const char *format, va_list args) PRINTF_LIKE(1, 0);

static void put_v(const char *format, va_list args)
{
    vprintf_like_t out = atomic_load(&state.out);

    (out ? out : vprintf)(format, args);
}

static void put(const char *format, ...) PRINTF_LIKE(1, 2);

static void put(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put_v(format, args);
    va_end(args);
}

void esp_log_writev(esp_log_level_t level, const char *tag, const char *format,
                    va_list args)
{
    if (is_shown(level, tag))
        put_v(format, args);
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format,
                   ...)
{
    va_list args;

    va_start(args, format);
    esp_log_writev(level, tag, format, args);
    va_end(args);
}

static char level_letter(esp_log_level_t level)
{
    return level <= ESP_LOG_VERBOSE ? "NEWIDV"[level] : 'V';
}

static const char *level_color(esp_log_level_t level)
{
    if (!state.colors || level > ESP_LOG_INFO)
        return "";
    return level == ESP_LOG_ERROR  ? LOG_COLOR_E
           : level == ESP_LOG_WARN ? LOG_COLOR_W
                                   : LOG_COLOR_I;
}

static void put_line(esp_log_level_t level, const char *tag, const char *text)
{
    const char *color = level_color(level);

    put("%s%c (%" PRIu32 ") %s: %s%s\n", color, level_letter(level),
        esp_log_timestamp(), tag, text, color[0] ? LOG_RESET_COLOR : "");
}

void api_log_colors(bool on)
{
    state.colors = on;
}

static void sink(void *ctx, enum log_level level, const char *tag,
                 const char *fmt, va_list args) PRINTF_LIKE(4, 0);

/* The library's own lines: one call of the printer per line, so that lines of
 * two threads do not mix. */
static void sink(void *ctx, enum log_level level, const char *tag,
                 const char *fmt, va_list args)
{
    char text[400];

    (void)ctx;
    if (level != LOG_NONE && !is_shown((esp_log_level_t)level, tag))
        return;
    vsnprintf(text, sizeof(text), fmt, args);
    put_line(level == LOG_NONE ? ESP_LOG_WARN : (esp_log_level_t)level, tag,
             text);
}

void api_log_start(const struct port_sys *sys)
{
    state.sys = sys;
    state.start_ms = sys ? sys->mono_ms(sys->ctx) : 0;
    log_set_sink(sink, NULL);
}

/* --- buffers -------------------------------------------------------------- */

#define ROW_LEN 16u

static size_t row_len(size_t left)
{
    return left < ROW_LEN ? left : ROW_LEN;
}

static char printable(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f ? (char)byte : '.';
}

void esp_log_buffer_hex_internal(const char *tag, const void *buffer,
                                 uint16_t buff_len, esp_log_level_t level)
{
    const uint8_t *bytes = buffer;
    char text[3 * ROW_LEN + 2];

    for (size_t i = 0; i < buff_len && is_shown(level, tag); i += ROW_LEN) {
        size_t len = row_len(buff_len - i);

        for (size_t k = 0; k < len; k++)
            snprintf(text + 3 * k, 4, "%02x ", bytes[i + k]);
        text[3 * len - 1] = '\0';
        put_line(level, tag, text);
    }
}

void esp_log_buffer_char_internal(const char *tag, const void *buffer,
                                  uint16_t buff_len, esp_log_level_t level)
{
    const uint8_t *bytes = buffer;
    char text[ROW_LEN + 1];

    for (size_t i = 0; i < buff_len && is_shown(level, tag); i += ROW_LEN) {
        size_t len = row_len(buff_len - i);

        for (size_t k = 0; k < len; k++)
            text[k] = printable(bytes[i + k]);
        text[len] = '\0';
        put_line(level, tag, text);
    }
}

/* One row as "0x<address>   16 bytes in hex  |as text|". */
static void dump_row(const uint8_t *bytes, size_t len, char *text, size_t cap)
{
    char hex[3 * ROW_LEN + 2] = "";
    char chars[ROW_LEN + 1];

    for (size_t k = 0; k < ROW_LEN; k++) {
        if (k < len)
            snprintf(hex + 3 * k, 4, "%02x ", bytes[k]);
        else
            snprintf(hex + 3 * k, 4, "   ");
    }
    for (size_t k = 0; k < len; k++)
        chars[k] = printable(bytes[k]);
    chars[len] = '\0';
    snprintf(text, cap, "%p   %s |%s|", (const void *)bytes, hex, chars);
}

void esp_log_buffer_hexdump_internal(const char *tag, const void *buffer,
                                     uint16_t buff_len,
                                     esp_log_level_t log_level)
{
    const uint8_t *bytes = buffer;
    char text[128];

    for (size_t i = 0; i < buff_len && is_shown(log_level, tag); i += ROW_LEN) {
        dump_row(bytes + i, row_len(buff_len - i), text, sizeof(text));
        put_line(log_level, tag, text);
    }
}
