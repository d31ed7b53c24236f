/* boot/confirm.c - see confirm.h. */
#include "boot/confirm.h"

static void say(struct confirm_out *out, enum confirm_step step,
                enum ota_event_why why, uint32_t conditions)
{
    out->step = step;
    out->why = why;
    out->conditions = conditions;
}

static uint32_t until(uint32_t now_ms, uint32_t then_ms)
{
    return then_ms > now_ms ? then_ms - now_ms : UINT32_MAX;
}

/* The conditions say nothing new before one of these. */
static uint32_t next_time(const struct confirm_in *in)
{
    uint32_t early = until(in->up_ms, in->min_up_ms);
    uint32_t late = until(in->up_ms, in->deadline_ms);
    return early < late ? early : late;
}

void confirm_decide(const struct confirm_in *in, struct confirm_out *out)
{
    uint32_t missing = in->required & ~in->met;
    bool voted_yes = !in->votes || in->vote == CONFIRM_YES;

    out->next_ms = UINT32_MAX;
    if (in->failed) {
        say(out, CONFIRM_NO, OTA_WHY_CONDITION, in->failed);
    } else if (in->votes && in->vote == CONFIRM_NO) {
        say(out, CONFIRM_NO, OTA_WHY_CALLBACK, in->met);
    } else if (in->max_starts && in->starts > in->max_starts) {
        say(out, CONFIRM_NO, OTA_WHY_STARTS, missing);
    } else if (!missing && voted_yes && in->up_ms >= in->min_up_ms) {
        say(out, CONFIRM_YES, in->votes ? OTA_WHY_CALLBACK : OTA_WHY_MET,
            in->met);
    } else if (in->deadline_ms && in->up_ms >= in->deadline_ms) {
        say(out, CONFIRM_NO, OTA_WHY_DEADLINE, missing);
    } else {
        say(out, CONFIRM_WAIT, OTA_WHY_NONE, missing);
        out->next_ms = next_time(in);
    }
}
