/* Whoever sets bits looks through those who wait, and decides for all of them
 * before anything is cleared: two tasks that wait for the same bits both go on,
 * also when the first one clears them. */
#include "freertos/event_groups.h"

#include "compat.h"

struct bits_wait {
    struct bits_wait *next;
    struct compat_event_group *group;
    EventBits_t bits;
    bool all, clear;
    bool done;
    EventBits_t seen; /* as they were then */
};

struct compat_event_group {
    struct compat_gate gate;
    EventBits_t bits;
    struct bits_wait *waits;
};

EventGroupHandle_t xEventGroupCreate(void)
{
    struct compat_event_group *group = calloc(1, sizeof(*group));
    if (group)
        compat_gate_init(&group->gate);
    return group;
}

void vEventGroupDelete(EventGroupHandle_t xEventGroup)
{
    compat_gate_deinit(&xEventGroup->gate);
    free(xEventGroup);
}

static bool is_met(const struct bits_wait *w, EventBits_t bits)
{
    return w->all ? (bits & w->bits) == w->bits : (bits & w->bits) != 0;
}

/* Inside. */
static void set_bits(struct compat_event_group *group, EventBits_t bits)
{
    EventBits_t clear = 0;
    group->bits |= bits;
    for (struct bits_wait *w = group->waits; w; w = w->next) {
        if (w->done || !is_met(w, group->bits))
            continue;
        w->done = true;
        w->seen = group->bits;
        if (w->clear)
            clear |= w->bits;
    }
    group->bits &= ~clear;
    compat_gate_wake(&group->gate);
}

EventBits_t xEventGroupSetBits(EventGroupHandle_t xEventGroup,
                               const EventBits_t uxBitsToSet)
{
    compat_gate_enter(&xEventGroup->gate);
    set_bits(xEventGroup, uxBitsToSet);
    EventBits_t bits = xEventGroup->bits;
    compat_gate_leave(&xEventGroup->gate);
    return bits;
}

EventBits_t xEventGroupClearBits(EventGroupHandle_t xEventGroup,
                                 const EventBits_t uxBitsToClear)
{
    compat_gate_enter(&xEventGroup->gate);
    EventBits_t bits = xEventGroup->bits;
    xEventGroup->bits &= ~uxBitsToClear;
    compat_gate_leave(&xEventGroup->gate);
    return bits;
}

static bool is_done(const void *arg)
{
    const struct bits_wait *w = arg;
    return w->done;
}

/* Inside. */
static void unlink_wait(struct bits_wait *w)
{
    struct bits_wait **at = &w->group->waits;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
}

/* The task was deleted while it waited: the gate is left already. */
static void wait_cleanup(void *arg)
{
    struct bits_wait *w = arg;
    compat_gate_enter(&w->group->gate);
    unlink_wait(w);
    compat_gate_leave(&w->group->gate);
}

/* Inside, with bits that somebody else has to set. */
static void wait_for(struct bits_wait *w, TickType_t ticks)
{
    w->next = w->group->waits;
    w->group->waits = w;
    pthread_cleanup_push(wait_cleanup, w);
    (void)compat_gate_wait(&w->group->gate, is_done, w, ticks);
    pthread_cleanup_pop(0);
    unlink_wait(w);
    if (!w->done)
        w->seen = w->group->bits;
}

EventBits_t xEventGroupWaitBits(EventGroupHandle_t xEventGroup,
                                const EventBits_t uxBitsToWaitFor,
                                const BaseType_t xClearOnExit,
                                const BaseType_t xWaitForAllBits,
                                TickType_t xTicksToWait)
{
    struct bits_wait wait = { .group = xEventGroup,
                              .bits = uxBitsToWaitFor,
                              .all = xWaitForAllBits != pdFALSE,
                              .clear = xClearOnExit != pdFALSE };
    compat_gate_enter(&xEventGroup->gate);
    if (is_met(&wait, xEventGroup->bits)) {
        wait.seen = xEventGroup->bits;
        if (wait.clear)
            xEventGroup->bits &= ~wait.bits;
    } else {
        wait_for(&wait, xTicksToWait);
    }
    compat_gate_leave(&xEventGroup->gate);
    return wait.seen;
}

EventBits_t xEventGroupSync(EventGroupHandle_t xEventGroup,
                            const EventBits_t uxBitsToSet,
                            const EventBits_t uxBitsToWaitFor,
                            TickType_t xTicksToWait)
{
    struct bits_wait wait = { .group = xEventGroup,
                              .bits = uxBitsToWaitFor,
                              .all = true,
                              .clear = true };
    compat_gate_enter(&xEventGroup->gate);
    EventBits_t all = xEventGroup->bits | uxBitsToSet;
    set_bits(xEventGroup, uxBitsToSet);
    if (is_met(&wait, all)) {
        wait.seen = all;
        xEventGroup->bits &= ~wait.bits;
    } else {
        wait_for(&wait, xTicksToWait);
    }
    compat_gate_leave(&xEventGroup->gate);
    return wait.seen;
}
