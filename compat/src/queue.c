#include "freertos/queue.h"

#include <string.h>

#include "compat.h"

struct compat_queue {
    struct compat_gate gate;
    UBaseType_t cap_cnt, item_len;
    UBaseType_t first, cnt;
    uint8_t bytes[];
};

QueueHandle_t xQueueCreate(UBaseType_t uxQueueLength, UBaseType_t uxItemSize)
{
    size_t len;
    if (uxQueueLength == 0 ||
        __builtin_mul_overflow((size_t)uxQueueLength, uxItemSize, &len))
        return NULL;
    struct compat_queue *q = calloc(1, sizeof(*q) + len);
    if (!q)
        return NULL;
    compat_gate_init(&q->gate);
    q->cap_cnt = uxQueueLength;
    q->item_len = uxItemSize;
    return q;
}

void vQueueDelete(QueueHandle_t xQueue)
{
    compat_gate_deinit(&xQueue->gate);
    free(xQueue);
}

static uint8_t *item_at(struct compat_queue *q, UBaseType_t idx)
{
    size_t slot = ((size_t)q->first + idx) % q->cap_cnt;
    return q->bytes + slot * q->item_len;
}

static bool has_room(const void *arg)
{
    const struct compat_queue *q = arg;
    return q->cnt < q->cap_cnt;
}

static bool has_item(const void *arg)
{
    const struct compat_queue *q = arg;
    return q->cnt > 0;
}

static BaseType_t send_at(QueueHandle_t q, const void *item, TickType_t ticks,
                          bool front)
{
    compat_gate_enter(&q->gate);
    bool ok = compat_gate_wait(&q->gate, has_room, q, ticks);
    if (ok && front)
        q->first = (q->first + q->cap_cnt - 1) % q->cap_cnt;
    if (ok && q->item_len > 0)
        memcpy(item_at(q, front ? 0 : q->cnt), item, q->item_len);
    if (ok)
        q->cnt++;
    compat_gate_wake(&q->gate);
    compat_gate_leave(&q->gate);
    return ok ? pdTRUE : errQUEUE_FULL;
}

BaseType_t xQueueSendToBack(QueueHandle_t xQueue, const void *pvItemToQueue,
                            TickType_t xTicksToWait)
{
    return send_at(xQueue, pvItemToQueue, xTicksToWait, false);
}

BaseType_t xQueueSendToFront(QueueHandle_t xQueue, const void *pvItemToQueue,
                             TickType_t xTicksToWait)
{
    return send_at(xQueue, pvItemToQueue, xTicksToWait, true);
}

BaseType_t xQueueOverwrite(QueueHandle_t xQueue, const void *pvItemToQueue)
{
    compat_gate_enter(&xQueue->gate);
    if (xQueue->item_len > 0)
        memcpy(item_at(xQueue, 0), pvItemToQueue, xQueue->item_len);
    xQueue->cnt = 1;
    compat_gate_wake(&xQueue->gate);
    compat_gate_leave(&xQueue->gate);
    return pdPASS;
}

static BaseType_t take(QueueHandle_t q, void *out, TickType_t ticks,
                       bool remove)
{
    compat_gate_enter(&q->gate);
    bool ok = compat_gate_wait(&q->gate, has_item, q, ticks);
    if (ok && q->item_len > 0)
        memcpy(out, item_at(q, 0), q->item_len);
    if (ok && remove) {
        q->first = (q->first + 1) % q->cap_cnt;
        q->cnt--;
        compat_gate_wake(&q->gate);
    }
    compat_gate_leave(&q->gate);
    return ok ? pdTRUE : errQUEUE_EMPTY;
}

BaseType_t xQueueReceive(QueueHandle_t xQueue, void *pvBuffer,
                         TickType_t xTicksToWait)
{
    return take(xQueue, pvBuffer, xTicksToWait, true);
}

BaseType_t xQueuePeek(QueueHandle_t xQueue, void *pvBuffer,
                      TickType_t xTicksToWait)
{
    return take(xQueue, pvBuffer, xTicksToWait, false);
}

BaseType_t xQueueReset(QueueHandle_t xQueue)
{
    compat_gate_enter(&xQueue->gate);
    xQueue->first = 0;
    xQueue->cnt = 0;
    compat_gate_wake(&xQueue->gate);
    compat_gate_leave(&xQueue->gate);
    return pdPASS;
}

UBaseType_t uxQueueMessagesWaiting(const QueueHandle_t xQueue)
{
    compat_gate_enter(&xQueue->gate);
    UBaseType_t cnt = xQueue->cnt;
    compat_gate_leave(&xQueue->gate);
    return cnt;
}

UBaseType_t uxQueueSpacesAvailable(const QueueHandle_t xQueue)
{
    return xQueue->cap_cnt - uxQueueMessagesWaiting(xQueue);
}
