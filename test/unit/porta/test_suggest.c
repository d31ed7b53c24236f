/* What a mistyped word was meant to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "suggest.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct {
    const char *a, *b;
    size_t want;
} distances[] = {
    { "", "", 0 },
    { "abc", "abc", 0 },
    { "", "abc", 3 },
    { "abc", "", 3 },
    { "abc", "abd", 1 },
    { "abc", "ab", 1 },
    { "abc", "xabc", 1 },
    { "udpate", "update", 1 },
    { "ca", "abc", 3 }, /* each pair touched once */
    { "kitten", "sitting", 3 },
};

static void test_distance(void **state)
{
    char word[65];

    (void)state;
    for (size_t i = 0; i < CNT(distances); i++)
        if (suggest_distance(distances[i].a, distances[i].b) !=
                distances[i].want ||
            suggest_distance(distances[i].b, distances[i].a) !=
                distances[i].want)
            fail_msg("%s, %s: %zu", distances[i].a, distances[i].b,
                     suggest_distance(distances[i].a, distances[i].b));
    memset(word, 'a', 64);
    word[64] = '\0';
    assert_true(suggest_distance(word, "a") == SIZE_MAX);
    word[63] = '\0';
    assert_int_equal(suggest_distance(word, "a"), 62);
}

static const struct {
    const char *claim, *word, *want;
} guesses[] = {
    { "letters swapped", "udpate", "update" },
    { "a letter left out", "confrm", "confirm" },
    { "the beginning of one", "tor", "torture" },
    { "one letter is the beginning of too much", "t", NULL },
    { "dashes do not count", "-cacert", "--cacert" },
    { "too far from all", "frobnicate", NULL },
    { "nothing typed", "", NULL },
    { "the closest of two", "resets", "reset" },
};

static void test_guess(void **state)
{
    static const char *const known[] = { "update",   "confirm", "torture",
                                         "--cacert", "reset",   "--resets-x" };

    (void)state;
    for (size_t i = 0; i < CNT(guesses); i++) {
        struct suggest s;

        suggest_begin(&s, guesses[i].word);
        for (size_t k = 0; k < CNT(known); k++)
            suggest_try(&s, known[k]);
        if (strcmp(s.best ? s.best : "",
                   guesses[i].want ? guesses[i].want : "") != 0)
            fail_msg("%s: %s", guesses[i].claim, s.best ? s.best : "nothing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_guess),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
