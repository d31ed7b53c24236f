#include "linux_heap.h"

#include <stdlib.h>

static void *heap_alloc(void *ctx, size_t len)
{
    (void)ctx;
    return calloc(1, len ? len : 1);
}

static void heap_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

const struct port_heap linux_heap = { NULL, heap_alloc, heap_free };
