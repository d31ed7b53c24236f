/* freertos/queue.h - queues of copies. */
#ifndef INC_QUEUE_H
#define INC_QUEUE_H

#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

struct compat_queue;
typedef struct compat_queue *QueueHandle_t;

/* NULL: no memory. */
QueueHandle_t xQueueCreate(UBaseType_t uxQueueLength, UBaseType_t uxItemSize);
void vQueueDelete(QueueHandle_t xQueue);

/* pdTRUE, or errQUEUE_FULL after the wait. */
BaseType_t xQueueSendToBack(QueueHandle_t xQueue, const void *pvItemToQueue,
                            TickType_t xTicksToWait);
BaseType_t xQueueSendToFront(QueueHandle_t xQueue, const void *pvItemToQueue,
                             TickType_t xTicksToWait);
#define xQueueSend(queue, item, ticks) xQueueSendToBack(queue, item, ticks)

/* pdTRUE, or errQUEUE_EMPTY after the wait. */
BaseType_t xQueueReceive(QueueHandle_t xQueue, void *pvBuffer,
                         TickType_t xTicksToWait);
BaseType_t xQueuePeek(QueueHandle_t xQueue, void *pvBuffer,
                      TickType_t xTicksToWait);

/* For queues of one: what is there is replaced. */
BaseType_t xQueueOverwrite(QueueHandle_t xQueue, const void *pvItemToQueue);

/* There are no interrupts; who calls these does not wait. */
#define xQueueSendFromISR(queue, item, woken) \
    ((void)(woken), xQueueSendToBack((queue), (item), 0))
#define xQueueReceiveFromISR(queue, buffer, woken) \
    ((void)(woken), xQueueReceive((queue), (buffer), 0))

#define xQueueSendToBackFromISR(queue, item, woken) \
    xQueueSendFromISR(queue, item, woken)
#define xQueueSendToFrontFromISR(queue, item, woken) \
    ((void)(woken), xQueueSendToFront((queue), (item), 0))
#define xQueueOverwriteFromISR(queue, item, woken) \
    ((void)(woken), xQueueOverwrite((queue), (item)))
#define xQueuePeekFromISR(queue, buffer) xQueuePeek((queue), (buffer), 0)
#define uxQueueMessagesWaitingFromISR(queue) uxQueueMessagesWaiting(queue)
#define xQueueIsQueueFullFromISR(queue) (uxQueueSpacesAvailable(queue) == 0)
#define xQueueIsQueueEmptyFromISR(queue) (uxQueueMessagesWaiting(queue) == 0)
#define xQueueCreateStatic(length, item_len, bytes, place) \
    ((void)(bytes), (void)(place), xQueueCreate((length), (item_len)))

BaseType_t xQueueReset(QueueHandle_t xQueue);
UBaseType_t uxQueueMessagesWaiting(const QueueHandle_t xQueue);
UBaseType_t uxQueueSpacesAvailable(const QueueHandle_t xQueue);

#ifdef __cplusplus
}
#endif

#endif
