/* A block is a header and its bytes, `len` of them in all; blocks follow each
 * other from the start of the pool to its end. `asked` is what the caller
 * wanted, 0 for a free block. */
#include "vrt_heap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifndef VRT_HEAP_LEN
#define VRT_HEAP_LEN (128u * 1024u)
#endif

#define ALIGN 8u
#define FREE 0u

struct block {
    uint32_t len;
    uint32_t asked;
};

static union {
    uint8_t bytes[VRT_HEAP_LEN];
    uint64_t align;
} pool;

static struct vrt_heap_stats stats;

static struct block *block_at(uint32_t off)
{
    return (struct block *)(void *)(pool.bytes + off);
}

static void start(void)
{
    if (stats.size_len)
        return;
    stats.size_len = VRT_HEAP_LEN;
    *block_at(0) = (struct block){ VRT_HEAP_LEN, FREE };
}

/* A free block takes in the free ones behind it. */
static void join(uint32_t off)
{
    struct block *b = block_at(off);
    while (off + b->len < VRT_HEAP_LEN) {
        const struct block *next = block_at(off + b->len);
        if (next->asked != FREE)
            break;
        b->len += next->len;
    }
}

static void split(uint32_t off, uint32_t len)
{
    struct block *b = block_at(off);
    if (b->len - len < sizeof(struct block) + ALIGN)
        return;
    *block_at(off + len) = (struct block){ b->len - len, FREE };
    b->len = len;
}

static void note_peak(void)
{
    if (stats.cur_len > stats.peak_len)
        stats.peak_len = stats.cur_len;
    if (stats.used_len > stats.used_peak_len)
        stats.used_peak_len = stats.used_len;
}

static void *take(uint32_t off, uint32_t len, uint32_t asked)
{
    struct block *b = block_at(off);
    split(off, len);
    b->asked = asked;
    stats.cur_len += asked;
    stats.used_len += b->len;
    stats.block_cnt++;
    note_peak();
    memset(b + 1, 0, asked);
    return b + 1;
}

static void *heap_alloc(void *ctx, size_t len)
{
    (void)ctx;
    start();
    uint32_t asked = len > 0 ? (uint32_t)len : 1u;
    uint32_t want =
        (asked + (uint32_t)sizeof(struct block) + ALIGN - 1) & ~(ALIGN - 1);
    if (len < VRT_HEAP_LEN)
        for (uint32_t off = 0; off < VRT_HEAP_LEN; off += block_at(off)->len) {
            if (block_at(off)->asked != FREE)
                continue;
            join(off);
            if (block_at(off)->len >= want)
                return take(off, want, asked);
        }
    stats.refused_cnt++;
    return NULL;
}

_Bool vrt_heap_owns(const void *ptr)
{
    const uint8_t *at = ptr;
    if (at < pool.bytes + sizeof(struct block) ||
        at >= pool.bytes + VRT_HEAP_LEN)
        return false;
    uint32_t want = (uint32_t)(at - pool.bytes - sizeof(struct block));
    uint32_t off = 0;
    while (off < want) {
        uint32_t len = block_at(off)->len;
        if (len < sizeof(struct block) || len > VRT_HEAP_LEN - off)
            return false;
        off += len;
    }
    return off == want && block_at(off)->asked != FREE;
}

static void heap_free(void *ctx, void *ptr)
{
    (void)ctx;
    if (!ptr)
        return;
    if (!vrt_heap_owns(ptr))
        abort();
    struct block *b = (struct block *)ptr - 1;
    stats.cur_len -= b->asked;
    stats.used_len -= b->len;
    stats.block_cnt--;
    b->asked = FREE;
    join((uint32_t)((uint8_t *)b - pool.bytes));
}

const struct port_heap vrt_heap = { NULL, heap_alloc, heap_free };

void vrt_heap_stats(struct vrt_heap_stats *out)
{
    start();
    *out = stats;
    out->largest_len = 0;
    for (uint32_t off = 0; off < VRT_HEAP_LEN; off += block_at(off)->len) {
        if (block_at(off)->asked != FREE)
            continue;
        join(off);
        uint32_t len = block_at(off)->len - (uint32_t)sizeof(struct block);
        if (len > out->largest_len)
            out->largest_len = len;
    }
}

void vrt_heap_peak_reset(void)
{
    stats.peak_len = stats.cur_len;
    stats.used_peak_len = stats.used_len;
}

/* --- the C library's ------------------------------------------------------ */

void *malloc(size_t len)
{
    return heap_alloc(NULL, len);
}

void free(void *ptr)
{
    heap_free(NULL, ptr);
}

void *calloc(size_t cnt, size_t len)
{
    if (len && cnt > SIZE_MAX / len)
        return NULL;
    return heap_alloc(NULL, cnt * len);
}

void *realloc(void *ptr, size_t len)
{
    void *out = heap_alloc(NULL, len);
    if (!out || !ptr)
        return out;
    const struct block *b = (const struct block *)ptr - 1;
    memcpy(out, ptr, b->asked < len ? b->asked : len);
    heap_free(NULL, ptr);
    return out;
}
