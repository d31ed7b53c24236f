/* esp_event.h - post an event here, handle it there.
 *
 * Events run in the order in which they were posted, one at a time; the
 * handlers of an event run in the order in which they were registered. The
 * default loop has a task of its own; a loop of esp_event_loop_create() has
 * one if it names one, otherwise esp_event_loop_run() does the work. Where a
 * program has a single thread, a post to a loop with a task runs the handlers
 * before it returns. */
#ifndef ESP_EVENT_H
#define ESP_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_event_base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t queue_size;
    const char *task_name; /* NULL: no task */
    unsigned int task_priority;
    uint32_t task_stack_size;
    int task_core_id;
} esp_event_loop_args_t;

esp_err_t esp_event_loop_create(const esp_event_loop_args_t *event_loop_args,
                                esp_event_loop_handle_t *event_loop);
esp_err_t esp_event_loop_delete(esp_event_loop_handle_t event_loop);

/* ESP_ERR_INVALID_STATE: there is one already. */
esp_err_t esp_event_loop_create_default(void);
esp_err_t esp_event_loop_delete_default(void);

/* Runs the handlers of what was posted, for about that many ticks. */
esp_err_t esp_event_loop_run(esp_event_loop_handle_t event_loop,
                             uint32_t ticks_to_run);

/* The same handler for the same event a second time only changes its argument.
 * ESP_ERR_INVALID_STATE: there is no default loop. ESP_ERR_INVALID_ARG: any
 * base with one id. */
esp_err_t esp_event_handler_register(esp_event_base_t event_base,
                                     int32_t event_id,
                                     esp_event_handler_t event_handler,
                                     void *event_handler_arg);
esp_err_t esp_event_handler_register_with(esp_event_loop_handle_t event_loop,
                                          esp_event_base_t event_base,
                                          int32_t event_id,
                                          esp_event_handler_t event_handler,
                                          void *event_handler_arg);

/* Each call makes an instance of its own. instance may be NULL. */
esp_err_t esp_event_handler_instance_register(
    esp_event_base_t event_base, int32_t event_id,
    esp_event_handler_t event_handler, void *event_handler_arg,
    esp_event_handler_instance_t *instance);
esp_err_t esp_event_handler_instance_register_with(
    esp_event_loop_handle_t event_loop, esp_event_base_t event_base,
    int32_t event_id, esp_event_handler_t event_handler,
    void *event_handler_arg, esp_event_handler_instance_t *instance);

/* Also from inside a handler. What is not registered is no error. */
esp_err_t esp_event_handler_unregister(esp_event_base_t event_base,
                                       int32_t event_id,
                                       esp_event_handler_t event_handler);
esp_err_t esp_event_handler_unregister_with(esp_event_loop_handle_t event_loop,
                                            esp_event_base_t event_base,
                                            int32_t event_id,
                                            esp_event_handler_t event_handler);
esp_err_t esp_event_handler_instance_unregister(
    esp_event_base_t event_base, int32_t event_id,
    esp_event_handler_instance_t instance);
esp_err_t esp_event_handler_instance_unregister_with(
    esp_event_loop_handle_t event_loop, esp_event_base_t event_base,
    int32_t event_id, esp_event_handler_instance_t instance);

/* Copies the data. ESP_ERR_TIMEOUT: the queue stayed full for that many ticks.
 * ESP_ERR_INVALID_ARG: any base or any id. */
esp_err_t esp_event_post(esp_event_base_t event_base, int32_t event_id,
                         const void *event_data, size_t event_data_size,
                         uint32_t ticks_to_wait);
esp_err_t esp_event_post_to(esp_event_loop_handle_t event_loop,
                            esp_event_base_t event_base, int32_t event_id,
                            const void *event_data, size_t event_data_size,
                            uint32_t ticks_to_wait);

#ifdef __cplusplus
}
#endif

#endif
