/* What esp_system.h and esp_heap_caps.h ask about memory: the figure that the
 * project gives its device, less what this program holds of the host's. */
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>

#include "compat.h"
#include "esp_heap_caps.h"
#include "esp_system.h"
#include "linux_heap.h"
#include "porta/app_config.h"

#define STEP_LEN 4096u /* of the library's heap, between two looks */

static atomic_size_t lowest = SIZE_MAX;
/* Of the library's own: bytes that it holds, and the most that it was seen
 * with. */
static atomic_size_t held, looked_at;

static size_t total(void)
{
    return (size_t)porta_app_config.heap_kib * 1024;
}

static size_t used(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static size_t free_now(void)
{
    size_t busy = used(); /* once: others allocate meanwhile */
    size_t now = busy < total() ? total() - busy : 0;
    size_t seen = atomic_load(&lowest);
    while (now < seen && !atomic_compare_exchange_weak(&lowest, &seen, now))
        ;
    return now;
}

/* --- the library's heap --------------------------------------------------- */

static void *heap_alloc(void *ctx, size_t len)
{
    (void)ctx;
    void *ptr = linux_heap.alloc(linux_heap.ctx, len);
    if (!ptr)
        return NULL;
    size_t now = atomic_fetch_add(&held, malloc_usable_size(ptr));
    if (now > atomic_load(&looked_at) + STEP_LEN) {
        atomic_store(&looked_at, now);
        (void)free_now();
    }
    return ptr;
}

static void heap_free(void *ctx, void *ptr)
{
    (void)ctx;
    if (ptr)
        atomic_fetch_sub(&held, malloc_usable_size(ptr));
    linux_heap.free(linux_heap.ctx, ptr);
}

const struct port_heap compat_heap = { NULL, heap_alloc, heap_free };

/* --- esp_system.h --------------------------------------------------------- */

static uint32_t clamped(size_t len)
{
    return len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
}

uint32_t esp_get_free_heap_size(void)
{
    return clamped(free_now());
}

uint32_t esp_get_free_internal_heap_size(void)
{
    return esp_get_free_heap_size();
}

uint32_t esp_get_minimum_free_heap_size(void)
{
    (void)free_now();
    return clamped(atomic_load(&lowest));
}

/* --- esp_heap_caps.h ------------------------------------------------------ */

void *heap_caps_malloc(size_t size, uint32_t caps)
{
    (void)caps;
    return malloc(size);
}

void *heap_caps_calloc(size_t n, size_t size, uint32_t caps)
{
    (void)caps;
    return calloc(n, size);
}

void *heap_caps_realloc(void *ptr, size_t size, uint32_t caps)
{
    (void)caps;
    return realloc(ptr, size);
}

void *heap_caps_aligned_alloc(size_t alignment, size_t size, uint32_t caps)
{
    void *ptr = NULL;
    (void)caps;
    if (alignment == 0 || (alignment & (alignment - 1)) != 0)
        return NULL;
    if (alignment < sizeof(void *))
        alignment = sizeof(void *);
    return posix_memalign(&ptr, alignment, size) == 0 ? ptr : NULL;
}

void heap_caps_aligned_free(void *ptr)
{
    free(ptr);
}

void heap_caps_free(void *ptr)
{
    free(ptr);
}

size_t heap_caps_get_total_size(uint32_t caps)
{
    (void)caps;
    return total();
}

size_t heap_caps_get_free_size(uint32_t caps)
{
    (void)caps;
    return free_now();
}

size_t heap_caps_get_minimum_free_size(uint32_t caps)
{
    (void)caps;
    (void)free_now();
    return atomic_load(&lowest);
}

size_t heap_caps_get_largest_free_block(uint32_t caps)
{
    return heap_caps_get_free_size(caps);
}

void heap_caps_get_info(multi_heap_info_t *info, uint32_t caps)
{
    size_t now = heap_caps_get_free_size(caps);
    *info = (multi_heap_info_t){
        .total_free_bytes = now,
        .total_allocated_bytes = total() - now,
        .largest_free_block = now,
        .minimum_free_bytes = atomic_load(&lowest),
    };
}

void heap_caps_print_heap_info(uint32_t caps)
{
    multi_heap_info_t info;
    heap_caps_get_info(&info, caps);
    printf("heap: %zu bytes free, %zu allocated, %zu free at the least\n",
           info.total_free_bytes, info.total_allocated_bytes,
           info.minimum_free_bytes);
}
