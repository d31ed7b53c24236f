/* tls/date.h - may a certificate be used now?
 *
 * A clock is believed when it shows neither less than the time when this
 * library was built nor less than the latest time seen before. One that is not
 * believed still leaves that lower bound: what ended before it has ended. */
#ifndef TLS_DATE_H
#define TLS_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/policy.h"

/* All times are seconds since 1970-01-01 UTC. */
struct tls_now {
    enum pol_cert_dates rule;
    bool clock_set;
    int64_t clock_s;
    int64_t floor_s; /* the time is known to be at least this */
};

enum tls_date {
    TLS_DATE_GOOD,
    TLS_DATE_EXPIRED,
    TLS_DATE_FUTURE,
    TLS_DATE_NO_CLOCK /* strict, and the clock cannot be believed */
};

enum tls_date tls_date_judge(const struct tls_now *now, int64_t from_s,
                             int64_t to_s);
/* The clock can be believed. */
bool tls_date_plausible(const struct tls_now *now);

/* A calendar date as seconds; any year from 1 on. */
int64_t tls_date_seconds(const int date[3], const int time[3]);

/* When this library was built (SOURCE_DATE_EPOCH), rounded down to the day. */
int64_t tls_date_build_s(void);

#endif
