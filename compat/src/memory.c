/* What esp_system.h asks about memory, answered for the machine. */
#include <stdatomic.h>
#include <sys/sysinfo.h>

#include "esp_system.h"

static atomic_uint lowest = UINT32_MAX;

uint32_t esp_get_free_heap_size(void)
{
    struct sysinfo info;
    if (sysinfo(&info) != 0)
        return 0;
    uint64_t len = (uint64_t)info.freeram * info.mem_unit;
    uint32_t now = len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
    unsigned seen = atomic_load(&lowest);
    while (now < seen && !atomic_compare_exchange_weak(&lowest, &seen, now))
        ;
    return now;
}

uint32_t esp_get_free_internal_heap_size(void)
{
    return esp_get_free_heap_size();
}

uint32_t esp_get_minimum_free_heap_size(void)
{
    esp_get_free_heap_size();
    return atomic_load(&lowest);
}
