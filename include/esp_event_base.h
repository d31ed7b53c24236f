/* esp_event_base.h - names of event loops: bases, ids, handlers. */
#ifndef ESP_EVENT_BASE_H
#define ESP_EVENT_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A family of events: the address of its own name. */
#define ESP_EVENT_DECLARE_BASE(id) extern esp_event_base_t const id
#define ESP_EVENT_DEFINE_BASE(id) esp_event_base_t const id = #id

#define ESP_EVENT_ANY_BASE NULL
#define ESP_EVENT_ANY_ID (-1)

typedef const char *esp_event_base_t;
typedef void *esp_event_loop_handle_t;
typedef void *esp_event_handler_instance_t;

/* event_data is a copy that lives until the handlers of this event are done. */
typedef void (*esp_event_handler_t)(void *event_handler_arg,
                                    esp_event_base_t event_base,
                                    int32_t event_id, void *event_data);

#ifdef __cplusplus
}
#endif

#endif
