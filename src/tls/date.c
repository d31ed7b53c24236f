#include "tls/date.h"

bool tls_date_plausible(const struct tls_now *now)
{
    return now->clock_set && now->clock_s >= now->floor_s;
}

enum tls_date tls_date_judge(const struct tls_now *now, int64_t from_s,
                             int64_t to_s)
{
    bool plausible = tls_date_plausible(now);

    if (now->rule == POL_DATES_OFF)
        return TLS_DATE_GOOD;
    if (now->rule == POL_DATES_STRICT && !plausible)
        return TLS_DATE_NO_CLOCK;
    if (to_s < (plausible ? now->clock_s : now->floor_s))
        return TLS_DATE_EXPIRED;
    return plausible && from_s > now->clock_s ? TLS_DATE_FUTURE : TLS_DATE_GOOD;
}

/* Days since 1970-01-01 in the Gregorian calendar. The year is taken to begin
 * in March, so that the leap day is its last one; 146097 days are 400 years. */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era = y / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year =
        (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

int64_t tls_date_seconds(const int date[3], const int time[3])
{
    return days_since_1970(date[0], date[1], date[2]) * 86400 +
           (int64_t)time[0] * 3600 + (int64_t)time[1] * 60 + time[2];
}

int64_t tls_date_build_s(void)
{
    return (int64_t)TLS_BUILD_TIME_S;
}
