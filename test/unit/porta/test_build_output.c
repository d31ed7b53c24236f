/* What a compiler, a linker and CMake say, as one sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "build_output.h"

#define LINES_MAX 8

struct row {
    const char *claim;
    const char *lines[LINES_MAX];
    const char *want; /* in the sentence; NULL: nothing is understood */
};

static const struct row rows[] = {
    { "nothing is nothing", { "[1/2] Building C object" }, NULL },
    { "a function that nobody has",
      { "/usr/bin/ld: m.a(main.c.o): in function `app_main':",
        "/a/main.c:7: undefined reference to `esp_now_init'",
        "collect2: error: ld returned 1 exit status" },
      "uses esp_now_init, which neither it nor porta has (main.c:7)" },
    { "one without a line",
      { "ld: m.o: main.c:(.text.app_main+0x5): undefined reference to `f'" },
      "uses f, which neither it nor porta has (main.c)" },
    { "each once, in their order",
      { "x.c:1: undefined reference to `b'",
        "x.c:2: undefined reference to `a'",
        "x.c:3: undefined reference to `b'" },
      "uses b, a, which" },
    { "quotes of another language",
      { "x.c:1: undefined reference to ‘f’" },
      "uses f, which" },
    { "no beginning",
      { "app_main.c:1: undefined reference to `f'",
        "app_main.c:1: undefined reference to `app_main'" },
      "has no app_main(), with which it begins" },
    { "a file that nobody embedded",
      { "m.c:4: undefined reference to `_binary_ca_cert_pem_start'" },
      "is called ca_cert_pem with a dot or another sign for each _ (m.c:4)" },
    { "its end, too",
      { "m.c:4: undefined reference to `_binary_a_end'" },
      "is called a with" },
    { "a name that only looks like one",
      { "m.c:4: undefined reference to `_binary_start'" },
      "uses _binary_start, which neither" },
    { "C seen by C++",
      { "m.cpp:4: undefined reference to `strip_len()'" },
      "(m.cpp:4); C++ must see functions of C in extern \"C\"" },
    { "two definitions",
      { "ld: b.o: in function `f': b.c:1: multiple definition of `f'; "
        "a.o:a.c:1: first defined here" },
      "f is defined twice" },
    { "a header, by gcc",
      { "main.c:1:10: fatal error: esp_lcd.h: No such file or directory" },
      "includes esp_lcd.h, which neither" },
    { "a header, by clang",
      { "main.c:1:10: fatal error: 'esp_lcd.h' file not found" },
      "includes esp_lcd.h, which neither" },
    { "the first error of the compiler",
      { "main.c:3:5: error: unknown type name 'x'", "main.c:9:1: error: y" },
      "main.c:3:5: error: unknown type name 'x'" },
    { "an error of CMake, with its text",
      { "CMake Error at main/CMakeLists.txt:1 (foo):",
        "  Unknown CMake command \"foo\".", "", "Call Stack (most recent" },
      "CMake Error at main/CMakeLists.txt:1 (foo): Unknown CMake command "
      "\"foo\"." },
    { "a name that never ends",
      { "x.c:1: undefined reference to `never" },
      NULL },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct build_output o = BUILD_OUTPUT_NONE;
        char text[1024] = "";

        for (int k = 0; k < LINES_MAX && rows[i].lines[k]; k++)
            build_output_line(&o, rows[i].lines[k]);
        bool found = build_output_explain(&o, text, sizeof(text));
        print_message("%s: %s\n", rows[i].claim, text);
        assert_int_equal(found, rows[i].want != NULL);
        if (rows[i].want)
            assert_non_null(strstr(text, rows[i].want));
    }
}

/* More than there is room for: the others are counted. */
static void test_many(void **state)
{
    struct build_output o = BUILD_OUTPUT_NONE;
    char line[256], text[1024];

    (void)state;
    for (int i = 0; i < BUILD_NAMES_MAX + 3; i++) {
        snprintf(line, sizeof(line), "undefined reference to `f%d'", i);
        build_output_line(&o, line);
    }
    assert_true(build_output_explain(&o, text, sizeof(text)));
    assert_non_null(strstr(text, "f7 and 3 more, which"));
    assert_true(build_output_explain(&o, text, 20));
    assert_true(strlen(text) < 20);
}

/* Lines longer than any field are cut, not written behind it. */
static void test_long(void **state)
{
    struct build_output o = BUILD_OUTPUT_NONE;
    char line[2000], text[100];

    (void)state;
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    memcpy(line, "a: error: ", 10);
    build_output_line(&o, line);
    memcpy(line, "CMake Error", 11);
    build_output_line(&o, line);
    memcpy(line, "           ", 11);
    build_output_line(&o, line);
    assert_true(build_output_explain(&o, text, sizeof(text)));
    assert_int_equal(strlen(text), sizeof(text) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
