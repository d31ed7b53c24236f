/* esp_heap_caps.h - memory of a kind; a host has one kind. */
#ifndef ESP_HEAP_CAPS_H
#define ESP_HEAP_CAPS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "esp_system.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MALLOC_CAP_EXEC (1 << 0)
#define MALLOC_CAP_32BIT (1 << 1)
#define MALLOC_CAP_8BIT (1 << 2)
#define MALLOC_CAP_DMA (1 << 3)
#define MALLOC_CAP_SPIRAM (1 << 10)
#define MALLOC_CAP_INTERNAL (1 << 11)
#define MALLOC_CAP_DEFAULT (1 << 12)

#define heap_caps_malloc(size, caps) ((void)(caps), malloc(size))
#define heap_caps_calloc(cnt, size, caps) ((void)(caps), calloc((cnt), (size)))
#define heap_caps_realloc(ptr, size, caps) \
    ((void)(caps), realloc((ptr), (size)))
#define heap_caps_free(ptr) free(ptr)
#define heap_caps_get_free_size(caps) \
    ((void)(caps), (size_t)esp_get_free_heap_size())
#define heap_caps_get_minimum_free_size(caps) \
    ((void)(caps), (size_t)esp_get_minimum_free_heap_size())
#define heap_caps_get_largest_free_block(caps) heap_caps_get_free_size(caps)

#ifdef __cplusplus
}
#endif

#endif
