/* Response heads: read whole and byte by byte, with the same result. */
#include <stdint.h>
#include <stdlib.h>

#include "http/head.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

struct told {
    uint32_t sum; /* of everything that was told, pieces joined */
};

static esp_err_t on_part(void *ctx, enum http_head_part part, struct span b)
{
    struct told *t = ctx;

    if (part == HTTP_HEAD_NAME)
        must(b.len > 0 && b.len <= HTTP_HEAD_NAME_LEN);
    if (part == HTTP_HEAD_NAME || part == HTTP_HEAD_FIELD_END)
        t->sum = t->sum * 31 + (uint32_t)part;
    for (size_t i = 0; i < b.len; i++) {
        must(b.ptr[i] != '\r' && b.ptr[i] != '\n');
        t->sum = t->sum * 31 + b.ptr[i];
    }
    return ESP_OK;
}

static enum http_head_step feed(struct http_head_parser *p, struct told *told,
                                struct span in, size_t piece, size_t *used)
{
    enum http_head_step step = HTTP_HEAD_MORE;

    *used = 0;
    http_head_init(p, on_part, told);
    while (*used < in.len && step == HTTP_HEAD_MORE) {
        struct span part = span_from(in, *used);
        size_t done = 0;
        if (part.len > piece)
            part.len = piece;
        step = http_head_feed(p, part, &done);
        must(done <= part.len);
        must(step != HTTP_HEAD_MORE || done == part.len);
        *used += done;
    }
    return step;
}

static void check_head(const struct http_head *h)
{
    must(h->status >= 100 && h->status <= 599);
    must(!(h->chunked && h->content_len != HTTP_LEN_UNKNOWN));
    must(!h->has_range ||
         (h->range_first <= h->range_last && h->range_last < h->range_total));
    must(memchr(h->etag, 0, sizeof(h->etag)) != NULL);
    must(memchr(h->content_type, 0, sizeof(h->content_type)) != NULL);
    must(h->encoded == (h->encoding[0] != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct http_head_parser whole, bytes;
    struct told told_whole = { 0 };
    struct told told_bytes = { 0 };
    size_t used = 0;
    size_t used_bytes = 0;
    enum http_head_step step = feed(&whole, &told_whole, in, size, &used);

    must(feed(&bytes, &told_bytes, in, 1, &used_bytes) == step);
    must(used == used_bytes);
    must(memcmp(&whole.head, &bytes.head, sizeof(whole.head)) == 0);
    if (step == HTTP_HEAD_BAD) {
        must(whole.why != NULL && whole.err == ESP_ERR_INVALID_RESPONSE);
        return 0;
    }
    must(told_whole.sum == told_bytes.sum);
    if (step == HTTP_HEAD_DONE)
        check_head(&whole.head);
    return 0;
}
