/* The queue and the list change only inside the loop's place; handlers run
 * outside of it. While one runs, its block must not go away: unregistering
 * marks it, and the thread that runs events sweeps when it is between two. */
#include "event/event.h"

#include <string.h>

struct event_handler {
    struct event_handler *next;
    struct event_key key;
    void *arg;
    uint32_t seq;
    bool is_instance;
    bool gone;
};

struct event_item {
    struct event_item *next;
    const char *base;
    int32_t id;
    bool has_data;
    /* Data follows, aligned for any object. */
    union {
        long long align_int;
        long double align_float;
        void *align_ptr;
    } data[];
};

static void enter(const struct event_loop *loop)
{
    loop->task->enter(loop->task->ctx);
}

static void leave(const struct event_loop *loop)
{
    loop->task->leave(loop->task->ctx);
}

static void wake(const struct event_loop *loop)
{
    loop->task->wake(loop->task->ctx);
}

void event_loop_open(struct event_loop *loop, const struct port_heap *heap,
                     const struct port_task *task, uint32_t cap_cnt)
{
    *loop =
        (struct event_loop){ .heap = heap, .task = task, .cap_cnt = cap_cnt };
}

/* --- handlers ------------------------------------------------------------- */

/* Inside. Frees what was unregistered, unless it may be running. */
static void sweep(struct event_loop *loop)
{
    struct event_handler **at = &loop->handlers;
    while (*at) {
        struct event_handler *h = *at;
        if (h->gone) {
            *at = h->next;
            loop->heap->free(loop->heap->ctx, h);
        } else {
            at = &h->next;
        }
    }
}

static bool key_eq(const struct event_key *a, const struct event_key *b)
{
    return a->base == b->base && a->id == b->id && a->fn == b->fn;
}

static struct event_handler *find_plain(struct event_loop *loop,
                                        const struct event_key *key)
{
    for (struct event_handler *h = loop->handlers; h; h = h->next)
        if (!h->gone && !h->is_instance && key_eq(&h->key, key))
            return h;
    return NULL;
}

static void append(struct event_loop *loop, struct event_handler *h)
{
    struct event_handler **at = &loop->handlers;
    while (*at)
        at = &(*at)->next;
    *at = h;
    h->seq = ++loop->seq;
}

esp_err_t event_register(struct event_loop *loop, const struct event_key *key,
                         void *arg, struct event_handler **instance)
{
    if (!key->fn || (!key->base && key->id != EVENT_ANY_ID))
        return ESP_ERR_INVALID_ARG;
    struct event_handler *h = loop->heap->alloc(loop->heap->ctx, sizeof(*h));
    if (!h)
        return ESP_ERR_NO_MEM;
    *h = (struct event_handler){ .key = *key,
                                 .arg = arg,
                                 .is_instance = instance != NULL };
    enter(loop);
    struct event_handler *old = instance ? NULL : find_plain(loop, key);
    if (old)
        old->arg = arg;
    else
        append(loop, h);
    leave(loop);
    if (old)
        loop->heap->free(loop->heap->ctx, h);
    if (instance)
        *instance = h;
    return ESP_OK;
}

/* Inside. */
static esp_err_t drop(struct event_loop *loop, struct event_handler *h)
{
    if (!h)
        return ESP_ERR_NOT_FOUND;
    h->gone = true;
    if (!loop->dispatching)
        sweep(loop);
    return ESP_OK;
}

esp_err_t event_unregister(struct event_loop *loop, const struct event_key *key)
{
    enter(loop);
    esp_err_t err = drop(loop, find_plain(loop, key));
    leave(loop);
    return err;
}

esp_err_t event_unregister_instance(struct event_loop *loop,
                                    struct event_handler *instance)
{
    enter(loop);
    struct event_handler *h = loop->handlers;
    while (h && (h != instance || h->gone || !h->is_instance))
        h = h->next;
    esp_err_t err = drop(loop, h);
    leave(loop);
    return err;
}

/* --- events --------------------------------------------------------------- */

static struct event_item *item_new(struct event_loop *loop,
                                   const struct event_post *post)
{
    struct event_item *item =
        loop->heap->alloc(loop->heap->ctx, sizeof(*item) + post->len);
    if (!item)
        return NULL;
    *item = (struct event_item){ .base = post->base,
                                 .id = post->id,
                                 .has_data = post->len > 0 };
    if (post->len > 0)
        memcpy(item->data, post->data, post->len);
    return item;
}

/* Inside. */
static esp_err_t push(struct event_loop *loop, struct event_item *item,
                      uint32_t wait_ms)
{
    while (loop->cnt >= loop->cap_cnt && wait_ms > 0 && !loop->stopping)
        wait_ms = loop->task->wait(loop->task->ctx, wait_ms);
    if (loop->cnt >= loop->cap_cnt || loop->stopping)
        return ESP_ERR_TIMEOUT;
    if (loop->last)
        loop->last->next = item;
    else
        loop->first = item;
    loop->last = item;
    loop->cnt++;
    wake(loop);
    return ESP_OK;
}

/* Inside. NULL: none. */
static struct event_item *pop(struct event_loop *loop)
{
    struct event_item *item = loop->first;
    if (!item)
        return NULL;
    loop->first = item->next;
    if (!loop->first)
        loop->last = NULL;
    loop->cnt--;
    wake(loop);
    return item;
}

static bool handles(const struct event_handler *h, const struct event_item *e)
{
    if (h->gone)
        return false;
    if (h->key.base && h->key.base != e->base)
        return false;
    return h->key.id == EVENT_ANY_ID || h->key.id == e->id;
}

/* Inside on entry and exit; outside while a handler runs. Nothing is freed
 * meanwhile, and what is appended has a higher number. */
static void dispatch(struct event_loop *loop, struct event_item *item)
{
    uint32_t newest = loop->seq;
    struct event_handler *h = loop->handlers;
    loop->dispatching = true;
    for (; h && h->seq <= newest; h = h->next) {
        if (!handles(h, item))
            continue;
        event_fn fn = h->key.fn;
        void *arg = h->arg;
        leave(loop);
        fn(arg, item->base, item->id, item->has_data ? item->data : NULL);
        enter(loop);
    }
    loop->dispatching = false;
    sweep(loop);
}

/* Inside. */
static esp_err_t run_one(struct event_loop *loop, uint32_t wait_ms)
{
    if (loop->running || loop->stopping)
        return ESP_ERR_INVALID_STATE;
    loop->running = true;
    while (!loop->first && wait_ms > 0 && !loop->stopping)
        wait_ms = loop->task->wait(loop->task->ctx, wait_ms);
    struct event_item *item = pop(loop);
    if (item && !loop->stopping)
        dispatch(loop, item);
    loop->running = false;
    wake(loop);
    if (item)
        loop->heap->free(loop->heap->ctx, item);
    if (loop->stopping)
        return ESP_ERR_INVALID_STATE;
    return item ? ESP_OK : ESP_ERR_TIMEOUT;
}

esp_err_t event_run_one(struct event_loop *loop, uint32_t wait_ms)
{
    enter(loop);
    esp_err_t err = run_one(loop, wait_ms);
    leave(loop);
    return err;
}

esp_err_t event_post(struct event_loop *loop, const struct event_post *post,
                     uint32_t wait_ms)
{
    if (!post->base || post->id == EVENT_ANY_ID ||
        (post->len > 0 && !post->data))
        return ESP_ERR_INVALID_ARG;
    struct event_item *item = item_new(loop, post);
    if (!item)
        return ESP_ERR_NO_MEM;
    enter(loop);
    esp_err_t err = push(loop, item, wait_ms);
    if (!err && loop->direct)
        while (run_one(loop, 0) == ESP_OK)
            ;
    leave(loop);
    if (err)
        loop->heap->free(loop->heap->ctx, item);
    return err;
}

static void serve(void *arg)
{
    struct event_loop *loop = arg;
    enter(loop);
    while (run_one(loop, EVENT_WAIT_FOREVER) != ESP_ERR_INVALID_STATE)
        ;
    loop->serving = false;
    wake(loop);
    leave(loop);
}

esp_err_t event_loop_start(struct event_loop *loop, const char *name)
{
    loop->serving = true;
    esp_err_t err = loop->task->start(loop->task->ctx, name, serve, loop);
    if (err)
        loop->serving = false;
    loop->direct = err == ESP_ERR_NOT_SUPPORTED;
    return loop->direct ? ESP_OK : err;
}

esp_err_t event_loop_stop(struct event_loop *loop)
{
    enter(loop);
    bool inside = loop->direct && loop->running;
    loop->stopping = !inside;
    wake(loop);
    while (!inside && (loop->running || loop->serving))
        loop->task->wait(loop->task->ctx, EVENT_WAIT_FOREVER);
    leave(loop);
    return inside ? ESP_ERR_INVALID_STATE : ESP_OK;
}

void event_loop_close(struct event_loop *loop)
{
    while (loop->first) {
        struct event_item *item = loop->first;
        loop->first = item->next;
        loop->heap->free(loop->heap->ctx, item);
    }
    while (loop->handlers) {
        struct event_handler *h = loop->handlers;
        loop->handlers = h->next;
        loop->heap->free(loop->heap->ctx, h);
    }
    loop->last = NULL;
    loop->cnt = 0;
}
