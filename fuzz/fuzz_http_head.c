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

/* One reading, in pieces. */
struct reading {
    struct http_head_parser p;
    struct told told;
    enum http_head_step step;
    size_t used;
};

static void feed(struct reading *r, struct span in, size_t piece)
{
    *r = (struct reading){ .step = HTTP_HEAD_MORE };
    http_head_init(&r->p, on_part, &r->told);
    while (r->used < in.len && r->step == HTTP_HEAD_MORE) {
        struct span part = span_from(in, r->used);
        size_t done = 0;
        if (part.len > piece)
            part.len = piece;
        r->step = http_head_feed(&r->p, part, &done);
        must(done <= part.len);
        must(r->step != HTTP_HEAD_MORE || done == part.len);
        r->used += done;
    }
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
    struct reading whole, bytes;

    feed(&whole, in, size);
    feed(&bytes, in, 1);
    must(whole.step == bytes.step && whole.used == bytes.used);
    must(memcmp(&whole.p.head, &bytes.p.head, sizeof(whole.p.head)) == 0);
    if (whole.step == HTTP_HEAD_BAD) {
        must(whole.p.why != NULL && whole.p.err == ESP_ERR_INVALID_RESPONSE);
        return 0;
    }
    must(whole.told.sum == bytes.told.sum);
    if (whole.step == HTTP_HEAD_DONE)
        check_head(&whole.p.head);
    return 0;
}
