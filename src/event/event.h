/* event/event.h - an event loop: a queue of events and a list of handlers.
 *
 * Events run one at a time in the order of their posts; the handlers of one
 * event run in the order of their registration. A handler may post, register
 * and unregister; one that is registered while an event runs does not see that
 * event, one that is unregistered is not called again.
 * Order: event_loop_open, then any number of the others from any thread, then
 * event_loop_stop and event_loop_close. One thread at a time runs events:
 * event_loop_run() by a second one, or from a handler, is refused. Handlers run
 * without any lock.
 * Memory: the heap of the loop: one block per handler and per waiting event. */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "port/heap.h"
#include "port/task.h"

#define EVENT_ANY_ID (-1)
#define EVENT_WAIT_FOREVER UINT32_MAX

/* A base is compared by its address; NULL: any. */
typedef void (*event_fn)(void *arg, const char *base, int32_t id, void *data);

struct event_handler;
struct event_item;

struct event_loop {
    const struct port_heap *heap; /* borrowed */
    const struct port_task *task; /* borrowed */
    struct event_handler *handlers;
    struct event_item *first, *last;
    uint32_t cnt, cap_cnt; /* of events that wait */
    uint32_t seq;          /* of the handler registered last */
    bool running;          /* some thread is in event_run_one() */
    bool dispatching;      /* ... and handlers may be running */
    bool serving;          /* the loop's own thread is alive */
    bool direct;           /* posts run the handlers: one thread only */
    bool stopping;
};

/* Which handler, of which events. */
struct event_key {
    const char *base; /* NULL: any */
    int32_t id;       /* EVENT_ANY_ID: any */
    event_fn fn;
};

void event_loop_open(struct event_loop *loop, const struct port_heap *heap,
                     const struct port_task *task, uint32_t cap_cnt);

/* Frees handlers and events, which do not run any more. Nobody else may use
 * the loop from here on. */
void event_loop_close(struct event_loop *loop);

/* Adds a handler. With instance NULL an equal one that was added in the same
 * way gets the new arg instead. ESP_ERR_INVALID_ARG: no function, or any base
 * with a certain id. ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t event_register(struct event_loop *loop,
                                    const struct event_key *key, void *arg,
                                    struct event_handler **instance);

/* ESP_ERR_NOT_FOUND: there is none. */
MUST_CHECK esp_err_t event_unregister(struct event_loop *loop,
                                      const struct event_key *key);
MUST_CHECK esp_err_t event_unregister_instance(struct event_loop *loop,
                                               struct event_handler *instance);

/* What to post. data is copied. */
struct event_post {
    const char *base;
    int32_t id;
    const void *data;
    size_t len;
};

/* ESP_ERR_INVALID_ARG: any base or any id, or len without data.
 * ESP_ERR_TIMEOUT: full for all of wait_ms. ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t event_post(struct event_loop *loop,
                                const struct event_post *post,
                                uint32_t wait_ms);

/* Runs one event, waiting for it at most wait_ms. ESP_ERR_TIMEOUT: none came.
 * ESP_ERR_INVALID_STATE: events are being run already, or the loop stops. */
MUST_CHECK esp_err_t event_run_one(struct event_loop *loop, uint32_t wait_ms);

/* Gives the loop a thread of its own that runs events until it is stopped.
 * Where there is one thread only, event_post() runs the handlers itself. */
MUST_CHECK esp_err_t event_loop_start(struct event_loop *loop,
                                      const char *name);

/* No event runs when this returns, and none will. Waits for the handler that
 * is running; not to be called from one: ESP_ERR_INVALID_STATE where that can
 * be seen, a deadlock where it cannot. */
MUST_CHECK esp_err_t event_loop_stop(struct event_loop *loop);

#endif
