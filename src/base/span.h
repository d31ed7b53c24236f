/* base/span.h - a read-only run of bytes that somebody else owns. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *ptr; /* may be NULL when len is 0 */
    size_t len;
};

static inline struct span span_of(const void *ptr, size_t len)
{
    return (struct span){ (const uint8_t *)ptr, len };
}

static inline struct span span_str(const char *str)
{
    return span_of(str, str ? strlen(str) : 0);
}

/* The bytes from off on; empty when off is at or past the end. */
static inline struct span span_from(struct span s, size_t off)
{
    return off < s.len ? span_of(s.ptr + off, s.len - off) : span_of(NULL, 0);
}

static inline bool span_eq(struct span s, const char *str)
{
    size_t len = strlen(str);
    return s.len == len && (len == 0 || memcmp(s.ptr, str, len) == 0);
}

#endif
