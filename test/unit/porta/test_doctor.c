/* Running programs within a time, and what a clock says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture.h"
#include "doctor.h"
#include "linux_time.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct {
    const char *claim;
    const char *words[4];
    uint32_t wait_ms;
    int want;
    const char *said;
} runs[] = {
    { "what it says", { "sh", "-c", "echo a; echo b >&2" }, 9000, 0, "a\nb\n" },
    { "its status", { "sh", "-c", "exit 3" }, 9000, 3, "" },
    { "not there", { "no-such-program-x" }, 9000, CAPTURE_MISSING, "" },
    { "died", { "sh", "-c", "kill -9 $$" }, 9000, CAPTURE_SIGNAL(9), "" },
    { "too slow",
      { "sh", "-c", "echo x; sleep 60" },
      200,
      CAPTURE_TIMEOUT,
      "x\n" },
    { "its input is empty", { "cat" }, 9000, 0, "" },
    { "more than there is room for",
      { "sh", "-c", "printf 0123456789012345678901234567890123" },
      9000,
      0,
      "0123456789012345678901234567890" },
};

static void test_capture(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(runs); i++) {
        const char *words[5] = { runs[i].words[0], runs[i].words[1],
                                 runs[i].words[2], runs[i].words[3] };
        const struct capture_what what = { .words = words,
                                           .timeout_ms = runs[i].wait_ms };
        uint64_t start_ms = linux_mono_ms();
        char said[32];
        int got = capture(&what, said, sizeof(said));

        if (got != runs[i].want || strcmp(said, runs[i].said) != 0 ||
            linux_mono_ms() - start_ms > 20000)
            fail_msg("%s: %d, '%s'", runs[i].claim, got, said);
    }
}

#define DAY 86400

static const struct {
    const char *claim;
    int64_t now_s, built_s;
    enum doctor_status want;
} clocks[] = {
    { "the day it was built", 1000 * DAY, 1000 * DAY, DOCTOR_OK },
    { "another time zone", 1000 * DAY - 3600 * 12, 1000 * DAY, DOCTOR_OK },
    { "two days before", 998 * DAY, 1000 * DAY, DOCTOR_BAD },
    { "1970", 5, 20000ll * DAY, DOCTOR_BAD },
    { "years after", (1000 + 3650) * (int64_t)DAY, 1000 * DAY, DOCTOR_OK },
    { "decades after", (1000 + 7300) * (int64_t)DAY, 1000 * DAY, DOCTOR_WARN },
};

static void test_clock(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(clocks); i++)
        if (doctor_clock_judge(clocks[i].now_s, clocks[i].built_s) !=
            clocks[i].want)
            fail_msg("%s", clocks[i].claim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capture),
        cmocka_unit_test(test_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
