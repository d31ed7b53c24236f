/* http/buf.h - text that grows, in the heap. */
#ifndef HTTP_BUF_H
#define HTTP_BUF_H

#include "base/err.h"
#include "base/span.h"
#include "port/heap.h"

struct http_buf {
    const struct port_heap *heap;
    char *ptr; /* always terminated when not NULL */
    size_t len, cap;
};

MUST_CHECK esp_err_t http_buf_add(struct http_buf *b, struct span s);
/* One behind the other: all, or nothing is added. */
MUST_CHECK esp_err_t http_buf_join(struct http_buf *b, const struct span *parts,
                                   size_t cnt);
/* Room for len bytes and a terminator, contents kept. */
MUST_CHECK esp_err_t http_buf_reserve(struct http_buf *b, size_t len);
/* Empty, memory kept. */
void http_buf_reset(struct http_buf *b);
/* Wiped and given back. */
void http_buf_free(struct http_buf *b);

static inline struct span http_buf_span(const struct http_buf *b)
{
    return span_of(b->ptr, b->len);
}

#endif
