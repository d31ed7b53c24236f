/* The confirmation policy, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "boot/confirm.h"

#define NEVER UINT32_MAX

static const struct {
    const char *claim;
    struct confirm_in in;
    enum confirm_step step;
    enum ota_event_why why;
    uint32_t conditions, next_ms;
} rows[] = {
    { "a policy that asks for nothing confirms at once",
      { .up_ms = 0 },
      CONFIRM_YES,
      OTA_WHY_MET,
      0,
      NEVER },
    { "a missing condition is waited for",
      { .required = 7, .met = 5 },
      CONFIRM_WAIT,
      OTA_WHY_NONE,
      2,
      NEVER },
    { "until the deadline",
      { .required = 7, .met = 5, .deadline_ms = 900, .up_ms = 300 },
      CONFIRM_WAIT,
      OTA_WHY_NONE,
      2,
      600 },
    { "then it is late",
      { .required = 7, .met = 5, .deadline_ms = 900, .up_ms = 900 },
      CONFIRM_NO,
      OTA_WHY_DEADLINE,
      2,
      NEVER },
    { "complete in the last moment is complete",
      { .required = 7, .met = 15, .deadline_ms = 900, .up_ms = 900 },
      CONFIRM_YES,
      OTA_WHY_MET,
      15,
      NEVER },
    { "not before its time",
      { .min_up_ms = 500, .deadline_ms = 900, .up_ms = 499 },
      CONFIRM_WAIT,
      OTA_WHY_NONE,
      0,
      1 },
    { "but then",
      { .min_up_ms = 500, .deadline_ms = 900, .up_ms = 500 },
      CONFIRM_YES,
      OTA_WHY_MET,
      0,
      NEVER },
    { "the earlier of two times is the next",
      { .required = 1, .min_up_ms = 500, .deadline_ms = 900, .up_ms = 100 },
      CONFIRM_WAIT,
      OTA_WHY_NONE,
      1,
      400 },
    { "a time that is over is not the next",
      { .required = 1, .min_up_ms = 500, .deadline_ms = 900, .up_ms = 600 },
      CONFIRM_WAIT,
      OTA_WHY_NONE,
      1,
      300 },
    { "a failed condition decides, whatever else is met",
      { .required = 1, .met = 1, .failed = 4 },
      CONFIRM_NO,
      OTA_WHY_CONDITION,
      4,
      NEVER },
    { "the application's vote is waited for, too",
      { .required = 1, .met = 1, .votes = true, .vote = CONFIRM_WAIT },
      CONFIRM_WAIT,
      OTA_WHY_NONE,
      0,
      NEVER },
    { "it does not replace a condition",
      { .required = 1, .votes = true, .vote = CONFIRM_YES },
      CONFIRM_WAIT,
      OTA_WHY_NONE,
      1,
      NEVER },
    { "both together confirm",
      { .required = 1, .met = 1, .votes = true, .vote = CONFIRM_YES },
      CONFIRM_YES,
      OTA_WHY_CALLBACK,
      1,
      NEVER },
    { "it may say no at once",
      { .required = 1, .votes = true, .vote = CONFIRM_NO },
      CONFIRM_NO,
      OTA_WHY_CALLBACK,
      0,
      NEVER },
    { "a vote that nobody asked for does not count",
      { .required = 1, .met = 1, .vote = CONFIRM_NO },
      CONFIRM_YES,
      OTA_WHY_MET,
      1,
      NEVER },
    { "the allowed starts",
      { .required = 1, .max_starts = 2, .starts = 2 },
      CONFIRM_WAIT,
      OTA_WHY_NONE,
      1,
      NEVER },
    { "one more is too many, even if all is met",
      { .required = 1, .met = 1, .max_starts = 2, .starts = 3 },
      CONFIRM_NO,
      OTA_WHY_STARTS,
      0,
      NEVER },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct confirm_out out;
        confirm_decide(&rows[i].in, &out);
        if (out.step != rows[i].step || out.why != rows[i].why ||
            out.conditions != rows[i].conditions ||
            out.next_ms != rows[i].next_ms)
            fail_msg("not so: %s (step %d, why %d, conditions %#x, next %u)",
                     rows[i].claim, out.step, out.why, out.conditions,
                     out.next_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
    return cmocka_run_group_tests_name("boot_confirm", tests, NULL, NULL);
}
