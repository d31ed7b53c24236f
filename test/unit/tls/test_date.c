/* The rule for dates, by table, and the calendar behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls/date.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define FROM 1000
#define TO 2000

static const struct row {
    const char *claim;
    struct tls_now now;
    enum tls_date want;
} rows[] = {
    { "inside its life it is good",
      { POL_DATES_PLAUSIBLE, true, 1500, 0 },
      TLS_DATE_GOOD },
    { "its first second counts",
      { POL_DATES_PLAUSIBLE, true, FROM, 0 },
      TLS_DATE_GOOD },
    { "its last second counts",
      { POL_DATES_PLAUSIBLE, true, TO, 0 },
      TLS_DATE_GOOD },
    { "a second earlier it is not valid yet",
      { POL_DATES_PLAUSIBLE, true, FROM - 1, 0 },
      TLS_DATE_FUTURE },
    { "a second later it has ended",
      { POL_DATES_PLAUSIBLE, true, TO + 1, 0 },
      TLS_DATE_EXPIRED },
    { "a clock that was never set does not judge",
      { POL_DATES_PLAUSIBLE, false, 0, 0 },
      TLS_DATE_GOOD },
    { "what ended before the build has ended without a clock, too",
      { POL_DATES_PLAUSIBLE, false, 0, TO + 1 },
      TLS_DATE_EXPIRED },
    { "what begins after the build may have begun",
      { POL_DATES_PLAUSIBLE, false, 0, FROM - 1 },
      TLS_DATE_GOOD },
    { "a clock behind the floor is not believed: not valid yet",
      { POL_DATES_PLAUSIBLE, true, FROM - 2, FROM - 1 },
      TLS_DATE_GOOD },
    { "a clock behind the floor is not believed: expired by the floor",
      { POL_DATES_PLAUSIBLE, true, 1500, TO + 1 },
      TLS_DATE_EXPIRED },
    { "a clock at the floor is believed",
      { POL_DATES_PLAUSIBLE, true, FROM - 1, FROM - 1 },
      TLS_DATE_FUTURE },
    { "strict: a clock that is believed is enough",
      { POL_DATES_STRICT, true, 1500, 1500 },
      TLS_DATE_GOOD },
    { "strict: it expires as ever",
      { POL_DATES_STRICT, true, TO + 1, 0 },
      TLS_DATE_EXPIRED },
    { "strict: no clock, no session",
      { POL_DATES_STRICT, false, 0, 0 },
      TLS_DATE_NO_CLOCK },
    { "strict: a clock behind the floor is none",
      { POL_DATES_STRICT, true, 1499, 1500 },
      TLS_DATE_NO_CLOCK },
    { "off: nothing is judged",
      { POL_DATES_OFF, true, TO + 1, TO + 1 },
      TLS_DATE_GOOD },
    { "off: not even without a clock",
      { POL_DATES_OFF, false, 0, TO + 1 },
      TLS_DATE_GOOD },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(rows); i++) {
        print_message("# %s\n", rows[i].claim);
        assert_int_equal(tls_date_judge(&rows[i].now, FROM, TO), rows[i].want);
    }
}

/* Seconds from the C library's timegm(), written down. */
static const struct day {
    int date[3], time[3];
    int64_t s;
} days[] = {
    { { 1970, 1, 1 }, { 0, 0, 0 }, 0 },
    { { 1969, 12, 31 }, { 23, 59, 59 }, -1 },
    { { 2000, 2, 29 }, { 12, 0, 1 }, 951825601 },
    { { 1900, 3, 1 }, { 0, 0, 0 }, INT64_C(-2203891200) },
    { { 2038, 1, 19 }, { 3, 14, 8 }, INT64_C(2147483648) },
    { { 2100, 3, 1 }, { 0, 0, 0 }, INT64_C(4107542400) },
    { { 9999, 12, 31 }, { 23, 59, 59 }, INT64_C(253402300799) },
};

static void test_days(void **state)
{
    (void)state;
    for (size_t i = 0; i < CNT(days); i++)
        assert_true(tls_date_seconds(days[i].date, days[i].time) == days[i].s);
}

static int days_of(int year, int month)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return lengths[month - 1] + (month == 2 && leap);
}

static const int noon[3] = { 12, 0, 0 };

static int64_t walk_month(int year, int month, int64_t last)
{
    for (int day = 1; day <= days_of(year, month); day++) {
        const int date[3] = { year, month, day };
        int64_t s = tls_date_seconds(date, noon);
        assert_true(s - last == 86400);
        last = s;
    }
    return last;
}

/* Each day is 86400 s after the one before, leap years or not. */
static void test_each_day_of_four_centuries(void **state)
{
    const int before[3] = { 1899, 12, 31 };
    int64_t last = tls_date_seconds(before, noon);

    (void)state;
    for (int year = 1900; year < 2301; year++) {
        for (int month = 1; month <= 12; month++)
            last = walk_month(year, month, last);
    }
}

static void test_the_build_is_a_day(void **state)
{
    (void)state;
    assert_true(tls_date_build_s() >= 0); /* SOURCE_DATE_EPOCH may be 0 */
    assert_int_equal(tls_date_build_s() % 86400, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_each_day_of_four_centuries),
        cmocka_unit_test(test_the_build_is_a_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
