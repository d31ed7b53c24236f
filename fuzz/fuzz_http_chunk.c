/* Chunked bodies: read whole and byte by byte, with the same data. */
#include <stdint.h>
#include <stdlib.h>

#include "http/chunk.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

static enum http_chunk_step decode(struct http_chunk *c, struct span in,
                                   size_t piece, uint32_t *sum)
{
    enum http_chunk_step step = HTTP_CHUNK_MORE;
    size_t at = 0;

    http_chunk_init(c);
    while (at < in.len) {
        struct span part = span_from(in, at);
        size_t used = 0;
        if (part.len > piece)
            part.len = piece;
        step = http_chunk_feed(c, part, &used);
        must(used <= part.len);
        at += used;
        if (step == HTTP_CHUNK_DONE || step == HTTP_CHUNK_BAD)
            break;
        must(step == HTTP_CHUNK_DATA || used == part.len);
        if (step != HTTP_CHUNK_DATA)
            continue;
        must(c->left_len > 0 && c->left_len <= INT64_MAX);
        part = span_from(part, used);
        if (part.len > c->left_len)
            part.len = (size_t)c->left_len;
        for (size_t i = 0; i < part.len; i++)
            *sum = *sum * 31 + part.ptr[i];
        http_chunk_take(c, part.len);
        at += part.len;
    }
    return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct http_chunk whole, bytes;
    uint32_t sum_whole = 0;
    uint32_t sum_bytes = 0;
    enum http_chunk_step step = decode(&whole, in, size, &sum_whole);
    enum http_chunk_step again = decode(&bytes, in, 1, &sum_bytes);

    /* The whole input ends in data exactly where the last byte did. */
    must((step == HTTP_CHUNK_BAD) == (again == HTTP_CHUNK_BAD));
    must((step == HTTP_CHUNK_DONE) == (again == HTTP_CHUNK_DONE));
    must(sum_whole == sum_bytes);
    must(whole.left_len == bytes.left_len);
    must(step != HTTP_CHUNK_BAD || whole.why != NULL);
    return 0;
}
