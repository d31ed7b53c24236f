#include "http/chunk.h"

#include <assert.h>

#include "base/diag.h"
#include "http/text.h"

enum chunk_state {
    CHUNK_STATE_SIZE,
    CHUNK_STATE_EXT,
    CHUNK_STATE_SIZE_LF,
    CHUNK_STATE_DATA,
    CHUNK_STATE_DATA_CR,
    CHUNK_STATE_DATA_LF,
    CHUNK_STATE_TRAILER_START, /* at the front of a trailer line */
    CHUNK_STATE_TRAILER,
    CHUNK_STATE_TRAILER_LF,
    CHUNK_STATE_END_LF,
    CHUNK_STATE_DONE
};

void http_chunk_init(struct http_chunk *c)
{
    *c = (struct http_chunk){ .state = CHUNK_STATE_SIZE };
}

static enum http_chunk_step chunk_bad(struct http_chunk *c, const char *why)
{
    c->why = why;
    return HTTP_CHUNK_BAD;
}

#define chunk_bad(c, why) chunk_bad(c, DIAG_WHY(why))

/* chunk-size [ chunk-ext ] CRLF */
static enum http_chunk_step chunk_on_size(struct http_chunk *c, uint8_t b)
{
    int digit = http_hex(b);

    if (++c->line_len > HTTP_CHUNK_LINE_MAX_LEN)
        return chunk_bad(c, "a chunk's size line is longer than 1024 bytes");
    if (c->state == CHUNK_STATE_SIZE && digit >= 0) {
        if (c->left_len > HTTP_LEN_UNKNOWN >> 5)
            return chunk_bad(c, "a chunk's size is too large a number");
        c->left_len = c->left_len * 16 + (http_len)digit;
        c->has_digit = true;
        return HTTP_CHUNK_MORE;
    }
    if (!c->has_digit)
        return chunk_bad(c, "a chunk has no size");
    if (b == '\r')
        c->state = CHUNK_STATE_SIZE_LF;
    else if (b == '\n' || b == 0)
        return chunk_bad(c, "a chunk's size line does not end in CR LF");
    else if (c->state == CHUNK_STATE_SIZE && b != ';' && !http_is_blank(b))
        return chunk_bad(c, "a chunk's size is not a hexadecimal number");
    else
        c->state = CHUNK_STATE_EXT;
    return HTTP_CHUNK_MORE;
}

static void chunk_begin_data(struct http_chunk *c)
{
    c->size_len = c->left_len;
    c->line_len = 0;
    c->has_digit = false;
    c->state = c->left_len > 0 ? CHUNK_STATE_DATA : CHUNK_STATE_TRAILER_START;
}

/* Trailer fields are read over; the empty line ends the body. */
static enum http_chunk_step chunk_on_trailer(struct http_chunk *c, uint8_t b)
{
    bool start = c->state == CHUNK_STATE_TRAILER_START;

    if (++c->trailer_len > HTTP_CHUNK_TRAILER_MAX_LEN)
        return chunk_bad(c, "the trailer is longer than 16 KiB");
    if (b == '\n' || b == 0)
        return chunk_bad(c, "a trailer line does not end in CR LF");
    if (b == '\r')
        c->state = start ? CHUNK_STATE_END_LF : CHUNK_STATE_TRAILER_LF;
    else
        c->state = CHUNK_STATE_TRAILER;
    return HTTP_CHUNK_MORE;
}

/* One byte of framing. */
static enum http_chunk_step chunk_byte(struct http_chunk *c, uint8_t b)
{
    bool is_lf = b == '\n';

    switch ((enum chunk_state)c->state) {
    case CHUNK_STATE_SIZE:
    case CHUNK_STATE_EXT:
        return chunk_on_size(c, b);
    case CHUNK_STATE_SIZE_LF:
        if (is_lf)
            chunk_begin_data(c);
        break;
    case CHUNK_STATE_DATA_CR:
        is_lf = b == '\r';
        c->state = CHUNK_STATE_DATA_LF;
        break;
    case CHUNK_STATE_DATA_LF:
        c->state = CHUNK_STATE_SIZE;
        break;
    case CHUNK_STATE_TRAILER_START:
    case CHUNK_STATE_TRAILER:
        return chunk_on_trailer(c, b);
    case CHUNK_STATE_TRAILER_LF:
        c->state = CHUNK_STATE_TRAILER_START;
        break;
    case CHUNK_STATE_END_LF:
        c->state = CHUNK_STATE_DONE;
        break;
    case CHUNK_STATE_DATA:
    case CHUNK_STATE_DONE:
        break;
    }
    if (!is_lf)
        return chunk_bad(c, "a chunk does not end in CR LF");
    return c->state == CHUNK_STATE_DONE ? HTTP_CHUNK_DONE : HTTP_CHUNK_MORE;
}

bool http_chunk_at_data(const struct http_chunk *c)
{
    return c->state == CHUNK_STATE_DATA;
}

void http_chunk_take(struct http_chunk *c, size_t len)
{
    assert(c->state == CHUNK_STATE_DATA && len <= c->left_len);
    c->left_len -= len;
    if (c->left_len == 0)
        c->state = CHUNK_STATE_DATA_CR;
}

enum http_chunk_step http_chunk_feed(struct http_chunk *c, struct span in,
                                     size_t *used_len)
{
    enum http_chunk_step step = HTTP_CHUNK_MORE;
    size_t i = 0;

    while (i < in.len && step == HTTP_CHUNK_MORE &&
           c->state != CHUNK_STATE_DATA)
        step = chunk_byte(c, in.ptr[i++]);
    *used_len = i;
    if (step == HTTP_CHUNK_MORE && c->state == CHUNK_STATE_DATA)
        step = HTTP_CHUNK_DATA;
    return step;
}
