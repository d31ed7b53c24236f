#include "heap_meter.h"

#include <stdalign.h>
#include <string.h>

/* Stands before each block; as large as the strictest alignment. */
union block {
    size_t len;
    max_align_t align;
};

static void *meter_alloc(void *ctx, size_t len)
{
    struct heap_meter *m = ctx;
    union block *b;

    if (len > SIZE_MAX - sizeof(*b))
        return NULL;
    b = m->below->alloc(m->below->ctx, sizeof(*b) + len);
    if (!b)
        return NULL;
    b->len = len;
    m->alloc_cnt++;
    m->cur_len += len;
    if (m->cur_len > m->peak_len)
        m->peak_len = m->cur_len;
    return b + 1;
}

static void meter_free(void *ctx, void *ptr)
{
    struct heap_meter *m = ctx;
    union block *b = ptr;

    if (!ptr)
        return;
    b--;
    m->cur_len -= b->len;
    m->below->free(m->below->ctx, b);
}

void heap_meter_init(struct heap_meter *m, const struct port_heap *below)
{
    *m = (struct heap_meter){ .below = below };
    m->port = (struct port_heap){ .ctx = m,
                                  .alloc = meter_alloc,
                                  .free = meter_free };
}
