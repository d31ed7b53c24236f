/* http/chunk.h - the chunked transfer coding, decoded as a stream (RFC 9112
 * section 7.1). Pure; copies nothing.
 *
 * Sizes that would not fit 63 bits are refused, and so are lines of framing
 * and trailers longer than a few kilobytes: a peer cannot make us read for
 * ever without giving data. */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define HTTP_CHUNK_LINE_MAX_LEN    1024u
#define HTTP_CHUNK_TRAILER_MAX_LEN (16u * 1024u)

enum http_chunk_step { HTTP_CHUNK_MORE, HTTP_CHUNK_DONE, HTTP_CHUNK_BAD };

struct http_chunk {
    const char *why;   /* after HTTP_CHUNK_BAD: half a sentence */
    uint64_t left_len; /* data bytes of this chunk that are still to come */
    uint64_t size_len; /* of the last chunk that was announced */
    /* Private from here. */
    uint32_t line_len, trailer_len;
    uint8_t state;
    bool has_digit;
};

void http_chunk_init(struct http_chunk *c);

/* Takes framing up to the next data. *used_len bytes of in are done with,
 * data among them; *data is the part of them that is body, a span into in.
 * MORE: call again with what is left, or with more. DONE: the last chunk and
 * its trailer ended. */
enum http_chunk_step http_chunk_feed(struct http_chunk *c, struct span in,
                                     size_t *used_len, struct span *data);

/* len bytes of data were taken past the decoder, straight from the stream;
 * never more than left_len. */
void http_chunk_skip(struct http_chunk *c, size_t len);

#endif
