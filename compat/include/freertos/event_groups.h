/* freertos/event_groups.h - bits that tasks set and wait for. */
#ifndef EVENT_GROUPS_H
#define EVENT_GROUPS_H

#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef TickType_t EventBits_t; /* the upper 8 are not for applications */
struct compat_event_group;
typedef struct compat_event_group *EventGroupHandle_t;

/* NULL: no memory. */
EventGroupHandle_t xEventGroupCreate(void);
void vEventGroupDelete(EventGroupHandle_t xEventGroup);

/* Return the bits as they are after the call. */
EventBits_t xEventGroupSetBits(EventGroupHandle_t xEventGroup,
                               const EventBits_t uxBitsToSet);
/* Returns the bits as they were before. */
EventBits_t xEventGroupClearBits(EventGroupHandle_t xEventGroup,
                                 const EventBits_t uxBitsToClear);
#define xEventGroupGetBits(group) xEventGroupClearBits((group), 0)

/* Returns the bits at the end of the wait, before any were cleared. */
EventBits_t xEventGroupWaitBits(EventGroupHandle_t xEventGroup,
                                const EventBits_t uxBitsToWaitFor,
                                const BaseType_t xClearOnExit,
                                const BaseType_t xWaitForAllBits,
                                TickType_t xTicksToWait);

/* Sets bits and waits for all of the others: a place where tasks meet. They are
 * cleared when all are there. */
EventBits_t xEventGroupSync(EventGroupHandle_t xEventGroup,
                            const EventBits_t uxBitsToSet,
                            const EventBits_t uxBitsToWaitFor,
                            TickType_t xTicksToWait);

#define xEventGroupCreateStatic(place) ((void)(place), xEventGroupCreate())
/* There are no interrupts; the bits are set when this returns. */
#define xEventGroupSetBitsFromISR(group, bits, woken) \
    ((void)(woken), (void)xEventGroupSetBits((group), (bits)), pdPASS)
#define xEventGroupClearBitsFromISR(group, bits) \
    ((void)xEventGroupClearBits((group), (bits)), pdPASS)
#define xEventGroupGetBitsFromISR(group) xEventGroupGetBits(group)

#ifdef __cplusplus
}
#endif

#endif
