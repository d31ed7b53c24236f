/* Progress as a line and as a bar of any width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "progress.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct row {
    const char *claim;
    struct progress_state in;
    const char *want;
};

static const struct row rows[] = {
    { "half way",
      { "download", 512000, 1024000, 2000, NULL },
      "download  50% 512,000 of 1,024,000 bytes, 250 KB/s, 2 s left" },
    { "the beginning, before a rate is known",
      { "download", 0, 1000, 0, NULL },
      "download   0% 0 of 1,000 bytes, 0 KB/s" },
    { "the end",
      { "download", 1000, 1000, 1000, NULL },
      "download 100% 1,000 of 1,000 bytes, 0 KB/s" },
    { "more than there should be",
      { "download", 3000, 1000, 1000, NULL },
      "download 100% 3,000 of 1,000 bytes, 2 KB/s" },
    { "an empty body",
      { "download", 0, 0, 10, NULL },
      "download 100% 0 of 0 bytes, 0 KB/s" },
    { "unknown length",
      { "download", 5242880, PROGRESS_UNKNOWN, 2000, NULL },
      "download 5,242,880 bytes, 2.5 MB/s" },
    { "minutes",
      { "download", 1024, 102400, 1000, NULL },
      "download   1% 1,024 of 102,400 bytes, 1 KB/s, 1 min 39 s left" },
    { "something else than bytes",
      { "power cuts", 250, 1000, 1000, "runs" },
      "power cuts  25% 250 of 1,000 runs, 3 s left" },
    { "something else, and nobody knows how many",
      { "power cuts", 2500, PROGRESS_UNKNOWN, 1000, "runs" },
      "power cuts 2,500 runs" },
};

static void test_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        char got[200];

        progress_line(&rows[i].in, got, sizeof(got));
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].claim, got);
    }
}

static void test_bar_fits(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++)
        for (uint32_t columns = 10; columns < 200; columns++) {
            char got[120];

            progress_bar(&rows[i].in, columns, got, sizeof(got));
            if (strlen(got) > columns)
                fail_msg("%s: %zu of %u columns", rows[i].claim, strlen(got),
                         (unsigned)columns);
        }
}

static void test_bar_shows_the_share(void **state)
{
    char got[200];

    (void)state;
    progress_bar(&rows[0].in, 120, got, sizeof(got));
    assert_non_null(strstr(got, "[####################--------------------]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_bar_fits),
        cmocka_unit_test(test_bar_shows_the_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
