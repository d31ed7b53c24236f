/* esp_compiler.h - hints for the compiler. */
#ifndef ESP_COMPILER_H
#define ESP_COMPILER_H

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#endif
#ifndef unlikely
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

#define ESP_COMPILER_DESIGNATED_INIT_AGGREGATE_TYPE_EMPTY(member) .member = {},
#define ESP_COMPILER_DESIGNATED_INIT_AGGREGATE_TYPE_STR(member, str) \
    .member = str,

#endif
