/* Text from outside, made fit for a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_clean(void **state)
{
    static const struct {
        const char *claim;
        const char *in;
        size_t out_len;
        const char *want;
    } rows[] = {
        { "plain text", "ota_0", 32, "ota_0" },
        { "two, three and four bytes", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
          32, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" },
        { "the first and last of two bytes", "\xC2\xA0\xDF\xBF", 32,
          "\xC2\xA0\xDF\xBF" },
        { "the first and last of three", "\xE0\xA0\x80\xEF\xBF\xBF", 32,
          "\xE0\xA0\x80\xEF\xBF\xBF" },
        { "around the surrogates", "\xED\x9F\xBF\xEE\x80\x80", 32,
          "\xED\x9F\xBF\xEE\x80\x80" },
        { "the first and last of four", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 32,
          "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF" },
        { "controls and DEL", "a\x1b[2J\n\x7f", 32, "a?[2J??" },
        { "controls of two bytes", "\xC2\x80\xC2\x9F\xC2\xA0", 32,
          "??\xC2\xA0" },
        { "a byte that cannot be first", "\x80\xBF\xFE\xFF", 32, "????" },
        { "overlong forms", "\xC0\xAF\xE0\x80\xAF\xF0\x80\x80\xAF", 32,
          "?????????" },
        { "surrogates", "\xED\xA0\x80", 32, "???" },
        { "past the last character", "\xF4\x90\x80\x80\xF5", 32, "?????" },
        { "a character cut off", "a\xE2\x82", 32, "a??" },
        { "no room", "abc", 1, "" },
        { "room for some", "abc", 3, "ab" },
        { "room for half a character", "a\xC3\xA9", 3, "a" },
        { "just room for it", "a\xC3\xA9", 4, "a\xC3\xA9" },
    };

    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        char out[32];

        print_message("# %s\n", rows[i].claim);
        memset(out, 'z', sizeof(out));
        assert_ptr_equal(text_clean(span_str(rows[i].in), out, rows[i].out_len),
                         out);
        assert_string_equal(out, rows[i].want);
    }
}

static void test_clean_in_place(void **state)
{
    char text[] = "a\x1b\xC2\x80\xC3\xA9\xFFz";

    (void)state;
    assert_ptr_equal(text_clean(span_str(text), text, sizeof(text)), text);
    assert_string_equal(text, "a??\xC3\xA9?z");
}

static void test_clean_nul(void **state)
{
    char out[8];

    (void)state;
    assert_string_equal(text_clean(span_of("a\0b", 3), out, sizeof(out)),
                        "a?b");
    assert_string_equal(text_clean(span_of(NULL, 0), out, sizeof(out)), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_clean_in_place),
        cmocka_unit_test(test_clean_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
