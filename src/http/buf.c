#include "http/buf.h"

#include "crypto/ct.h"

#define BUF_MIN_LEN 64u

esp_err_t http_buf_reserve(struct http_buf *b, size_t len)
{
    size_t cap = b->cap ? b->cap : BUF_MIN_LEN;

    if (len >= SIZE_MAX / 4)
        return ESP_ERR_NO_MEM;
    if (len < b->cap)
        return ESP_OK;
    while (cap <= len)
        cap *= 2;
    char *ptr = b->heap->alloc(b->heap->ctx, cap);
    if (!ptr)
        return ESP_ERR_NO_MEM;
    size_t keep = b->len;
    if (keep > 0)
        memcpy(ptr, b->ptr, keep);
    http_buf_free(b);
    b->ptr = ptr;
    b->len = keep;
    b->cap = cap;
    return ESP_OK;
}

esp_err_t http_buf_add(struct http_buf *b, struct span s)
{
    if (s.len >= SIZE_MAX / 4 - b->len)
        return ESP_ERR_NO_MEM;
    esp_err_t err = http_buf_reserve(b, b->len + s.len);
    if (err)
        return err;
    if (s.len > 0)
        memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
    b->ptr[b->len] = '\0';
    return ESP_OK;
}

void http_buf_reset(struct http_buf *b)
{
    b->len = 0;
    if (b->ptr)
        b->ptr[0] = '\0';
}

void http_buf_free(struct http_buf *b)
{
    if (b->ptr)
        ct_wipe(b->ptr, b->cap);
    b->heap->free(b->heap->ctx, b->ptr);
    b->ptr = NULL;
    b->len = 0;
    b->cap = 0;
}
