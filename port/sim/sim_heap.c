#include "sim_heap.h"

#include <stdlib.h>
#include <string.h>

/* In front of each block; keeps the block aligned for any object. */
union head {
    size_t len;
    max_align_t align;
};

static void *heap_alloc(void *ctx, size_t len)
{
    struct sim_heap *h = ctx;
    h->alloc_cnt++;
    if (h->alloc_cnt == h->fail_at)
        return NULL;
    if (h->cap_len && len > h->cap_len - h->cur_len)
        return NULL;
    if (len > SIZE_MAX - sizeof(union head))
        return NULL;
    union head *head = calloc(1, sizeof(*head) + len);
    if (!head)
        return NULL;
    head->len = len;
    h->cur_cnt++;
    h->cur_len += len;
    if (h->cur_len > h->peak_len)
        h->peak_len = h->cur_len;
    return head + 1;
}

static void heap_free(void *ctx, void *ptr)
{
    struct sim_heap *h = ctx;
    if (!ptr)
        return;
    union head *head = (union head *)ptr - 1;
    h->cur_cnt--;
    h->cur_len -= head->len;
    /* Whoever still uses the block reads nonsense. */
    memset(head + 1, 0xdd, head->len);
    free(head);
}

void sim_heap_init(struct sim_heap *h)
{
    *h = (struct sim_heap){ .port = { h, heap_alloc, heap_free } };
}
