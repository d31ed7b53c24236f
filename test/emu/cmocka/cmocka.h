/* cmocka.h - as much of cmocka's interface as the unit tests of pure modules
 * use, for a board that has no cmocka. A failed assertion ends its test. */
#ifndef CMOCKA_H
#define CMOCKA_H

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

#define cmocka_unit_test(f) \
    {                       \
#f, f               \
    }
#define cmocka_run_group_tests(tests, up, down) \
    emu_unit_run(tests, sizeof(tests) / sizeof((tests)[0]))
#define cmocka_run_group_tests_name(name, tests, up, down) \
    emu_unit_run(tests, sizeof(tests) / sizeof((tests)[0]))

int emu_unit_run(const struct CMUnitTest *tests, size_t cnt);
_Noreturn void emu_unit_fail(const char *file, int line, const char *what);

#define emu_check(ok, what) \
    ((ok) ? (void)0 : emu_unit_fail(__FILE__, __LINE__, what))
#define print_message printf
#define fail_msg(...) \
    (printf(__VA_ARGS__), emu_unit_fail(__FILE__, __LINE__, "fail_msg"))
#define assert_true(a) emu_check(!!(a), #a)
#define assert_false(a) emu_check(!(a), "not " #a)
#define assert_null(a) emu_check((a) == NULL, #a " is NULL")
#define assert_non_null(a) emu_check((a) != NULL, #a " is not NULL")
#define assert_int_equal(a, b) \
    emu_check((uint64_t)(a) == (uint64_t)(b), #a " == " #b)
#define assert_int_not_equal(a, b) \
    emu_check((uint64_t)(a) != (uint64_t)(b), #a " != " #b)
#define assert_ptr_equal(a, b) \
    emu_check((const void *)(a) == (const void *)(b), #a " == " #b)
#define assert_string_equal(a, b) emu_check(strcmp(a, b) == 0, #a " is " #b)
#define assert_memory_equal(a, b, n) \
    emu_check(memcmp(a, b, n) == 0, #a " is " #b)
#define assert_in_range(a, low, high)                \
    emu_check((uint64_t)(a) >= (uint64_t)(low) &&    \
                  (uint64_t)(a) <= (uint64_t)(high), \
              #a " in range")

#endif
