/* boot/confirm.h - may the running program be confirmed? A pure decision.
 *
 * An application has a policy; something asks this function when a condition
 * changed and when out->next_ms is over, and carries the answer out. */
#ifndef BOOT_CONFIRM_H
#define BOOT_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

#include "otadata/otadata.h"

enum confirm_step { CONFIRM_WAIT, CONFIRM_YES, CONFIRM_NO };

struct confirm_in {
    /* the policy; 0: not asked for */
    uint32_t required;    /* conditions, a bit mask */
    uint32_t min_up_ms;   /* not confirmed sooner */
    uint32_t deadline_ms; /* given up when not confirmed by then */
    uint32_t max_starts;  /* given up in a later start of this trial */
    bool votes;           /* the application is asked, too */
    /* the facts */
    uint32_t up_ms;  /* since the program started */
    uint32_t starts; /* of this trial, this one counted */
    uint32_t met, failed;
    enum confirm_step vote; /* when it votes */
};

struct confirm_out {
    enum confirm_step step;
    enum ota_event_why why;
    uint32_t conditions; /* those that failed, are missing, or are met */
    uint32_t next_ms;    /* CONFIRM_WAIT: ask again by then; UINT32_MAX: only
                            when something changed */
};

/* What speaks against it comes first, then what is complete, then what is
 * late. */
void confirm_decide(const struct confirm_in *in, struct confirm_out *out);

#endif
