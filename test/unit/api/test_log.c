/* esp_log.h: which lines are shown, and what they look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/log.h"
#include "base/log.h"
#include "esp_log.h"
#include "sim_sys.h"

static char shown[2048];
static unsigned calls;

static int keep(const char *format, va_list args)
    __attribute__((format(printf, 1, 0)));

static int keep(const char *format, va_list args)
{
    size_t at = strlen(shown);
    calls++;
    return vsnprintf(shown + at, sizeof(shown) - at, format, args);
}

static struct sim_sys sys;

static int setup(void **state)
{
    (void)state;
    sim_sys_init(&sys);
    api_log_start(&sys.port);
    sys.now_ms += 123;
    shown[0] = '\0';
    calls = 0;
    esp_log_set_vprintf(keep);
    esp_log_level_set("*", ESP_LOG_INFO);
    esp_log_set_level_master(ESP_LOG_MAX);
    return 0;
}

static void test_lines(void **state)
{
    (void)state;
    ESP_LOGI("tag", "text");
    ESP_LOGW("other", "%d of %s", 3, "four");
    ESP_LOGE("tag", "bad");
    ESP_LOGD("tag", "not shown");
    LOGW("core", "the library's own: %u", 7u);
    LOGD("core", "not shown");
    assert_string_equal(shown, "I (123) tag: text\n"
                               "W (123) other: 3 of four\n"
                               "E (123) tag: bad\n"
                               "W (123) core: the library's own: 7\n");
    assert_int_equal(calls, 4);
}

static const struct {
    const char *claim;
    const char *set_tag;
    esp_log_level_t set;
    const char *tag;
    esp_log_level_t shown; /* the most talkative level that is */
} level_rows[] = {
    { "the default", NULL, 0, "a", ESP_LOG_INFO },
    { "one tag louder", "a", ESP_LOG_VERBOSE, "a", ESP_LOG_VERBOSE },
    { "only that tag", "a", ESP_LOG_VERBOSE, "b", ESP_LOG_INFO },
    { "one tag silent", "a", ESP_LOG_NONE, "a", ESP_LOG_NONE },
    { "all tags", "*", ESP_LOG_ERROR, "b", ESP_LOG_ERROR },
    { "a long tag", "a tag of more than twenty-three letters", ESP_LOG_WARN,
      "a tag of more than twenty-three letters", ESP_LOG_WARN },
};

static void test_levels(void **state)
{
    for (size_t i = 0; i < sizeof(level_rows) / sizeof(level_rows[0]); i++) {
        setup(state);
        if (level_rows[i].set_tag)
            esp_log_level_set(level_rows[i].set_tag, level_rows[i].set);
        for (int level = ESP_LOG_ERROR; level <= ESP_LOG_VERBOSE; level++)
            esp_log_write((esp_log_level_t)level, level_rows[i].tag, "x");
        if (strlen(shown) != (size_t)level_rows[i].shown)
            fail_msg("%s: '%s'", level_rows[i].claim, shown);
        assert_int_equal(esp_log_level_get(level_rows[i].tag),
                         level_rows[i].shown);
    }
}

static void test_star_forgets_single_tags(void **state)
{
    (void)state;
    esp_log_level_set("a", ESP_LOG_VERBOSE);
    esp_log_level_set("*", ESP_LOG_WARN);
    assert_int_equal(esp_log_level_get("a"), ESP_LOG_WARN);
}

static void test_master_level(void **state)
{
    (void)state;
    esp_log_set_level_master(ESP_LOG_WARN);
    ESP_LOGI("a", "quiet");
    ESP_LOGW("a", "loud");
    assert_string_equal(shown, "W (123) a: loud\n");
}

static void test_buffers(void **state)
{
    uint8_t bytes[18];
    (void)state;
    for (uint8_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(0x3c + i);
    ESP_LOG_BUFFER_HEX("b", bytes, sizeof(bytes));
    assert_string_equal(
        shown, "I (123) b: 3c 3d 3e 3f 40 41 42 43 44 45 46 47 48 49 4a 4b\n"
               "I (123) b: 4c 4d\n");
    shown[0] = '\0';
    bytes[1] = 0;
    ESP_LOG_BUFFER_CHAR("b", bytes, sizeof(bytes));
    assert_string_equal(shown, "I (123) b: <.>?@ABCDEFGHIJK\n"
                               "I (123) b: LM\n");
    shown[0] = '\0';
    ESP_LOG_BUFFER_HEXDUMP("b", bytes, sizeof(bytes), ESP_LOG_WARN);
    assert_non_null(strstr(shown, "3c 00 3e "));
    assert_non_null(strstr(shown, "|<.>?@ABCDEFGHIJK|\nW (123) b: 0x"));
    assert_non_null(strstr(shown, "4c 4d "));
    shown[0] = '\0';
    ESP_LOG_BUFFER_HEXDUMP("b", bytes, sizeof(bytes), ESP_LOG_DEBUG);
    ESP_LOG_BUFFER_HEX("b", bytes, 0);
    assert_string_equal(shown, "");
}

static void test_time(void **state)
{
    (void)state;
    assert_int_equal(esp_log_timestamp(), 123);
    sys.now_ms += 3 * 3600000 + 25 * 60000 + 7 * 1000 + 1;
    assert_string_equal(esp_log_system_timestamp(), "03:25:07.124");
}

#define T(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_lines),        T(test_levels),  T(test_star_forgets_single_tags),
        T(test_master_level), T(test_buffers), T(test_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
