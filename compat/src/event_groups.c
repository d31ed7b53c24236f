#include "freertos/event_groups.h"

#include "compat.h"

struct compat_event_group {
    struct compat_gate gate;
    EventBits_t bits;
};

struct bits_wait {
    const struct compat_event_group *group;
    EventBits_t bits;
    bool all;
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

EventBits_t xEventGroupSetBits(EventGroupHandle_t xEventGroup,
                               const EventBits_t uxBitsToSet)
{
    compat_gate_enter(&xEventGroup->gate);
    EventBits_t bits = xEventGroup->bits |= uxBitsToSet;
    compat_gate_wake(&xEventGroup->gate);
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

static bool bits_ready(const void *arg)
{
    const struct bits_wait *w = arg;
    EventBits_t found = w->group->bits & w->bits;
    return w->all ? found == w->bits : found != 0;
}

EventBits_t xEventGroupWaitBits(EventGroupHandle_t xEventGroup,
                                const EventBits_t uxBitsToWaitFor,
                                const BaseType_t xClearOnExit,
                                const BaseType_t xWaitForAllBits,
                                TickType_t xTicksToWait)
{
    struct bits_wait wait = { xEventGroup, uxBitsToWaitFor,
                              xWaitForAllBits != pdFALSE };
    compat_gate_enter(&xEventGroup->gate);
    bool ready =
        compat_gate_wait(&xEventGroup->gate, bits_ready, &wait, xTicksToWait);
    EventBits_t bits = xEventGroup->bits;
    if (ready && xClearOnExit)
        xEventGroup->bits &= ~uxBitsToWaitFor;
    compat_gate_leave(&xEventGroup->gate);
    return bits;
}
