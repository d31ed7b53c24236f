/* http/chunk.h - the framing of the chunked transfer coding, read as a stream
 * (RFC 9112 section 7.1). Pure; data goes past it, from the stream to whoever
 * wants it.
 *
 * Sizes that would not fit an http_len with a sign are refused, and so are
 * lines of framing and trailers longer than a few kilobytes: a peer cannot make
 * us read for ever without giving data. */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "http/len.h"

#define HTTP_CHUNK_LINE_MAX_LEN 1024u
#define HTTP_CHUNK_TRAILER_MAX_LEN (16u * 1024u)

enum http_chunk_step {
    HTTP_CHUNK_MORE, /* needs more bytes of framing */
    HTTP_CHUNK_DATA, /* left_len bytes of body come next */
    HTTP_CHUNK_DONE, /* the last chunk and its trailer ended */
    HTTP_CHUNK_BAD
};

struct http_chunk {
    const char *why;   /* after HTTP_CHUNK_BAD: half a sentence */
    http_len left_len; /* data bytes of this chunk that are still to come */
    http_len size_len; /* of the last chunk that was announced */
    /* Private from here. */
    uint32_t line_len, trailer_len;
    uint8_t state;
    bool has_digit;
};

void http_chunk_init(struct http_chunk *c);

/* Takes framing, never data: *used_len bytes of in are done with. While data
 * is to come it takes nothing and says DATA. */
enum http_chunk_step http_chunk_feed(struct http_chunk *c, struct span in,
                                     size_t *used_len);

/* Data is next: a size whose line has not ended does not count. */
bool http_chunk_at_data(const struct http_chunk *c);

/* The caller took len bytes of data from the stream; at most left_len. */
void http_chunk_take(struct http_chunk *c, size_t len);

#endif
