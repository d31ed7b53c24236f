/* What esp_system.h asks about memory: the heap knows. */
#include "esp_system.h"
#include "vrt_heap.h"

uint32_t esp_get_free_heap_size(void)
{
    struct vrt_heap_stats s;
    vrt_heap_stats(&s);
    return s.size_len - s.used_len;
}

uint32_t esp_get_free_internal_heap_size(void)
{
    return esp_get_free_heap_size();
}

uint32_t esp_get_minimum_free_heap_size(void)
{
    struct vrt_heap_stats s;
    vrt_heap_stats(&s);
    return s.size_len - s.used_peak_len;
}
